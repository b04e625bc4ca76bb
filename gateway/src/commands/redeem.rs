//! `perkgate redeem` and `perkgate undo`: a member takes a reward of the catalogue, or gives it back.

use super::hand::{self, Hand, Order};
use super::{Database, member};
use perkgate_domain::ids::{MerchantId, RewardId};
use perkgate_gateway::errand::Errand;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// Whose programme
    #[arg(long, value_name = "ID")]
    merchant: String,
    /// `email:…`, `phone:…`, `card:…`, `id:…`
    member: String,
    /// The reward's key in the catalogue
    reward: String,
    /// The idempotency key: asked for again under the same key, the reward is taken once
    #[arg(long = "key", value_name = "K")]
    key: String,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let hand = Hand::open(&flags.database).await?;
    let found = member::named(&hand, &flags.merchant, &flags.member).await?;
    let merchant = MerchantId::new(flags.merchant);
    let errand = Errand::Redeem { member: found, reward: flags.reward };
    let outcome = hand.once(&Order { merchant: &merchant, key: &flags.key, errand }).await?;
    hand::print(&outcome, flags.json)?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, clap::Args)]
pub(super) struct UndoFlags {
    /// Whose programme
    #[arg(long, value_name = "ID")]
    merchant: String,
    /// `email:…`, `phone:…`, `card:…`, `id:…`
    member: String,
    /// The reward held: `rwd_…`
    reward: String,
    /// The idempotency key [default: drawn]
    #[arg(long = "key", value_name = "K")]
    key: Option<String>,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn undo(flags: UndoFlags) -> anyhow::Result<ExitCode> {
    let hand = Hand::open(&flags.database).await?;
    let found = member::named(&hand, &flags.merchant, &flags.member).await?;
    let merchant = MerchantId::new(flags.merchant);
    let key = hand::key_or_drawn(flags.key)?;
    let errand = Errand::Undo { member: found, reward: RewardId::new(flags.reward) };
    let outcome = hand.once(&Order { merchant: &merchant, key: &key, errand }).await?;
    hand::print(&outcome, flags.json)?;
    Ok(ExitCode::SUCCESS)
}
