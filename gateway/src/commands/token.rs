//! `perkgate token`: tokens for the management API, who has one, and taking one back.

use super::{Database, actor, member, print_json};
use anyhow::Context as _;
use perkgate_domain::ids::{MerchantId, PartnerId};
use perkgate_domain::time::Moment;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::store::{Schema, TokenRow};
use perkgate_gateway::tokens::{Access, Tokens};
use std::process::ExitCode;

/// The most that are listed.
const MOST: i64 = 1_000;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make one; it is printed once and kept nowhere
    Create(Flags),
    /// Which there are, newest first
    List(Listing),
    /// Take one back; every process refuses it from its next request on
    Revoke(Revoking),
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
    /// What you will know it by in `token list`: "till at the entrance"
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, clap::Args)]
pub(super) struct Listing {
    /// Only this merchant's
    #[arg(long, value_name = "ID")]
    merchant: Option<String>,
    /// Also those that have ended or were revoked
    #[arg(long)]
    all: bool,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, clap::Args)]
pub(super) struct Revoking {
    /// Its id: `tok_…`
    id: String,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create(flags) => create(flags).await?,
        Command::List(flags) => list(flags).await?,
        Command::Revoke(flags) => revoke(flags).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(flags: Flags) -> anyhow::Result<()> {
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
    let by = actor();
    let now = SystemClock.now();
    let issued = Tokens::new(&vault).issue(&access, flags.name, now, flags.days, &by).context("no token")?;
    store.create_token(&issued.row, &by).await?;
    println!("{}", issued.token);
    Ok(())
}

async fn list(flags: Listing) -> anyhow::Result<()> {
    let (store, _) = flags.database.open(Schema::Current).await?;
    let merchant = flags.merchant.map(MerchantId::new);
    let now = SystemClock.now();
    let mut tokens = store.tokens(merchant.as_ref(), MOST).await?;
    tokens.retain(|token| flags.all || state(token, now) == "good");
    if flags.json {
        return print_json(&serde_json::json!({"tokens": tokens}));
    }
    for token in &tokens {
        let whom = [token.merchant.as_ref().map(MerchantId::as_str), token.partner.as_ref().map(PartnerId::as_str)];
        let whom = whom.into_iter().flatten().next().unwrap_or("every merchant");
        let name = token.name.as_deref().unwrap_or_default();
        println!("{}  {}  {whom}  {}  {name}", token.id, token.role, state(token, now));
    }
    println!("{} tokens", tokens.len());
    Ok(())
}

fn state(token: &TokenRow, now: Moment) -> &'static str {
    match token {
        TokenRow { revoked_at: Some(_), .. } => "revoked",
        TokenRow { expires_at, .. } if *expires_at <= now => "expired",
        _ => "good",
    }
}

async fn revoke(flags: Revoking) -> anyhow::Result<()> {
    let (store, _) = flags.database.open(Schema::Current).await?;
    let revoked = store.revoke_token(&flags.id, SystemClock.now(), &actor()).await?;
    anyhow::ensure!(revoked, "there is no token of this id that could be revoked; `perkgate token list` names them");
    println!("revoked");
    Ok(())
}
