//! From arrivals to entries: open what was journalled, let the connector read it, ask the platform where it must be asked, and admit
//! what came of it.

use super::{BATCH, Pipeline, PipelineError};
use crate::connectors::{self, Connector, Context, Happening, Reading, Verified, fetch};
use crate::identity;
use crate::journal;
use crate::registry::Snapshot;
use crate::store::{Admission, AdmissionResult, ContactField, NewEntry, UnreadArrival};
use perkgate_domain::ids::{Digest, MerchantId};
use perkgate_domain::programme::{Programme, Source};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

/// While a platform is asked, nobody else asks; after this long it is asked again (the process may have died meanwhile).
const ASKING_MS: i64 = 60_000;
/// The longest wait before a platform that does not answer is asked again.
const ASK_AGAIN_MS: i64 = 3_600_000;
/// The most questions in a row about one arrival.
const PAGES: usize = 10;

type Answers = BTreeMap<String, Vec<u8>>;

/// What reading one arrival came to, before it is admitted.
enum Read {
    Done(AdmissionResult),
    Ask(Vec<connectors::FetchRequest>),
}

impl Pipeline {
    /// Reads one batch of unread arrivals. Answers how many there were.
    ///
    /// # Errors
    /// [`PipelineError`] if the database fails.
    pub async fn read(&self) -> Result<usize, PipelineError> {
        let unread = self.store.unread(self.clock.now(), BATCH).await?;
        if unread.is_empty() {
            return Ok(0);
        }
        let snapshot = self.registry.snapshot();
        let mut admissions = Vec::with_capacity(unread.len());
        let mut questions = Vec::new();
        for arrival in unread {
            let answers = self.opened_answers(&arrival);
            let result = match self.read_one(&snapshot, &arrival, &answers) {
                Read::Done(result) => result,
                Read::Ask(requests) => {
                    let again = self.clock.now().plus_ms(ASKING_MS);
                    questions.push((arrival.clone(), requests));
                    AdmissionResult::Asking(again)
                }
            };
            admissions.push(admission(&arrival, result, None));
        }
        self.store.admit(&admissions).await?;
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        while asking.try_join_next().is_some() {}
        for (arrival, requests) in questions {
            let pipeline = self.clone();
            asking.spawn(async move { pipeline.ask(arrival, requests).await });
        }
        Ok(admissions.len())
    }

    /// Asks the platform, outside of everything, and admits what the arrival says with the answers.
    async fn ask(&self, arrival: UnreadArrival, requests: Vec<connectors::FetchRequest>) {
        // Closed by nobody, so a permit always comes.
        let _permit = self.questions.acquire().await.ok();
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
        if let Err(error) = self.store.admit(&[admission(&arrival, result, sealed)]).await {
            // Nothing is lost: the arrival is asked about again when its time comes.
            tracing::warn!(arrival = %arrival.id, "what the platform answered could not be stored: {error}");
        }
    }

    /// Asks, and asks on where an answer leads to another question (a second page).
    async fn answers(
        &self,
        arrival: &UnreadArrival,
        mut requests: Vec<connectors::FetchRequest>,
    ) -> Result<(AdmissionResult, Answers), fetch::FetchError> {
        let snapshot = self.registry.snapshot();
        let mut answers = Answers::new();
        for _ in 0..PAGES {
            let more = fetch::fetch(&self.outbound, &requests).await?;
            answers.extend(more);
            match self.read_one(&snapshot, arrival, &answers) {
                Read::Done(result) => return Ok((result, answers)),
                Read::Ask(next) => requests = next,
            }
        }
        Ok((AdmissionResult::Parked(format!("the platform's answers have more than {PAGES} pages")), answers))
    }

    fn sealed_answers(&self, arrival: &UnreadArrival, answers: &Answers) -> Option<Vec<u8>> {
        let texts: BTreeMap<&str, String> =
            answers.iter().map(|(key, value)| (key.as_str(), hex::encode(value))).collect();
        let plain = serde_json::to_vec(&texts).ok()?;
        Some(self.vault.seal(&journal::context(&arrival.merchant, &arrival.source), &plain))
    }

    fn opened_answers(&self, arrival: &UnreadArrival) -> Answers {
        let open = || -> Option<Answers> {
            let context = journal::context(&arrival.merchant, &arrival.source);
            let plain = self.vault.open(&context, arrival.fetched.as_ref()?).ok()?;
            let texts: BTreeMap<String, String> = serde_json::from_slice(&plain).ok()?;
            texts.into_iter().map(|(key, text)| Some((key, hex::decode(text).ok()?))).collect()
        };
        open().unwrap_or_default()
    }

    fn read_one(&self, snapshot: &Snapshot, arrival: &UnreadArrival, answers: &Answers) -> Read {
        let parked = |why: String| Read::Done(AdmissionResult::Parked(why));
        let Some(programme) = snapshot.programme(&arrival.merchant) else {
            return parked("the merchant is not known any more".to_owned());
        };
        let Some(source) = programme.sources.get(&arrival.source) else {
            return parked("the source was removed; apply a merchant file that has it".to_owned());
        };
        let Some(connector) = connectors::find(&source.platform) else {
            return parked(format!("this gateway has no connector for `{}`", source.platform));
        };
        if let Some(why) = other_mode(arrival.test, source) {
            return Read::Done(AdmissionResult::Test(why));
        }
        let verified = match journal::reopen(&self.vault, arrival) {
            Ok(verified) => verified,
            Err(error) => return parked(error.to_string()),
        };
        let reading = normalise(connector, &verified, Context { source, fetched: answers });
        match reading {
            Ok(Reading::Entries(happenings)) => {
                let entries =
                    happenings.into_iter().map(|happening| self.new_entry(programme, source, happening)).collect();
                Read::Done(AdmissionResult::Entries(entries))
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

    fn new_entry(&self, programme: &Programme, source: &Source, happening: Happening) -> NewEntry {
        let known =
            happening.identity.map(|identity| identity::known(&self.vault, &programme.merchant, &source.id, &identity));
        let digest = Digest::of(&serde_json::to_vec(&happening.event).unwrap_or_default());
        let Some(known) = known else {
            return NewEntry {
                event: happening.event,
                digest,
                keys: vec![],
                contact: vec![],
                locale: None,
                consent: None,
            };
        };
        let contact = &known.contact;
        let fields = [("email", &contact.email), ("phone", &contact.phone), ("name", &contact.name)];
        let contact = fields
            .into_iter()
            .filter_map(|(field, value)| {
                let sealed =
                    self.vault.seal(&contact_context(&programme.merchant.id, field), value.as_ref()?.as_bytes());
                Some(ContactField { field: field.to_owned(), sealed })
            })
            .collect();
        NewEntry {
            event: happening.event,
            digest,
            keys: known.keys,
            contact,
            locale: known.locale,
            consent: known.consent,
        }
    }
}

/// What a sealed contact field is bound to. Not to the member: members merge.
pub(super) fn contact_context(merchant: &MerchantId, field: &str) -> String {
    format!("contact/{merchant}/{field}")
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
    catch_unwind(AssertUnwindSafe(|| connector.normalise(verified, context)))
        .map_err(|_| format!("the connector for `{}` broke on it; please report this", connector.platform()))?
        .map_err(|unreadable| unreadable.0)
}

fn admission(arrival: &UnreadArrival, result: AdmissionResult, fetched: Option<Vec<u8>>) -> Admission {
    Admission {
        arrival: arrival.id,
        merchant: arrival.merchant.clone(),
        source: arrival.source.clone(),
        received_at: arrival.received_at,
        result,
        fetched,
    }
}
