//! What tracing tells of reading and settling. A batch is worked on together, so each of its arrivals and entries shows the time of the
//! whole batch.

use super::Pipeline;
use super::held::Opened;
use crate::store::AdmissionResult;
use crate::telemetry::{Step, Trace};
use perkgate_domain::plan::{QueuedEntry, Settlement};
use std::time::Instant;

/// When each part of settling a batch began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Laps {
    pub(super) began: Instant,
    pub(super) planned: Instant,
    /// Entries in it.
    pub(super) batch: usize,
}

/// What an arrival came to, in a word, and of how many entries it tells.
pub(super) type Outcome = (&'static str, usize);

/// See [`Outcome`].
pub(super) fn outcome(result: &AdmissionResult) -> Outcome {
    match result {
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
    pub(super) fn trace_read(&self, name: &'static str, arrivals: &[Opened], outcomes: &[Outcome], began: Instant) {
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

    /// An entry was settled.
    pub(super) fn trace_settled(&self, entry: &QueuedEntry, settlement: &Settlement, laps: Laps) {
        let Some(trace) = self.metrics.traces().of_entry(entry.id, entry.arrival) else { return };
        let fuel: u64 = settlement.decisions.iter().map(|decision| decision.fuel).sum();
        let step = settling(entry, laps.began)
            .with("perkgate.state", settlement.state.as_str())
            .with("perkgate.decisions", count(settlement.decisions.len()))
            .with("perkgate.fuel", i64::try_from(fuel).unwrap_or(i64::MAX))
            .with("perkgate.postings", count(settlement.postings.len()))
            .with("perkgate.deliveries", count(settlement.deliveries.len()))
            .with("perkgate.batch", count(laps.batch));
        let parts = [Step::new("plan", laps.began).until(laps.planned), Step::new("commit", laps.planned)];
        tell(&trace, entry, step, parts);
    }

    /// An entry failed, for now or for good.
    pub(super) fn trace_failed(&self, entry: &QueuedEntry, why: &str) {
        let Some(trace) = self.metrics.traces().of_entry(entry.id, entry.arrival) else { return };
        let step = settling(entry, Instant::now()).failed(Some(why));
        tell(&trace, entry, step, []);
    }
}

/// What its time made did not arrive, so nothing is above it.
fn tell(trace: &Trace<'_>, entry: &QueuedEntry, step: Step, parts: impl IntoIterator<Item = Step>) {
    if entry.arrival.is_some() { trace.step(step, parts) } else { trace.root(step, parts) }
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
