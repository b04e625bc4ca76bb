//! Questions: a link in a message, a page in the member's language, one answer.

use super::{BY_JANA, JANA, ORDER};
use perkgate_gateway::clock::Clock as _;
use perkgate_tests::programme::{ESHOP, webhook};
use perkgate_tests::{FakeInbox, FakeShop, Ground, Sale, TestGateway, follows, until};

/// Where members reach the gateway, as the merchant file says.
const URL: &str = "url = \"https://perkgate.example\"\n";
/// Asks an hour after a purchase.
const FEEDBACK: &str = r#"
[[plugins]]
plugin = "feedback"
settings = { after_hours = 1, valid_days = 7 }
grants = ["ask", "message", "tag", "task", "wake", "remember"]
"#;
const HOUR: i64 = 3600;

/// Jana has bought and is asked; answers the path of her link.
async fn asked(inbox: &FakeInbox) -> (TestGateway, String) {
    let gateway = Ground::of(&[URL, ESHOP, FEEDBACK, &webhook(&inbox.url())]).at_present().open().await;
    let sale = Sale::new(ORDER, &[("Obed", 1, 600)]).by(JANA).consenting().at(gateway.clock().now());
    FakeShop::at(&gateway, "eshop").sells(&sale).await;
    gateway.settle().await;
    gateway.later(HOUR + 60);
    let got = inbox.gets(1).await;
    let body = got[0].body.to_string();
    let (_, rest) = body.split_once("https://perkgate.example").expect("a link");
    let path = rest.chars().take_while(|char| char.is_ascii_alphanumeric() || "/-_".contains(*char)).collect();
    (gateway, path)
}

async fn tags(gateway: &TestGateway) -> Vec<String> {
    gateway.member(BY_JANA).await.member.tags
}

#[tokio::test]
async fn a_member_answers_once_and_the_merchant_has_something_to_do() {
    let inbox = FakeInbox::open().await;
    let (gateway, path) = asked(&inbox).await;
    let form = follows(&gateway, &path, None).await;
    assert_eq!(form.status, 200, "{}", form.text);
    assert!(form.text.contains("<html lang=\"sk\">") && form.text.contains("Kavárna U Mosta"), "{}", form.text);
    assert!(!form.text.contains("<script"), "{}", form.text);
    assert!(form.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'")));
    // Looking is not answering: mail scanners look.
    assert_eq!(follows(&gateway, &path, None).await.status, 200);

    // No number, or none of the scale: asked again.
    for nonsense in ["text=ahoj", "score=11", "score=", ""] {
        assert_eq!(follows(&gateway, &path, Some(nonsense)).await.status, 400, "{nonsense}");
    }
    let answer = "score=2&text=Studen%C3%A1+k%C3%A1va";
    let thanks = follows(&gateway, &path, Some(answer)).await;
    assert!(thanks.status == 200 && thanks.text.contains("Ďakujeme"), "{}", thanks.text);
    gateway.settle().await;
    assert_eq!(tags(&gateway).await, ["detractor"]);
    let staff = perkgate_tests::Staff::at(&gateway);
    let tasks = staff.asks("/tasks?state=open").await.is(200);
    assert!(tasks["tasks"][0]["text"].as_str().is_some_and(|text| text.contains("Studená káva")), "{tasks}");

    // Once: the same again is thanked for, another is not taken, and the form is gone.
    for again in [Some(answer), Some("score=10"), None] {
        let page = follows(&gateway, &path, again).await;
        assert!(page.status == 200 && page.text.contains("Ďakujeme") && !page.text.contains("<form"), "{}", page.text);
    }
    gateway.settle().await;
    assert_eq!(tags(&gateway).await, ["detractor"]);

    // What is done is closed, once.
    let task = tasks["tasks"][0]["id"].as_str().expect("an id").to_owned();
    let close = async || staff.does("POST", &format!("/tasks/{task}/close"), "t", serde_json::Value::Null).await;
    close().await.is(200);
    close().await.is_problem(404, "unknown_task");
    assert_eq!(staff.asks("/tasks").await.is(200)["tasks"], serde_json::json!([]));
    assert_eq!(staff.asks("/tasks?state=closed").await.is(200)["tasks"][0]["id"], task.as_str());
    gateway.close().await;
}

#[tokio::test]
async fn a_link_ends_and_a_made_up_one_leads_nowhere() {
    let inbox = FakeInbox::open().await;
    let (gateway, path) = asked(&inbox).await;
    for wrong in ["/q/kavarna/00000000000000000000000000", "/q/pekaren/0", "/q/kavarna/%00"] {
        assert_eq!(follows(&gateway, wrong, None).await.status, 404, "{wrong}");
        assert_eq!(follows(&gateway, wrong, Some("score=10")).await.status, 404, "{wrong}");
    }
    gateway.later(8 * 24 * HOUR);
    for form in [None, Some("score=10")] {
        let over = follows(&gateway, &path, form).await;
        assert!(over.status == 410 && !over.text.contains("<form"), "{}", over.text);
    }
    gateway.settle().await;
    assert!(tags(&gateway).await.is_empty());
    gateway.close().await;
}

#[tokio::test]
async fn of_two_answers_at_once_one_counts() {
    let inbox = FakeInbox::open().await;
    let (gateway, path) = asked(&inbox).await;
    let (one, two) =
        tokio::join!(follows(&gateway, &path, Some("score=1")), follows(&gateway, &path, Some("score=10")));
    assert_eq!((one.status, two.status), (200, 200));
    let tags = until("an answer is settled", async || Some(tags(&gateway).await).filter(|tags| !tags.is_empty())).await;
    gateway.settle().await;
    assert_eq!(tags.len(), 1, "{tags:?}");
    gateway.close().await;
}
