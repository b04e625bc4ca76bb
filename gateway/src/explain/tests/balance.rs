//! What a balance is made of: which lots, until when pending, what is lost next, what is owed.

use super::ground::{BOUGHT, DAY, days_later, earn, lot, member, plain, voice, wallet, zone};
use crate::civil::Period;
use crate::explain::{Language, Origin, balance, lost_next, matures_next};
use perkgate_domain::event::Kind;
use perkgate_domain::ledger::Expiry;
use perkgate_domain::member::{Member, Wallet};

fn with(holds: Wallet) -> Member {
    let mut jana = member();
    jana.wallets.insert("points".into(), holds);
    jana
}

/// A lot of so many points, earned so many days after the first.
fn origin(number: i64, amount: i64, days: i64) -> Origin {
    let lot = lot(number, "points", &earn("points", amount, "x"), days_later(days));
    Origin { lot, kind: Kind::Purchase, order: format!("#{}", 1000 + number) }
}

fn said(member: &Member, origins: &[Origin], language: Language) -> Vec<String> {
    let zone = zone();
    plain(&balance(member, Some("points"), origins, voice(language, &zone)))
}

#[test]
fn a_balance_is_what_is_left_of_its_lots() {
    // 30 and 15 were earned; 10 of the first are spent.
    let mut holds = wallet(&[("never", 35)]);
    holds.spent = 10;
    let (jana, origins) = (with(holds), [origin(1, 30, 0), origin(2, 15, 2)]);
    assert_eq!(
        Language::ALL.map(|language| said(&jana, &origins, language)[0].clone()),
        [
            "K utracení: 35 bodů = 15 z nákupu #1002 (5. března 2026) + 20 z nákupu #1001 (3. března 2026).",
            "Na minutie: 35 bodov = 15 z nákupu #1002 (5. marca 2026) + 20 z nákupu #1001 (3. marca 2026).",
            "Do wydania: 35 punktów = 15 z zakupu #1002 (5 marca 2026) + 20 z zakupu #1001 (3 marca 2026).",
            "To spend: 35 points = 15 from purchase #1002 (5 March 2026) + 20 from purchase #1001 (3 March 2026).",
            "Einlösbar: 35 Punkte = 15 aus dem Einkauf #1002 (5. März 2026) + 20 aus dem Einkauf #1001 (3. März 2026).",
        ]
    );
    assert_eq!(
        said(&jana, &origins, Language::English)[1],
        "Earned in all: 45 points; spent 10, lost 0, taken back 0."
    );
}

#[test]
fn what_is_pending_says_until_when_and_what_is_lost_next_says_when() {
    let (matures, end) = (days_later(14), zone().end_of(BOUGHT, Period::Year));
    let mut origins = [origin(1, 5, 0), origin(2, 22, 1), origin(3, 1, 1)];
    (origins[0].lot.expires, origins[1].lot.matures_at) = (Expiry::At(end), Some(matures));
    (origins[1].kind, origins[2].kind) = (Kind::Wake, Kind::Edit);
    let keys = [format!("{}", end.0), format!("{}>never", matures.0)];
    let jana = with(wallet(&[(&keys[0], 5), (&keys[1], 22), ("never", 1)]));
    assert_eq!(
        said(&jana, &origins, Language::Slovak),
        [
            "Na minutie: 6 bodov = 1 zo zmeny nákupu #1003 (4. marca 2026) + 5 z nákupu #1001 (3. marca 2026).",
            "Čaká do 17. marca 2026, 15:05: 22 bodov = 22 od pluginu points (4. marca 2026).",
            "Najbližšie prepadne: 5 bodov, platnosť do 31. decembra 2026.",
            "Spolu získané: 28 bodov; minuté 0, prepadnuté 0, odobraté späť 0.",
        ]
    );
    let holds = &jana.wallets["points"];
    assert_eq!((matures_next(holds), lost_next(holds)), (Some((matures, 22)), Some((end, 5))));
    assert_eq!((matures_next(&Wallet::default()), lost_next(&Wallet::default())), (None, None));
}

#[test]
fn all_that_matures_or_is_lost_at_once_is_added_up() {
    let (soon, late) = (days_later(1).0, days_later(9).0);
    let keys = [format!("{soon}>{late}"), format!("{soon}>never"), format!("{late}>{late}"), format!("{late}")];
    let holds = wallet(&[(&keys[0], 1), (&keys[1], 2), (&keys[2], 4), (&keys[3], 8)]);
    assert_eq!(matures_next(&holds), Some((days_later(1), 3)));
    assert_eq!(lost_next(&holds), Some((days_later(9), 13)));
}

#[test]
fn what_is_owed_comes_first() {
    let holds = Wallet { available: -2, reversed: 7, ..Wallet::default() };
    assert_eq!(
        said(&with(holds), &[], Language::Polish),
        [
            "Dług: 2 punkty. Odebrano więcej, niż zostało; to, co przybędzie, najpierw go wyrówna.",
            "Łącznie otrzymano: 5 punktów; wydano 0, przepadło 0, odebrano 7.",
        ]
    );
}

#[test]
fn of_many_parts_the_newest_are_named() {
    let origins: Vec<Origin> = (0..11).map(|number| origin(number, number + 1, number)).collect();
    let jana = with(wallet(&[("never", 66)]));
    let first = said(&jana, &origins, Language::English).remove(0);
    assert!(first.starts_with("To spend: 66 points = 11 from purchase #1010 (13 March 2026) + 10 from"), "{first}");
    assert!(first.ends_with(" + 4 from purchase #1003 (6 March 2026) + 6 from 3 more."), "{first}");
    let german = said(&jana, &origins, Language::German).remove(0);
    assert!(german.ends_with(" + 6 aus 3 weiteren."), "{german}");
}

#[test]
fn of_many_days_the_soonest_are_named() {
    let keys: Vec<String> = (1..=10).map(|day| format!("{}>never", days_later(day).0)).collect();
    let mut origins: Vec<Origin> = (1..=10).map(|number| origin(number, 5, 0)).collect();
    for (place, origin) in origins.iter_mut().enumerate() {
        origin.lot.matures_at = Some(BOUGHT.plus_ms((i64::try_from(place).unwrap() + 1) * DAY));
    }
    let amounts: Vec<(&str, i64)> = keys.iter().map(|key| (key.as_str(), 5)).collect();
    let told = said(&with(wallet(&amounts)), &origins, Language::English);
    assert_eq!(told[0], "To spend: 0 points.");
    assert_eq!(told[1], "Pending until 4 March 2026, 15:05: 5 points = 5 from purchase #1001 (3 March 2026).");
    assert_eq!(told[9], "Pending beyond that: 10 points.");
}

#[test]
fn two_lots_of_one_entry_are_one_part_and_a_sum_always_adds_up() {
    let mut twice = [origin(1, 5, 0), origin(1, 7, 0)];
    twice[1].lot.id = "lot_other".into();
    let told = said(&with(wallet(&[("never", 15)])), &twice, Language::English);
    assert_eq!(told[0], "To spend: 15 points = 12 from purchase #1001 (3 March 2026) + 3 from elsewhere.");
}

#[test]
fn nothing_is_told_in_words_too() {
    let zone = zone();
    assert_eq!(balance(&member(), None, &[], voice(Language::Czech, &zone)), ["Člen zatím nic nezískal."]);
    assert_eq!(
        balance(&member(), Some("miles"), &[], voice(Language::Slovak, &zone)),
        ["Zatiaľ tu nič nie je: miles."]
    );
}
