//! What `perkgate serve` takes of a machine: memory over many purchases, and the time from its start to `/readyz` with twenty compiled
//! plugins. The real binary as a process of its own, on SQLite.

use super::load::{self, Place};
use anyhow::Context as _;
use perkgate_domain::programme::Source;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::outbound::{Outbound, Private};
use perkgate_gateway::stock;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const PLUGINS: u8 = 20;
const SENDERS: usize = 16;

pub(super) async fn measure(purchases: u32) -> anyhow::Result<Value> {
    let place = Place::new("serve");
    std::fs::create_dir_all(place.path())?;
    // First the merchant's usual three plugins, for memory over time.
    let (gateway, source) = load::gateway(&place).await?;
    drop(gateway);
    let served = Served::start(&place, &[])?;
    served.ready().await?;
    let mut resident = vec![served.resident_kb()?];
    let next = Arc::new(AtomicU32::new(0));
    for half in 1..=2 {
        send(&served, &source, &next, purchases / 2 * half).await?;
        resident.push(served.resident_kb()?);
    }
    drop(served);

    let crowded = Place::new("serve-crowded");
    let file = crowd(&crowded)?;
    let first = Served::start(&crowded, &["--merchant", &file])?;
    first.ready().await?;
    drop(first);
    let mut starts = Vec::new();
    let mut last = None;
    for _ in 0..5 {
        drop(last.take());
        let began = Instant::now();
        let served = Served::start(&crowded, &[])?;
        served.ready().await?;
        starts.push(began.elapsed().as_millis());
        last = Some(served);
    }
    starts.sort_unstable();
    let served = last.context("it was started")?;
    let next = Arc::new(AtomicU32::new(0));
    send(&served, &source, &next, purchases.min(5_000)).await?;
    Ok(json!({
        "purchases": purchases,
        "resident_kb": {"start": resident[0], "middle": resident[1], "end": resident[2]},
        "with_20_plugins": {
            "start_to_readyz_ms": {"median": starts[starts.len() / 2], "slowest": starts.last()},
            "resident_kb": served.resident_kb()?, "purchases": purchases.min(5_000),
        },
    }))
}

/// A merchant file with twenty plugins, no two of the same bytes.
fn crowd(place: &Place) -> anyhow::Result<String> {
    use std::fmt::Write as _;
    let component = stock::find("points-per-spend").context("the stock has points")?;
    let mut file = load::MERCHANT.split("[[plugins]]").next().unwrap_or_default().to_owned();
    std::fs::create_dir_all(place.path())?;
    for number in 0..PLUGINS {
        // A custom section that nobody reads: id, size, and a name with the number in it.
        let bytes = [component, &[0, 4, 2, b'n', b'o', number]].concat();
        let name = format!("plugin-{number}.wasm");
        std::fs::write(place.path().join(&name), bytes)?;
        write!(
            file,
            "[[plugins]]\nid = \"points-{number}\"\nplugin = \"{name}\"\nsettings = {{ points = 1, per = \"1.00\" }}\ngrants = [\"earn\"]\n"
        )?;
    }
    let path = place.path().join("bench.toml");
    std::fs::write(&path, file)?;
    Ok(path.display().to_string())
}

/// A process that serves; killed when it goes out of scope.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(place: &Place, more: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", "--listen", "127.0.0.1:0", "--ops-listen", "off", "--database", &place.url, "--data"])
            .arg(place.path())
            .args(more)
            .env("PERKGATE_LOG", "perkgate=info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let stderr = child.stderr.take().context("it has an output")?;
        let mut lines = BufReader::new(stderr).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split("listening on http://").nth(1)?.trim().to_owned()));
        // Its further words are read and forgotten, so that it never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        let address = address.context("the gateway did not start; run `perkgate serve` to see why")?;
        Ok(Self { child, address })
    }

    async fn ready(&self) -> anyhow::Result<()> {
        let url = format!("http://{}/readyz", self.address);
        let outbound = Outbound::new(Private::everything(), Duration::from_secs(5))?;
        loop {
            if outbound.get(&url, &[], 4096).await.is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            // What is measured to this much: tens of milliseconds.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn resident_kb(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("this system has no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends until so many purchases were taken since the beginning.
async fn send(served: &Served, source: &Source, next: &Arc<AtomicU32>, until: u32) -> anyhow::Result<()> {
    let to: Arc<str> = format!("http://{}/in/bench/till", served.address).into();
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        let (to, source, next) = (Arc::clone(&to), source.clone(), Arc::clone(next));
        senders.spawn(async move {
            let outbound = Outbound::new(Private::everything(), Duration::from_secs(15))?;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= until {
                    return anyhow::Ok(());
                }
                let now = SystemClock.now();
                let body = load::body(number, 10_000, now);
                let headers = load::signed(&body, number, &source, now)?;
                // Whoever is told to come back does.
                while outbound.post(&to, &headers, body.clone(), 4096).await?.status != 200 {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        });
    }
    while let Some(sent) = senders.join_next().await {
        sent??;
    }
    next.store(until, Ordering::Relaxed);
    Ok(())
}
