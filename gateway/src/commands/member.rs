//! `perkgate member KEY`: what a member has. With a verb in the key's place (`verbs.rs`), what becomes of them.

mod show;
mod verbs;

pub(super) use show::wallet;

use super::hand::Hand;
use super::{Database, actor, print_json, say};
use anyhow::Context as _;
use perkgate_domain::ids::{MemberId, MerchantId};
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::identity::{self, Lookup};
use perkgate_gateway::store::{MemberView, Note, ProgrammeRows, Schema, Store};
use perkgate_gateway::vault::Vault;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Flags {
    #[command(subcommand)]
    verb: Option<verbs::Verb>,
    /// Whose programme
    #[arg(long, value_name = "ID", required = true)]
    merchant: Option<String>,
    /// `email:…`, `phone:…`, `card:…`, `id:…` (a platform's customer id, or `id:mem_…`)
    #[arg(required = true)]
    key: Option<String>,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let Flags { verb, merchant, key, json, database } = flags;
    if let Some(verb) = verb {
        return verbs::run(verb).await;
    }
    let (store, vault) = database.open(Schema::Current).await?;
    let (merchant, key) = (merchant.unwrap_or_default(), key.unwrap_or_default());
    let view = find(store.as_ref(), &vault, &merchant, &key).await?;
    let rows = programme(store.as_ref(), &MerchantId::new(merchant)).await?;
    looks(store.as_ref(), &rows.merchant.id, "member.read", &view.member.id).await?;
    let shown = show::Shown::new(&view, &rows.merchant, SystemClock.now());
    if json {
        print_json(&shown.document())?;
    } else {
        for line in shown.lines() {
            say(&line);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes down that somebody looks at what is kept about a member, before they see it.
pub(super) async fn looks(
    store: &dyn Store,
    merchant: &MerchantId,
    act: &str,
    member: &MemberId,
) -> anyhow::Result<()> {
    let note = Note::new(Some(merchant), &actor(), act, SystemClock.now()).about(member);
    Ok(store.note(&[note]).await?)
}

/// The id of the member that a key names.
pub(super) async fn named(hand: &Hand, merchant: &str, key: &str) -> anyhow::Result<MemberId> {
    Ok(find(hand.gateway.store.as_ref(), &hand.gateway.vault, merchant, key).await?.member.id)
}

/// The member a key names.
pub(super) async fn find(store: &dyn Store, vault: &Vault, merchant: &str, key: &str) -> anyhow::Result<MemberView> {
    let merchant = MerchantId::new(merchant);
    let programme = programme(store, &merchant).await?;
    let sources: Vec<_> = programme.sources.iter().map(|row| row.id.as_str().into()).collect();
    let lookup = identity::parse_key(vault, &programme.merchant, sources.iter(), key).map_err(anyhow::Error::msg)?;
    let member = match lookup {
        Lookup::Member(member) => Some(member),
        Lookup::Keys(keys) => store.find_member(&merchant, &keys).await?,
    };
    let nobody =
        || format!("merchant `{merchant}` knows no member by this key; a purchase or join that names it makes one");
    let member = member.with_context(nobody)?;
    let view = store.member(&merchant, &member).await?.with_context(nobody)?;
    // Who became one with somebody is that somebody. Keys went over with them.
    match &view.member.merged_into {
        Some(other) => store.member(&merchant, other).await?.with_context(nobody),
        None => Ok(view),
    }
}

/// A merchant's programme, or a sentence that says who there is.
pub(super) async fn programme(store: &dyn Store, merchant: &MerchantId) -> anyhow::Result<ProgrammeRows> {
    let all = store.programmes().await?;
    let names: Vec<String> = all.iter().map(|rows| rows.merchant.id.to_string()).collect();
    let none = || match names.as_slice() {
        [] => "there is no merchant in this database yet; `perkgate apply FILE` puts one there".to_owned(),
        names => format!("there is no merchant `{merchant}` in this database; there is: {}", names.join(", ")),
    };
    all.into_iter().find(|rows| rows.merchant.id == *merchant).with_context(none)
}
