//! Ask, grant: a decision counts if the plugin's manifest asks for it and the merchant's file grants it. The refusal says which of
//! the two said no, and the line to add.

use perkgate_domain::decision::{Blame, Decision, Fault, FaultKind};
use perkgate_domain::manifest::Manifest;
use perkgate_domain::programme::Installation;

/// Checks every decision of an answer.
///
/// # Errors
/// [`Fault`] names the first decision that is not asked for or not granted.
pub(super) fn check(decisions: &[Decision], manifest: &Manifest, installation: &Installation) -> Result<(), Fault> {
    for decision in decisions {
        let name = decision.name();
        if !manifest.decisions.contains(name) {
            return Err(not_granted(format!(
                "{} decided `{name}`, which its manifest does not ask for: add \"{name}\" to `decisions` in plugin.toml",
                manifest.id
            )));
        }
        // Remembering moves nothing of the merchant's; asking for it is enough.
        if name != "remember" && !installation.grants.contains(name) {
            return Err(not_granted(format!(
                "{} decided `{name}`, which the merchant did not grant: add \"{name}\" to `grants` of installation `{}`",
                manifest.id, installation.id
            )));
        }
    }
    Ok(())
}

fn not_granted(detail: String) -> Fault {
    Fault { blame: Blame::Plugin, kind: FaultKind::NotGranted, detail }
}
