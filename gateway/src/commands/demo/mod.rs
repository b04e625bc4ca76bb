//! `perkgate demo`: a shop with four platforms, about thirty webhooks over real HTTP, what each one led to and why, and a gateway that
//! goes on serving. `--once` exits 0 only if everything came out as it should.

mod expect;
mod inbox;
mod script;
mod show;

use super::serve;
use anyhow::Context as _;
use perkgate_domain::time::Moment;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::gateway::{Config, Gateway};
use perkgate_gateway::outbound::{Outbound, Private};
use perkgate_gateway::{apply, connectors, telemetry};
use script::{Script, Step, Twist};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// Stop when everything is shown
    #[arg(long)]
    once: bool,
    /// Where to take requests [default: a free port of this machine]
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", hide_default_value = true)]
    listen: String,
    /// Where database, key and compiled plugins are kept [default: a new directory, which it says]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Who plays the platforms.
struct Stage {
    gateway: Gateway,
    outbound: Outbound,
    base: String,
    inbox: inbox::Inbox,
    sources: Vec<perkgate_domain::programme::Source>,
}

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    telemetry::start_quiet_logging();
    let now = SystemClock.now();
    let data = flags.data.unwrap_or_else(|| std::env::temp_dir().join(format!("perkgate-demo-{}", now.0)));
    anyhow::ensure!(
        !data.join("perkgate.db").exists(),
        "{} holds a demo already, and its thirty webhooks would all be duplicates: name a new directory with --data, or remove it",
        data.display()
    );
    show::headline(&format!("A gateway on SQLite in {}", data.display()));
    let mut config = Config::new(format!("sqlite://{}", data.join("perkgate.db").display()), &data);
    // The demo's inbox is on this machine.
    config.private = Private::loopback();
    let gateway = Gateway::open(config).await?;
    let listener = TcpListener::bind(&flags.listen)
        .await
        .with_context(|| format!("cannot listen on {}; --listen names another address", flags.listen))?;
    let base = format!("http://{}", listener.local_addr()?);
    let inbox = inbox::Inbox::open().await?;
    let text = include_str!("merchant.toml").replace("@BASE@", &base).replace("@INBOX@", &inbox.address);
    let prepared = apply::prepare_text(&text, "the demo's merchant file", data.clone(), gateway.store.as_ref()).await?;
    apply::apply(&prepared, gateway.store.as_ref(), &gateway.vault, &super::actor(), gateway.clock().now()).await?;
    gateway.registry.refresh().await?;
    gateway.registry.loaded().await;
    let (stop, mut stopped) = watch::channel(false);
    let serving = tokio::spawn({
        let gateway = gateway.clone();
        async move { gateway.serve(listener, async move { drop(stopped.wait_for(|stop| *stop).await) }).await }
    });
    let stage = Stage {
        gateway,
        outbound: Outbound::new(Private::everything(), Duration::from_secs(10))?,
        base,
        inbox,
        sources: prepared.sources().to_vec(),
    };
    let findings = play(&stage, now).await?;
    for finding in &findings {
        show::wrong(finding);
    }
    if !flags.once && findings.is_empty() {
        show::goes_on(&stage.base, &data);
        serve::stopped()?.await;
    }
    let _ = stop.send(true);
    serving.await??;
    anyhow::ensure!(
        findings.is_empty(),
        "{} things did not come out as they should; the lines above say which",
        findings.len()
    );
    Ok(ExitCode::SUCCESS)
}

/// Plays every step and the end; answers what did not come out as it should.
async fn play(stage: &Stage, now: Moment) -> anyhow::Result<Vec<String>> {
    let steps = Script::new(now).steps();
    let mut findings = Vec::new();
    show::headline(&format!("{} webhooks to {}", steps.len(), stage.base));
    for (number, step) in (1..).zip(&steps) {
        let (status, answer) = stage.send(step).await?;
        stage.quiet().await?;
        let word = answer["status"].as_str().unwrap_or_default().to_owned();
        show::step(number, steps.len(), step, status, &answer);
        stage.show_outcome(step, &answer).await?;
        if (status, word.as_str()) != step.expect {
            findings.push(format!(
                "webhook {number} ({}) should be {} {}, and is {status} {word}",
                step.about, step.expect.0, step.expect.1
            ));
        }
    }
    findings.extend(expect::check(stage).await?);
    Ok(findings)
}

impl Stage {
    async fn send(&self, step: &Step) -> anyhow::Result<(u16, serde_json::Value)> {
        let source = self
            .sources
            .iter()
            .find(|source| source.id.as_str() == step.source)
            .context("the script names no such source")?;
        let connector = connectors::find(&source.platform).context("no such connector")?;
        let signed_at =
            if step.twist == Twist::Old { SystemClock.now().plus_ms(-3_600_000) } else { SystemClock.now() };
        let mut headers = match step.twist {
            Twist::Unsigned => vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
            _ => {
                connector.sign(&step.body, step.topic, &step.delivery, source, signed_at).map_err(anyhow::Error::msg)?
            }
        };
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
        let mut body = step.body.clone();
        if step.twist == Twist::Forged {
            let text = String::from_utf8_lossy(&body).replace("\"quantity\":1000", "\"quantity\":9999");
            body = text.into_bytes();
        }
        let to = format!("{}/in/kavarna/{}", self.base, step.source);
        let answer = self.outbound.post(&to, &headers, body, 64 * 1024).await?;
        Ok((answer.status, serde_json::from_slice(&answer.body).unwrap_or_default()))
    }

    /// Waits until everything that was journalled is settled.
    async fn quiet(&self) -> anyhow::Result<()> {
        for _ in 0..3_000 {
            let depth = self.gateway.store.depth().await?;
            if depth.arrivals == 0 && depth.entries == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        anyhow::bail!("the gateway does not come to rest: what waits is {:?}", self.gateway.store.depth().await?)
    }

    /// What the webhook led to, and why.
    async fn show_outcome(&self, step: &Step, answer: &serde_json::Value) -> anyhow::Result<()> {
        let arrival = answer["entry"].as_i64().map(perkgate_domain::ids::ArrivalId);
        if let Some(arrival) = arrival
            && let Some(view) = self.gateway.store.arrival(arrival).await?
            && let Some(note) = view.note
        {
            // Nothing new followed; what followed the first time was shown then.
            show::note(&note);
            return Ok(());
        }
        if let Some(order) = &step.order
            && let Some(view) = self.gateway.store.explain(&"kavarna".into(), &step.source.into(), order).await?
        {
            let programme = super::member::programme(self.gateway.store.as_ref(), &"kavarna".into()).await?;
            let now = SystemClock.now();
            let teller = super::explain::Teller::new(self.gateway.store.as_ref(), &programme, Some("en"), now);
            show::lines(&teller.order(&view).await?);
        }
        Ok(())
    }
}
