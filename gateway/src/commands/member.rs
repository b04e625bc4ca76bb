//! `perkgate member KEY`: what a member has.

use super::{Database, print_json};
use anyhow::Context as _;
use perkgate_domain::ids::MerchantId;
use perkgate_gateway::identity::{self, Lookup};
use perkgate_gateway::store::{MemberView, ProgrammeRows, Schema, Store};
use perkgate_gateway::vault::Vault;
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// Whose programme
    #[arg(long, value_name = "ID")]
    merchant: String,
    /// `email:…`, `phone:…`, `card:…`, `id:…` (a platform's customer id, or `id:mem_…`)
    key: String,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let (store, vault) = flags.database.open(Schema::Current).await?;
    let view = find(store.as_ref(), &vault, &flags.merchant, &flags.key).await?;
    if flags.json {
        print_json(&document(&view))?;
    } else {
        print(&view);
    }
    Ok(ExitCode::SUCCESS)
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
    store.member(&merchant, &member).await?.with_context(nobody)
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

/// The document of DESIGN's promise, and what else is known.
pub(super) fn document(view: &MemberView) -> Value {
    let member = &view.member;
    let (offers, rewards): (Vec<_>, Vec<_>) = view.rewards.iter().partition(|reward| reward.partner.is_some());
    json!({
        "member": member.id,
        "balances": member.balances,
        "tier": member.tier,
        "rewards": rewards,
        "offers": offers,
        "visits": member.visits,
        "spent": member.spent,
        "tags": member.tags,
        "locale": member.locale,
        "consent": member.consent,
        "joined_at": member.joined_at,
        "first_purchase_at": member.first_purchase_at,
        "last_purchase_at": member.last_purchase_at,
    })
}

fn print(view: &MemberView) {
    let member = &view.member;
    println!("{}  {} visits  tier {}", member.id, member.visits, member.tier.as_deref().unwrap_or("none"));
    for (wallet, balance) in &member.balances {
        println!("  {wallet}: {} available, {} pending", balance.available, balance.pending);
    }
    for reward in &view.rewards {
        let kind = reward.partner.as_ref().map_or_else(|| "reward".to_owned(), |partner| format!("offer of {partner}"));
        println!("  {kind}: {} — code {} ({})", reward.title, reward.code, reward.state.as_str());
    }
}
