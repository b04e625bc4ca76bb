//! Stock plugin: extra points while a campaign runs. It teaches dates, and conditions on goods bought together.

mod today;

use perkgate::hours::{Hours, Weekdays};
use perkgate::points::{Earned, Eligible, Multiplier, Rate};
use perkgate::prelude::*;

/// What the merchant set; `settings.schema.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    name: String,
    from: Option<Date>,
    until: Option<Date>,
    weekdays: Weekdays,
    hours: Option<Hours>,
    any_of: Option<Goods>,
    all_of: Vec<Goods>,
    multiplier: Option<Multiplier>,
    on: On,
    points: i64,
    per: Decimal,
    basis: Basis,
    rounding: Rounding,
    extra_points: Option<i64>,
    once_a_day: bool,
    valid_days: Option<u32>,
}

/// Goods of one of the categories, or with one of the article numbers.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Goods {
    categories: Vec<String>,
    skus: Vec<String>,
}

/// What the multiplier is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum On {
    /// Everything that was bought.
    #[default]
    Purchase,
    /// The goods the campaign names.
    Matching,
}

/// What the campaign gives.
#[derive(Clone, Copy, Debug)]
enum Bonus {
    Times(Multiplier),
    Fixed(i64),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "Bonus campaign".to_owned(),
            from: None,
            until: None,
            weekdays: Weekdays::default(),
            hours: None,
            any_of: None,
            all_of: Vec::new(),
            multiplier: None,
            on: On::default(),
            points: 1,
            per: Decimal::whole(1),
            basis: Basis::default(),
            rounding: Rounding::default(),
            extra_points: None,
            once_a_day: false,
            valid_days: None,
        }
    }
}

impl Goods {
    fn has(&self, line: &Line) -> bool {
        line.is_in(&self.categories) || line.is_one_of(&self.skus)
    }
    fn is_empty(&self) -> bool {
        self.categories.is_empty() && self.skus.is_empty()
    }
}

/// Goods that were paid for. What was free neither makes a combination nor earns.
fn is_bought(line: &Line) -> bool {
    line.kind == LineKind::Item && line.total > 0
}

impl Settings {
    /// What no schema can say, and what a merchant without the schema may get wrong.
    fn bonus(&self) -> Result<Bonus, Refusal> {
        if self.any_of.iter().chain(&self.all_of).any(Goods::is_empty) {
            return Err(Refusal::not_configured("each of `any_of` and `all_of` names `categories` or `skus`"));
        }
        match (self.multiplier, self.extra_points) {
            (Some(multiplier), None) if multiplier > Multiplier::milli(1000) => Ok(Bonus::Times(multiplier)),
            (None, Some(points)) if points > 0 => Ok(Bonus::Fixed(points)),
            _ => Err(Refusal::not_configured("a campaign has either a `multiplier` above 1 or `extra_points`")),
        }
    }

    /// Whether a line is among the goods the campaign names; if it names none, all goods are.
    fn matches(&self, line: &Line) -> bool {
        let mut named = self.any_of.iter().chain(&self.all_of).peekable();
        is_bought(line) && (named.peek().is_none() || named.any(|goods| goods.has(line)))
    }

    /// What keeps the bonus from being given, if anything does.
    fn obstacle(&self, purchase: &Purchase, local: &LocalTime) -> Option<&'static str> {
        let today = Date::of(local);
        let bought = |goods: &Goods| purchase.lines.iter().any(|line| is_bought(line) && goods.has(line));
        if self.from.is_some_and(|from| today < from) {
            Some("the campaign has not begun")
        } else if self.until.is_some_and(|until| today > until) {
            Some("the campaign is over")
        } else if !hours::open(&self.weekdays, self.hours, local) {
            Some("it is not the day or the hour for it")
        } else if self.any_of.as_ref().is_some_and(|goods| !bought(goods)) {
            Some("nothing of what it is about was bought")
        } else if !self.all_of.iter().all(bought) {
            Some("not everything of what it wants together was bought")
        } else {
            None
        }
    }

    fn earned(&self, bonus: Bonus, purchase: &Purchase, facts: &Facts) -> Result<Earned, Refusal> {
        let matching = Eligible::of(purchase, self.basis, |line| self.matches(line));
        match bonus {
            Bonus::Times(multiplier) => {
                purchase.in_currency_of(&facts.merchant)?;
                let per = self.per.minor(facts.merchant.exponent)?;
                let base = Rate { points: self.points, per, rounding: self.rounding };
                let all = || Eligible::of(purchase, self.basis, is_bought);
                let eligible = if self.on == On::Matching { matching } else { all() };
                multiplier.beyond(base)?.map_or(Ok(Earned::default()), |rate| points::per_spend(&eligible, rate))
            }
            Bonus::Fixed(amount) if matching.total() > 0 => {
                // At this rate all that matches earns exactly the amount, shared over its lines.
                let rate = Rate { points: amount, per: matching.total(), rounding: Rounding::Down };
                points::per_spend(&matching, rate)
            }
            Bonus::Fixed(_) => Ok(Earned::default()),
        }
    }
}

/// Extra points, if the campaign runs and the purchase is one it is about.
#[perkgate::purchases]
pub fn bonus_campaign(purchase: &Purchase, facts: &Facts, settings: Settings) -> Decide {
    let bonus = settings.bonus()?;
    let had_today = settings.once_a_day && today::had(&facts.memory, &facts.local);
    let obstacle = settings.obstacle(purchase, &facts.local);
    if let Some(why) = obstacle.or(had_today.then_some("the member had it today")) {
        log::info(&format!("no bonus: {why}"));
        return Ok(Vec::new());
    }
    let earned = settings.earned(bonus, purchase, facts)?;
    if earned.amount == 0 {
        log::info("no bonus: what was bought makes no whole point");
        return Ok(Vec::new());
    }
    let reason = match bonus {
        Bonus::Times(multiplier) => format!("{}: {multiplier} times the points", settings.name),
        Bonus::Fixed(points) => format!("{}: {points} extra", settings.name),
    };
    let earn = Earn::points(earned.amount).because(reason).shared(earned.shares);
    let mut decisions = vec![Earn { valid_days: settings.valid_days, ..earn }.into()];
    if settings.once_a_day {
        decisions.extend(today::remember(&facts.memory, &facts.local).map(Decision::Remember));
    }
    Ok(decisions)
}

#[cfg(test)]
mod tests;
