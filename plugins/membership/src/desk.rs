//! One call at the pass desk: what has fallen due, what was bought or given back, and when to look again.

use crate::pass::{Pass, State};
use crate::texts::Occasion;
use crate::{Regular, Settings};
use perkgate::points::{Eligible, Rate};
use perkgate::prelude::*;
use perkgate::texts;

/// The only wake this plugin has: each call asks for the next one.
const NEXT: &str = "next";

pub(crate) struct Desk<'a> {
    facts: &'a Facts,
    settings: &'a Settings,
    member: &'a Member,
    today: Date,
    pass: Pass,
    decisions: Vec<Decision>,
}

impl<'a> Desk<'a> {
    pub(crate) fn open(facts: &'a Facts, settings: &'a Settings) -> Result<Self, Refusal> {
        settings.check()?;
        let pass = Pass::recall(&facts.memory);
        let (member, today) = (facts.member()?, Date::of(&facts.local));
        Ok(Self { facts, settings, member, today, pass, decisions: Vec::new() })
    }

    /// Whether the hour for messages of that day has come.
    fn has_come(&self, day: Date) -> bool {
        (day, self.settings.hour) <= (self.today, self.facts.local.hour)
    }

    /// Does what has fallen due.
    pub(crate) fn catch_up(&mut self) -> Result<(), Refusal> {
        let pause = self.settings.pause_tag.as_ref().is_some_and(|tag| self.member.tags.contains(tag));
        if self.pass.pause(pause, self.today) {
            self.tag(!pause);
        }
        match self.pass.state {
            State::Running { end, .. } if end <= self.today => self.end(end),
            State::Running { end, .. } => {
                self.reward()?;
                if !self.pass.reminded && self.reminder(end).is_some_and(|day| self.has_come(day)) {
                    self.pass.reminded = true;
                    self.message(Occasion::Reminder(end))?;
                }
                Ok(())
            }
            State::None | State::Paused { .. } => Ok(()),
        }
    }

    /// The day of the reminder, if there is to be one.
    fn reminder(&self, end: Date) -> Option<Date> {
        (self.settings.remind_days > 0).then(|| end.plus_days(-i64::from(self.settings.remind_days)))
    }

    fn end(&mut self, end: Date) -> Result<(), Refusal> {
        self.pass.end();
        self.tag(false);
        self.message(Occasion::Ended(end))
    }

    /// Gives the regular reward if it is due.
    fn reward(&mut self) -> Result<(), Refusal> {
        let Some(Regular { key, title, every, valid_days }) = &self.settings.reward else { return Ok(()) };
        let State::Running { end, reward: due } = self.pass.state else { return Ok(()) };
        if due.is_some_and(|day| !self.has_come(day)) {
            return Ok(());
        }
        // Times that were missed are not made up for.
        let mut next = every.after(due.unwrap_or(self.today), 1);
        while next <= self.today {
            next = every.after(next, 1);
        }
        self.pass.state = State::Running { end, reward: Some(next) };
        let reward = Reward::new(key.as_str(), title.as_str());
        self.decisions.push(Reward { valid_days: *valid_days, ..reward }.into());
        self.message(Occasion::Reward(title))
    }

    /// The members' own points for a purchase, but not for the pass itself.
    pub(crate) fn extra_points(&mut self, purchase: &Purchase) -> Result<(), Refusal> {
        let (Some(extra), State::Running { .. }) = (&self.settings.extra, self.pass.state) else { return Ok(()) };
        if purchase.currency != self.facts.merchant.currency {
            // Not a refusal: the purchase may have a pass in it.
            log::info(&format!("no extra points: the purchase is in {}", purchase.currency));
            return Ok(());
        }
        let per = extra.per.minor(self.facts.merchant.exponent)?;
        let goods = |line: &Line| line.kind == LineKind::Item && !self.settings.is_pass(line);
        let eligible = Eligible::of(purchase, extra.basis, goods);
        let earned = points::per_spend(&eligible, Rate { points: extra.points, per, rounding: extra.rounding })?;
        if earned.amount > 0 {
            let earn = Earn::points(earned.amount).because("Extra points for members").shared(earned.shares);
            self.decisions.push(earn.into());
        }
        Ok(())
    }

    /// Starts or extends the pass if the purchase has one in it.
    pub(crate) fn sell(&mut self, purchase: &Purchase) -> Result<(), Refusal> {
        let passes = purchase.lines.iter().filter(|line| self.settings.is_pass(line));
        let pieces = passes.fold(0_i64, |pieces, line| pieces.saturating_add((line.quantity_milli / 1000).max(1)));
        if pieces == 0 {
            return Ok(());
        }
        // The calendar ends somewhere.
        let Some(pieces) = u16::try_from(pieces).ok().filter(|pieces| *pieces <= 100) else {
            log::warn("no pass: more than a hundred at once are a mistake at the till");
            return Ok(());
        };
        if self.pass.state == State::None {
            self.tag(true);
        }
        let length = self.settings.length;
        self.pass.sell(purchase, self.today, |day| length.after(day, pieces));
        if let State::Running { end, .. } = self.pass.state {
            // A pass that is over sooner than the reminder would come needs none.
            self.pass.reminded = self.reminder(end).is_none_or(|day| self.has_come(day));
            self.message(Occasion::Started(end))?;
            self.reward()?;
        }
        Ok(())
    }

    /// Takes off again what the refunded passes added.
    pub(crate) fn take_back(&mut self, refund: &Refund, purchase: &Purchase) -> Result<(), Refusal> {
        let (mut given, mut of) = (0_i64, 0_i64);
        for line in purchase.lines.iter().filter(|line| self.settings.is_pass(line)) {
            of = of.saturating_add(line.quantity_milli);
            for part in refund.lines.iter().filter(|part| part.line == line.id) {
                let quantity = match (part.quantity_milli, line.total) {
                    // The platform tells the amount only.
                    (0, total) if total > 0 => line.quantity_milli.saturating_mul(part.amount) / total,
                    (quantity, _) => quantity,
                };
                given = given.saturating_add(quantity);
            }
        }
        let part = (!refund.complete).then_some((given, of));
        if !self.pass.take_back(purchase, part) {
            log::info("no time is taken off: the refund is about no pass, or about time that is used up");
            return Ok(());
        }
        match self.pass.state {
            // Today was the last day of it.
            State::Running { end, .. } if end <= self.today => self.end(self.today.plus_days(1)),
            State::Paused { left: 0, .. } => self.end(self.today.plus_days(1)),
            _ => self.catch_up(),
        }
    }

    fn tag(&mut self, present: bool) {
        self.decisions.push(Tag { name: self.settings.tag.clone(), present }.into());
    }

    fn message(&mut self, occasion: Occasion<'_>) -> Result<(), Refusal> {
        let own = occasion.own(&self.settings.texts);
        let (language, text) = texts::choose(self.facts, own, |language| occasion.built_in(language));
        let values = occasion.values(language);
        let message = text.message(occasion.key(), language, &self.facts.merchant, &values)?;
        self.decisions.push(message.into());
        Ok(())
    }

    /// When to look again: the first of everything that will fall due.
    fn next(&self) -> Option<(Date, u8)> {
        let hour = self.settings.hour;
        let tomorrow = (self.today.plus_days(1), 0);
        match self.pass.state {
            State::None => None,
            // Nobody tells when the merchant takes the tag off, so each day has a look.
            State::Paused { .. } => Some(tomorrow),
            State::Running { end, reward } => {
                let reward = reward.filter(|day| *day < end && self.settings.reward.is_some()).map(|day| (day, hour));
                let reminder = self.reminder(end).filter(|_| !self.pass.reminded).map(|day| (day, hour));
                let look = self.settings.pause_tag.is_some().then_some(tomorrow);
                [reward, reminder, look].into_iter().flatten().chain([(end, 0)]).min()
            }
        }
    }

    /// What this call decides. Nothing about wakes and memory if nothing about the pass has changed.
    pub(crate) fn close(mut self) -> Vec<Decision> {
        if self.pass != Pass::recall(&self.facts.memory) {
            self.decisions.push(match self.next() {
                Some((day, hour)) => Wake::civil(NEXT, day.at(hour, 0)).into(),
                None => Wake::cancel(NEXT).into(),
            });
            self.decisions.push(Decision::Remember(self.pass.remember()));
        }
        self.decisions
    }

    /// As [`Desk::close`], when a wake has been used up: another is needed even if nothing has changed.
    pub(crate) fn close_woken(mut self) -> Vec<Decision> {
        let next = self.next().map(|(day, hour)| Wake::civil(NEXT, day.at(hour, 0)).into());
        self.decisions.extend(next);
        if self.pass != Pass::recall(&self.facts.memory) {
            self.decisions.push(Decision::Remember(self.pass.remember()));
        }
        self.decisions
    }
}
