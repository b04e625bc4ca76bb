//! What `perkgate member` shows of a member, for people and as a document.

use perkgate_domain::facts::{NextTier, Standing};
use perkgate_domain::ledger::{HeldReward, RewardState};
use perkgate_domain::member::Wallet;
use perkgate_domain::programme::Merchant;
use perkgate_domain::time::Moment;
use perkgate_gateway::civil::Zone;
use perkgate_gateway::store::MemberView;
use perkgate_gateway::{decide, explain, ladder};
use serde_json::{Value, json};

/// A member as of now.
pub(super) struct Shown<'a> {
    view: &'a MemberView,
    zone: Zone,
    standing: Standing,
}

impl<'a> Shown<'a> {
    pub(super) fn new(view: &'a MemberView, merchant: &Merchant, now: Moment) -> Self {
        let zone = Zone::named(&merchant.timezone);
        let standing = ladder::standing(&merchant.rules, &zone, &view.member, now);
        Self { view, zone, standing }
    }

    /// The document of DESIGN's promise, and what else is known. `next` is what matures or is lost next, the soonest first.
    pub(super) fn document(&self) -> Value {
        let member = &self.view.member;
        let (offers, rewards): (Vec<_>, Vec<_>) = self.view.rewards.iter().partition(|reward| reward.partner.is_some());
        let balances = member.wallets.iter().map(|(name, holds)| (name.clone(), wallet(holds)));
        json!({
            "member": member.id,
            "balances": balances.collect::<serde_json::Map<_, _>>(),
            "next": decide::coming(member),
            "tier": member.tier,
            "standing": self.standing,
            "rewards": rewards,
            "offers": offers,
            "visits": member.visits,
            "spent": member.spent,
            "tags": member.tags,
            "locale": member.locale,
            "consent": member.consent,
            "joined_at": member.joined_at,
            "first_purchase_at": member.first_purchase_at,
            "last_purchase_at": member.last_purchase_at,
        })
    }

    /// The same for people, by the merchant's clocks.
    pub(super) fn lines(&self) -> Vec<String> {
        let member = &self.view.member;
        let mut lines = vec![format!("{}  {} visits  {}", member.id, member.visits, self.tier())];
        for (name, wallet) in &member.wallets {
            let Wallet { available, pending, spent, expired, reversed, .. } = wallet;
            lines.push(format!(
                "  {name}: {available} available, {pending} pending, {spent} spent, {expired} expired, {reversed} reversed"
            ));
            if let Some((at, amount)) = explain::matures_next(wallet) {
                lines.push(format!("    next matures: {amount} on {}", self.moment(at)));
            }
            if let Some((at, amount)) = explain::lost_next(wallet) {
                lines.push(format!("    next expires: {amount} after {}", self.last_day(at)));
            }
        }
        lines.extend(self.view.rewards.iter().map(|reward| self.reward(reward)));
        lines
    }

    fn tier(&self) -> String {
        let Standing { tier, since, until, progress, next, .. } = &self.standing;
        let name = tier.as_deref().unwrap_or("none");
        let since = since.map_or_else(String::new, |at| format!(" since {}", self.zone.date(at)));
        let until = until.map_or_else(String::new, |at| format!(", looked at again on {}", self.zone.date(at)));
        let missing =
            |next: &NextTier| format!("; {progress} of {} for {}, {} missing", next.at, next.name, next.missing);
        let next = next.as_ref().map_or_else(String::new, missing);
        format!("tier {name}{since}{until}{next}")
    }

    fn reward(&self, reward: &HeldReward) -> String {
        let kind = reward.partner.as_ref().map_or_else(|| "reward".to_owned(), |partner| format!("offer of {partner}"));
        let open = reward.expires_at.filter(|_| reward.state == RewardState::Issued);
        let until = open.map_or_else(String::new, |end| format!(", valid until {}", self.last_day(end)));
        format!("  {kind}: {} — code {} ({}{until})", reward.title, reward.code, reward.state.as_str())
    }

    fn moment(&self, at: Moment) -> String {
        let local = self.zone.local(at);
        format!("{} {:02}:{:02}", local.date(), local.hour, local.minute)
    }

    /// Ends lie between two days; people name the day before.
    fn last_day(&self, end: Moment) -> String {
        self.zone.date(end.plus_ms(-1))
    }
}

/// A wallet with all of its sums, those that are zero as well.
pub(in crate::commands) fn wallet(wallet: &Wallet) -> Value {
    let mut document = json!({"spent": 0, "expired": 0, "reversed": 0});
    if let (Some(all), Value::Object(known)) = (document.as_object_mut(), json!(wallet)) {
        all.extend(known);
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate_domain::ids::EntryId;
    use perkgate_domain::ledger::TrancheKey;
    use perkgate_domain::member::{Climb, Member};
    use perkgate_domain::money::Currency;
    use perkgate_domain::rules::{Downgrade, Level, Measure, Rules, Tiers, Window};
    use std::collections::BTreeMap;

    /// 3 March 2026, 15:05 in Bratislava.
    const THEN: Moment = Moment(1_772_546_700_000);
    const DAY: i64 = 24 * 3600 * 1000;

    fn merchant() -> Merchant {
        let level = |name: &str, at| Level { name: name.into(), at, multiplier_milli: 1000, tag: None };
        let tiers = Tiers {
            by: Measure::Points("points".into()),
            window: Window::Rolling(365),
            downgrade: Downgrade::OneStep,
            grace_days: 0,
            levels: vec![level("silver", 20), level("gold", 100)],
        };
        Merchant {
            id: "kavarna".into(),
            name: "Kaviareň".into(),
            currency: Currency::parse("EUR").unwrap(),
            timezone: "Europe/Bratislava".into(),
            locale: "sk".into(),
            country: None,
            url: None,
            rules: Rules { tiers: Some(tiers), ..Rules::default() },
        }
    }

    fn view() -> MemberView {
        // 35 available until the end of 31 March, 20 more a week later.
        let end = Zone::named("Europe/Bratislava").end_of_day(THEN, 28);
        let mut points = Wallet { available: 35, pending: 20, spent: 10, ..Wallet::default() };
        points.add(TrancheKey::parse(&end.0.to_string()).unwrap(), 35);
        points.add(TrancheKey::parse(&format!("{}>never", THEN.plus_ms(7 * DAY).0)).unwrap(), 20);
        let member = Member {
            id: "mem_jana".into(),
            version: 3,
            joined_at: THEN,
            locale: None,
            consent: false,
            visits: 2,
            spent: 6500,
            first_purchase_at: None,
            last_purchase_at: None,
            birthday: None,
            referrer: None,
            tier: Some("silver".into()),
            climb: Climb { since: Some(THEN), until: Some(THEN.plus_ms(365 * DAY)), took: 20, days: vec![(THEN, 65)] },
            tags: vec![],
            wallets: BTreeMap::from([("points".to_owned(), points)]),
            through: THEN,
            due_at: None,
            merged_into: None,
            chain: [0; 32],
        };
        let reward = HeldReward {
            id: "rwd_1".into(),
            member: "mem_jana".into(),
            entry: EntryId(1),
            installation: "".into(),
            partner: None,
            key: "coffee".into(),
            title: "Káva zdarma".into(),
            text: String::new(),
            code: "AB12CD34EF".into(),
            price: None,
            paid: vec![],
            kind: None,
            returns_price: false,
            used_in: None,
            state: RewardState::Issued,
            issued_at: THEN,
            expires_at: Some(end),
        };
        let used = HeldReward { state: RewardState::Used, partner: Some("kino".into()), ..reward.clone() };
        MemberView { member, rewards: vec![reward, used] }
    }

    #[test]
    fn people_read_what_comes_next_and_when() {
        let view = view();
        let shown = Shown::new(&view, &merchant(), THEN.plus_ms(DAY));
        assert_eq!(
            shown.lines(),
            [
                "mem_jana  2 visits  tier silver since 2026-03-03, looked at again on 2027-03-03; 65 of 100 for gold, 35 missing",
                "  points: 35 available, 20 pending, 10 spent, 0 expired, 0 reversed",
                "    next matures: 20 on 2026-03-10 15:05",
                "    next expires: 35 after 2026-03-31",
                "  reward: Káva zdarma — code AB12CD34EF (issued, valid until 2026-03-31)",
                "  offer of kino: Káva zdarma — code AB12CD34EF (used)",
            ]
        );
    }

    #[test]
    fn the_document_has_every_sum_and_what_comes_next() {
        let view = view();
        let document = Shown::new(&view, &merchant(), THEN).document();
        let points = &document["balances"]["points"];
        let sums = ["available", "pending", "spent", "expired", "reversed"].map(|sum| points[sum].as_i64().unwrap());
        assert_eq!(sums, [35, 20, 10, 0, 0]);
        let matures = THEN.plus_ms(7 * DAY);
        let first = json!({"wallet": "points", "amount": 20, "matures_at": matures, "expires_at": null});
        assert_eq!((&document["next"][0], document["next"][1]["amount"].as_i64()), (&first, Some(35)));
        let standing = &document["standing"];
        assert_eq!((&standing["tier"], &standing["progress"]), (&json!("silver"), &json!(65)));
        assert_eq!(standing["next"], json!({"name": "gold", "at": 100, "missing": 35}));
        assert_eq!(
            (document["rewards"].as_array().unwrap().len(), document["offers"].as_array().unwrap().len()),
            (1, 1)
        );
    }
}
