//! `perkgate member join|update|merge|forget|export|claim`: errands about members, from the command line.

use super::super::hand::{self, Hand, Order};
use super::super::{Database, print_json};
use super::{find, looks, named};
use anyhow::Context as _;
use perkgate_domain::ids::{MerchantId, SourceId};
use perkgate_domain::member::Identity;
use perkgate_gateway::api;
use perkgate_gateway::errand::{Errand, check_identity, check_newcomer};
use perkgate_gateway::store::Schema;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Somebody becomes a member
    Join(Joining),
    /// A member says something new about themselves
    Update(Updating),
    /// Two members are one person: the first stays
    Merge(Merging),
    /// A member is forgotten: keys and contact data go, postings stay and are nobody's
    Forget(Whom),
    /// Everything that is kept about a member, as one JSON document
    Export(Whom),
    /// A member shows the receipt of a purchase that named nobody
    Claim(Claiming),
}

/// What every verb needs.
#[derive(Debug, clap::Args)]
struct Common {
    /// Whose programme
    #[arg(long, value_name = "ID")]
    merchant: String,
    /// The idempotency key [default: drawn]
    #[arg(long = "key", value_name = "K")]
    idempotency: Option<String>,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, clap::Args)]
pub(super) struct Whom {
    /// `email:…`, `phone:…`, `card:…`, `id:…`
    member: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
pub(super) struct Joining {
    #[command(flatten)]
    person: Person,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
pub(super) struct Updating {
    /// `email:…`, `phone:…`, `card:…`, `id:…`
    member: String,
    #[command(flatten)]
    person: Person,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
pub(super) struct Merging {
    /// Who stays: `email:…`, `phone:…`, `card:…`, `id:…`
    member: String,
    /// Who goes
    other: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
pub(super) struct Claiming {
    /// `email:…`, `phone:…`, `card:…`, `id:…`
    member: String,
    /// By which source the purchase came
    source: String,
    /// The order's id or what staff call it
    order: String,
    #[command(flatten)]
    common: Common,
}

/// What is known about somebody.
#[derive(Clone, Debug, clap::Args)]
struct Person {
    /// E-mail address
    #[arg(long)]
    email: Option<String>,
    /// Phone number in any notation
    #[arg(long)]
    phone: Option<String>,
    /// A loyalty card's code
    #[arg(long)]
    card: Option<String>,
    /// Full name
    #[arg(long)]
    name: Option<String>,
    /// Their language: `sk`, `cs-CZ`
    #[arg(long)]
    locale: Option<String>,
    /// Whether they agree to messages
    #[arg(long, value_name = "true|false")]
    consent: Option<bool>,
    /// `1990-03-08`, `--03-08` or `03-08`; the year is not kept
    #[arg(long, value_name = "DAY", allow_hyphen_values = true)]
    birthday: Option<String>,
    /// What whoever brought them tells friends, or a key of theirs
    #[arg(long, value_name = "WHO")]
    referrer: Option<String>,
}

impl Verb {
    fn common(&self) -> &Common {
        match self {
            Self::Join(flags) => &flags.common,
            Self::Update(flags) => &flags.common,
            Self::Merge(flags) => &flags.common,
            Self::Forget(flags) | Self::Export(flags) => &flags.common,
            Self::Claim(flags) => &flags.common,
        }
    }

    /// What is to be done, with everybody looked up; none for what only asks.
    async fn errand(&self, hand: &Hand) -> anyhow::Result<Option<Errand>> {
        let merchant = self.common().merchant.as_str();
        let member = async |key: &str| named(hand, merchant, key).await;
        Ok(Some(match self {
            Self::Join(flags) => {
                let identity = flags.person.identity();
                let programme = hand.programme(&MerchantId::from(merchant)).await?;
                check_newcomer(&hand.gateway.vault, &programme.merchant, &identity).map_err(anyhow::Error::msg)?;
                Errand::Join { identity }
            }
            Self::Update(flags) => {
                let identity = flags.person.identity();
                anyhow::ensure!(identity != Identity::default(), "nothing is said about them: add --name or another");
                let programme = hand.programme(&MerchantId::from(merchant)).await?;
                check_identity(&hand.gateway.vault, &programme.merchant, &identity).map_err(anyhow::Error::msg)?;
                Errand::Profile { member: member(&flags.member).await?, identity }
            }
            Self::Merge(flags) => {
                Errand::Merge { member: member(&flags.member).await?, other: member(&flags.other).await? }
            }
            Self::Forget(flags) => Errand::Forget { member: member(&flags.member).await? },
            Self::Claim(flags) => {
                let (source, order) = (SourceId::new(flags.source.clone()), flags.order.clone());
                let member = member(&flags.member).await?;
                let found = hand.gateway.store.explain(&MerchantId::from(merchant), &source, &order).await?;
                let found =
                    found.with_context(|| format!("no purchase of the source `{source}` has the order `{order}`"))?;
                let free = found.entry.member.is_none_or(|owner| owner == member);
                anyhow::ensure!(free, "the purchase belongs to another member already");
                Errand::Claim { member, source, order }
            }
            Self::Export(_) => return Ok(None),
        }))
    }
}

impl Person {
    /// As the journal takes it.
    fn identity(&self) -> Identity {
        let Self { email, phone, card, name, locale, consent, birthday, referrer } = self.clone();
        Identity { email, phone, card, name, locale, consent, birthday, referrer, ..Identity::default() }
    }
}

pub(super) async fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    if let Verb::Export(flags) = &verb {
        return export(flags).await;
    }
    let hand = Hand::open(&verb.common().database).await?;
    let Some(errand) = verb.errand(&hand).await? else { return Ok(ExitCode::SUCCESS) };
    let common = verb.common();
    let merchant = MerchantId::new(common.merchant.clone());
    let key = hand::key_or_drawn(common.idempotency.clone())?;
    let outcome = hand.once(&Order { merchant: &merchant, key: &key, errand }).await?;
    hand::print(&outcome, common.json)?;
    Ok(ExitCode::SUCCESS)
}

async fn export(flags: &Whom) -> anyhow::Result<ExitCode> {
    let Whom { member, common } = flags;
    let (store, vault) = common.database.open(Schema::Current).await?;
    let merchant = MerchantId::new(common.merchant.clone());
    let view = find(store.as_ref(), &vault, &common.merchant, member).await?;
    looks(store.as_ref(), &merchant, "member.export", &view.member.id).await?;
    let found = store.export(&merchant, &view.member.id).await?;
    let Some(found) = found else { anyhow::bail!("the member has just been forgotten") };
    print_json(&api::export_document(&vault, &merchant, &found))?;
    Ok(ExitCode::SUCCESS)
}
