//! `perkgate token create`: a token for the management API.

use super::{Database, member};
use anyhow::Context as _;
use perkgate_domain::ids::{MerchantId, PartnerId};
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::store::Schema;
use perkgate_gateway::tokens::{Access, Tokens};
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make one; it is printed once and kept nowhere
    Create(Flags),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Role {
    /// Every merchant
    Operator,
    /// One merchant
    Merchant,
    /// One partner
    Partner,
}

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// Whom it speaks for
    #[arg(long)]
    role: Role,
    /// Which merchant
    #[arg(long, value_name = "ID", required_if_eq("role", "merchant"))]
    merchant: Option<String>,
    /// Which partner
    #[arg(long, value_name = "ID", required_if_eq("role", "partner"))]
    partner: Option<String>,
    /// For how many days it is good, 3650 at most
    #[arg(long, value_name = "N", default_value_t = 90)]
    days: u32,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let Command::Create(flags) = command;
    let (store, vault) = flags.database.open(Schema::Current).await?;
    let access = match (flags.role, flags.merchant, flags.partner) {
        (Role::Operator, None, None) => Access::Operator,
        (Role::Merchant, Some(merchant), None) => {
            let merchant = MerchantId::new(merchant);
            // A misspelt name would make a token that opens nothing.
            member::programme(store.as_ref(), &merchant).await?;
            Access::Merchant(merchant)
        }
        (Role::Partner, None, Some(partner)) => Access::Partner(PartnerId::new(partner)),
        _ => anyhow::bail!(
            "a token speaks for one: --merchant goes with the role merchant, --partner with the role partner"
        ),
    };
    let token = Tokens::new(&vault).issue(&access, SystemClock.now(), flags.days).context("no token")?;
    println!("{token}");
    Ok(ExitCode::SUCCESS)
}
