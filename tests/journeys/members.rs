//! Who bought: one person over several sources, and purchases that nobody claims.

use super::{BY_JANA, JANA, ORDER};
use perkgate_tests::programme::{ESHOP, OWN, PAY, POINTS, STAMPS, TILL};
use perkgate_tests::{FakeShop, Sale, Staff, TestGateway};
use serde_json::json;

const BEER: (&str, i64, i64) = ("Kofola", 1, 200);

#[tokio::test]
async fn one_person_is_one_member_over_all_sources() {
    let gateway = TestGateway::open(&[ESHOP, TILL, PAY, OWN, POINTS]).await;
    let at = |source| FakeShop::at(&gateway, source);
    let (eshop, till, pay, own) = (at("eshop"), at("till"), at("pay"), at("own"));

    eshop.sells(&Sale::new(ORDER, &[BEER]).by("Jana@Example.COM")).await;
    till.sells(&Sale::new(2, &[BEER]).by("jana@example.com")).await;
    pay.sells(&Sale::new(3, &[BEER]).by(" JANA@EXAMPLE.com ").phone("+421903123456")).await;
    gateway.settle().await;
    // Whoever types a number beside an address has not shown that it is theirs; she tells the staff that it is, and her card's.
    assert!(gateway.find_member("phone:+421903123456").await.is_none());
    let staff = Staff::at(&gateway);
    let told = json!({"phone": "0903 123 456", "card": "KAV-0042"});
    staff.does("PATCH", "/members/email:jana%40example.com", "p", told).await.is(200);
    // By the phone alone, with the country's code and without.
    own.sells(&Sale::new(4, &[BEER]).phone("0903 123 456")).await;
    own.sells(&Sale::new(5, &[BEER]).phone("+421 903 123 456")).await;
    own.sells(&Sale::new(6, &[BEER]).phone("00421903123456")).await;
    gateway.settle().await;
    own.sells(&Sale { card: Some("KAV-0042".to_owned()), ..Sale::new(7, &[BEER]).phone("0903/123456") }).await;
    gateway.settle().await;
    own.sells(&Sale { card: Some("kav 0042".to_owned()), ..Sale::new(8, &[BEER]) }).await;
    gateway.settle().await;

    let jana = gateway.member(BY_JANA).await.member;
    assert_eq!((jana.visits, jana.spent, jana.wallets["points"].available), (8, 1600, 16));
    for key in ["email:JANA@EXAMPLE.COM", "phone:+421903123456", "phone:0903123456", "card:kav0042"] {
        assert_eq!(gateway.member(key).await.member.id, jana.id, "{key}");
    }
    assert_eq!(gateway.member(&format!("id:{}", jana.id)).await.member.visits, 8);
    assert_eq!(gateway.verify().await.members, 1);
    gateway.close().await;
}

#[tokio::test]
async fn others_are_others() {
    let gateway = TestGateway::open(&[ESHOP, OWN, POINTS]).await;
    let (eshop, own) = (FakeShop::at(&gateway, "eshop"), FakeShop::at(&gateway, "own"));
    eshop.sells(&Sale::new(1, &[BEER]).by(JANA)).await;
    // Dots and tags are each mail server's own business; joining two people is worse than not joining one.
    eshop.sells(&Sale::new(2, &[BEER]).by("ja.na@example.com")).await;
    eshop.sells(&Sale::new(3, &[BEER]).by("jana+kava@example.com")).await;
    own.sells(&Sale::new(4, &[BEER]).phone("+420903123456")).await;
    gateway.settle().await;
    assert_eq!(gateway.member(BY_JANA).await.member.visits, 1);
    assert!(gateway.find_member("phone:+421903123456").await.is_none());
    assert!(gateway.find_member("card:nobody").await.is_none());
    gateway.close().await;
}

#[tokio::test]
async fn a_purchase_without_a_name_is_unclaimed() {
    let gateway = TestGateway::open(&[ESHOP, OWN, POINTS, STAMPS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    let sale = Sale::new(ORDER, &[BEER]);
    eshop.sells(&sale).await;
    gateway.settle().await;
    let told = gateway.explain("eshop", ORDER).await;
    assert_eq!((told.entry.state.as_str(), told.entry.member), ("unclaimed", None));
    assert!(told.decisions.is_empty() && told.postings.is_empty());

    // Given back, it stays nobody's.
    eshop.cancels(&sale).await;
    gateway.settle().await;
    let told = gateway.explain("eshop", ORDER).await;
    assert_eq!(told.refunds[0].0.state, "unclaimed");
    assert_eq!(gateway.verify().await.postings, 0);

    // A refund that was there first does not wait for ever either.
    let own = FakeShop::at(&gateway, "own");
    let other = Sale::new(9, &[BEER]);
    own.refunds(90, &other, &[(0, 1)]).await;
    own.sells(&other).await;
    gateway.settle().await;
    assert_eq!(gateway.explain("own", 9).await.refunds[0].0.state, "unclaimed");
    gateway.close().await;
}
