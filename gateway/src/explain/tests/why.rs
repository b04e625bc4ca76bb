//! Why nothing came of a purchase.

use super::ground::{bare, plain, purchase, record, ruled_out, says, voice, zone};
use crate::explain::{Language, Order, order};
use perkgate_domain::cap::{Beyond, Span};
use perkgate_domain::decision::{Blame, Decision, Fault, FaultKind, Outcome, Refusal, WakeWhom};
use perkgate_domain::ids::EntryId;
use perkgate_domain::plan::DecisionRecord;

/// What is said of one record, after the purchase itself.
fn said(record: &DecisionRecord, language: Language) -> Vec<String> {
    let (bought, zone) = (purchase(), zone());
    let told = Order { decisions: vec![(EntryId(1), record)], ..bare(&bought) };
    plain(&order(&told, voice(language, &zone)))[1..].to_vec()
}

fn stands(state: &str, cause: Option<&str>, language: Language) -> Vec<String> {
    let (bought, zone) = (purchase(), zone());
    plain(&order(&Order { state, cause, ..bare(&bought) }, voice(language, &zone)))[1..].to_vec()
}

#[test]
fn nobody_is_named() {
    for (language, sentence) in Language::ALL.into_iter().zip([
        "Není u něj uveden žádný člen, proto za něj zatím nikdo nic nezískal. Kdo ukáže účtenku, může si ho ještě přihlásit.",
        "Nie je pri ňom uvedený žiadny člen, preto zaň zatiaľ nikto nič nezískal. Kto ukáže účtenku, môže si ho ešte prihlásiť.",
        "Nie podano przy nim uczestnika, więc nikt jeszcze nic za niego nie otrzymał. Kto pokaże paragon, może go jeszcze zgłosić.",
        "It names no member, so nobody has got anything for it yet. Whoever shows the receipt can still claim it.",
        "Er nennt kein Mitglied, darum hat dafür noch niemand etwas bekommen. Wer den Beleg vorzeigt, kann ihn noch geltend machen.",
    ]) {
        assert_eq!(stands("unclaimed", None, language), [sentence]);
    }
}

#[test]
fn it_waits() {
    assert_eq!(
        stands("queued", None, Language::Slovak),
        ["Ešte čaká, kým naň príde rad; zatiaľ o ňom nebolo rozhodnuté."]
    );
    assert_eq!(
        stands("queued", Some("points: the host failed."), Language::English),
        [
            "It still waits for its turn; nothing has been decided about it yet.",
            "The gateway notes: points: the host failed."
        ]
    );
    assert_eq!(
        stands("parked", Some("no rate"), Language::German),
        ["Er ist zurückgestellt, bis sich das ändert: no rate."]
    );
}

#[test]
fn the_plugin_gives_nothing_and_says_why() {
    let minimum = says("points", "nothing earned: 0.60 EUR counts, the minimum is 1.00 EUR");
    let sentences = Language::ALL.map(|language| said(&minimum, language).join("\n"));
    assert_eq!(
        sentences,
        [
            "Plugin points nedal nic a říká k tomu: nothing earned: 0.60 EUR counts, the minimum is 1.00 EUR.",
            "Plugin points nedal nič a hovorí k tomu: nothing earned: 0.60 EUR counts, the minimum is 1.00 EUR.",
            "Wtyczka points nic nie dała i podaje: nothing earned: 0.60 EUR counts, the minimum is 1.00 EUR.",
            "points gave nothing and says: nothing earned: 0.60 EUR counts, the minimum is 1.00 EUR.",
            "points hat nichts gegeben und sagt dazu: nothing earned: 0.60 EUR counts, the minimum is 1.00 EUR.",
        ]
    );
    // What is only kept for later is nothing, for whoever stands at the till.
    let kept = Decision::Wake(perkgate_domain::decision::Wake {
        key: "k".into(),
        when: None,
        whom: WakeWhom::Member,
        data: vec![],
    });
    let remembers = record("points", Outcome::Decided(vec![Decision::Remember { bytes: vec![1] }, kept]));
    assert_eq!(said(&remembers, Language::English), ["points gave nothing."]);
}

#[test]
fn the_plugin_does_not_decide() {
    for (refusal, sentence) in [
        (Refusal::NotConfigured("`per` is missing".into()), "because it is not set up: `per` is missing."),
        (Refusal::Unsupported("gift cards.".into()), "because its rule does not cover this: gift cards."),
    ] {
        let made = record("points", Outcome::Refused(refusal));
        assert_eq!(said(&made, Language::English), [format!("points gave nothing, {sentence}")]);
    }
    let fault = |blame| Outcome::Fault(Fault { blame, kind: FaultKind::Fuel, detail: "out of fuel".into() });
    assert_eq!(
        said(&record("points", fault(Blame::Plugin)), Language::Slovak),
        ["Plugin points nedal nič, lebo zlyhal: out of fuel."]
    );
    assert_eq!(
        said(&record("points", fault(Blame::Host)), Language::Czech),
        ["Plugin points nedal nic, protože ho brána nemohla spustit: out of fuel."]
    );
    let broken = DecisionRecord {
        outcome: Outcome::Refused(Refusal::Broken("a table is empty".into())),
        ..ruled_out("points", FaultKind::Broken, "a table is empty")
    };
    assert_eq!(said(&broken, Language::Polish), ["Wtyczka points nic nie dała, bo zawiodła: a table is empty."]);
}

#[test]
fn the_verdict_is_not_acted_on() {
    let refused = ruled_out("points", FaultKind::NotGranted, "an offer needs a partner");
    assert_eq!(said(&refused, Language::English), ["What points decided was not acted on: an offer needs a partner."]);
    let shadow = DecisionRecord { shadow: true, ..says("points", "nothing") };
    assert_eq!(said(&shadow, Language::German), ["points läuft im Schatten: was es entscheidet, zählt nicht."]);
    let noted = DecisionRecord { notes: vec!["offer `x` has run out".into()], ..says("kino", "an offer") };
    assert_eq!(said(&noted, Language::English)[1], "About kino: offer `x` has run out.");
}

#[test]
fn a_cap_is_reached_and_counts_anew() {
    let capped = |span, scope: &str, whose: Option<&str>| {
        let beyond = Beyond {
            span,
            scope: scope.into(),
            wallet: "points".into(),
            sum: 1035,
            most: 22,
            whose: whose.map(Into::into),
        };
        ruled_out("points", FaultKind::Cap, &beyond.to_string())
    };
    assert_eq!(
        said(&capped(Span::Purchase, "", Some("points")), Language::Polish),
        ["Wtyczka points nic nie dała, bo osiągnięto limit. Na jeden zakup: 22 punkty; z tym: 1035 punktów."]
    );
    assert_eq!(
        said(&capped(Span::MemberDay, "2026-03-03", Some("points")), Language::Slovak),
        ["Plugin points nedal nič, lebo je dosiahnutý strop. Na člena a deň: 22 bodov; s týmto: 1 035 bodov. \
         Odznova sa počíta od 4. marca 2026."]
    );
    assert_eq!(
        said(&capped(Span::Day, "2026-03-03", Some("points")), Language::English),
        ["points gave nothing, because a cap is reached. For one day: 22 points; with this: 1,035 points. \
         It is counted anew from 4 March 2026."]
    );
    assert_eq!(
        said(&capped(Span::Month, "2026-03", None), Language::German),
        [
            "points hat nichts gegeben, weil eine Obergrenze erreicht ist. Für einen Monat: 22 Punkte; mit diesem: 1.035 Punkte. \
         Die Obergrenze gilt für alle Plugins zusammen. Ab 1. April 2026 wird neu gezählt."
        ]
    );
    assert_eq!(
        said(&capped(Span::Total, "", Some("points")), Language::Czech),
        ["Plugin points nedal nic, protože je dosažen strop. Za celou dobu: 22 bodů; s tímto: 1 035 bodů."]
    );
}
