//! `perkgate coupon issue`: the merchant gives rewards of the catalogue, to one member or to all of a segment.

use super::hand::{self, Hand, Order};
use super::{Database, member, print_json};
use perkgate_domain::ids::{MemberId, MerchantId, derive};
use perkgate_domain::rules::Audience;
use perkgate_gateway::errand::{Errand, Outcome};
use serde_json::json;
use std::process::ExitCode;

/// Members read at once.
const PAGE: usize = 500;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Give a reward to one member, or to everybody with a tag or in a tier
    Issue(Flags),
}

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// Whose programme
    #[arg(long, value_name = "ID")]
    merchant: String,
    /// The reward's key in the catalogue
    reward: String,
    #[command(flatten)]
    whom: Whom,
    /// What the campaign is called: under one name a member is given the reward once. A segment needs one
    #[arg(long, value_name = "NAME", required_unless_present = "member")]
    name: Option<String>,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Whom {
    /// One member: `email:…`, `phone:…`, `card:…`, `id:…`
    #[arg(long, value_name = "KEY")]
    member: Option<String>,
    /// Everybody with this tag
    #[arg(long)]
    tag: Option<String>,
    /// Everybody in this tier
    #[arg(long)]
    tier: Option<String>,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let Command::Issue(flags) = command;
    let hand = Hand::open(&flags.database).await?;
    let merchant = MerchantId::new(flags.merchant.clone());
    let programme = hand.programme(&merchant).await?;
    let known = programme.merchant.rules.rewards.contains_key(&flags.reward);
    anyhow::ensure!(known, "the catalogue of `{merchant}` has no reward `{}`", flags.reward);
    let Whom { member, tag, tier } = &flags.whom;
    let audience = match (tag, tier) {
        (Some(tag), _) => Audience::Tag(tag.clone()),
        (_, Some(tier)) => Audience::Tier(tier.clone()),
        _ => {
            let found = member::named(&hand, &flags.merchant, member.as_deref().unwrap_or_default()).await?;
            let key = match &flags.name {
                Some(name) => campaign_key(name, &flags.reward, &found),
                None => hand::key_or_drawn(None)?,
            };
            let errand = Errand::Issue { member: found, reward: flags.reward };
            let outcome = hand.once(&Order { merchant: &merchant, key: &key, errand }).await?;
            hand::print(&outcome, flags.json)?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let name = flags.name.as_deref().unwrap_or_default();
    let given = campaign(&hand, &merchant, &audience, name, &flags.reward).await;
    hand.close().await?;
    let (given, refused) = given?;
    if flags.json {
        print_json(
            &json!({"given": given, "refused": refused.iter().map(|(member, why)| json!({"member": member, "why": why})).collect::<Vec<_>>()}),
        )?;
    } else {
        given.iter().try_for_each(|outcome| hand::print(outcome, false))?;
        println!("{} given, {} refused", given.len(), refused.len());
    }
    if let Some((member, why)) = refused.first() {
        anyhow::bail!("{} of {} were refused, {member} first: {why}", refused.len(), refused.len() + given.len());
    }
    Ok(ExitCode::SUCCESS)
}

/// The same for the same campaign, reward and member, however often it is run.
fn campaign_key(name: &str, reward: &str, member: &MemberId) -> String {
    derive("campaign", &[name, reward, member.as_str()])
}

/// Everybody of the segment, one after the other. Stopped in between, it is run again and goes on where it was.
async fn campaign(
    hand: &Hand,
    merchant: &MerchantId,
    audience: &Audience,
    name: &str,
    reward: &str,
) -> anyhow::Result<(Vec<Outcome>, Vec<(MemberId, String)>)> {
    let (mut given, mut refused) = (Vec::new(), Vec::new());
    let mut after: Option<MemberId> = None;
    loop {
        let members = hand.gateway.store.segment(merchant, audience, after.as_ref(), PAGE).await?;
        let Some(last) = members.last().cloned() else { return Ok((given, refused)) };
        after = Some(last);
        for member in members {
            let errand = Errand::Issue { member: member.clone(), reward: reward.to_owned() };
            let key = campaign_key(name, reward, &member);
            let outcome = hand.outcome(&Order { merchant, key: &key, errand: errand.clone() }).await?;
            match outcome.refused(&errand) {
                None => given.push(outcome),
                Some(why) => refused.push((member, why)),
            }
        }
    }
}
