//! The kinds of event there are, and what holds for each of them.

use super::{Answer, Claim, Due, Edit, Forget, Issue, Join, Merge, Profile, Redemption, Undo, Woken as Wake};
use crate::purchase::{Implausible, Purchase, Refund};
use crate::time::Moment;
use serde::{Deserialize, Serialize};

macro_rules! events {
    ($($(#[$doc:meta])* $kind:ident = $name:literal),* $(,)?) => {
        /// What an entry is about.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", tag = "kind")]
        pub enum Event {
            $($(#[$doc])* $kind($kind),)*
        }

        /// The kinds of [`Event`]: with source and external id, the key that dedupes an entry for ever.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// The name used in the database, JSON and messages.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
            /// Reads [`Kind::as_str`].
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($name => Some(Self::$kind),)*
                    _ => None,
                }
            }
        }

        impl Event {
            /// Which kind it is.
            #[must_use]
            pub fn kind(&self) -> Kind {
                match self {
                    $(Self::$kind(_) => Kind::$kind,)*
                }
            }
            /// What it is known by within its source.
            #[must_use]
            pub fn external_id(&self) -> &str {
                match self {
                    $(Self::$kind(event) => &event.id,)*
                }
            }
        }
    };
}

events! {
    /// A paid sale.
    Purchase = "purchase",
    /// Money given back.
    Refund = "refund",
    /// A new customer.
    Join = "join",
    /// An order changed after it was paid.
    Edit = "edit",
    /// Somebody said something about themselves.
    Profile = "profile",
    /// A time that has come for a plugin.
    Wake = "wake",
    /// A time that has come for the ledger.
    Due = "due",
    /// A reward taken from the catalogue.
    Redemption = "redemption",
    /// A reward given back.
    Undo = "undo",
    /// A coupon given to a member.
    Issue = "issue",
    /// An answer to a question.
    Answer = "answer",
    /// Two members become one.
    Merge = "merge",
    /// A member is forgotten.
    Forget = "forget",
    /// A purchase is claimed by its receipt.
    Claim = "claim",
}

impl Kind {
    /// The interface of the contract by which plugins decide on it; none for what plugins are not asked about.
    #[must_use]
    pub fn interface(self) -> Option<&'static str> {
        Some(match self {
            Self::Purchase => "purchases",
            Self::Refund => "refunds",
            Self::Join => "joins",
            Self::Profile => "profiles",
            Self::Wake => "wakes",
            Self::Redemption | Self::Undo => "redemptions",
            Self::Answer => "answers",
            Self::Edit | Self::Due | Self::Issue | Self::Merge | Self::Forget | Self::Claim => return None,
        })
    }
    /// The kind for which a plugin exports `interface`.
    #[must_use]
    pub fn of_interface(interface: &str) -> Option<Self> {
        [Self::Purchase, Self::Refund, Self::Join, Self::Profile, Self::Wake, Self::Redemption, Self::Answer]
            .into_iter()
            .find(|kind| kind.interface() == Some(interface))
    }
}

impl Event {
    /// Checks that the ids it is found by can be kept: 1 to [`crate::limits::EXTERNAL_ID_BYTES`] bytes each, and no NUL character.
    ///
    /// # Errors
    /// [`Implausible`] if one cannot.
    pub fn check_ids(&self) -> Result<(), Implausible> {
        let also = match self {
            Self::Purchase(purchase) => purchase.reference.as_deref(),
            Self::Refund(refund) => Some(refund.purchase.as_str()),
            Self::Edit(edit) => Some(edit.purchase.id.as_str()),
            _ => None,
        };
        let most = crate::limits::EXTERNAL_ID_BYTES;
        let fits = |id: &str| (1..=most).contains(&id.len()) && !id.contains('\0');
        if fits(self.external_id()) && also.is_none_or(fits) {
            return Ok(());
        }
        let kind = self.kind().as_str();
        Err(Implausible(format!(
            "the ids of a {kind} have 1 to {most} bytes and no NUL character; one of these is not so"
        )))
    }
    /// When it happened, by the platform's clock.
    #[must_use]
    pub fn at(&self) -> Moment {
        match self {
            Self::Purchase(purchase) => purchase.placed_at,
            Self::Refund(refund) => refund.at,
            Self::Join(join) => join.at,
            Self::Edit(edit) => edit.at,
            Self::Profile(profile) => profile.at,
            Self::Wake(woken) => woken.at,
            Self::Due(due) => due.at,
            Self::Redemption(redemption) => redemption.at,
            Self::Undo(undo) => undo.at,
            Self::Issue(issue) => issue.at,
            Self::Answer(answer) => answer.at,
            Self::Merge(merge) => merge.at,
            Self::Forget(forget) => forget.at,
            Self::Claim(claim) => claim.at,
        }
    }
    /// The times that a platform tells: of the event, and of the order it is about.
    pub fn times_mut(&mut self) -> Vec<&mut Moment> {
        match self {
            Self::Purchase(purchase) => vec![&mut purchase.placed_at],
            Self::Refund(refund) => vec![&mut refund.at],
            Self::Edit(edit) => vec![&mut edit.at, &mut edit.purchase.placed_at],
            Self::Join(join) => vec![&mut join.at],
            Self::Profile(profile) => vec![&mut profile.at],
            // These are dated by the gateway's own clock.
            Self::Wake(_)
            | Self::Due(_)
            | Self::Redemption(_)
            | Self::Undo(_)
            | Self::Issue(_)
            | Self::Answer(_)
            | Self::Merge(_)
            | Self::Forget(_)
            | Self::Claim(_) => Vec::new(),
        }
    }
    /// The [`Purchase::id`] of the purchase it is about, for what waits until that is settled.
    #[must_use]
    pub fn purchase_id(&self) -> Option<&str> {
        match self {
            Self::Refund(refund) => Some(&refund.purchase),
            Self::Edit(edit) => Some(&edit.purchase.id),
            _ => None,
        }
    }
}
