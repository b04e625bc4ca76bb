//! What a platform's connector takes: bodies signed as they should be, and headers of anybody's making.

use super::parts;
use perkgate_domain::event::Event;
use perkgate_domain::money::Currency;
use perkgate_domain::programme::{Merchant, Source, SourceApi};
use perkgate_domain::rules::Rules;
use perkgate_domain::time::Moment;
use perkgate_gateway::connectors::{
    Admitted, Arrival, Cause, Connector, Context, Reading, Rejected, Unreadable, Verified, find, platforms,
};
use perkgate_gateway::identity;
use perkgate_gateway::vault::Vault;
use serde_json::json;
use std::collections::BTreeMap;

/// 2026-03-01T12:00:00Z.
const NOW: Moment = Moment(1_772_366_400_000);
/// How often a connector may ask its platform again.
const ROUNDS: usize = 5;

/// The topics that a body may come under. Where the platform names them in the body, there is one.
fn topics(platform: &str) -> &'static [&'static str] {
    match platform {
        "shopify" => &[
            "orders/paid",
            "orders/create",
            "orders/updated",
            "orders/cancelled",
            "refunds/create",
            "customers/create",
        ],
        "woocommerce" => &["order.updated", "order.created", "customer.created"],
        _ => &[],
    }
}

pub(super) fn source(platform: &str) -> Source {
    let options = match platform {
        "generic-hmac" => json!({
            "header": "X-Till-Signature",
            "purchase": {"id": "/id", "currency": "EUR", "total": "/total", "placed_at": "/at"},
        }),
        _ => json!({}),
    };
    let api = match platform {
        "square" => Some(("token", None)),
        "stripe" => Some(("sk_test", None)),
        "woocommerce" => Some(("ck_a:cs_b", Some("https://shop.example.com/wp-json/wc/v3"))),
        _ => None,
    };
    Source {
        id: "shop".into(),
        platform: platform.to_owned(),
        secrets: vec!["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()],
        url: Some("https://gateway.example/in/m/shop".to_owned()),
        api: api.map(|(token, base): (&str, Option<&str>)| SourceApi {
            token: token.to_owned(),
            base: base.map(str::to_owned),
        }),
        options: options.as_object().cloned().unwrap_or_default(),
        test: false,
        paused: false,
        refund_window_days: None,
    }
}

fn connector(platform: &str) -> &'static dyn Connector {
    find(platform).expect("a connector")
}

/// A signed body; its first byte chooses the topic, and what follows a line of `===` is what the platform answers if it is asked.
pub(super) fn body(platform: &str, data: &[u8]) {
    let (told, answers) = parts(data);
    let Some((choice, body)) = told.split_first() else { return };
    let (source, topics) = (source(platform), topics(platform));
    let topic = topics.get(usize::from(*choice) % topics.len().max(1)).copied();
    let Ok(signed) = connector(platform).sign(body, topic, "delivery-1", &source, NOW) else { return };
    let headers: Vec<_> = signed.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
    let arrival = Arrival { headers, body: body.to_vec().into(), received_at: NOW };
    match connector(platform).verify(arrival.clone(), &source) {
        Ok(Admitted::Event(verified)) => read(connector(platform), &source, &verified, answers),
        Ok(Admitted::Handshake { status, .. }) => {
            assert_eq!(status, 200, "a platform wants its greeting answered well");
        }
        Err(Rejected { cause, detail }) => {
            assert_ne!(cause, Cause::BadSignature, "what is signed well is believed: {detail}");
        }
    }
    // The same signature under another body.
    for changed in
        [[body, b" "].concat(), body.iter().copied().skip(1).collect(), body.iter().map(|byte| byte ^ 1).collect()]
    {
        if changed != body {
            is_refused(platform, Arrival { body: changed.into(), ..arrival.clone() }, &source);
        }
    }
}

/// Headers of anybody's making, one a line, and a body behind a line of `===`; the first byte chooses the platform.
pub(super) fn headers(data: &[u8]) {
    let (told, body) = parts(data);
    let Some((choice, lines)) = told.split_first() else { return };
    let all: Vec<&str> = platforms().collect();
    let platform = all[usize::from(*choice) % all.len()];
    let headers = lines.split(|byte| *byte == b'\n').filter_map(|line| {
        let at = line.iter().position(|byte| *byte == b':')?;
        Some((String::from_utf8_lossy(&line[..at]).to_ascii_lowercase(), line[at + 1..].to_vec()))
    });
    let arrival = Arrival { headers: headers.collect(), body: body.to_vec().into(), received_at: NOW };
    is_refused(platform, arrival, &source(platform));
}

/// Nobody who does not have the secret is believed.
fn is_refused(platform: &str, arrival: Arrival, source: &Source) {
    let admitted = connector(platform).verify(arrival, source);
    assert!(!matches!(admitted, Ok(Admitted::Event(_))), "{platform} believes what nobody signed");
    if let Err(rejected) = admitted {
        assert!(!rejected.detail.contains("whsec_"), "a secret is told");
    }
}

/// Reads it to the end, answering whatever it asks with `answers`.
fn read(connector: &dyn Connector, source: &Source, verified: &Verified, answers: &[u8]) {
    let mut fetched = BTreeMap::new();
    for _ in 0..ROUNDS {
        let context = Context { source, fetched: &fetched };
        let reading = connector.normalise(verified, context);
        assert_eq!(reading, connector.normalise(verified, context), "the same bytes are read alike");
        match reading {
            Ok(Reading::Fetch(requests)) => {
                let before = fetched.len();
                fetched.extend(requests.into_iter().map(|request| (request.key, answers.to_vec())));
                assert!(fetched.len() > before, "{} asks for what it has", source.platform);
            }
            Ok(Reading::Entries(happenings)) => {
                for happening in happenings {
                    is_whole(&happening.event);
                    if let Some(identity) = &happening.identity {
                        let _ = identity::known(&Vault::new([7; 32]), &merchant(), &source.id, identity);
                    }
                }
                return;
            }
            Ok(Reading::Nothing(why)) | Err(Unreadable(why)) => {
                assert!(!why.is_empty(), "it says why");
                return;
            }
        }
    }
    panic!("{} asks again and again", source.platform);
}

/// What is taken can be written down and read back, and its sums hold.
fn is_whole(event: &Event) {
    let document = serde_json::to_string(event).expect("an event is JSON");
    let back: Event = serde_json::from_str(&document).expect("it reads back");
    assert_eq!(back, *event, "it reads back as it was");
    assert!(!event.external_id().is_empty(), "it has an id: {document}");
    match event {
        Event::Purchase(purchase) => assert_eq!(purchase.check(), Ok(())),
        Event::Refund(refund) => assert_eq!(refund.check(), Ok(())),
        Event::Edit(edit) => assert_eq!(edit.purchase.check(), Ok(())),
        _ => {}
    }
}

fn merchant() -> Merchant {
    Merchant {
        id: "kavarna".into(),
        name: "Kavárna U Mosta".to_owned(),
        currency: Currency::parse("EUR").expect("a currency"),
        timezone: "Europe/Bratislava".to_owned(),
        locale: "sk".to_owned(),
        country: Some("SK".to_owned()),
        url: None,
        rules: Rules::default(),
    }
}
