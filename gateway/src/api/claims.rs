//! A member shows the receipt of a purchase that named nobody. Receipts are numbered one after the other, so the number alone proves nothing:
//! what was paid, or the day, must fit too. Who guesses is told only that it does not fit, and after a few tries nothing is looked at.

use super::Desk;
use super::problem::{Code, Problem};
use super::visit::{Reply, Visit};
use crate::civil::Zone;
use crate::errand::Errand;
use crate::store::ExplainView;
use axum::extract::State;
use perkgate_domain::ids::{MemberId, MerchantId, SourceId};
use perkgate_domain::time::Moment;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Receipts that may fail to fit, of one member in one hour.
const GUESSES: u32 = 10;
const HOUR_MS: i64 = 3_600_000;
/// Members of whom it is remembered; beyond that everybody begins anew.
const REMEMBERED: usize = 10_000;
/// The same whatever does not fit.
const UNFIT: &str =
    "no purchase without a member fits this receipt: check the source, the order, the total and the date";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Receipt {
    source: SourceId,
    order: String,
    /// In the purchase's currency: `12.10`.
    total: Option<String>,
    /// By the merchant's calendar: `2026-03-01`.
    date: Option<String>,
}

impl Receipt {
    fn fits(&self, found: &ExplainView, zone: &Zone) -> bool {
        let purchase = &found.purchase;
        let total = self.total.as_ref().map(|total| purchase.currency.minor(total) == Ok(purchase.total));
        let date = self.date.as_ref().map(|date| zone.date(purchase.placed_at) == *date);
        total.unwrap_or(true) && date.unwrap_or(true)
    }
}

/// Whose receipts did not fit, and how often since when. Of this process only: enough to make guessing slow.
#[derive(Debug, Default)]
pub struct Guesses(Mutex<HashMap<(MerchantId, MemberId), (Moment, u32)>>);

impl Guesses {
    fn too_many(&self, whose: &(MerchantId, MemberId), now: Moment) -> bool {
        let guesses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guesses.get(whose).is_some_and(|(since, count)| now.0 - since.0 < HOUR_MS && *count >= GUESSES)
    }
    fn failed(&self, whose: &(MerchantId, MemberId), now: Moment) {
        let mut guesses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if guesses.len() >= REMEMBERED {
            guesses.retain(|_, (since, _)| now.0 - since.0 < HOUR_MS);
        }
        if guesses.len() >= REMEMBERED {
            guesses.clear();
        }
        let (since, count) = guesses.entry(whose.clone()).or_insert((now, 0));
        if now.0 - since.0 >= HOUR_MS {
            (*since, *count) = (now, 0);
        }
        *count += 1;
    }
}

/// `POST /members/{key}/claims`
pub(super) async fn claim(State(desk): State<Desk>, visit: Visit) -> Result<Reply, Problem> {
    let receipt: Receipt = visit.document()?;
    if receipt.total.is_none() && receipt.date.is_none() {
        return Err(Problem::bad(
            "a receipt is named by its order and by `total` (\"12.10\") or `date` (\"2026-03-01\")",
        ));
    }
    let member = visit.member(&desk).await?;
    let whose = (visit.merchant().clone(), member.clone());
    let unfit = || Problem::saying(Code::Refused, UNFIT);
    if desk.guesses.too_many(&whose, desk.clock.now()) {
        return Err(unfit());
    }
    let look = async || desk.store.explain(visit.merchant(), &receipt.source, &receipt.order).await;
    let zone = Zone::named(&visit.programme.merchant.timezone);
    let Some(found) = look().await?.filter(|found| receipt.fits(found, &zone)) else {
        desk.guesses.failed(&whose, desk.clock.now());
        return Err(unfit());
    };
    let somebody_elses = |found: &ExplainView| found.entry.member.as_ref().is_some_and(|owner| *owner != member);
    // Their own may be asked for again: under the same key that is a repetition.
    if somebody_elses(&found) {
        return Err(Problem::of(Code::AlreadyClaimed));
    }
    let (source, order) = (receipt.source.clone(), receipt.order.clone());
    let outcome = visit.run(&desk, &Errand::Claim { member: member.clone(), source, order }).await?;
    // Somebody else may have been faster.
    if look().await?.is_some_and(|found| somebody_elses(&found)) {
        return Err(Problem::of(Code::AlreadyClaimed));
    }
    Ok(Reply::of(200, &outcome))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_ends_after_a_few_tries_and_begins_anew_after_an_hour() {
        let guesses = Guesses::default();
        let (jana, peter) = (("kavarna".into(), "mem_1".into()), ("kavarna".into(), "mem_2".into()));
        for _ in 0..GUESSES {
            assert!(!guesses.too_many(&jana, Moment(0)));
            guesses.failed(&jana, Moment(0));
        }
        assert!(guesses.too_many(&jana, Moment(HOUR_MS - 1)) && !guesses.too_many(&peter, Moment(0)));
        assert!(!guesses.too_many(&jana, Moment(HOUR_MS)));
        guesses.failed(&jana, Moment(HOUR_MS));
        assert!(!guesses.too_many(&jana, Moment(HOUR_MS)));
    }
}
