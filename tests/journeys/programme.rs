//! The programme: what is for tests stays apart, applying twice is as good as once, and changed settings are another revision.

use super::{BY_JANA, JANA, ORDER};
use perkgate_tests::programme::{ESHOP, PAY, POINTS, STAMPS};
use perkgate_tests::{FakeShop, Sale, TestGateway, until};

/// A source for the platform's test mode.
const TRYOUT: &str = r#"
[[sources]]
id = "tryout"
platform = "shopify"
secrets = ["shpss-tryout"]
test = true
"#;

fn coffee(id: u64) -> Sale {
    Sale::new(id, &[("Flat white", 1, 320)]).by(JANA)
}

#[tokio::test]
async fn what_is_made_in_test_mode_is_kept_apart() {
    let gateway = TestGateway::open(&[ESHOP, PAY, TRYOUT, POINTS]).await;
    let at = |source| FakeShop::at(&gateway, source);
    let (eshop, pay, tryout) = (at("eshop"), at("pay"), at("tryout"));
    for (shop, sale) in [(&eshop, coffee(ORDER).test()), (&pay, coffee(2).test()), (&tryout, coffee(3))] {
        let reply = shop.sells(&sale).await;
        gateway.settle().await;
        let arrival = gateway.arrival(reply.arrival()).await;
        assert_eq!((arrival.state.as_str(), arrival.entry), ("test", None));
        assert!(arrival.note.unwrap_or_default().contains("mode"));
    }
    assert!(gateway.find_member(BY_JANA).await.is_none());
    assert_eq!(gateway.verify().await.entries, 0);

    tryout.sells(&coffee(4).test()).await;
    eshop.sells(&coffee(ORDER + 1)).await;
    gateway.settle().await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 6, "each counts where it belongs");
    gateway.close().await;
}

#[tokio::test]
async fn applying_a_file_twice_changes_nothing() {
    let mut gateway = TestGateway::open(&[ESHOP, PAY, POINTS, STAMPS]).await;
    let before = gateway.gateway().store.revision().await.expect("a revision");
    assert!(!gateway.reapply(&[ESHOP, PAY, POINTS, STAMPS]).await);
    // Other words for the same: comments, and the order of sources.
    assert!(!gateway.reapply(&["# A comment.\n", PAY, ESHOP, POINTS, STAMPS]).await);
    assert_eq!(gateway.gateway().store.revision().await.expect("a revision"), before);
    assert!(
        gateway.reapply(&[ESHOP, PAY, STAMPS, POINTS]).await,
        "the order of plugins is the order in which they run"
    );
    assert!(gateway.gateway().store.revision().await.expect("a revision") > before);
    gateway.close().await;
}

#[tokio::test]
async fn changed_settings_are_another_revision() {
    let mut gateway = TestGateway::open(&[ESHOP, POINTS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    let tenfold = POINTS.replace("points = 1", "points = 10");
    let capped = format!("{tenfold}caps = {{ points_per_purchase = 500 }}\n");
    let mut revisions = Vec::new();
    for (number, points) in (0..).zip([POINTS, tenfold.as_str(), capped.as_str(), POINTS]) {
        gateway.reapply(&[ESHOP, points]).await;
        eshop.sells(&coffee(ORDER + number)).await;
        gateway.settle().await;
        let told = gateway.explain("eshop", ORDER + number).await;
        revisions.push(told.decisions[0].record.settings_revision);
    }
    assert_eq!(revisions, [1, 2, 2, 3], "caps are not settings, and going back is a change too");
    assert_eq!(gateway.balance(BY_JANA, "points").await, 3 + 32 + 32 + 3);
    gateway.close().await;
}

#[tokio::test]
async fn a_removed_source_parks_what_is_under_way_until_it_is_back() {
    let mut gateway = TestGateway::open(&[ESHOP, PAY, POINTS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    eshop.sells(&coffee(ORDER)).await;
    gateway.settle().await;
    gateway.reapply(&[PAY, POINTS]).await;
    eshop.tells(None, eshop.body(&coffee(ORDER + 1))).await.is(404, "rejected");
    gateway.reapply(&[ESHOP, PAY, POINTS]).await;
    eshop.sells(&coffee(ORDER + 1)).await;
    gateway.settle().await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 6);
    gateway.close().await;
}

#[tokio::test]
async fn a_rotated_secret_is_taken_beside_the_old_one() {
    let mut gateway = TestGateway::open(&[ESHOP, POINTS]).await;
    let old = FakeShop::at(&gateway, "eshop");
    let both = ESHOP.replace("[\"shpss", "[\"shpss-new\", \"shpss");
    gateway.reapply(&[&both, POINTS]).await;
    let new = FakeShop::at(&gateway, "eshop");
    old.sells(&coffee(ORDER)).await;
    new.sells(&coffee(ORDER + 1)).await;
    let only_new = ESHOP.replace("shpss-kavarna-signing", "shpss-new");
    gateway.reapply(&[&only_new, POINTS]).await;
    old.tells(None, old.body(&coffee(ORDER + 2))).await.is(401, "rejected");
    gateway.settle().await;
    assert_eq!(gateway.balance(BY_JANA, "points").await, 6);
    until("the refused one is kept", async || (gateway.rejections().await.len() == 1).then_some(())).await;
    gateway.close().await;
}
