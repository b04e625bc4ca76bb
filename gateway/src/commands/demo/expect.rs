//! What must stand at the end of the demo, worked out by hand.

use super::{Stage, show};
use crate::commands::member::find;
use perkgate_domain::ids::MerchantId;
use std::collections::BTreeMap;
use std::time::Duration;

/// Who, with how many points, stamps, visits, and rewards or offers in hand.
struct Standing {
    name: &'static str,
    points: i64,
    stamps: i64,
    visits: i64,
    held: usize,
}

const STANDINGS: &[Standing] = &[
    // 6 + 12 + 20 + 3 + 7, less 6 for one cake of two; the tea's 9 came and went. Five stamps became a coffee; the tea's came and
    // went. In hand: the coffee and the cinema's offer.
    Standing { name: "jana", points: 42, stamps: 0, visits: 5, held: 2 },
    // 4 + 18, less 9 for half the dinner. Half a stamp is none taken back.
    Standing { name: "petr", points: 13, stamps: 2, visits: 2, held: 1 },
    // 25 came and went; 10 stay.
    Standing { name: "ewa", points: 10, stamps: 1, visits: 1, held: 0 },
    // 19.35 without the shipping.
    Standing { name: "tom", points: 19, stamps: 1, visits: 1, held: 0 },
    Standing { name: "lea", points: 3, stamps: 1, visits: 1, held: 0 },
];

/// Messages that go out: Jana's first purchase, fifth visit and fifty euros, Ewa's first purchase. What the others would get is not
/// sent: they did not agree.
const MAILS: usize = 4;

/// Requests turned away or ignored, by cause.
const REJECTIONS: &[(&str, usize)] =
    &[("bad_signature", 1), ("stale", 1), ("too_large", 1), ("unknown_topic", 1), ("unreadable", 1)];

pub(super) async fn check(stage: &Stage) -> anyhow::Result<Vec<String>> {
    let mut findings = Vec::new();
    let store = stage.gateway.store.as_ref();
    show::headline("What everybody has");
    for standing in STANDINGS {
        let view =
            find(store, &stage.gateway.vault, "kavarna", &format!("email:{}@example.com", standing.name)).await?;
        show::member(standing.name, &view);
        let wallet = |name: &str| view.member.wallets.get(name).map_or(0, |wallet| wallet.available);
        let found = (wallet("points"), wallet("stamps"), view.member.visits, view.rewards.len());
        let wanted = (standing.points, standing.stamps, standing.visits, standing.held);
        if found != wanted {
            findings.push(format!(
                "{} should have (points, stamps, visits, rewards) {wanted:?}, and has {found:?}",
                standing.name
            ));
        }
    }
    findings.extend(messages(stage).await?);
    findings.extend(rejections(stage).await?);
    show::headline("The ledger");
    let report = store.verify(None).await?;
    show::ledger(&report);
    findings.extend(report.problems);
    let depth = store.depth().await?;
    if depth.parked != 0 {
        findings.push(format!("nothing should be parked at the end, and {} things are", depth.parked));
    }
    Ok(findings)
}

async fn messages(stage: &Stage) -> anyhow::Result<Option<String>> {
    show::headline("Messages");
    for _ in 0..400 {
        if stage.inbox.mails().len() >= MAILS && stage.gateway.store.depth().await?.deliveries == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let mails = stage.inbox.mails();
    mails.iter().for_each(show::mail);
    let suppressed = stage.gateway.store.deliveries(&MerchantId::new("kavarna"), "suppressed", 100).await?;
    show::suppressed(suppressed.len());
    Ok((mails.len() != MAILS).then(|| format!("{MAILS} messages should be sent, and {} are", mails.len())))
}

async fn rejections(stage: &Stage) -> anyhow::Result<Option<String>> {
    let wanted: BTreeMap<String, usize> =
        REJECTIONS.iter().map(|(cause, count)| ((*cause).to_owned(), *count)).collect();
    let mut found = BTreeMap::new();
    // Rejections are kept beside the answer, not before it.
    for _ in 0..200 {
        found = BTreeMap::new();
        for rejection in stage.gateway.store.rejections(&MerchantId::new("kavarna"), 100).await? {
            *found.entry(rejection.cause).or_default() += 1;
        }
        if found == wanted {
            return Ok(None);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    Ok(Some(format!("the rejections should be {wanted:?}, and are {found:?}")))
}
