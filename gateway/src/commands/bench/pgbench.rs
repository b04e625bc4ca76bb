//! The yardstick: what `pgbench -N`, PostgreSQL's own benchmark of one simple transaction, reaches on the same server in the same run.

use super::load::Engines;
use anyhow::Context as _;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Clients of the yardstick.
const CLIENTS: &str = "8";
/// Its size: a million accounts.
const SCALE: &str = "10";

/// Transactions each second.
pub(super) async fn measure(server: &str, time: Duration) -> anyhow::Result<u64> {
    let name = format!("perkgate-bench-yardstick-{}-{}", std::process::id(), SystemClock.now().0);
    let url = Engines::make(server, &name).await?;
    let measured = tokio::task::block_in_place(|| run(&url, time));
    Engines::unmake(server, &name).await?;
    measured
}

fn run(url: &str, time: Duration) -> anyhow::Result<u64> {
    pgbench(&["-i", "-q", "-s", SCALE, url])?;
    let seconds = time.as_secs().max(1).to_string();
    let output = pgbench(&["-N", "-c", CLIENTS, "-j", "2", "-T", &seconds, url])?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let tps = said.lines().find_map(|line| line.strip_prefix("tps = ")).and_then(|rest| rest.split('.').next());
    tps.and_then(|tps| tps.parse().ok()).with_context(|| format!("pgbench says no `tps`:\n{said}"))
}

fn pgbench(arguments: &[&str]) -> anyhow::Result<Output> {
    let run = Command::new("pgbench").args(arguments).stdin(Stdio::null()).output();
    let output = run.context("pgbench cannot be run: install PostgreSQL's programs, or leave --database out")?;
    anyhow::ensure!(output.status.success(), "pgbench failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(output)
}
