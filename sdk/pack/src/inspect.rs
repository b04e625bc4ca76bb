//! Reads what a component says about itself without running or compiling it.

use crate::{PackError, SECTION};
use perkgate_domain::event::Kind;
use perkgate_domain::ids::Digest;
use perkgate_domain::limits;
use perkgate_domain::manifest::Manifest;
use std::collections::BTreeSet;
use wasmparser::{ComponentExternName, Encoding, Parser, Payload};

/// What a component is, as far as its bytes tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The embedded manifest; [`Manifest::check`] holds.
    pub manifest: Manifest,
    /// What the plugin is named by.
    pub digest: Digest,
    /// The kinds of entry it decides on; never empty.
    pub exports: BTreeSet<Kind>,
    /// How many bytes it has.
    pub bytes: usize,
}

/// What may be imported. `types` has no functions: components import it to share its records.
const IMPORTS: [&str; 2] = ["perkgate:plugin/log@1.0.0", "perkgate:plugin/types@1.0.0"];

/// Reads and judges a component. Its code is not validated here: whoever compiles it does that.
///
/// # Errors
/// [`PackError`] says what about it is not acceptable.
pub fn inspect(component: &[u8]) -> Result<Inspection, PackError> {
    if component.len() > limits::COMPONENT_BYTES {
        return Err(PackError::TooLarge { bytes: component.len(), most: limits::COMPONENT_BYTES });
    }
    let outside = Outside::read(component)?;
    for name in &outside.imports {
        judge_import(name)?;
    }
    let exports =
        outside.exports.iter().filter_map(|name| kind(name).transpose()).collect::<Result<BTreeSet<_>, _>>()?;
    if exports.is_empty() {
        return Err(PackError::NoExport);
    }
    let manifest = match outside.manifests.as_slice() {
        [] => return Err(PackError::NoManifest),
        [json] => read_manifest(json)?,
        several => return Err(PackError::Manifests(several.len())),
    };
    if let Some(cause) = manifest.wakes.first()
        && !exports.contains(&Kind::Wake)
    {
        return Err(PackError::Manifest(format!(
            "`wakes` names \"{}\", but the plugin has no rule about wakes that could be called: write one, or leave the key out",
            cause.as_str()
        )));
    }
    Ok(Inspection { manifest, digest: Digest::of(component), exports, bytes: component.len() })
}

/// The outermost level of a component: what it asks of and offers to whoever runs it.
struct Outside<'a> {
    imports: Vec<String>,
    exports: Vec<String>,
    manifests: Vec<&'a [u8]>,
}

impl<'a> Outside<'a> {
    fn read(component: &'a [u8]) -> Result<Self, PackError> {
        let broken = |error: wasmparser::BinaryReaderError| PackError::NotAComponent(error.to_string());
        let mut found = Self { imports: Vec::new(), exports: Vec::new(), manifests: Vec::new() };
        // Nested modules and components have imports and exports of their own, which their parent provides.
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(component) {
            match payload.map_err(broken)? {
                Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                    return Err(PackError::NotAComponent("it is a core module".to_owned()));
                }
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        found.imports.push(full_name(import.map_err(broken)?.name));
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        found.exports.push(full_name(export.map_err(broken)?.name));
                    }
                }
                Payload::CustomSection(section) if depth == 0 && section.name() == SECTION => {
                    found.manifests.push(section.data());
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

fn judge_import(name: &str) -> Result<(), PackError> {
    if IMPORTS.contains(&name) {
        Ok(())
    } else if name.starts_with("perkgate:") {
        Err(PackError::NewerContract(name.to_owned()))
    } else {
        Err(PackError::ForeignImport(name.to_owned()))
    }
}

/// The kind of entry an export decides on; none for what is not ours to judge.
fn kind(export: &str) -> Result<Option<Kind>, PackError> {
    if !export.starts_with("perkgate:") {
        return Ok(None);
    }
    let (interface, version) = export.split_once('@').unwrap_or((export, ""));
    // A newer minor version of an interface still has everything that the first one has.
    let known = version.split('.').next() == Some("1");
    match interface.strip_prefix("perkgate:plugin/") {
        // Some toolchains export the records their functions use as well.
        Some("types") if known => Ok(None),
        Some(name) if known => {
            Kind::of_interface(name).map(Some).ok_or_else(|| PackError::NewerContract(export.to_owned()))
        }
        _ => Err(PackError::NewerContract(export.to_owned())),
    }
}

fn read_manifest(json: &[u8]) -> Result<Manifest, PackError> {
    if json.len() > limits::MANIFEST_BYTES {
        return Err(PackError::Manifest(too_long(json.len())));
    }
    let manifest: Manifest = serde_json::from_slice(json)
        .map_err(|error| PackError::Manifest(format!("the embedded JSON does not read ({error}); build again")))?;
    manifest.check().map_err(PackError::Manifest)?;
    Ok(manifest)
}

pub(crate) fn too_long(bytes: usize) -> String {
    format!("it has {bytes} bytes and may have {}; shorten the settings schema", limits::MANIFEST_BYTES)
}

/// A name with its version whole: an encoder may write `a:b/c@1` and `.2.3` apart.
fn full_name(name: ComponentExternName<'_>) -> String {
    let suffix = name.version_suffix.filter(|_| name.name.contains('@') && name.implements.is_none());
    format!("{}{}", name.name, suffix.unwrap_or_default())
}
