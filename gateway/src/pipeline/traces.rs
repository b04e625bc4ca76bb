//! What tracing tells of reading and settling. A batch is worked on together, so each of its arrivals and entries took as long as the
//! batch did.

use super::Pipeline;
use super::held::Opened;
use super::plan::Plan;
use crate::store::{Admission, AdmissionResult};
use crate::telemetry::Step;
use perkgate_domain::plan::QueuedEntry;
use std::collections::HashMap;
use std::time::Instant;

/// When each part of settling a batch began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Laps {
    pub(super) began: Instant,
    pub(super) planned: Instant,
}

/// What an arrival came to, in a word, and of how many entries it tells.
pub(super) fn outcome(admission: &Admission) -> (&'static str, usize) {
    match &admission.result {
        AdmissionResult::Entries(entries) => ("entries", entries.len()),
        AdmissionResult::Nothing(_) => ("nothing", 0),
        AdmissionResult::Test(_) => ("test", 0),
        AdmissionResult::Parked(_) => ("parked", 0),
        AdmissionResult::Asking(_) => ("asking", 0),
        AdmissionResult::Later(..) => ("later", 0),
    }
}

impl Pipeline {
    /// Arrivals were read (`read`), or a platform was asked about one (`ask`).
    pub(super) fn trace_read(
        &self,
        name: &'static str,
        arrivals: &[Opened],
        outcomes: &[(&'static str, usize)],
        began: Instant,
    ) {
        for (arrival, (outcome, entries)) in arrivals.iter().zip(outcomes) {
            let Some(trace) = self.metrics.traces().of_arrival(arrival.id) else { continue };
            let step = Step::new(name, began)
                .which(&arrival.answers.len(), arrival.attempts)
                .with("perkgate.merchant", arrival.merchant.to_string())
                .with("perkgate.source", arrival.source.to_string())
                .with("perkgate.outcome", *outcome)
                .with("perkgate.entries", count(*entries))
                .with("perkgate.batch", count(arrivals.len()));
            trace.step(step, []);
        }
    }

    /// A batch of entries was settled.
    pub(super) fn trace_settled(&self, entries: &[QueuedEntry], plan: &Plan, laps: Laps) {
        let by_id: HashMap<_, _> = entries.iter().map(|entry| (entry.id, entry)).collect();
        for settlement in &plan.settlements {
            let born = settlement.born.as_deref();
            let Some(entry) = born.or_else(|| by_id.get(&settlement.entry).copied()) else { continue };
            let Some(trace) = self.metrics.traces().of_entry(entry.id, entry.arrival) else { continue };
            let fuel: u64 = settlement.decisions.iter().map(|decision| decision.fuel).sum();
            let step = settling(entry, laps.began)
                .with("perkgate.state", settlement.state.as_str())
                .with("perkgate.decisions", count(settlement.decisions.len()))
                .with("perkgate.fuel", i64::try_from(fuel).unwrap_or(i64::MAX))
                .with("perkgate.postings", count(settlement.postings.len()))
                .with("perkgate.deliveries", count(settlement.deliveries.len()))
                .with("perkgate.batch", count(entries.len()));
            let parts = [Step::new("plan", laps.began).until(laps.planned), Step::new("commit", laps.planned)];
            // What its time made did not arrive, so nothing is above it.
            if entry.arrival.is_some() { trace.step(step, parts) } else { trace.root(step, parts) }
        }
    }

    /// An entry failed, for now or for good.
    pub(super) fn trace_failed(&self, entry: &QueuedEntry, why: &str) {
        let Some(trace) = self.metrics.traces().of_entry(entry.id, entry.arrival) else { return };
        let step = settling(entry, Instant::now()).failed(Some(why));
        if entry.arrival.is_some() { trace.step(step, []) } else { trace.root(step, []) }
    }
}

fn settling(entry: &QueuedEntry, began: Instant) -> Step {
    Step::new("settle", began)
        .which(&entry.id, entry.attempts)
        .with("perkgate.merchant", entry.merchant.to_string())
        .with("perkgate.entry", entry.id.0)
        .with("perkgate.kind", entry.event.kind().as_str())
        .with("perkgate.attempt", entry.attempts + 1)
}

fn count(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}
