//! The ledger holds, and whoever changes it by hand is found out. What is sealed cannot be read in the files.

use super::{JANA, ORDER};
use perkgate_tests::programme::{self, ESHOP, OWN, POINTS, STAMPS, THANKS, TILL, webhook};
use perkgate_tests::{FakeInbox, FakeShop, Sale, TestGateway, until};
use sqlx::{Connection as _, SqliteConnection};

const MEAL: &[(&str, i64, i64)] = &[("Obed", 1, 890), ("Káva", 2, 190)];

async fn played() -> TestGateway {
    let gateway = TestGateway::open(&[ESHOP, POINTS, STAMPS]).await;
    let eshop = FakeShop::at(&gateway, "eshop");
    for number in 0..3 {
        eshop.sells(&Sale::new(ORDER + number, MEAL).by(JANA)).await;
    }
    eshop.sells(&Sale::new(ORDER + 9, MEAL).by("petr@example.com")).await;
    eshop.refunds(1, &Sale::new(ORDER, MEAL), &[(1, 1)]).await;
    gateway.settle().await;
    gateway
}

async fn by_hand(gateway: &TestGateway) -> SqliteConnection {
    SqliteConnection::connect(&gateway.database()).await.expect("the database opens")
}

/// Does it, looks at what the check finds, and undoes it.
async fn found(gateway: &TestGateway, hand: &mut SqliteConnection, act: &'static str, undo: &'static str) -> String {
    let changed = sqlx::query(act).execute(&mut *hand).await.expect("it can be done by hand").rows_affected();
    assert_eq!(changed, 1, "{act}");
    let report = gateway.verify().await;
    assert!(!report.holds(), "nobody noticed: {act}");
    sqlx::query(undo).execute(&mut *hand).await.expect("it can be undone");
    let report_after = gateway.verify().await;
    assert!(report_after.holds(), "after {undo}: {:#?}", report_after.problems);
    report.problems.join("\n")
}

#[tokio::test]
async fn the_ledger_holds() {
    let gateway = played().await;
    let report = gateway.verify().await;
    assert!(report.holds(), "{:#?}", report.problems);
    assert_eq!((report.entries, report.members), (5, 2));
    assert!(report.postings >= 9 && report.lots == 8, "{report:?}");
    gateway.close().await;
}

#[tokio::test]
async fn postings_can_neither_be_changed_nor_deleted() {
    let gateway = played().await;
    let mut hand = by_hand(&gateway).await;
    for act in ["update postings set amount = amount + 1", "delete from postings where posting_id = 1"] {
        let refused = sqlx::query(act).execute(&mut hand).await.expect_err(act);
        assert!(refused.to_string().contains("never"), "{refused}");
    }
    hand.close().await.expect("closed");
    gateway.close().await;
}

#[tokio::test]
async fn whoever_takes_the_triggers_away_is_found_out() {
    let mut gateway = played().await;
    let mut hand = by_hand(&gateway).await;
    for trigger in ["drop trigger postings_are_never_updated", "drop trigger postings_are_never_deleted"] {
        sqlx::query(trigger).execute(&mut hand).await.expect("a trigger less");
    }
    let said = found(
        &gateway,
        &mut hand,
        "update postings set amount = amount + 1 where posting_id = (select min(posting_id) from postings)",
        "update postings set amount = amount - 1 where posting_id = (select min(posting_id) from postings)",
    )
    .await;
    for words in ["does not continue its chain", "the balance of", "lot lot_"] {
        assert!(said.contains(words), "`{words}` is missing in:\n{said}");
    }
    let said = found(
        &gateway,
        &mut hand,
        "update postings set at = at + 1 where posting_id = (select min(posting_id) from postings)",
        "update postings set at = at - 1 where posting_id = (select min(posting_id) from postings)",
    )
    .await;
    assert!(said.contains("does not continue its chain"), "{said}");

    gateway.leaves_tampered();
    let last = "delete from postings where posting_id = (select max(posting_id) from postings)";
    sqlx::query(last).execute(&mut hand).await.expect("a posting less");
    let said = gateway.verify().await.problems.join("\n");
    assert!(said.contains("does not end where its postings do"), "{said}");
    hand.close().await.expect("closed");
    gateway.close().await;
}

#[tokio::test]
async fn a_forged_balance_lot_or_settlement_is_found_out() {
    let gateway = played().await;
    let mut hand = by_hand(&gateway).await;
    let cases = [
        (
            "update members set wallets = replace(wallets, '\"available\":', '\"available\":1')
             where member_id = (select min(member_id) from members)",
            "update members set wallets = replace(wallets, '\"available\":1', '\"available\":')
             where member_id = (select min(member_id) from members)",
            "its postings make",
        ),
        (
            "insert into balances values ('kavarna', 'redeemed', 'gold', 5)",
            "delete from balances where wallet = 'gold'",
            "no posting made it",
        ),
        (
            "update lots set amount = amount + 1 where lot_id = (select min(lot_id) from lots)",
            "update lots set amount = amount - 1 where lot_id = (select min(lot_id) from lots)",
            "its postings say",
        ),
        (
            "update lots set expired = 1 where lot_id = (select min(lot_id) from lots where reversed < amount)",
            "update lots set expired = 0 where expired = 1",
            "have expired, and of its lots 1",
        ),
        (
            "update decisions set document = replace(document, '\"fuel\":', '\"fuel\":1')
             where entry_id = (select min(entry_id) from decisions)",
            "update decisions set document = replace(document, '\"fuel\":1', '\"fuel\":')
             where entry_id = (select min(entry_id) from decisions)",
            "comes to something else: fuel is stored as 1",
        ),
        (
            "insert into waiting (entry_id, merchant_id, source_id, state)
             select min(entry_id), 'kavarna', 'eshop', 'parked' from entries",
            "delete from waiting",
            "no settled entry",
        ),
    ];
    for (act, undo, words) in cases {
        let said = found(&gateway, &mut hand, act, undo).await;
        assert!(said.contains(words), "`{words}` is missing in:\n{said}");
    }
    hand.close().await.expect("closed");
    gateway.close().await;
}

#[tokio::test]
async fn neither_contact_data_nor_secrets_can_be_read_in_the_files() {
    let inbox = FakeInbox::open().await;
    let channel = webhook(&inbox.url());
    let gateway = TestGateway::open(&[ESHOP, TILL, OWN, POINTS, THANKS, &channel]).await;
    let (eshop, till, own) =
        (FakeShop::at(&gateway, "eshop"), FakeShop::at(&gateway, "till"), FakeShop::at(&gateway, "own"));
    eshop.sells(&Sale::new(ORDER, MEAL).by("Jana.Novakova@example.com").consenting()).await;
    till.sells(&Sale::new(2, MEAL).by("jana.novakova@example.com")).await;
    own.sells(&Sale { card: Some("KAV-90210-77".to_owned()), ..Sale::new(3, MEAL).phone("+421 903 123 456") }).await;
    // What is turned away is kept too.
    let forged = eshop.body(&Sale::new(4, MEAL).by("Jana.Novakova@example.com"));
    eshop.posts(&[("x-shopify-hmac-sha256".to_owned(), "AAAA".to_owned())], forged).await.is(401, "rejected");
    gateway.sent().await;
    until("the forgery is kept", async || (!gateway.rejections().await.is_empty()).then_some(())).await;

    let secrets = [
        "shpss-kavarna-signing",
        "square-kavarna-signing",
        "whsec_a2F2YXJuYS",
        "kavarna-own-till-signing",
        programme::CHANNEL_SECRET,
    ];
    let url = inbox.url();
    let people = ["novakova@", "nováková", "903123456", "903 123 456", "kav-90210", "kav9021077", url.as_str()];
    let files = gateway.files();
    assert!(files.iter().any(|file| file.ends_with("perkgate.db")));
    for file in files {
        let bytes = std::fs::read(&file).expect("a file");
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        for word in secrets.iter().chain(&people) {
            assert!(!text.contains(&word.to_lowercase()), "`{word}` can be read in {}", file.display());
        }
    }
    gateway.close().await;
}
