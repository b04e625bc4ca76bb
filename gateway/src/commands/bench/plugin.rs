//! A decision of each stock plugin on a purchase of five lines: in a fresh instance, and by a call into a live one.

use super::{Times, load};
use perkgate_domain::decision::Outcome;
use perkgate_domain::facts::{Facts, MemberFacts, MerchantFacts};
use perkgate_domain::limits::CallLimits;
use perkgate_domain::money::Currency;
use perkgate_domain::purchase::{Channel, Line, LineKind, Purchase};
use perkgate_domain::time::Moment;
use perkgate_gateway::civil::Zone;
use perkgate_gateway::stock;
use perkgate_plugin_host::{Call, Compiler, Host, HostConfig};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SETTINGS: &[(&str, &str)] = &[
    ("partner-offer", r#"{"key":"kino","title":"Kino","text":"1+1","minimum":"15.00"}"#),
    ("points-per-spend", r#"{"points":1,"per":"1.00"}"#),
    ("stamp-card", r#"{"goal":10,"reward":{"key":"coffee","title":"Coffee"}}"#),
    ("thank-you", r#"{"visits":[5],"milestones":["100.00"]}"#),
];

pub(super) fn measure(calls: u32) -> anyhow::Result<Value> {
    let place = load::Place::new("plugin");
    let config = HostConfig {
        limits: CallLimits::default(),
        cache_dir: Some(place.path().to_owned()),
        cache_key: [7; 32],
        instances: 4,
        compiler: Compiler::Here,
    };
    let host = Host::new(config)?;
    let purchase = purchase()?;
    let mut all = BTreeMap::new();
    for (id, settings) in SETTINGS {
        let component = stock::find(id).ok_or_else(|| anyhow::anyhow!("there is no stock plugin {id}"))?;
        let mut compile = Times::default();
        let plugin = compile.time(|| host.load(component))?;
        let facts = facts(settings)?;
        let call = Call::Purchase { source: "till", purchase: &purchase };
        let mut live = plugin.live().map_err(|fault| anyhow::anyhow!("{id}: {}", fault.detail))?;
        let (mut fresh_times, mut live_times, mut fuel, mut memory) = (Times::default(), Times::default(), 0, 0);
        // In turn, so that a noisy moment meets both.
        for _ in 0..calls {
            let verdict = fresh_times.time(|| plugin.decide(call, &facts));
            anyhow::ensure!(
                matches!(verdict.outcome, Outcome::Decided(_)),
                "{id} does not decide: {:?}",
                verdict.outcome
            );
            (fuel, memory) = (verdict.fuel, verdict.memory_bytes);
            live_times.time(|| live.decide(call, &facts));
        }
        let (fresh, live) = (fresh_times.within(500), live_times.within(500));
        all.insert((*id).to_owned(), json!({
            "fresh_ns": {"p50": fresh, "p99": fresh_times.within(990)},
            "live_ns": {"p50": live, "p99": live_times.within(990)},
            "fresh_to_live_percent": fresh * 100 / live.max(1),
            "fuel": fuel, "memory_bytes": memory, "component_bytes": component.len(), "compile_ns": compile.within(500),
        }));
    }
    Ok(json!(all))
}

fn purchase() -> anyhow::Result<Purchase> {
    let lines: Vec<Line> = (0..5_i64)
        .map(|line| Line {
            id: line.to_string(),
            sku: Some(format!("SKU-{line}")),
            name: format!("Item {line}"),
            category: None,
            quantity_milli: 1000,
            unit: 300 + line,
            total: 300 + line,
            tax: 50,
            kind: LineKind::Item,
        })
        .collect();
    let total = lines.iter().map(|line| line.total).sum();
    let purchase = Purchase {
        id: "b1".to_owned(),
        reference: None,
        channel: Channel::InStore,
        placed_at: Moment(1_772_366_400_000),
        currency: Currency::parse("EUR")?,
        total,
        tax: 250,
        discount: 0,
        unaccounted: 0,
        unaccounted_reason: None,
        lines,
        codes: vec![],
        location: None,
    };
    purchase.check()?;
    Ok(purchase)
}

fn facts(settings: &str) -> anyhow::Result<Facts> {
    let now = Moment(1_772_366_400_000);
    Ok(Facts {
        now,
        local: Zone::named("Europe/Bratislava").local(now),
        merchant: MerchantFacts {
            id: "bench".to_owned(),
            name: "Bench".to_owned(),
            currency: Currency::parse("EUR")?,
            timezone: "Europe/Bratislava".to_owned(),
            locale: "sk".to_owned(),
        },
        member: Some(MemberFacts {
            id: "mem_1".to_owned(),
            locale: Some("sk".to_owned()),
            joined_at: Moment(0),
            visits: 4,
            spent: 9_900,
            first_purchase_at: None,
            last_purchase_at: None,
            tier: None,
            tags: vec![],
            consent: true,
            balances: BTreeMap::new(),
        }),
        settings: settings.to_owned(),
        memory: vec![],
        dice: 7,
        birthday: None,
        standing: None,
        referral: None,
        history: vec![],
        favourites: vec![],
        coming: vec![],
    })
}
