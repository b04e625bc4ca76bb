//! `perkgate send PLATFORM`: signed webhooks, as the platform would send them.

use super::samples::{self, Sale};
use anyhow::Context as _;
use perkgate_domain::programme::Source;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::connectors::{self, Connector};
use perkgate_gateway::outbound::{Outbound, Private};
use std::io::Read as _;
use std::process::ExitCode;
use std::time::Duration;

/// How much of a body is read: more than any gateway takes, so that its refusal can be seen.
const BODY_BYTES: u64 = 64 * 1024 * 1024;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// shopify, square, stripe, woocommerce, standard-webhooks or generic-hmac
    platform: String,
    /// Where to
    #[arg(long, value_name = "URL")]
    to: String,
    /// The source's secret
    #[arg(long, value_name = "S")]
    secret: String,
    /// The platform's own topic [default: its purchase topic]
    #[arg(long)]
    topic: Option<String>,
    /// The body to send, or `-` for standard input [default: a made-up purchase, another one each time]
    #[arg(long, value_name = "FILE")]
    body: Option<String>,
    /// How many
    #[arg(long, default_value_t = 1)]
    count: u32,
    /// The source's options, as JSON; generic-hmac needs them
    #[arg(long, value_name = "JSON")]
    options: Option<String>,
    /// Who buys, in made-up purchases
    #[arg(long, default_value = "jana@example.com")]
    email: String,
}

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let connector = connectors::find(&flags.platform).with_context(|| {
        format!(
            "there is no connector for `{}`; there is: {}",
            flags.platform,
            connectors::platforms().collect::<Vec<_>>().join(", ")
        )
    })?;
    let mut source = samples::source(&flags.platform, &flags.secret, Some(&flags.to));
    if let Some(options) = &flags.options {
        source.options = serde_json::from_str(options).context("--options is not a JSON object")?;
    }
    connector.check(&source).map_err(anyhow::Error::msg)?;
    let body = match flags.body.as_deref() {
        None => None,
        Some("-") => {
            let mut body = Vec::new();
            std::io::stdin()
                .take(BODY_BYTES)
                .read_to_end(&mut body)
                .context("cannot read the body from standard input")?;
            Some(body)
        }
        Some(path) => Some(read_body(path).with_context(|| format!("cannot read the body {path}"))?),
    };
    // Sent by the operator's own hand, to wherever the operator says.
    let outbound = Outbound::new(Private::everything(), Duration::from_secs(15))?;
    let start = SystemClock.now();
    let mut refused = 0;
    for number in 0..flags.count {
        let id = u64::try_from(start.0).unwrap_or(0) * 1000 + u64::from(number);
        let body = match &body {
            Some(body) => body.clone(),
            None => samples::purchase(&flags.platform, &Sale::made_up(id, &flags.email, start))
                .with_context(|| format!("no purchase can be made up for {}: name one with --body", flags.platform))?,
        };
        let (status, answer) =
            send(&outbound, connector, &source, &flags.to, flags.topic.as_deref(), &format!("send-{id}"), body).await?;
        super::say(&format!("{status} {answer}"));
        refused += u32::from(!(200..300).contains(&status));
    }
    anyhow::ensure!(refused == 0, "{refused} of {} were not taken; the answers above say why", flags.count);
    Ok(ExitCode::SUCCESS)
}

fn read_body(path: &str) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    std::fs::File::open(path)?.take(BODY_BYTES).read_to_end(&mut body)?;
    Ok(body)
}

/// Signs and sends one body; answers status and text.
pub(super) async fn send(
    outbound: &Outbound,
    connector: &dyn Connector,
    source: &Source,
    to: &str,
    topic: Option<&str>,
    delivery: &str,
    body: Vec<u8>,
) -> anyhow::Result<(u16, String)> {
    let headers = connector.sign(&body, topic, delivery, source, SystemClock.now()).map_err(anyhow::Error::msg)?;
    let answer = outbound.post(to, &headers, body, 64 * 1024).await.with_context(|| format!("cannot send to {to}"))?;
    Ok((answer.status, String::from_utf8_lossy(&answer.body).trim().to_owned()))
}
