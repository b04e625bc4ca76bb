//! Messages: signed, retried under one id, buried and raised again, and never sent to who did not agree or where it is not allowed.

use super::{JANA, ORDER};
use perkgate_domain::limits::DeliveryLimits;
use perkgate_gateway::clock::Clock as _;
use perkgate_gateway::store::{Actor, DeliveryView};
use perkgate_tests::programme::{ESHOP, THANKS, email, webhook};
use perkgate_tests::{FakeInbox, FakeShop, Ground, MailServer, Sale, Says, TestGateway, until};

/// A gateway at the present, since the official library holds signatures against its own clock.
async fn gateway(channel: &str) -> TestGateway {
    Ground::of(&[ESHOP, THANKS, channel]).at_present().open().await
}

/// Somebody's first purchase, which is answered by a message.
async fn first_purchase(gateway: &TestGateway, email: &str) {
    let at = gateway.clock().now().plus_ms(-1_000);
    let sale = Sale::new(ORDER, &[("Espresso", 1, 250)]).by(email).consenting().at(at);
    FakeShop::at(gateway, "eshop").sells(&sale).await;
    gateway.settle().await;
}

/// Waits until the one delivery there is stands in this state.
async fn only(gateway: &TestGateway, state: &str) -> DeliveryView {
    let what = format!("the delivery is {state}");
    let found = until(&what, async || Some(gateway.deliveries(state).await).filter(|found| !found.is_empty())).await;
    assert_eq!(found.len(), 1);
    found.into_iter().next().expect("one delivery")
}

/// Waits until an attempt of it was recorded.
async fn after_attempt(gateway: &TestGateway, number: i64) -> DeliveryView {
    let what = format!("attempt {number} is recorded");
    until(&what, async || gateway.deliveries("due").await.into_iter().find(|found| found.attempts == number)).await
}

#[tokio::test]
async fn a_message_is_retried_under_one_id_until_it_is_taken() {
    let inbox = FakeInbox::open().await;
    inbox.will_say(&[Says::Status(500), Says::Status(302)]);
    let gateway = gateway(&webhook(&inbox.url())).await;
    first_purchase(&gateway, JANA).await;

    let due = after_attempt(&gateway, 1).await;
    assert!(due.delivery.note.as_deref().unwrap_or_default().contains("500"), "{:?}", due.delivery.note);
    gateway.later(10);
    let due = after_attempt(&gateway, 2).await;
    assert!(due.delivery.note.as_deref().unwrap_or_default().contains("redirects"), "{:?}", due.delivery.note);
    // The second wait is five minutes, give or take a fifth; the official library believes as much.
    gateway.later(4 * 60 - 15);
    assert_eq!(gateway.gateway().notifier.pass().await.expect("a pass"), 0, "not yet");
    gateway.later(2 * 60 + 20);
    let delivered = only(&gateway, "delivered").await;

    let got = inbox.got();
    assert_eq!((got.len(), delivered.attempts), (3, 3));
    assert!(got.iter().all(|each| each.id == delivered.delivery.id.as_str() && each.body == got[0].body));
    assert!(
        got[0].verified && got[1].verified,
        "the official library verifies every attempt made within its five minutes"
    );
    assert_eq!(got[0].body["data"]["key"], "first-purchase");
    gateway.close().await;
}

#[tokio::test]
async fn a_receiver_that_asks_for_time_is_given_it() {
    let inbox = FakeInbox::open().await;
    inbox.will_say(&[Says::Busy(120)]);
    let gateway = gateway(&webhook(&inbox.url())).await;
    first_purchase(&gateway, JANA).await;
    after_attempt(&gateway, 1).await;
    gateway.later(60);
    assert_eq!(gateway.gateway().notifier.pass().await.expect("a pass"), 0, "it asked for two minutes");
    assert_eq!(inbox.got().len(), 1);
    gateway.later(61);
    only(&gateway, "delivered").await;
    assert!(inbox.got().iter().all(|got| got.verified));
    gateway.close().await;
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_left_after_the_time_limit() {
    let inbox = FakeInbox::open().await;
    inbox.will_say(&[Says::Nothing]);
    let delivery = DeliveryLimits { timeout_ms: 300, ..DeliveryLimits::default() };
    let pieces = [ESHOP, THANKS, &webhook(&inbox.url())];
    let gateway = Ground::of(&pieces).at_present().delivery(delivery).open().await;
    first_purchase(&gateway, JANA).await;
    let due = after_attempt(&gateway, 1).await;
    assert!(due.delivery.note.as_deref().unwrap_or_default().contains("300 ms"), "{:?}", due.delivery.note);
    gateway.later(10);
    only(&gateway, "delivered").await;
    gateway.close().await;
}

#[tokio::test]
async fn a_dead_letter_is_kept_and_can_be_sent_again() {
    let inbox = FakeInbox::open().await;
    inbox.will_say(&[Says::Status(410)]);
    let gateway = gateway(&webhook(&inbox.url())).await;
    first_purchase(&gateway, JANA).await;
    let dead = only(&gateway, "dead").await;
    assert!(dead.delivery.note.as_deref().unwrap_or_default().contains("410"), "{:?}", dead.delivery.note);
    gateway.sent().await;

    let store = &gateway.gateway().store;
    let (now, by) = (gateway.clock().now(), Actor::command("anna@till"));
    let unknown = "dlv_nobody".into();
    assert!(!store.resend(&gateway.merchant(), &unknown, now, &by).await.expect("looked up"));
    assert!(store.resend(&gateway.merchant(), &dead.delivery.id, now, &by).await.expect("looked up"));
    only(&gateway, "delivered").await;
    let ids: Vec<String> = inbox.got().into_iter().map(|got| got.id).collect();
    assert_eq!(ids, [dead.delivery.id.as_str(), dead.delivery.id.as_str()]);
    assert!(
        !store.resend(&gateway.merchant(), &dead.delivery.id, now, &by).await.expect("looked up"),
        "it is not dead"
    );
    gateway.close().await;
}

#[tokio::test]
async fn after_the_last_attempt_it_is_a_dead_letter() {
    let inbox = FakeInbox::open().await;
    inbox.will_say(&[Says::Status(500), Says::Status(500), Says::Status(500)]);
    let delivery = DeliveryLimits { attempts: 2, ..DeliveryLimits::default() };
    let gateway = Ground::of(&[ESHOP, THANKS, &webhook(&inbox.url())]).delivery(delivery).open().await;
    first_purchase(&gateway, JANA).await;
    after_attempt(&gateway, 1).await;
    gateway.later(10);
    assert_eq!(only(&gateway, "dead").await.attempts, 2);
    assert_eq!(inbox.got().len(), 2);
    gateway.close().await;
}

#[tokio::test]
async fn nobody_is_written_to_who_did_not_agree() {
    let inbox = FakeInbox::open().await;
    let gateway = gateway(&webhook(&inbox.url())).await;
    let at = gateway.clock().now().plus_ms(-1_000);
    let sale = Sale::new(ORDER, &[("Espresso", 1, 250)]).by(JANA).at(at);
    FakeShop::at(&gateway, "eshop").sells(&sale).await;
    gateway.sent().await;
    let suppressed = only(&gateway, "suppressed").await;
    assert!(suppressed.delivery.note.as_deref().unwrap_or_default().contains("did not agree"));
    assert_eq!(gateway.explain("eshop", ORDER).await.deliveries.len(), 1, "whoever asks sees that it was held back");
    assert!(inbox.got().is_empty());
    gateway.close().await;
}

#[tokio::test]
async fn private_addresses_are_refused_unless_the_operator_allows_them() {
    let inbox = FakeInbox::open().await;
    let secure = inbox.url().replace("http://", "https://");
    let mail = MailServer::open();
    let ways = [
        (webhook(&secure), "no public address"),
        (webhook(&inbox.url()), "plain http"),
        (webhook("https://[::ffff:127.0.0.1]/messages"), "no public address"),
        (email(&mail.address()), "no public address"),
    ];
    for (channel, why) in ways {
        let gateway = Ground::of(&[ESHOP, THANKS, &channel]).refusing_private().open().await;
        first_purchase(&gateway, JANA).await;
        let dead = only(&gateway, "dead").await;
        let note = dead.delivery.note.unwrap_or_default();
        assert!(note.contains(why), "{channel}: {note}");
        assert!(!note.contains("/messages"), "a path may be a secret: {note}");
        gateway.close().await;
    }
    assert!(inbox.got().is_empty() && mail.mails().is_empty());
}

#[tokio::test]
async fn a_message_goes_out_by_mail() {
    let server = MailServer::open();
    let gateway = gateway(&email(&server.address())).await;
    first_purchase(&gateway, JANA).await;
    let delivered = only(&gateway, "delivered").await;
    let mails = server.mails();
    let [mail] = mails.as_slice() else { panic!("one mail: {mails:?}") };
    assert_eq!((mail.from.as_str(), mail.to.as_str()), ("kavarna@example.com", JANA));
    let id = mail.header("Message-ID").unwrap_or_default();
    assert!(id.contains(delivered.delivery.id.as_str()), "{id}");
    gateway.close().await;
}

#[tokio::test]
async fn a_mail_that_the_server_refuses_for_good_is_dead() {
    let server = MailServer::open();
    let gateway = gateway(&email(&server.address())).await;
    first_purchase(&gateway, "nobody@example.com").await;
    let dead = only(&gateway, "dead").await;
    assert!(!dead.delivery.note.unwrap_or_default().contains("nobody@"), "no contact data in notes");
    assert!(server.mails().is_empty());
    gateway.close().await;
}
