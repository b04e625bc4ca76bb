//! What is allowed: several kinds in one crate, no settings, any name shadowed.
#![allow(dead_code)]

struct Vec;
struct Result;
struct Option;
struct Decision;
struct Refusal;
struct String;
mod core {}
mod std {}

#[derive(serde::Deserialize)]
struct Settings {
    points: i64,
}

#[perkgate::purchases]
fn on_purchase(_: &perkgate::Purchase, _: &perkgate::Facts, settings: Settings) -> perkgate::Decide {
    ::std::result::Result::Ok(::std::vec![perkgate::Earn::points(settings.points).into()])
}

#[perkgate::refunds]
fn on_refund(_: &perkgate::Refund, _: &perkgate::Purchase, _: &perkgate::Facts) -> perkgate::Decide {
    ::std::result::Result::Ok(::std::vec![])
}

#[perkgate::joins]
fn on_join(_: &perkgate::Join, _: &perkgate::Facts) -> perkgate::Decide {
    ::std::result::Result::Ok(::std::vec![])
}

#[perkgate::profiles]
fn on_profile(_: &perkgate::Profile, _: &perkgate::Facts) -> perkgate::Decide {
    ::std::result::Result::Ok(::std::vec![])
}

#[perkgate::wakes]
fn woken(_: &perkgate::Woken, facts: &perkgate::Facts, settings: Settings) -> perkgate::Decide {
    ::std::result::Result::Ok(::std::vec![perkgate::Wake::at("again", facts.now + settings.points).into()])
}

#[perkgate::redemptions]
fn on_redemption(_: &perkgate::Redemption, _: &perkgate::Facts) -> perkgate::Decide {
    ::std::result::Result::Ok(::std::vec![])
}

#[perkgate::answers]
fn on_answer(_: &perkgate::Answer, _: &perkgate::Facts, _: Settings) -> perkgate::Decide {
    ::std::result::Result::Ok(::std::vec![])
}

fn main() {
    let purchase = perkgate::sample::purchase([perkgate::sample::line("tea", 300)]);
    let decided = on_purchase(&purchase, &perkgate::sample::facts(), Settings { points: 3 });
    assert_eq!(decided.map(|decisions| decisions.len()), ::std::result::Result::Ok(1));
    let decided = woken(&perkgate::sample::woken("k"), &perkgate::sample::facts(), Settings { points: 3 });
    assert_eq!(decided.map(|decisions| decisions.len()), ::std::result::Result::Ok(1));
}
