//! The catalogue: taking rewards, what stands against it, giving them back, letting them lapse.

use super::ground::*;
use perkgate_domain::event::{Event, Issue};
use perkgate_domain::ledger::RewardState;
use perkgate_domain::plan::Settlement;
use perkgate_domain::rules::{Audience, CatalogueReward, RewardKind};

/// A shop with a mug for five points and a member with twelve.
fn with(mug: CatalogueReward) -> Shop {
    let mut shop = Shop::new();
    shop.rules().rewards.insert("mug".into(), mug);
    shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 12)]);
    shop
}

fn take(shop: &mut Shop, when: &str) -> Settlement {
    shop.tell(redeem(when, at(when), "mug"), None, &[])
}

fn return_it(shop: &mut Shop, when: &str, taken: &Settlement) -> Settlement {
    shop.tell(undo(when, at(when), &taken.rewards[0].id), None, &[])
}

fn refused(settled: &Settlement, why: &str) {
    assert!(settled.cause.as_ref().is_some_and(|cause| cause.contains(why)), "{:?}", settled.cause);
    assert!(settled.postings.is_empty() && settled.rewards.is_empty() && settled.counters.is_empty());
}

#[test]
fn a_reward_is_taken_for_its_price() {
    let titles = [("en".to_owned(), "Cup".to_owned())].into();
    let mut shop =
        with(CatalogueReward { titles, valid_days: Some(30), kind: RewardKind::PercentOff(10), ..item(Some(5)) });
    let taken = take(&mut shop, "2026-05-02 10:00");
    assert_eq!((taken.cause, shop.stands("points")), (None, [7, 0, 5, 0, 0]));
    let held = &shop.held()[0];
    assert_eq!((held.title.as_str(), &held.kind), ("Mug", &Some(RewardKind::PercentOff(10))));
    assert_eq!((held.code.len(), held.expires_at), (10, Some(at("2026-06-02 00:00"))));
    shop.rows.members.get_mut(&shop.member).expect("known").locale = Some("en-GB".into());
    let english = take(&mut shop, "2026-05-02 11:00");
    assert_eq!(english.rewards[0].title, "Cup");
    assert_ne!(english.rewards[0].code, shop.held()[0].code);
}

#[test]
fn who_has_too_little_gets_nothing() {
    let mut shop = with(item(Some(13)));
    refused(&take(&mut shop, "2026-05-02 10:00"), "costs 13 points, the member has 12");
    let unknown = shop.tell(redeem("k", at("2026-05-02 10:00"), "car"), None, &[]);
    refused(&unknown, "no reward `car`");
}

#[test]
fn the_stock_is_everybodys_and_a_members_share_their_own() {
    let mut shop = with(CatalogueReward { stock: Some(2), per_member: Some(1), ..item(Some(5)) });
    assert_eq!(take(&mut shop, "2026-05-02 10:00").cause, None);
    refused(&take(&mut shop, "2026-05-02 11:00"), "a member may have 1");
    for (who, why) in [("mem_b", None), ("mem_c", Some("there are 2"))] {
        shop.visitor(who);
        shop.buy("2026-05-02 10:00", &[300], vec![earn("points", 5)]);
        let taken = take(&mut shop, "2026-05-02 12:00");
        assert_eq!(taken.cause.is_none(), why.is_none());
        if let Some(why) = why {
            refused(&taken, why);
        }
    }
}

#[test]
fn a_reward_has_its_time_and_its_audience() {
    let from = Some(at("2026-06-01 00:00"));
    let until = Some(at("2026-07-01 00:00"));
    let mut shop = with(CatalogueReward { from, until, ..item(Some(5)) });
    refused(&take(&mut shop, "2026-05-31 23:59"), "not to be had at that time");
    assert_eq!(take(&mut shop, "2026-06-01 00:00").cause, None);
    refused(&take(&mut shop, "2026-07-01 00:00"), "not to be had at that time");
    let mut shop = with(CatalogueReward { audience: Some(Audience::Tag("vip".into())), ..item(Some(5)) });
    refused(&take(&mut shop, "2026-05-02 10:00"), "the tag `vip`");
    shop.rows.members.get_mut(&shop.member).expect("known").tags.push("vip".into());
    assert_eq!(take(&mut shop, "2026-05-02 10:00").cause, None);
    let mut shop = with(CatalogueReward { audience: Some(Audience::Tier("gold".into())), ..item(Some(5)) });
    refused(&take(&mut shop, "2026-05-02 10:00"), "the tier `gold`");
    shop.rows.members.get_mut(&shop.member).expect("known").tier = Some("gold".into());
    assert_eq!(take(&mut shop, "2026-05-02 10:00").cause, None);
}

#[test]
fn a_coupon_is_given_and_not_taken() {
    let mut shop = with(CatalogueReward { per_member: Some(1), ..item(None) });
    refused(&take(&mut shop, "2026-05-02 10:00"), "has no price");
    let issue = |id: &str| Event::Issue(Issue { id: id.into(), at: at("2026-05-02 11:00"), reward: "mug".into() });
    let given = shop.tell(issue("one"), None, &[]);
    assert_eq!((given.rewards[0].price.as_ref(), shop.available("points")), (None, 12));
    refused(&shop.tell(issue("two"), None, &[]), "a member may have 1");
}

#[test]
fn a_reward_can_be_given_back_in_time() {
    let mut shop = with(CatalogueReward { stock: Some(1), per_member: Some(1), ..item(Some(5)) });
    let taken = take(&mut shop, "2026-05-02 10:00");
    let undone = return_it(&mut shop, "2026-05-02 10:15", &taken);
    assert_eq!(undone.reward_states, [(taken.rewards[0].id.clone(), RewardState::Undone)]);
    assert_eq!((shop.stands("points"), shop.held().len()), ([12, 0, 0, 0, 0], 0));
    // It is the next one's again, and is given back only once.
    refused(&return_it(&mut shop, "2026-05-02 10:15", &taken), "no such reward");
    let again = take(&mut shop, "2026-05-02 11:00");
    assert_eq!(again.cause, None);
    refused(&return_it(&mut shop, "2026-05-02 11:16", &again), "15 minutes");
    assert_eq!(shop.stands("points"), [7, 0, 5, 0, 0]);
}

#[test]
fn each_unit_returns_to_where_it_came_from() {
    let mut shop = with(item(Some(5)));
    shop.buy("2026-05-02 09:00", &[300], vec![earn_on("points", 3, (None, Some(1)))]);
    let taken = take(&mut shop, "2026-05-02 10:00");
    return_it(&mut shop, "2026-05-02 10:10", &taken);
    shop.wait("2026-05-04 00:00");
    assert_eq!(shop.stands("points"), [12, 0, 0, 3, 0]);
}

#[test]
fn what_returns_fills_what_is_owed_first() {
    let mut shop = Shop::new();
    shop.rules().rewards.insert("mug".into(), item(Some(5)));
    let bought = shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 5)]);
    let taken = take(&mut shop, "2026-05-01 10:01");
    shop.refund("2026-05-01 10:02", &bought, back(240, &[]));
    assert_eq!(shop.stands("points"), [-4, 0, 5, 0, 4]);
    return_it(&mut shop, "2026-05-01 10:03", &taken);
    assert_eq!(shop.stands("points"), [1, 0, 0, 0, 4]);
}

#[test]
fn a_code_lapses_with_or_without_its_price() {
    for (returns_price, stands) in [(true, [12, 0, 0, 0, 0]), (false, [7, 0, 5, 0, 0])] {
        let mut shop = with(CatalogueReward { valid_days: Some(3), returns_price, ..item(Some(5)) });
        let taken = take(&mut shop, "2026-05-02 10:00");
        shop.wait("2026-05-05 23:59");
        assert_eq!(shop.held().len(), 1);
        shop.wait("2026-05-06 00:00");
        assert_eq!((shop.held().len(), shop.stands("points")), (0, stands));
        assert_eq!(shop.rows.rewards[&taken.rewards[0].id].state, RewardState::Lapsed);
        refused(&return_it(&mut shop, "2026-05-06 00:00", &taken), "has lapsed");
    }
}

#[test]
fn a_price_that_returns_after_its_time_is_lost() {
    let mut shop = Shop::new();
    shop.rules()
        .rewards
        .insert("mug".into(), CatalogueReward { valid_days: Some(9), returns_price: true, ..item(Some(5)) });
    shop.buy("2026-05-01 10:00", &[300], vec![earn_on("points", 5, (None, Some(2)))]);
    take(&mut shop, "2026-05-02 10:00");
    shop.wait("2026-06-01 00:00");
    assert_eq!(shop.stands("points"), [0, 0, 0, 5, 0]);
}

#[test]
fn a_late_redemption_may_have_lapsed_when_it_comes() {
    let mut shop = with(CatalogueReward { valid_days: Some(0), returns_price: true, ..item(Some(5)) });
    // Something was due at the very midnight at which the code lapses.
    shop.buy("2026-05-02 09:00", &[300], vec![earn_on("points", 3, (None, Some(0)))]);
    shop.wait("2026-05-03 10:00");
    take(&mut shop, "2026-05-02 10:00");
    assert_eq!((shop.held().len(), shop.stands("points")), (0, [12, 0, 0, 3, 0]));
    assert_eq!(shop.due.len(), 1, "what is due at one moment is seen to once");
}

#[test]
fn an_automatic_reward_takes_itself_as_often_as_there_is_enough() {
    let mut shop = Shop::new();
    shop.rules().rewards.insert("mug".into(), CatalogueReward { automatic: true, ..item(Some(5)) });
    shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 12)]);
    assert_eq!((shop.held().len(), shop.stands("points")), (2, [2, 0, 10, 0, 0]));
    let limited = CatalogueReward { automatic: true, per_member: Some(1), ..item(Some(5)) };
    let mut shop = Shop::new();
    shop.rules().rewards.insert("mug".into(), limited);
    shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 12)]);
    assert_eq!((shop.held().len(), shop.available("points")), (1, 7));
}

#[test]
fn automatic_rewards_of_one_moment_are_different_rewards() {
    let mug = CatalogueReward { automatic: true, valid_days: Some(0), returns_price: true, ..item(Some(5)) };
    let mut shop = Shop::new();
    shop.rules().rewards.insert("mug".into(), mug);
    // At midnight five points mature and take a mug, and yesterday's mug lapses and its price takes another.
    shop.wallet("points").matures = perkgate_domain::rules::Maturity::On(at("2026-05-02 00:00"));
    shop.buy("2026-05-01 10:00", &[300], vec![earn("points", 5), earn_on("points", 5, (Some(0), None))]);
    assert_eq!(shop.held().len(), 1);
    shop.wait("2026-05-02 00:00");
    assert_eq!((shop.held().len(), shop.stands("points")), (2, [0, 0, 10, 0, 0]));
}
