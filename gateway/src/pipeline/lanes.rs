//! One member's part of a batch: their entries in order, and between them what has fallen due.

use super::ground::Field;
use crate::ledger;
use crate::store::Postponed;
use perkgate_domain::event::{Due, Event, OWN_SOURCE, Woken};
use perkgate_domain::ids::{EntryId, MemberId, MerchantId, SourceId};
use perkgate_domain::plan::{Book, MemberBook, PlannedWake, QueuedEntry};
use perkgate_domain::time::Moment;
use std::collections::{HashMap, VecDeque};

/// Entries made for one member in one batch, at most; the rest waits for the next.
const STEPS: usize = 64;

pub(super) type Owner = (MerchantId, MemberId);

/// See the module's head.
pub(super) struct Lane {
    owner: Option<Owner>,
    waiting: VecDeque<QueuedEntry>,
    /// What is due by now is seen to behind the last entry as well.
    nudged: bool,
    /// The gateway's clock: whatever an entry says, nothing is due later than that.
    now: Moment,
    steps: usize,
}

/// One entry to be settled now.
pub(super) struct Turn {
    pub(super) entry: QueuedEntry,
}

/// What a lane has next.
pub(super) enum Next {
    Turn(Box<Turn>),
    /// These wait for another batch: it lacks what they need.
    Deferred(Vec<EntryId>),
    /// These are somebody else's now.
    Moved(Vec<EntryId>),
    /// Nobody knows the merchant of these.
    Unknown(Vec<EntryId>),
    Done,
}

pub(super) fn owner(entry: &QueuedEntry) -> Option<Owner> {
    Some((entry.merchant.clone(), entry.member.clone()?))
}

impl Lane {
    /// The lanes of a batch, in the order of their first entries. What is nobody's has a lane of its own.
    pub(super) fn all(entries: &[QueuedEntry], nudged: &[Owner], now: Moment) -> Vec<Self> {
        let mut lanes: Vec<Self> = Vec::new();
        let mut places: HashMap<Owner, usize> = HashMap::new();
        for entry in entries {
            let owner = owner(entry);
            let place = owner.as_ref().and_then(|owner| places.get(owner)).copied();
            if let Some(place) = place {
                lanes[place].waiting.push_back(entry.clone());
                continue;
            }
            if let Some(owner) = &owner {
                places.insert(owner.clone(), lanes.len());
            }
            lanes.push(Self { owner, waiting: VecDeque::from([entry.clone()]), nudged: false, now, steps: 0 });
        }
        for owner in nudged {
            if let Some(place) = places.get(owner) {
                lanes[*place].nudged = true;
                continue;
            }
            let owner = Some(owner.clone());
            lanes.push(Self { owner, waiting: VecDeque::new(), nudged: true, now, steps: 0 });
        }
        lanes
    }

    /// The member, if the scheduler found that something is due for them and it was not seen to yet.
    pub(super) fn nudged(&self) -> Option<Postponed> {
        let (merchant, member) = self.owner.clone().filter(|_| self.nudged)?;
        Some(Postponed::Member(merchant, member))
    }

    /// What comes next in this lane.
    pub(super) fn next(
        &mut self,
        book: &Book,
        fields: &HashMap<MerchantId, Field>,
        numbers: &mut Vec<EntryId>,
    ) -> Next {
        let front = self.waiting.front().map(|entry| entry.event.at().min(self.now));
        let Some(limit) = front.or(self.nudged.then_some(self.now)) else { return Next::Done };
        let merchant = self.waiting.front().map(|entry| entry.merchant.clone());
        let merchant = merchant.or_else(|| self.owner.as_ref().map(|(merchant, _)| merchant.clone()));
        let Some(field) = merchant.as_ref().and_then(|merchant| fields.get(merchant)) else {
            return Next::Unknown(self.empty());
        };
        let opened = self.owner.as_ref().and_then(|owner| book.members.get(owner));
        if opened.is_some_and(|opened| opened.member.merged_into.is_some()) {
            return Next::Moved(self.empty());
        }
        let due = opened.and_then(ledger::next_due).filter(|due| *due <= limit);
        if let (Some(at), Some(opened), Some(owner)) = (due, opened, self.owner.clone()) {
            let known = field
                .scopes(owner.1.as_str(), at)
                .into_iter()
                .all(|scope| book.scopes.contains(&(owner.0.clone(), scope)));
            let number = if known && self.steps < STEPS { numbers.pop() } else { None };
            let Some(number) = number else { return Next::Deferred(self.empty()) };
            self.steps += 1;
            return Next::Turn(Box::new(Turn { entry: born(number, owner, at, opened) }));
        }
        if let Some(entry) = self.waiting.pop_front() {
            return Next::Turn(Box::new(Turn { entry }));
        }
        self.nudged = false;
        Next::Done
    }

    /// Everything behind a turn that failed waits. Answers what is to be put off, and what is behind that: the entry itself, or the one
    /// in front of which what is due was to be seen to, and without one the member.
    pub(super) fn hold_up(&mut self, turn: &Turn) -> (Option<Postponed>, Vec<EntryId>) {
        let behind = self.empty();
        let front = if turn.entry.born { behind.first().copied() } else { Some(turn.entry.id) };
        let member = || self.owner.clone().map(|(merchant, member)| Postponed::Member(merchant, member));
        (front.map(Postponed::Entry).or_else(member), behind)
    }

    fn empty(&mut self) -> Vec<EntryId> {
        self.nudged = false;
        self.waiting.drain(..).map(|entry| entry.id).collect()
    }
}

/// The entry that what is due at `at` becomes.
fn born(id: EntryId, (merchant, member): Owner, at: Moment, opened: &MemberBook) -> QueuedEntry {
    let ledger_first = opened.member.due_at.is_some_and(|due| due <= at);
    let wake = (!ledger_first).then(|| first_wake(opened)).flatten();
    let attempts = wake.map_or(0, |wake| wake.attempts);
    let settled_on = (&member, opened.member.version);
    let event = match wake {
        Some(wake) => Event::Wake(Woken {
            id: Woken::id_of(settled_on, &wake.installation, wake.cause, &wake.key, wake.at),
            at: wake.at,
            installation: wake.installation.clone(),
            cause: wake.cause,
            key: wake.key.clone(),
            data: wake.data.clone(),
        }),
        None => Event::Due(Due { id: Due::id_of(settled_on, at), at }),
    };
    let source = SourceId::new(OWN_SOURCE);
    QueuedEntry {
        id,
        merchant,
        source,
        arrival: None,
        event,
        member: Some(member),
        purchase: None,
        born: true,
        attempts,
    }
}

/// The earliest; of those of one moment in a fixed order.
fn first_wake(opened: &MemberBook) -> Option<&PlannedWake> {
    opened.wakes.iter().min_by_key(|wake| (wake.at, &wake.installation, wake.cause, &wake.key))
}
