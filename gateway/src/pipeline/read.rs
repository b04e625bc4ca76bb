//! From arrivals to entries: open what was journalled, let the connector read it, ask the platform where it must be asked, and admit
//! what came of it.

use super::held::Opened;
use super::{BATCH, Pipeline, PipelineError, claimed_time, lock, traces};
use crate::connectors::{self, Connector, Context, Happening, Reading, Verified, fetch};
use crate::identity;
use crate::journal;
use crate::panics;
use crate::registry::Snapshot;
use crate::store::{
    Admission, AdmissionResult, ContactField, DoubtTask, NewEntry, Newcomer, StoreError, UnreadArrival,
};
use perkgate_domain::event::{Event, OWN_SOURCE};
use perkgate_domain::ids::{Digest, MemberId, SourceId, derive};
use perkgate_domain::limits::{LEASE_MS, retry_at};
use perkgate_domain::member::Proof;
use perkgate_domain::plan::QueuedEntry;
use perkgate_domain::programme::{Audience, Programme, Source};
use perkgate_domain::time::Moment;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::time::Instant;

/// While a platform is asked, nobody else asks; after this long it is asked again (the process may have died meanwhile).
const ASKING_MS: i64 = 60_000;
/// The longest wait before a platform that does not answer is asked again.
const ASK_AGAIN_MS: i64 = 3_600_000;
/// The most questions in a row about one arrival.
const PAGES: usize = 10;

pub(super) type Answers = BTreeMap<String, Vec<u8>>;

/// What reading one arrival came to, before it is admitted.
enum Read {
    Done(AdmissionResult),
    Ask(Vec<connectors::FetchRequest>),
}

impl Pipeline {
    /// Reads one batch of arrivals. Answers how many there were.
    ///
    /// # Errors
    /// [`PipelineError`] if the database fails: the batch is read again.
    pub async fn read(&self) -> Result<usize, PipelineError> {
        if lock(&self.shared.entries).len() >= 2 * BATCH {
            return Ok(0);
        }
        let began = Instant::now();
        let mut watch = began;
        let unread = self.next_arrivals().await?;
        if unread.is_empty() {
            return Ok(0);
        }
        self.stage("claim", &mut watch);
        let pipeline = self.clone();
        let (unread, admissions, questions) = tokio::task::spawn_blocking(move || {
            let snapshot = pipeline.registry.snapshot();
            let read = |arrival: &Opened| {
                panics::guard(|| pipeline.read_one(&snapshot, arrival, &arrival.answers))
                    .unwrap_or_else(|panicked| Read::Done(pipeline.failed(arrival, panicked.to_string())))
            };
            let reads: Vec<Read> = unread.par_iter().map(read).collect();
            let mut questions = Vec::new();
            let mut admissions = Vec::with_capacity(unread.len());
            for (arrival, read) in unread.iter().zip(reads) {
                let result = match read {
                    Read::Done(result) => result,
                    Read::Ask(requests) => {
                        questions.push((arrival.clone(), requests));
                        AdmissionResult::Asking(pipeline.clock.now().plus_ms(ASKING_MS))
                    }
                };
                admissions.push(admission(arrival, result, None));
            }
            (unread, admissions, questions)
        })
        .await?;
        self.stage("normalise", &mut watch);
        let count = unread.len();
        let mut outcomes: Vec<_> = admissions.iter().map(|admission| traces::outcome(&admission.result)).collect();
        let ready = match self.admit(admissions, &unread, &mut outcomes).await {
            Ok(ready) => ready,
            Err(error) => {
                lock(&self.shared.arrivals).put_back(unread);
                return Err(error.into());
            }
        };
        self.stage("admit", &mut watch);
        self.trace_read("read", &unread, &outcomes, began);
        lock(&self.shared.arrivals).done(unread.iter().map(|arrival| arrival.id.0));
        self.keep(ready).await?;
        self.shared.ready.notify_one();
        let mut asking = lock(&self.shared.asking);
        while asking.try_join_next().is_some() {}
        for (arrival, requests) in questions {
            let pipeline = self.clone();
            asking.spawn(async move { pipeline.ask(arrival, requests).await });
        }
        Ok(count)
    }

    /// Admits a batch. One that fails is taken apart by halves, until what fails stands alone and is put off; the rest is admitted.
    async fn admit(
        &self,
        admissions: Vec<Admission>,
        unread: &[Opened],
        outcomes: &mut [traces::Outcome],
    ) -> Result<Vec<QueuedEntry>, StoreError> {
        let mut ready = Vec::new();
        let mut parts = vec![admissions];
        while let Some(mut part) = parts.pop() {
            match self.store.admit(&part, LEASE_MS).await {
                Ok(admitted) => ready.extend(admitted),
                Err(error) if error.is_outage() => return Err(error),
                Err(_) if part.len() > 1 => {
                    let rest = part.split_off(part.len() / 2);
                    parts.push(rest);
                    parts.push(part);
                }
                Err(error) => {
                    let whose = |(arrival, _): &(&Opened, _)| part.first().is_some_and(|one| one.arrival == arrival.id);
                    let Some((arrival, outcome)) = unread.iter().zip(outcomes.iter_mut()).find(whose) else { continue };
                    let failed = self.failed(arrival, error.to_string());
                    *outcome = traces::outcome(&failed);
                    ready.extend(self.store.admit(&[admission(arrival, failed, None)], LEASE_MS).await?);
                }
            }
        }
        Ok(ready)
    }

    /// An arrival that could not be read or admitted is put off, and after some tries parked for a person.
    fn failed(&self, arrival: &Opened, why: String) -> AdmissionResult {
        let (merchant, source) = (&arrival.merchant, &arrival.source);
        if let Some(at) = retry_at(self.clock.now(), arrival.attempts) {
            self.metrics.put_off("retried");
            tracing::warn!(%merchant, %source, arrival = %arrival.id, attempts = arrival.attempts + 1, "put off: {why}");
            return AdmissionResult::Later(why, at);
        }
        self.metrics.put_off("failed");
        tracing::error!(%merchant, %source, arrival = %arrival.id, "parked after {} tries: {why}", arrival.attempts + 1);
        AdmissionResult::Parked(why)
    }

    /// Asks the platform, outside of everything, and admits what the arrival says with the answers.
    async fn ask(&self, arrival: Opened, requests: Vec<connectors::FetchRequest>) {
        // Closed by nobody, so a permit always comes.
        let _permit = self.shared.questions.acquire().await.ok();
        let began = Instant::now();
        let (result, sealed) = match self.answers(&arrival, requests).await {
            Ok((result, answers)) => (result, self.sealed_answers(&arrival, &answers)),
            Err(error) if !error.transient => (AdmissionResult::Parked(error.detail), None),
            Err(error) => {
                let why = error.detail;
                let wait = 5_000_i64.saturating_mul(1 << arrival.attempts.clamp(0, 20)).min(ASK_AGAIN_MS);
                tracing::warn!(merchant = %arrival.merchant, source = %arrival.source, arrival = %arrival.id, wait_ms = wait,
                    "the platform could not be asked: {why}");
                (AdmissionResult::Later(why, self.clock.now().plus_ms(wait)), None)
            }
        };
        let outcome = traces::outcome(&result);
        let admitted = self.store.admit(&[admission(&arrival, result, sealed)], LEASE_MS).await;
        let kept = match admitted {
            Ok(ready) => {
                self.trace_read("ask", std::slice::from_ref(&arrival), &[outcome], began);
                self.keep(ready).await
            }
            Err(error) => Err(error),
        };
        match kept {
            Ok(()) => self.shared.ready.notify_one(),
            // Nothing is lost: the arrival is asked about again when its time comes.
            Err(error) => {
                tracing::warn!(arrival = %arrival.id, "what the platform answered could not be stored: {error}");
            }
        }
    }

    /// Asks, and asks on where an answer leads to another question (a second page).
    async fn answers(
        &self,
        arrival: &Opened,
        mut requests: Vec<connectors::FetchRequest>,
    ) -> Result<(AdmissionResult, Answers), fetch::FetchError> {
        let snapshot = self.registry.snapshot();
        let mut answers = Answers::new();
        for _ in 0..PAGES {
            let more = fetch::fetch(&self.outbound, &requests).await?;
            answers.extend(more);
            let read = panics::guard(|| self.read_one(&snapshot, arrival, &answers))
                .unwrap_or_else(|panicked| Read::Done(self.failed(arrival, panicked.to_string())));
            match read {
                Read::Done(result) => return Ok((result, answers)),
                Read::Ask(next) => requests = next,
            }
        }
        Ok((AdmissionResult::Parked(format!("the platform's answers have more than {PAGES} pages")), answers))
    }

    fn sealed_answers(&self, arrival: &Opened, answers: &Answers) -> Option<Vec<u8>> {
        let texts: BTreeMap<&str, String> =
            answers.iter().map(|(key, value)| (key.as_str(), hex::encode(value))).collect();
        let plain = serde_json::to_vec(&texts).ok()?;
        Some(self.vault.seal(&journal::context(&arrival.merchant, &arrival.source), &plain))
    }

    pub(super) fn opened_answers(&self, arrival: &UnreadArrival) -> Answers {
        let open = || -> Option<Answers> {
            let context = journal::context(&arrival.merchant, &arrival.source);
            let plain = self.vault.open(&context, arrival.fetched.as_ref()?).ok()?;
            Some(opened(&plain))
        };
        open().unwrap_or_default()
    }

    fn read_one(&self, snapshot: &Snapshot, arrival: &Opened, answers: &Answers) -> Read {
        let parked = |why: String| Read::Done(AdmissionResult::Parked(why));
        let Some(programme) = snapshot.programme(&arrival.merchant) else {
            return parked("the merchant is not known any more".to_owned());
        };
        if arrival.source.as_str() == OWN_SOURCE {
            return match &arrival.verified {
                Ok(verified) => self.read_errand(programme, arrival, verified),
                Err(why) => parked(why.clone()),
            };
        }
        let Some(source) = programme.sources.get(&arrival.source) else {
            return parked("the source was removed; apply a merchant file that has it".to_owned());
        };
        let Some(connector) = connectors::find(&source.platform) else {
            return parked(format!("this gateway has no connector for `{}`", source.platform));
        };
        let verified = match &arrival.verified {
            Ok(verified) => verified,
            Err(why) => return parked(why.clone()),
        };
        if let Some(why) = other_mode(verified.stamp().test, source) {
            return Read::Done(AdmissionResult::Test(why));
        }
        let reading = normalise(connector, verified, Context { source, fetched: answers });
        match reading {
            Ok(Reading::Entries(happenings)) => {
                // What no table keeps must not keep the rest of the batch from being admitted.
                if let Some(error) = happenings.iter().find_map(|happening| happening.event.check_ids().err()) {
                    return parked(error.to_string());
                }
                let entry = |happening| self.new_entry(programme, &source.id, happening, arrival.received_at);
                Read::Done(AdmissionResult::Entries(happenings.into_iter().map(entry).collect()))
            }
            Ok(Reading::Nothing(why)) => {
                tracing::info!(merchant = %arrival.merchant, source = %arrival.source, arrival = %arrival.id, "nothing counts: {why}");
                Read::Done(AdmissionResult::Nothing(why))
            }
            Ok(Reading::Fetch(requests)) => Read::Ask(requests),
            Err(why) => {
                tracing::warn!(merchant = %arrival.merchant, source = %arrival.source, arrival = %arrival.id, "parked: {why}");
                parked(why)
            }
        }
    }

    /// What people ask for by the API or the command line.
    fn read_errand(&self, programme: &Programme, arrival: &Opened, verified: &Verified) -> Read {
        Read::Done(match connectors::own::normalise(verified) {
            Ok(Reading::Entries(happenings)) => AdmissionResult::Entries(
                happenings
                    .into_iter()
                    .map(|happening| self.new_entry(programme, &arrival.source, happening, arrival.received_at))
                    .collect(),
            ),
            Ok(_) => AdmissionResult::Nothing("nothing is asked for".to_owned()),
            Err(why) => AdmissionResult::Parked(why.0),
        })
    }

    fn new_entry(
        &self,
        programme: &Programme,
        source: &SourceId,
        happening: Happening,
        received_at: Moment,
    ) -> NewEntry {
        let Happening { mut event, identity, member } = happening;
        let merchant = &programme.merchant;
        let mut brought_by = None;
        if let Event::Join(join) = &mut event {
            brought_by.clone_from(&join.referrer);
            // Events are not sealed and plugins are told them: neither is for somebody's address.
            join.referrer = join.referrer.take().filter(|referrer| !identity::is_address(referrer));
        }
        let known = identity.map(|identity| identity::known(&self.vault, merchant, source, &identity));
        let parts = [merchant.id.as_str(), source.as_str(), event.kind().as_str(), event.external_id()];
        let id = MemberId::new(derive("mem", &parts));
        let mut entry = nameless_entry(event, member, received_at);
        let Some(known) = known else { return entry };
        if entry.member.is_none() && !known.keys.is_empty() {
            entry.newcomer = Some(Newcomer { referral: identity::referral(&self.vault, merchant, &id), id });
        }
        let contact = &known.contact;
        let fields = [("email", &contact.email), ("phone", &contact.phone), ("name", &contact.name)];
        entry.contact = fields
            .into_iter()
            .filter_map(|(field, value)| {
                let sealed =
                    self.vault.seal(&identity::contact_context(&merchant.id, field), value.as_ref()?.as_bytes());
                Some(ContactField { field: field.to_owned(), sealed })
            })
            .collect();
        entry.referrers = known.referrers;
        // A friend's code given with a first purchase names who brought them, too.
        match &entry.event {
            Event::Purchase(purchase) => {
                let codes = purchase.codes.iter().flat_map(|code| identity::referrers(&self.vault, merchant, code));
                entry.referrers.extend(codes);
            }
            Event::Join(_) => {
                let told = brought_by.iter().flat_map(|text| identity::referrers(&self.vault, merchant, text));
                entry.referrers.extend(told);
            }
            _ => {}
        }
        if known.keys.len() > 1 {
            let channels = programme.channels.values().filter(|channel| channel.audience == Audience::Merchant);
            let channels = channels.map(|channel| channel.id.clone()).collect();
            entry.doubt = Some(DoubtTask { message: identity::doubt(&merchant.locale), channels });
        }
        entry.keys = known.keys;
        entry.proof = known.proof;
        entry.birthday = known.birthday;
        entry.locale = known.locale;
        entry.consent = known.consent;
        entry
    }
}

/// What a platform answered, as [`Pipeline::sealed_answers`] writes it.
pub(super) fn opened(plain: &[u8]) -> Answers {
    let texts: BTreeMap<String, String> = serde_json::from_slice(plain).unwrap_or_default();
    texts.into_iter().filter_map(|(key, text)| Some((key, hex::decode(text).ok()?))).collect()
}

/// An entry that says nothing of anybody.
fn nameless_entry(mut event: Event, member: Option<MemberId>, received_at: Moment) -> NewEntry {
    // An event always serialises: its maps have texts for keys.
    let text = serde_json::to_string(&event).unwrap_or_default();
    // A repetition tells the same again, whenever it arrives; so that is what it is held against.
    let told = Digest::of(text.as_bytes());
    let (replaced, note) = claimed_time::hold_against(&mut event, received_at);
    let document = if replaced { serde_json::to_string(&event).unwrap_or_default() } else { text };
    let digest = if replaced { Digest::of(document.as_bytes()) } else { told };
    NewEntry {
        newcomer: None,
        member,
        event,
        document,
        digest,
        told,
        note,
        keys: vec![],
        referrers: vec![],
        birthday: None,
        contact: vec![],
        locale: None,
        consent: None,
        proof: Proof::Typed,
        doubt: None,
    }
}

/// Test-mode happenings count only for sources that are for tests, and live ones only for the others.
fn other_mode(test: bool, source: &Source) -> Option<String> {
    match (test, source.test) {
        (true, false) => {
            Some("made in the platform's test mode; it counts for sources with `test = true` only".to_owned())
        }
        (false, true) => Some("made in the platform's live mode, and this source is for tests".to_owned()),
        _ => None,
    }
}

/// A connector is pure, but a mistake in one must not stop the others: a panic parks the arrival like any other that cannot be read.
fn normalise(connector: &'static dyn Connector, verified: &Verified, context: Context<'_>) -> Result<Reading, String> {
    panics::guard(|| connector.normalise(verified, context))
        .map_err(|panicked| format!("the connector for `{}` broke on it: {panicked}", connector.platform()))?
        .map_err(|unreadable| unreadable.0)
}

fn admission(arrival: &Opened, result: AdmissionResult, fetched: Option<Vec<u8>>) -> Admission {
    Admission {
        arrival: arrival.id,
        merchant: arrival.merchant.clone(),
        source: arrival.source.clone(),
        received_at: arrival.received_at,
        result,
        fetched,
    }
}
