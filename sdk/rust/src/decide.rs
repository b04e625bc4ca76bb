//! Pleasant ways to write decisions. The types are those of the contract; this only spares their fields.

use crate::{
    Ask, Balance, CivilTime, Decision, Earn, Facts, LineKind, LocalTime, Member, Message, Offer, Price, Refusal,
    Reward, Scale, Share, Spend, Standing, Tag, Task, Tier, Wake, WakeTime, WakeWhom,
};
use serde::{Deserialize, Deserializer, de};

#[cfg(test)]
mod tests;

/// What a rule answers: what it proposes (nothing is an empty list), or why it does not decide.
pub type Decide = Result<Vec<Decision>, Refusal>;

impl Earn {
    /// Credits `amount` whole units of `wallet`.
    #[must_use]
    pub fn new(wallet: impl Into<String>, amount: i64) -> Self {
        Self {
            wallet: wallet.into(),
            amount,
            shares: Vec::new(),
            matures_days: None,
            valid_days: None,
            reason: String::new(),
        }
    }
    /// Credits points.
    #[must_use]
    pub fn points(amount: i64) -> Self {
        Self::new("points", amount)
    }
    /// Says why, in one sentence for whoever asks.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = reason.into();
        self
    }
    /// It may be spent after this many days, not as the wallet has it.
    #[must_use]
    pub fn matures_days(mut self, days: u32) -> Self {
        self.matures_days = Some(days);
        self
    }
    /// It is lost after this many days, not as the wallet has it.
    #[must_use]
    pub fn valid_days(mut self, days: u32) -> Self {
        self.valid_days = Some(days);
        self
    }
    /// Says which line earned how much; must add up to the amount. Without it the gateway shares the amount over the lines by
    /// what they cost.
    #[must_use]
    pub fn shared(mut self, shares: Vec<Share>) -> Self {
        self.shares = shares;
        self
    }
}

impl Spend {
    /// Debits `amount` whole units of `wallet`; refused if the member has less.
    #[must_use]
    pub fn new(wallet: impl Into<String>, amount: i64) -> Self {
        Self { wallet: wallet.into(), amount, reason: String::new() }
    }
    /// Debits points.
    #[must_use]
    pub fn points(amount: i64) -> Self {
        Self::new("points", amount)
    }
    /// Says why, in one sentence for whoever asks.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = reason.into();
        self
    }
}

impl Share {
    /// `amount` of what is earned belongs to the line with this id.
    #[must_use]
    pub fn new(line: impl Into<String>, amount: i64) -> Self {
        Self { line: line.into(), amount }
    }
}

impl Reward {
    /// A reward named `key` in reports, which the member reads as `title`. The gateway makes the code.
    #[must_use]
    pub fn new(key: impl Into<String>, title: impl Into<String>) -> Self {
        Self { key: key.into(), title: title.into(), price: None, valid_days: None }
    }
    /// The member pays for it with this decision, and gets it back if the reward is withdrawn.
    #[must_use]
    pub fn priced(mut self, wallet: impl Into<String>, amount: i64) -> Self {
        self.price = Some(Price { wallet: wallet.into(), amount });
        self
    }
    /// It lapses after this many days.
    #[must_use]
    pub fn valid_days(mut self, days: u32) -> Self {
        self.valid_days = Some(days);
        self
    }
}

impl Offer {
    /// A partner's offer named `key` in reports, with its title and terms as the member reads them.
    #[must_use]
    pub fn new(key: impl Into<String>, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { key: key.into(), title: title.into(), text: text.into(), limit: None, valid_days: None }
    }
    /// At most this many members get it.
    #[must_use]
    pub fn first_members(mut self, members: u32) -> Self {
        self.limit = Some(members);
        self
    }
    /// It lapses after this many days.
    #[must_use]
    pub fn valid_days(mut self, days: u32) -> Self {
        self.valid_days = Some(days);
        self
    }
}

impl Tier {
    /// Puts the member into this tier.
    #[must_use]
    pub fn enter(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()) }
    }
    /// Takes the member out of any tier.
    #[must_use]
    pub fn leave() -> Self {
        Self { name: None }
    }
}

impl Tag {
    /// Puts this tag on the member.
    #[must_use]
    pub fn put(name: impl Into<String>) -> Self {
        Self { name: name.into(), present: true }
    }
    /// Takes this tag off the member.
    #[must_use]
    pub fn take(name: impl Into<String>) -> Self {
        Self { name: name.into(), present: false }
    }
}

impl Message {
    /// A message named `key` in reports, written in the language `locale`. It goes out only if the member agreed to messages;
    /// a rule need not ask.
    #[must_use]
    pub fn new(
        key: impl Into<String>,
        locale: impl Into<String>,
        subject: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self { key: key.into(), subject: subject.into(), text: text.into(), locale: locale.into() }
    }
}

impl Wake {
    /// Asks to be called about this member at `at`, milliseconds since 1970. A later wake with the same key replaces this one.
    #[must_use]
    pub fn at(key: impl Into<String>, at: i64) -> Self {
        Self { key: key.into(), when: Some(WakeTime::Moment(at)), whom: WakeWhom::Member, data: Vec::new() }
    }
    /// Asks to be called about this member when the merchant's clocks show `time`.
    #[must_use]
    pub fn civil(key: impl Into<String>, time: CivilTime) -> Self {
        Self { key: key.into(), when: Some(WakeTime::Civil(time)), whom: WakeWhom::Member, data: Vec::new() }
    }
    /// Calls off what was asked for with this key.
    #[must_use]
    pub fn cancel(key: impl Into<String>) -> Self {
        Self { key: key.into(), when: None, whom: WakeWhom::Member, data: Vec::new() }
    }
    /// Is about whoever brought the member, not the member. Nothing follows if nobody did.
    #[must_use]
    pub fn of_referrer(mut self) -> Self {
        self.whom = WakeWhom::Referrer;
        self
    }
    /// Hands these bytes back.
    #[must_use]
    pub fn with(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.data = data.into();
        self
    }
}

impl Task {
    /// Something for the merchant to know or do.
    #[must_use]
    pub fn new(key: impl Into<String>, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { key: key.into(), title: title.into(), text: text.into() }
    }
}

impl Ask {
    /// A question by a message in the language `locale`; `{link}` in its text becomes the link. It works for 30 days.
    #[must_use]
    pub fn new(
        key: impl Into<String>,
        scale: Scale,
        locale: impl Into<String>,
        subject: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            key: key.into(),
            scale,
            subject: subject.into(),
            text: text.into(),
            locale: locale.into(),
            valid_days: 30,
        }
    }
    /// The link works for so many days.
    #[must_use]
    pub fn valid_days(mut self, days: u32) -> Self {
        self.valid_days = days;
        self
    }
}

macro_rules! decisions {
    ($($record:ident),*) => {
        $(impl From<$record> for Decision {
            fn from(record: $record) -> Self {
                Self::$record(record)
            }
        })*
    };
}
decisions!(Earn, Spend, Reward, Offer, Tier, Tag, Message, Wake, Task, Ask);

impl Refusal {
    /// The settings lack something; `what` says what.
    #[must_use]
    pub fn not_configured(what: impl Into<String>) -> Self {
        Self::NotConfigured(what.into())
    }
    /// The rule does not cover this event; `why` says why.
    #[must_use]
    pub fn unsupported(why: impl Into<String>) -> Self {
        Self::Unsupported(why.into())
    }
    /// The plugin's own error.
    #[must_use]
    pub fn broken(how: impl Into<String>) -> Self {
        Self::Broken(how.into())
    }
}

impl Facts {
    /// The member.
    ///
    /// # Errors
    /// [`Refusal::Broken`] if the plugin.toml does not ask for `member`: the gateway then does not tell.
    pub fn member(&self) -> Result<&Member, Refusal> {
        self.member.as_ref().ok_or_else(|| Refusal::broken("no member: add \"member\" to `facts` in plugin.toml"))
    }

    /// How the member stands in the merchant's tiers.
    ///
    /// # Errors
    /// [`Refusal::Broken`] if the plugin.toml does not ask for `tier`: the gateway then does not tell.
    pub fn standing(&self) -> Result<&Standing, Refusal> {
        self.standing.as_ref().ok_or_else(|| Refusal::broken("no standing: add \"tier\" to `facts` in plugin.toml"))
    }
}

impl Member {
    /// What they have in `wallet`; nothing if they never had any.
    #[must_use]
    pub fn balance(&self, wallet: &str) -> Balance {
        self.balances.iter().find(|balance| balance.wallet == wallet).cloned().unwrap_or_else(|| Balance {
            wallet: wallet.to_owned(),
            available: 0,
            pending: 0,
        })
    }
}

impl LocalTime {
    /// Minutes since midnight: 690 is 11:30.
    #[must_use]
    pub fn minute_of_day(&self) -> u16 {
        u16::from(self.hour) * 60 + u16::from(self.minute)
    }
}

impl LineKind {
    /// The name used in settings: `gift-card`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Shipping => "shipping",
            Self::Tip => "tip",
            Self::Fee => "fee",
            Self::GiftCard => "gift-card",
            Self::Discount => "discount",
        }
    }
}

impl<'de> Deserialize<'de> for LineKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const ALL: [LineKind; 6] =
            [LineKind::Item, LineKind::Shipping, LineKind::Tip, LineKind::Fee, LineKind::GiftCard, LineKind::Discount];
        const NAMES: &[&str] = &["item", "shipping", "tip", "fee", "gift-card", "discount"];
        let name = String::deserialize(deserializer)?;
        ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| de::Error::unknown_variant(&name, NAMES))
    }
}
