//! Case files: what is left out is filled in, and mistakes are named.

use super::*;
use perkgate_domain::event::{Scale, WakeCause};
use perkgate_domain::facts::{MonthDay, NextTier};
use perkgate_domain::purchase::Channel;

#[test]
fn what_is_left_out_is_filled_in_and_adds_up() {
    let case = Case::parse(r#"{"purchase":{"lines":[{"total":300,"tax":50},{"total":200,"quantity_milli":2000}]}}"#)
        .expect("a case");
    let Happening::Purchase(purchase) = &case.happening else { panic!("a purchase") };
    assert_eq!((purchase.total, purchase.tax, purchase.lines[1].unit), (500, 50, 100));
    assert_eq!((purchase.lines[1].id.as_str(), purchase.currency.as_str()), ("2", "EUR"));
    assert_eq!((case.facts.settings.as_str(), case.facts.merchant.locale.as_str()), ("{}", "sk"));
}

#[test]
fn facts_are_laid_over_the_sample() {
    let case = Case::parse(
        r#"{"join":{},"settings":{"a":1},"facts":{"local":{"hour":9},"merchant":{"currency":"JPY"},"memory":"0102"}}"#,
    )
    .expect("a case");
    assert_eq!((case.facts.local.hour, case.facts.local.day), (9, 21));
    assert_eq!((case.facts.merchant.currency.as_str(), &case.facts.memory[..]), ("JPY", &[1, 2][..]));
    assert_eq!(case.facts.settings, r#"{"a":1}"#);
}

#[test]
fn a_refund_belongs_to_its_purchase() {
    let case = Case::parse(r#"{"purchase":{"id":"7","lines":[{"total":300}]},"refund":{"amount":100}}"#);
    let Happening::Refund(refund, purchase) = case.expect("a case").happening else { panic!("a refund") };
    assert_eq!((refund.purchase, purchase.id), ("7".to_owned(), "7".to_owned()));
}

fn happening(text: &str) -> Happening {
    Case::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).happening
}

#[test]
fn profiles_and_joins_may_say_nothing() {
    let Happening::Profile(profile) = happening(r#"{"profile":{}}"#) else { panic!("a profile") };
    assert_eq!((profile.id.as_str(), profile.at), ("3001", Moment(1_795_258_800_000)));
    let Happening::Join(join) = happening(r#"{"join":{"referrer":"anna"}}"#) else { panic!("a join") };
    assert_eq!(join.referrer.as_deref(), Some("anna"));
}

#[test]
fn a_time_that_has_come_is_one_that_was_asked_for() {
    let Happening::Woken(woken) = happening(r#"{"woken":{"key":"birthday","data":"00ff"}}"#) else { panic!("a wake") };
    assert_eq!((woken.cause, woken.key.as_str(), &woken.data[..]), (WakeCause::Asked, "birthday", &[0, 255][..]));
    let Happening::Woken(woken) = happening(r#"{"woken":{"cause":"tier","key":"gold","at":7}}"#) else {
        panic!("a wake")
    };
    assert_eq!((woken.cause, woken.key.as_str(), woken.at), (WakeCause::Tier, "gold", Moment(7)));
}

#[test]
fn a_reward_is_taken_for_its_price_or_none() {
    let taken = |text: &str| match happening(text) {
        Happening::Redemption(taken) => {
            (taken.undone, taken.reward, taken.price.map(|price| (price.wallet, price.amount)))
        }
        other => panic!("{other:?}"),
    };
    let reward = || "free-coffee".to_owned();
    let points = |amount| Some(("points".to_owned(), amount));
    assert_eq!(taken(r#"{"redemption":{}}"#), (false, reward(), points(100)));
    assert_eq!(taken(r#"{"redemption":{"undone":true,"price":{"amount":5}}}"#), (true, reward(), points(5)));
    assert_eq!(taken(r#"{"redemption":{"reward":"mug","price":null}}"#), (false, "mug".to_owned(), None));
}

#[test]
fn an_answer_has_a_score_of_its_scale() {
    let answer = |text: &str| match happening(text) {
        Happening::Answer(answer) => (answer.scale, answer.score, answer.text),
        other => panic!("{other:?}"),
    };
    assert_eq!(answer(r#"{"answer":{}}"#), (Scale::Nps, 10, None));
    let given = r#"{"answer":{"scale":"csat","score":2,"text":"Dlhý rad."}}"#;
    assert_eq!(answer(given), (Scale::Csat, 2, Some("Dlhý rad.".to_owned())));
}

#[test]
fn facts_that_are_asked_for_are_filled_in_and_else_not_there() {
    let bare = Case::parse(r#"{"join":{}}"#).expect("a case").facts;
    assert!(bare.birthday.is_none() && bare.standing.is_none() && bare.referral.is_none());
    assert!(bare.history.is_empty() && bare.favourites.is_empty() && bare.coming.is_empty());
    let none = Case::parse(r#"{"join":{},"facts":{"birthday":null,"standing":null,"history":[],"member":null}}"#);
    let none = none.expect("a case").facts;
    assert_eq!((none.member, none.birthday, none.standing, none.history.len()), (None, None, None, 0));
    let facts = Case::parse(
        r#"{"join":{},"facts":{
            "merchant":{"currency":"CZK"},
            "birthday":{"month":2,"day":29},
            "standing":{"tier":"silver","progress":420,"next":{"name":"gold","at":1000,"missing":580}},
            "referral":{"referred":true},
            "history":[{"total":450},{"at":1,"total":300,"currency":"EUR","channel":"online","location":"Brno"}],
            "favourites":[{"name":"Flat white","purchases":7}],
            "coming":[{"amount":30,"expires_at":9}]}}"#,
    )
    .expect("a case")
    .facts;
    assert_eq!(facts.birthday, Some(MonthDay { month: 2, day: 29 }));
    let standing = facts.standing.expect("given");
    assert_eq!((standing.tier.as_deref(), standing.multiplier_milli, standing.progress), (Some("silver"), 1000, 420));
    assert_eq!(standing.next, Some(NextTier { name: "gold".to_owned(), at: 1000, missing: 580 }));
    let referral = facts.referral.expect("given");
    assert_eq!((referral.code.as_str(), referral.referred), ("REF1234567", true));
    let history: Vec<_> =
        facts.history.iter().map(|visit| (visit.total, visit.currency.as_str(), visit.channel)).collect();
    assert_eq!(history, [(450, "CZK", Channel::InStore), (300, "EUR", Channel::Online)]);
    assert_eq!((facts.favourites[0].name.as_str(), facts.favourites[0].purchases), ("Flat white", 7));
    let coming = &facts.coming[0];
    assert_eq!((coming.wallet.as_str(), coming.amount, coming.expires_at), ("points", 30, Some(Moment(9))));
}

#[test]
fn mistakes_are_named() {
    for (text, named) in [
        (r#"{"purchase":{"lines":[]},"expects":{}}"#, "expects"),
        (r#"{"purchase":{"lines":[]},"facts":{"member":{"visit":1}}}"#, "facts.member.visit"),
        (r#"{"purchase":{"lines":[{"total":1,"totle":2}]}}"#, "totle"),
        (r#"{"purchase":{"lines":[{"total":-1}]}}"#, "negative"),
        (r#"{"refund":{"amount":1}}"#, "with its `purchase`"),
        (r#"{"join":{},"woken":{}}"#, "one of"),
        (r#"{"join":{},"facts":{"standing":{"tiers":1}}}"#, "facts.standing.tiers"),
        (
            r#"{"join":{},"facts":{"standing":{"next":{"name":"a","at":1,"missing":1,"left":1}}}}"#,
            "facts.standing.next.left",
        ),
        (r#"{"join":{},"facts":{"standing":{"next":{"name":"a"}}}}"#, "missing field"),
        (r#"{"join":{},"facts":{"weather":"rain"}}"#, "`facts.weather` does not exist"),
        (r#"{"join":{},"facts":{"history":{}}}"#, "`facts.history` is a list"),
        (r#"{"join":{},"facts":{"history":[{},{"sum":1}]}}"#, "`facts.history[1].sum` does not exist"),
        (r#"{"join":{},"facts":{"favourites":[{},{},{},{},{},{}]}}"#, "at most 5 items, this one has 6"),
        (r#"{"join":{},"facts":{"coming":[{"amount":"many"}]}}"#, "`facts`: invalid type"),
        (r#"{"join":{},"facts":{"birthday":{"month":2,"day":30}}}"#, "02-30 is no day"),
        (r#"{"join":{},"facts":{"referral":{"referrer":"anna"}}}"#, "facts.referral.referrer"),
        (r#"{"profile":{"birthday":"03-08"}}"#, "`profile.birthday` does not exist"),
        (r#"{"woken":{"cause":"bored"}}"#, "bored"),
        (r#"{"woken":{"when":7}}"#, "`woken.when` does not exist"),
        (r#"{"woken":{"data":"0g"}}"#, "hexadecimal"),
        (r#"{"redemption":{"price":{"walet":"stamps"}}}"#, "`redemption.price.walet` does not exist"),
        (r#"{"redemption":{"step":"undone"}}"#, "`redemption.step` does not exist"),
        (r#"{"answer":{"score":11}}"#, "nps is answered with 0 to 10, not 11"),
        (r#"{"answer":{"scale":"csat","score":0}}"#, "csat is answered with 1 to 5, not 0"),
        (r#"{"answer":{"scale":"ces"}}"#, "ces"),
        (r#"{"answer":{},"redemption":{}}"#, "one of"),
        (r#"{"purchase":{"lines":[]},"profile":{}}"#, "one of"),
        (r"{}", "one of"),
        (r#"{"join":{},"expect":{}}"#, "one of"),
        (r#"{"join":{},"facts":{"memory":"0"}}"#, "hexadecimal"),
    ] {
        let message = Case::parse(text).expect_err(text);
        assert!(message.contains(named), "{text}: {message}");
    }
}
