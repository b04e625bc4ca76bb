//! `perkgate deliveries`: what is on its way out, and dead letters sent again.

use super::{Database, actor, print_json, say};
use perkgate_domain::ids::{ChannelId, DeliveryId, MerchantId};
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::store::{ChannelView, Schema};
use serde_json::json;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// Whose
    #[arg(long, value_name = "ID")]
    merchant: String,
    /// Which
    #[arg(long, value_parser = ["due", "delivered", "dead", "suppressed"], default_value = "dead")]
    state: String,
    /// Make this dead delivery due again
    #[arg(long, value_name = "DELIVERY")]
    resend: Option<String>,
    /// Send by this channel again, although its receiver has failed
    #[arg(long, value_name = "CHANNEL", conflicts_with = "resend")]
    resume: Option<String>,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let (store, _) = flags.database.open(Schema::Current).await?;
    let merchant = MerchantId::new(flags.merchant);
    if let Some(delivery) = flags.resend {
        let id = DeliveryId::new(delivery.as_str());
        let again = store.resend(&merchant, &id, SystemClock.now(), &actor()).await?;
        anyhow::ensure!(
            again,
            "merchant `{merchant}` has no dead delivery `{delivery}`; `perkgate deliveries --merchant {merchant}` lists them"
        );
        say(&format!("{delivery} is due again"));
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(channel) = flags.resume {
        let id = ChannelId::new(channel.as_str());
        let again = store.resume(&merchant, &id, SystemClock.now(), &actor()).await?;
        anyhow::ensure!(
            again,
            "channel `{channel}` of merchant `{merchant}` has no failures to forget: it is being sent to"
        );
        say(&format!("{channel} is sent to again"));
        return Ok(ExitCode::SUCCESS);
    }
    let failing = store.failing(&merchant).await?;
    let found = store.deliveries(&merchant, &flags.state, 200).await?;
    if flags.json {
        print_json(&json!({"deliveries": found, "failing_channels": failing}))?;
        return Ok(ExitCode::SUCCESS);
    }
    for view in &found {
        let delivery = &view.delivery;
        say(&format!(
            "{}  {}  {}  {}  {} attempts  {}",
            delivery.id,
            delivery.channel,
            delivery.message.key,
            delivery.member,
            view.attempts,
            delivery.note.as_deref().unwrap_or_default()
        ));
    }
    say(&format!("{} {}", found.len(), flags.state));
    for ChannelView { channel, health } in &failing {
        match &health.reason {
            Some(reason) => say(&format!("channel {channel} is disabled: {reason}")),
            None => say(&format!("channel {channel}: {} attempts in a row failed", health.failures)),
        }
    }
    Ok(ExitCode::SUCCESS)
}
