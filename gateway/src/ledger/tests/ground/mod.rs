//! A shop to tell stories about: it settles entries as the pipeline does (what is due first), from rows as the store keeps them.

mod build;
mod rows;

pub(super) use build::*;
pub(super) use rows::Rows;

use super::super::{Terms, next_due, settle};
use crate::civil::Zone;
use perkgate_domain::decision::{Decision, Outcome};
use perkgate_domain::event::{Due, Event, OWN_SOURCE, WakeCause, Woken};
use perkgate_domain::ids::{ChannelId, EntryId, InstallationId, MemberId};
use perkgate_domain::ledger::HeldReward;
use perkgate_domain::member::Member;
use perkgate_domain::plan::{Book, MemberBook, Proposal, QueuedEntry, Settlement};
use perkgate_domain::programme::{Installation, Merchant};
use perkgate_domain::purchase::{Purchase, Refund};
use perkgate_domain::rules::{Rules, WalletTerms};
use perkgate_domain::time::Moment;

const KEY: [u8; 32] = [7; 32];
/// What one member's lane may make of what is due, so that a mistake does not spin.
const STEPS: usize = 300;

/// What one installation says to an entry.
pub(super) type Saying<'a> = (&'a str, Outcome);

/// One merchant with everything that is stored of it.
pub(super) struct Shop {
    pub(super) merchant: Merchant,
    pub(super) zone: Zone,
    pub(super) installations: Vec<Installation>,
    pub(super) channels: Vec<ChannelId>,
    pub(super) watchers: Vec<InstallationId>,
    pub(super) refund_window_days: Option<u32>,
    pub(super) rows: Rows,
    /// Whose entries the next ones are.
    pub(super) member: MemberId,
    /// Wakes that were called, in order.
    pub(super) called: Vec<Woken>,
    /// Settlements of what was due, in order.
    pub(super) due: Vec<Settlement>,
    /// The gateway's clock: nothing that was told is later.
    now: Moment,
    number: i64,
}

impl Shop {
    /// In Bratislava, with the plugin `points` and the member `mem_a`.
    pub(super) fn new() -> Self {
        let mut shop = Self {
            zone: Zone::named("Europe/Bratislava"),
            merchant: merchant(),
            installations: vec![installation("points")],
            channels: vec!["webhook".into()],
            watchers: Vec::new(),
            refund_window_days: None,
            rows: Rows::default(),
            member: "mem_a".into(),
            called: Vec::new(),
            due: Vec::new(),
            now: Moment(0),
            number: 0,
        };
        shop.visitor("mem_a");
        shop
    }

    pub(super) fn rules(&mut self) -> &mut Rules {
        &mut self.merchant.rules
    }

    pub(super) fn wallet(&mut self, name: &str) -> &mut WalletTerms {
        self.merchant.rules.wallets.entry(name.to_owned()).or_default()
    }

    /// The next entries are this member's; somebody new is written down.
    pub(super) fn visitor(&mut self, id: &str) {
        self.member = id.into();
        self.rows.newcomer(member(id));
    }

    /// Settles what is due before `event` for its member, and then `event`.
    pub(super) fn tell(&mut self, event: Event, purchase: Option<EntryId>, says: &[Saying<'_>]) -> Settlement {
        let entry = self.entry(event, purchase);
        self.rows.expect_purchase(purchase);
        let mut book = self.rows.book(&self.merchant.id);
        self.see_to(&mut book, entry.event.at());
        self.settle_in(&mut book, &entry, says)
    }

    /// The same in a book that is open already, as for a batch of several entries.
    pub(super) fn settle_in(&mut self, book: &mut Book, entry: &QueuedEntry, says: &[Saying<'_>]) -> Settlement {
        let proposals = says
            .iter()
            .map(|(name, outcome)| {
                (self.installations.iter().find(|one| one.id.as_str() == *name).expect("installed"), outcome)
            })
            .map(|(installation, outcome)| Proposal {
                installation,
                digest: installation.digest,
                settings_revision: installation.settings_revision,
                about: None,
                facts: facts(),
                outcome: outcome.clone(),
                ruling: None,
                fuel: 1,
                log: vec![],
            })
            .collect();
        self.now = self.now.max(entry.event.at());
        let terms = Terms {
            merchant: &self.merchant,
            zone: &self.zone,
            now: self.now,
            refund_window_days: self.refund_window_days,
            channels: &self.channels,
            own_channels: &[],
            tier_watchers: &self.watchers,
            code_key: &KEY,
        };
        let settled = settle(entry, proposals, terms, book);
        self.rows.write(entry, &settled);
        self.rows.check();
        settled
    }

    /// The next entry of the present member.
    pub(super) fn entry(&mut self, event: Event, purchase: Option<EntryId>) -> QueuedEntry {
        self.number += 1;
        QueuedEntry {
            id: EntryId(self.number),
            merchant: self.merchant.id.clone(),
            source: "till".into(),
            arrival: None,
            event,
            member: Some(self.member.clone()),
            purchase,
            born: false,
            attempts: 0,
        }
    }

    /// Makes entries of what is due for the present member until `limit`, as a lane does.
    pub(super) fn see_to(&mut self, book: &mut Book, limit: Moment) {
        let owner = (self.merchant.id.clone(), self.member.clone());
        for _ in 0..STEPS {
            let opened = &book.members[&owner];
            let Some(at) = next_due(opened).filter(|due| *due <= limit) else { return };
            let event = due_event(&self.member, opened, at);
            if let Event::Wake(woken) = &event {
                self.called.push(woken.clone());
            }
            let entry = QueuedEntry { source: OWN_SOURCE.into(), born: true, ..self.entry(event, None) };
            let settled = self.settle_in(book, &entry, &[]);
            self.due.push(settled);
        }
        panic!("what is due never ends");
    }

    /// Time passes until `text`; what is due for everybody is seen to.
    pub(super) fn wait(&mut self, text: &str) {
        self.wait_until(at(text));
    }

    pub(super) fn wait_until(&mut self, until: Moment) {
        self.now = self.now.max(until);
        let present = self.member.clone();
        for member in self.rows.present() {
            self.member = member;
            let mut book = self.rows.book(&self.merchant.id);
            self.see_to(&mut book, until);
        }
        self.member = present;
    }

    /// A purchase of lines with these totals (line ids `0`, `1`, …), on which `points` decides.
    pub(super) fn buy(&mut self, when: &str, totals: &[i64], decisions: Vec<Decision>) -> Settlement {
        self.buy_as("points", when, totals, decisions)
    }

    pub(super) fn buy_as(&mut self, who: &str, when: &str, totals: &[i64], says: Vec<Decision>) -> Settlement {
        let purchase = self.order(when, totals);
        self.tell(Event::Purchase(purchase), None, &[(who, Outcome::Decided(says))])
    }

    /// A purchase with an id of its own.
    pub(super) fn order(&self, when: &str, totals: &[i64]) -> Purchase {
        purchase(&format!("p{}", self.number + 1), at(when), totals)
    }

    /// A refund of a purchase settled before.
    pub(super) fn refund(&mut self, when: &str, bought: &Settlement, refund: Refund) -> Settlement {
        let id = format!("r{}", self.number + 1);
        self.tell(Event::Refund(Refund { id, at: at(when), ..refund }), Some(bought.entry), &[])
    }

    pub(super) fn record(&self) -> &Member {
        &self.rows.members[&self.member]
    }

    /// `[available, pending, spent, expired, reversed]`.
    pub(super) fn stands(&self, wallet: &str) -> [i64; 5] {
        stands(self.record(), wallet)
    }

    pub(super) fn available(&self, wallet: &str) -> i64 {
        self.stands(wallet)[0]
    }

    /// The unused rewards of the present member, oldest first.
    pub(super) fn held(&self) -> Vec<HeldReward> {
        self.rows.held(&self.member)
    }
}

/// `[available, pending, spent, expired, reversed]`.
pub(super) fn stands(member: &Member, wallet: &str) -> [i64; 5] {
    let wallet = member.wallets.get(wallet).cloned().unwrap_or_default();
    [wallet.available, wallet.pending, wallet.spent, wallet.expired, wallet.reversed]
}

/// What is due at a moment becomes: the ledger's own comes before wakes.
fn due_event(member: &MemberId, opened: &MemberBook, at: Moment) -> Event {
    let own = opened.member.due_at.is_some_and(|due| due <= at);
    let first = opened.wakes.iter().min_by_key(|wake| (wake.at, &wake.installation, wake.cause, &wake.key));
    match first.filter(|_| !own) {
        Some(wake) => Event::Wake(Woken {
            id: Woken::id_of((member, opened.member.version), &wake.installation, wake.cause, &wake.key, wake.at),
            at: wake.at,
            installation: wake.installation.clone(),
            cause: wake.cause,
            key: wake.key.clone(),
            data: wake.data.clone(),
        }),
        None => Event::Due(Due { id: Due::id_of((member, opened.member.version), at), at }),
    }
}

/// Whether a wake is waited for.
pub(super) fn waits(shop: &Shop, installation: &str, cause: WakeCause, key: &str) -> Option<Moment> {
    let id = (shop.member.clone(), installation.into(), cause, key.to_owned());
    shop.rows.wakes.get(&id).map(|wake| wake.at)
}
