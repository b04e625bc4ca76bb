//! `perkgate explain` and `perkgate member`: in words, why a purchase gave what it gave, and what a balance is made of.

use crate::binary::{SECRET, Served, Shop, perkgate};
use crate::has;
use serde_json::Value;

/// Sends a paid order of 2 March 2026, of one coffee.
#[track_caller]
fn buys(shop: &Shop, served: &Served, order: u32, price: &str, email: Option<&str>) {
    let email = email.map_or_else(String::new, |email| format!(r#""email": "{email}","#));
    let body = format!(
        r##"{{"id": {order}, "name": "#{order}", "created_at": "2026-03-02T08:15:00+01:00", "currency": "EUR",
            "financial_status": "paid", "total_price": "{price}", {email}
            "line_items": [{{"id": 1, "name": "Flat white", "quantity": 1, "price": "{price}"}}]}}"##
    );
    let body = shop.write(&format!("{order}.json"), &body);
    let sent = perkgate(&["send", "shopify", "--to", &served.door(), "--secret", SECRET, "--body", &body]);
    assert_eq!(sent.code, 0, "{sent}");
}

/// What is said about an order, a sentence a line, with spaces that may not break as spaces.
#[track_caller]
fn explained(shop: &Shop, order: u32, more: &[&str]) -> Vec<String> {
    let order = format!("#{order}");
    let asked = [&["explain", "--merchant", "kavarna", "--source", "eshop", &order], more].concat();
    let ran = shop.ask(&asked);
    assert_eq!(ran.code, 0, "{ran}");
    ran.out.lines().map(|line| line.replace('\u{a0}', " ")).collect()
}

#[test]
fn a_purchase_with_pending_points_says_until_when() {
    let shop = Shop::with("[wallets.points]\nmatures = { days = 3650 }\nexpires = { days = 3650, round = \"year\" }\n");
    let served = shop.serve();
    buys(&shop, &served, 1001, "6.80", Some("jana@example.com"));
    let member = shop.until_settled("email:jana@example.com", 1);
    let pending = &member["balances"]["points"];
    has(pending, &["available", "pending", "spent", "expired", "reversed"]);
    assert_eq!((&pending["available"], &pending["pending"]), (&Value::from(0), &Value::from(6)));
    // 28 February 2036, 8:15 in Bratislava; the end of 2036.
    let (matures, lost) = (2_087_795_700_000_i64, 2_114_377_200_000_i64);
    let next = serde_json::json!([{"wallet": "points", "amount": 6, "matures_at": matures, "expires_at": lost}]);
    assert_eq!(member["next"], next, "{member:#}");
    has(&member["standing"], &["tier", "since", "until", "progress", "next"]);

    let said = explained(&shop, 1001, &[]);
    assert!(said[0].starts_with("Nákup #1001 zo dňa 2. marca 2026, 6,80 €. Patrí členovi mem_"), "{said:#?}");
    let earned = "Od pluginu points-per-spend: 6 bodov. Dôvod: 1 point per 1.00 EUR. \
                  Zatiaľ čaká, minúť možno od 28. februára 2036, 8:15. Platnosť do 31. decembra 2036.";
    assert_eq!(said[1], earned);

    let asked = ["explain", "--merchant", "kavarna", "--member", "email:jana@example.com", "--lang", "pl"];
    let balance = shop.ask(&asked).out;
    assert_eq!(balance.lines().next(), Some("Do wydania: 0 punktów."));
    let pending = "Czeka do 28 lutego 2036, 8:15: 6 punktów = 6 z zakupu #1001 (2 marca 2026).";
    assert_eq!(balance.lines().nth(1), Some(pending));
    let shown = shop.ask(&["member", "--merchant", "kavarna", "email:jana@example.com"]);
    assert!(shown.out.contains("points: 0 available, 6 pending, 0 spent, 0 expired, 0 reversed\n"), "{shown}");
    assert!(shown.out.contains("next matures: 6 on 2036-02-28 08:15\n"), "{shown}");
    assert!(shown.out.contains("next expires: 6 after 2036-12-31\n"), "{shown}");
    served.stops_well();
}

#[test]
fn a_balance_is_made_of_purchases() {
    let shop = Shop::new();
    let served = shop.serve();
    buys(&shop, &served, 1001, "20.00", Some("jana@example.com"));
    buys(&shop, &served, 1002, "15.00", Some("jana@example.com"));
    shop.until_settled("email:jana@example.com", 2);
    let asked = ["explain", "--merchant", "kavarna", "--member", "email:jana@example.com", "--wallet", "points"];
    let english = shop.ask(&[&asked[..], &["--lang", "en"]].concat());
    let sum = "To spend: 35 points = 15 from purchase #1002 (2 March 2026) + 20 from purchase #1001 (2 March 2026).";
    assert_eq!(english.out.lines().next(), Some(sum), "{english}");
    let told = shop.ask(&[&asked[..], &["--json", "--lang", "en"]].concat()).json();
    has(&told, &["member", "balances", "lots", "words"]);
    assert_eq!((&told["balances"]["points"]["available"], &told["words"][0]), (&Value::from(35), &Value::from(sum)));
    let lots: Vec<_> =
        told["lots"].as_array().expect("lots").iter().map(|lot| (&lot["reference"], &lot["amount"])).collect();
    assert_eq!(lots, [(&"#1001".into(), &20.into()), (&Value::from("#1002"), &Value::from(15))]);
    // A wallet that nobody has is no failure.
    let nothing =
        shop.ask(&["explain", "--merchant", "kavarna", "--member", "email:jana@example.com", "--wallet", "miles"]);
    assert_eq!((nothing.code, nothing.out.as_str()), (0, "Zatiaľ tu nič nie je: miles.\n"), "{nothing}");
    served.stops_well();
}

#[test]
fn a_purchase_of_nobody_can_be_claimed() {
    let shop = Shop::new();
    let served = shop.serve();
    buys(&shop, &served, 1001, "6.80", None);
    let asked = ["explain", "--merchant", "kavarna", "--source", "eshop", "1001", "--json", "--lang", "de"];
    let told = shop.until(&asked, |told| told["state"] == "unclaimed");
    has(&told, &["entry", "state", "purchase", "decisions", "postings", "lots", "deliveries", "words"]);
    assert_eq!((&told["member"], &told["lots"]), (&Value::Null, &Value::from(Vec::<Value>::new())));
    let nobody = "Er nennt kein Mitglied, darum hat dafür noch niemand etwas bekommen. \
                  Wer den Beleg vorzeigt, kann ihn noch geltend machen.";
    assert_eq!(told["words"][1], nobody);
    served.stops_well();
}

#[test]
fn a_cap_and_a_paused_plugin_say_why_nothing_came() {
    let shop = Shop::with(
        "caps = { points_per_day = 22 }\n\n[[plugins]]\nplugin = \"stamp-card\"\nmode = \"paused\"\n\
         settings = { goal = 10, reward = { title = \"Káva zdarma\" } }\ngrants = [\"earn\", \"reward\", \"remember\"]\n",
    );
    let served = shop.serve();
    buys(&shop, &served, 1001, "20.00", Some("jana@example.com"));
    shop.until_settled("email:jana@example.com", 1);
    buys(&shop, &served, 1002, "15.00", Some("jana@example.com"));
    let member = shop.until_settled("email:jana@example.com", 2);
    assert_eq!(member["balances"]["points"]["available"], 20);
    let said = explained(&shop, 1002, &["--lang", "cs"]);
    let [_, capped, paused] = said.as_slice() else { panic!("three sentences were expected: {said:#?}") };
    assert_eq!(
        capped,
        "Plugin points-per-spend nedal nic, protože je dosažen strop. Na den: 22 bodů; s tímto: 35 bodů. \
         Znovu se počítá od 3. března 2026."
    );
    assert_eq!(paused, "Plugin stamp-card je pozastavený a nic nedává.");
    served.stops_well();
}

#[test]
fn either_an_order_or_a_member_is_asked_about() {
    for wrong in [
        &["explain", "--merchant", "kavarna", "--source", "eshop"][..],
        &["explain", "--merchant", "kavarna", "1001"],
        &["explain", "--merchant", "kavarna", "--member", "email:a@example.com", "--source", "eshop"],
        &["explain", "--merchant", "kavarna", "--member", "email:a@example.com", "1001"],
        &["explain", "--merchant", "kavarna", "--source", "eshop", "1001", "--wallet", "points"],
    ] {
        let ran = perkgate(wrong);
        assert_eq!(ran.code, 2, "{wrong:?}: {ran}");
    }
}
