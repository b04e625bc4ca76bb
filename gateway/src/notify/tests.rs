//! Deliveries leave for real receivers on loopback: an HTTP server that checks signatures with the official library, and an
//! SMTP server.

mod flow;
mod inbox;
mod mail;

use super::*;
use crate::clock::{ManualClock, SystemClock};
use crate::outbound::Private;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use inbox::Inbox;
use perkgate_domain::decision::Message;
use perkgate_domain::delivery::{Delivery, DeliveryState};
use perkgate_domain::ids::{DeliveryId, EntryId, InstallationId, MemberId};
use perkgate_domain::member::Contact;
use perkgate_domain::money::Currency;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::{Barrier, Semaphore};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was asked of [`Outbox::due`].
type Asked = (usize, usize, Vec<(MerchantId, ChannelId)>);

/// An outbox in memory. Every `record` call is kept apart.
#[derive(Default)]
struct FakeOutbox {
    due: Mutex<Vec<DueDelivery>>,
    channels: HashMap<String, ChannelKind>,
    recorded: Mutex<Vec<Vec<Attempt>>>,
    asked: Mutex<Vec<Asked>>,
    /// No channel can be looked up.
    broken: AtomicBool,
    /// It gives all it has, whatever is asked for.
    generous: AtomicBool,
    /// So many records fail.
    failing: AtomicUsize,
}

#[async_trait]
impl Outbox for FakeOutbox {
    async fn due(
        &self,
        _now: Moment,
        most: usize,
        per_channel: usize,
        full: &[(MerchantId, ChannelId)],
    ) -> Result<Vec<DueDelivery>, OutboxError> {
        self.asked.lock().unwrap().push((most, per_channel, full.to_vec()));
        if self.generous.load(Ordering::SeqCst) {
            return Ok(std::mem::take(&mut *self.due.lock().unwrap()));
        }
        let (mut claimed, mut of_channel) = (Vec::new(), HashMap::<_, usize>::new());
        self.due.lock().unwrap().retain(|due| {
            let name = (due.delivery.merchant.clone(), due.delivery.channel.clone());
            let open = !full.contains(&name) && claimed.len() < most;
            let count = of_channel.entry(name).or_default();
            let takes = open && *count < per_channel;
            if takes {
                *count += 1;
                claimed.push(due.clone());
            }
            !takes
        });
        Ok(claimed)
    }
    async fn record(&self, attempts: Vec<Attempt>) -> Result<(), OutboxError> {
        if self.failing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err("the disk is full".into());
        }
        self.recorded.lock().unwrap().push(attempts);
        Ok(())
    }
    async fn channel(&self, _: &MerchantId, channel: &ChannelId) -> Result<Option<(Merchant, Channel)>, OutboxError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err("the database is away".into());
        }
        let kind = self.channels.get(channel.as_str()).cloned();
        Ok(kind.map(|kind| (merchant(), Channel { id: channel.clone(), audience: Audience::Members, kind })))
    }
}

fn merchant() -> Merchant {
    Merchant {
        id: "kavarna".into(),
        name: "Kavárna U Mosta".into(),
        currency: Currency::parse("EUR").unwrap(),
        timezone: "Europe/Bratislava".into(),
        locale: "sk".into(),
        country: None,
        url: None,
        rules: perkgate_domain::rules::Rules::default(),
    }
}

fn due(id: &str, channel: &str) -> DueDelivery {
    let delivery = Delivery {
        id: DeliveryId::from(id),
        merchant: "kavarna".into(),
        channel: channel.into(),
        entry: EntryId(7),
        installation: InstallationId::from("thank-you"),
        member: MemberId::from("mem_1"),
        message: Message {
            key: "welcome".into(),
            subject: "Vitajte u nás ☕".into(),
            text: "Ďakujeme za prvý nákup.\n.\nKavárna".into(),
            locale: "sk".into(),
        },
        state: DeliveryState::Due,
        note: None,
        created_at: Moment(1_700_000_000_000),
    };
    let contact = Contact {
        email: Some("jana@example.com".into()),
        phone: Some("+421905123456".into()),
        name: Some("Jana Nováková".into()),
    };
    DueDelivery { delivery, attempt: 1, arrival: None, contact }
}

/// The stage: a notifier over an outbox with these channels.
struct Stage {
    outbox: Arc<FakeOutbox>,
    notifier: Notifier,
    clock: Arc<ManualClock>,
}

fn stage(allow_private: bool, timeout_ms: u64, channels: &[(&str, ChannelKind)]) -> Stage {
    let channels = channels.iter().map(|(id, kind)| ((*id).to_owned(), kind.clone())).collect();
    let outbox = Arc::new(FakeOutbox { channels, ..FakeOutbox::default() });
    // The official library compares timestamps with the machine's clock.
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let private = if allow_private { Private::loopback() } else { Private::none() };
    let outbound = Outbound::new(private, Duration::from_millis(timeout_ms)).unwrap();
    let limits = DeliveryLimits { timeout_ms, ..DeliveryLimits::default() };
    let notifier = Notifier::new(outbox.clone(), outbound, clock.clone(), Traces::default(), limits);
    Stage { outbox, notifier, clock }
}

impl Stage {
    /// Sends these and gives the attempts, by delivery id.
    async fn sends(&self, due: Vec<DueDelivery>) -> Vec<Attempt> {
        let count = due.len();
        self.outbox.due.lock().unwrap().extend(due);
        while self.notifier.pass().await.unwrap() > 0 {}
        let recorded = std::mem::take(&mut *self.outbox.recorded.lock().unwrap());
        let mut attempts: Vec<Attempt> = recorded.into_iter().flatten().collect();
        assert_eq!(attempts.len(), count, "each is attempted once");
        attempts.sort_by(|one, other| one.delivery.cmp(&other.delivery));
        attempts
    }

    async fn sends_one(&self, due: DueDelivery) -> Attempt {
        self.sends(vec![due]).await.remove(0)
    }

    /// Milliseconds until the next attempt.
    fn wait(&self, attempt: &Attempt) -> i64 {
        match attempt.next {
            Next::Retry(at) => at.since_ms(self.clock.now()),
            next => panic!("{next:?}: {:?}", attempt.error),
        }
    }
}

/// What a receiver got and says.
#[derive(Clone)]
struct Receiver {
    got: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    says: StatusCode,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
    takes: Duration,
    /// Nobody is answered before so many are waiting.
    meet: Option<Arc<Barrier>>,
    /// Each permit answers one.
    gate: Option<Arc<Semaphore>>,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Receiver {
    fn saying(status: u16) -> Self {
        Self {
            got: Arc::default(),
            says: StatusCode::from_u16(status).unwrap(),
            headers: Vec::new(),
            body: "ok".into(),
            takes: Duration::ZERO,
            meet: None,
            gate: None,
            now: Arc::default(),
            most: Arc::default(),
        }
    }

    async fn listens(&self) -> ChannelKind {
        async fn take(State(me): State<Receiver>, headers: HeaderMap, body: Bytes) -> (StatusCode, HeaderMap, String) {
            me.most.fetch_max(me.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(me.takes).await;
            if let Some(meet) = &me.meet {
                meet.wait().await;
            }
            if let Some(gate) = &me.gate {
                gate.acquire().await.unwrap().forget();
            }
            me.now.fetch_sub(1, Ordering::SeqCst);
            me.got.lock().unwrap().push((headers, body));
            let headers = me.headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            (me.says, headers.collect(), me.body)
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        ChannelKind::Webhook { url, secret: SECRET.into() }
    }
}

#[tokio::test]
async fn a_webhook_is_what_the_official_library_accepts() {
    let receiver = Receiver::saying(204);
    let stage = stage(true, 5_000, &[("hook", receiver.listens().await)]);
    let attempt = stage.sends_one(due("dlv_1", "hook")).await;
    assert_eq!((attempt.status, attempt.error, attempt.next), (Some(204), None, Next::Delivered));
    assert_eq!((attempt.number, attempt.at), (1, stage.clock.now()));
    assert_eq!((attempt.merchant.as_str(), attempt.channel.as_str()), ("kavarna", "hook"));

    let (headers, body) = receiver.got.lock().unwrap()[0].clone();
    standardwebhooks::Webhook::new(SECRET).unwrap().verify(&body, &headers).unwrap();
    let changed = [&body[..], b" "].concat();
    assert!(standardwebhooks::Webhook::new(SECRET).unwrap().verify(&changed, &headers).is_err());
    assert_eq!(
        (headers["webhook-id"].as_bytes(), headers["content-type"].as_bytes()),
        (&b"dlv_1"[..], &b"application/json"[..])
    );
    let expected = serde_json::json!({
        "type": "message",
        "timestamp": "2023-11-14T22:13:20Z",
        "data": {
            "delivery": "dlv_1", "merchant": "kavarna", "member": "mem_1", "key": "welcome", "subject": "Vitajte u nás ☕",
            "text": "Ďakujeme za prvý nákup.\n.\nKavárna", "locale": "sk",
            "to": { "email": "jana@example.com", "phone": "+421905123456", "name": "Jana Nováková" },
        },
    });
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).unwrap(), expected);
}

#[tokio::test]
async fn a_second_attempt_has_the_same_id_and_body_and_its_own_timestamp() {
    let receiver = Receiver::saying(500);
    let stage = stage(true, 5_000, &[("hook", receiver.listens().await)]);
    stage.sends_one(due("dlv_1", "hook")).await;
    stage.clock.advance_ms(6_000);
    stage.sends_one(DueDelivery { attempt: 2, ..due("dlv_1", "hook") }).await;
    let got = receiver.got.lock().unwrap();
    let [(first, body), (second, same)] = got.as_slice() else { panic!("{}", got.len()) };
    assert_eq!((&first["webhook-id"], body), (&second["webhook-id"], same));
    assert_ne!(first["webhook-timestamp"], second["webhook-timestamp"]);
    assert_ne!(first["webhook-signature"], second["webhook-signature"]);
    standardwebhooks::Webhook::new(SECRET).unwrap().verify(same, second).unwrap();
}

#[tokio::test]
async fn what_a_status_leads_to() {
    for status in [200, 201, 202, 299] {
        let stage = stage(true, 5_000, &[("hook", Receiver::saying(status).listens().await)]);
        assert_eq!(stage.sends_one(due("dlv_1", "hook")).await.next, Next::Delivered, "{status}");
    }
    for status in [301, 302, 307, 400, 401, 404, 429, 500, 503] {
        let stage = stage(true, 5_000, &[("hook", Receiver::saying(status).listens().await)]);
        let attempt = stage.sends_one(due("dlv_1", "hook")).await;
        assert!((4_000..=6_000).contains(&stage.wait(&attempt)), "{status}");
        assert_eq!(attempt.status, Some(status));
        let last = stage.sends_one(DueDelivery { attempt: 10, ..due("dlv_1", "hook") }).await;
        assert_eq!(last.next, Next::Dead, "the tenth attempt is the last");
    }
    let stage = stage(true, 5_000, &[("hook", Receiver::saying(410).listens().await)]);
    let attempt = stage.sends_one(due("dlv_1", "hook")).await;
    assert_eq!((attempt.next, attempt.status), (Next::Dead, Some(410)));
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_its_target_hears_nothing() {
    let target = Receiver::saying(200);
    let ChannelKind::Webhook { url, .. } = target.listens().await else { panic!() };
    let mut receiver = Receiver::saying(308);
    receiver.headers.push(("location", url.leak()));
    let stage = stage(true, 5_000, &[("hook", receiver.listens().await)]);
    assert!(stage.wait(&stage.sends_one(due("dlv_1", "hook")).await) > 0);
    assert!(target.got.lock().unwrap().is_empty());
}

#[tokio::test]
async fn retry_after_puts_the_next_attempt_off() {
    let mut receiver = Receiver::saying(429);
    receiver.headers.push(("retry-after", "900"));
    let stage = stage(true, 5_000, &[("hook", receiver.listens().await)]);
    assert_eq!(stage.wait(&stage.sends_one(due("dlv_1", "hook")).await), 900_000);
}

#[tokio::test]
async fn a_long_answer_is_not_read_and_does_not_undo_a_success() {
    let mut receiver = Receiver::saying(200);
    receiver.body = "x".repeat(1024 * 1024);
    let stage = stage(true, 5_000, &[("hook", receiver.listens().await)]);
    assert_eq!(stage.sends_one(due("dlv_1", "hook")).await.next, Next::Delivered);
}

#[tokio::test]
async fn a_slow_receiver_is_tried_again() {
    let mut receiver = Receiver::saying(200);
    receiver.takes = Duration::from_secs(30);
    let stage = stage(true, 100, &[("hook", receiver.listens().await)]);
    let attempt = stage.sends_one(due("dlv_1", "hook")).await;
    assert!(stage.wait(&attempt) > 0);
    assert_eq!(attempt.status, None);
    assert!(attempt.error.unwrap().contains("within 100 ms"));
}

#[tokio::test]
async fn private_receivers_are_refused_for_good() {
    let (receiver, inbox) = (Receiver::saying(200), Inbox::open());
    let ChannelKind::Webhook { url, .. } = receiver.listens().await else { panic!() };
    let hook = |url: String| ChannelKind::Webhook { url, secret: SECRET.into() };
    let channels =
        [("http", hook(url.clone())), ("https", hook(url.replace("http:", "https:"))), ("mail", inbox.channel())];
    let stage = stage(false, 5_000, &channels);
    for (channel, _) in &channels {
        let attempt = stage.sends_one(due("dlv_1", channel)).await;
        assert_eq!(
            (attempt.next, attempt.status),
            (Next::Dead, None),
            "{channel}: nothing was asked, so nothing is told"
        );
        assert!(attempt.error.unwrap().contains("refused"), "{channel}");
    }
    assert!(receiver.got.lock().unwrap().is_empty() && inbox.mails().is_empty());
}

#[tokio::test]
async fn a_channel_that_is_gone_or_unusable_makes_a_dead_letter() {
    let hook = ChannelKind::Webhook { url: "http://127.0.0.1:1/".into(), secret: "hunter2".into() };
    let mail = ChannelKind::Email { smtp: "localhost".into(), from: "a@example.com".into(), to: None };
    let stage = stage(true, 5_000, &[("hook", hook), ("mail", mail)]);
    for channel in ["gone", "hook", "mail"] {
        let attempt = stage.sends_one(due("dlv_1", channel)).await;
        assert_eq!(attempt.next, Next::Dead, "{channel}");
        assert!(!attempt.error.unwrap().contains("hunter2"));
    }
}

#[test]
fn a_channel_is_checked_before_it_is_accepted() {
    let hook = |url: &str, secret: &str| check(&ChannelKind::Webhook { url: url.into(), secret: secret.into() });
    let mail = |smtp: &str, from: &str| check(&ChannelKind::Email { smtp: smtp.into(), from: from.into(), to: None });
    assert_eq!(hook("https://example.com/hook", SECRET), Ok(()));
    assert_eq!(mail("smtp://localhost:2525", "kavarna@example.com"), Ok(()));
    assert_eq!(mail("smtps://user:password@mail.example.com", "Kavárna <kavarna@example.com>"), Ok(()));
    assert!(hook("https://example.com/", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap_err().contains("`secret`"));
    assert!(hook("https://example.com/", "whsec_").unwrap_err().contains("`secret`"));
    for url in ["", "/hook", "ftp://example.com/", "example.com"] {
        assert!(hook(url, SECRET).unwrap_err().contains("`url`"), "{url}");
    }
    assert!(mail("localhost:25", "a@example.com").unwrap_err().contains("`smtp`"));
    assert!(mail("smtp://localhost", "nobody").unwrap_err().contains("`from`"));
}
