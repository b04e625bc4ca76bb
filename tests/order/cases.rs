//! What happens in one case, in what order it is told, and who does what meanwhile. All of it comes out of proptest's seed.

use super::worker::Job;
use perkgate_tests::Fate;
use proptest::prelude::*;
use serde_json::{Value, json};

/// When the first purchase of a case happens: an hour before noon.
const FIRST: i64 = 1_780_311_600_000;
/// Between one happening and the next.
const MINUTE: i64 = 60_000;

/// One case.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) members: usize,
    pub(super) sales: Vec<Sold>,
    /// Members who join, each once.
    pub(super) joins: Vec<usize>,
    /// Everything as it is told, in that order.
    pub(super) tellings: Vec<Telling>,
    /// Milliseconds that each worker's clock is off; there are as many workers.
    pub(super) skews: Vec<i64>,
    pub(super) turns: Vec<Turn>,
}

/// A purchase.
#[derive(Clone, Debug)]
pub(super) struct Sold {
    pub(super) id: String,
    pub(super) member: usize,
    pub(super) at: i64,
    /// Pieces, and the price of one in cents.
    pub(super) lines: Vec<(i64, i64)>,
    pub(super) given: Vec<Given>,
}

/// One refund of a purchase. Never more than is left.
#[derive(Clone, Copy, Debug)]
pub(super) enum Given {
    /// So many of a line's pieces.
    Pieces(usize, i64),
    /// Money on a line.
    Money(usize, i64),
    /// Money on no line in particular.
    Loose(i64),
    /// Whatever is left.
    All,
}

/// One delivery of one webhook.
#[derive(Clone)]
pub(super) struct Telling {
    pub(super) delivery: String,
    pub(super) body: Vec<u8>,
}

impl std::fmt::Debug for Telling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.delivery)
    }
}

/// One turn of the play: a worker that does nothing begins a job, one that is at an act does it, or dies of it.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    pub(super) who: usize,
    pub(super) job: Job,
    pub(super) fate: Fate,
    /// All leases run out first, whoever holds them.
    pub(super) lapse: bool,
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lapse = if self.lapse { "all leases run out, " } else { "" };
        write!(f, "{lapse}{}: {:?} or {:?}", self.who, self.job, self.fate)
    }
}

impl Sold {
    pub(super) fn total(&self) -> i64 {
        self.lines.iter().map(|(pieces, price)| pieces * price).sum()
    }
    /// The purchase's webhook, with or without who made it.
    fn body(&self, named: bool) -> Vec<u8> {
        let lines = self.lines.iter().enumerate().map(|(index, (pieces, price))| {
            json!({"id": index.to_string(), "name": "Koláč", "quantity_milli": pieces * 1000, "unit": price, "total": pieces * price})
        });
        let mut data = json!({"purchase": {
            "id": self.id, "currency": "EUR", "total": self.total(), "placed_at": self.at, "lines": lines.collect::<Vec<_>>(),
        }});
        if named {
            data["customer"] = customer(self.member);
        }
        bytes("purchase", &data)
    }
    fn refund(&self, number: usize, given: Given) -> Vec<u8> {
        let mut refund = json!({"id": self.refund_id(number), "purchase": self.id, "currency": "EUR",
                                "at": self.at + MINUTE / 2 + i64::try_from(number).unwrap_or(0)});
        match given {
            Given::Pieces(line, pieces) => {
                refund["amount"] = json!(pieces * self.lines[line].1);
                refund["lines"] = json!([{"line": line.to_string(), "quantity_milli": pieces * 1000}]);
            }
            Given::Money(line, amount) => {
                refund["amount"] = json!(amount);
                refund["lines"] = json!([{"line": line.to_string(), "quantity_milli": 0, "amount": amount}]);
            }
            Given::Loose(amount) => refund["amount"] = json!(amount),
            Given::All => refund["complete"] = json!(true),
        }
        bytes("refund", &json!({"refund": refund}))
    }
    fn refund_id(&self, number: usize) -> String {
        format!("{}-back{number}", self.id)
    }
}

fn customer(member: usize) -> Value {
    json!({"email": format!("m{member}@example.com")})
}

fn bytes(kind: &str, data: &Value) -> Vec<u8> {
    json!({"type": kind, "data": data}).to_string().into_bytes()
}

/// One more purchase of a euro for every member.
pub(super) fn closing(case: &Case) -> Vec<Telling> {
    let last = |member: usize| Sold {
        id: format!("closing{member}"),
        member,
        at: FIRST + 100 * MINUTE,
        lines: vec![(1, 100)],
        given: vec![],
    };
    let telling = |sold: Sold| Telling { delivery: format!("{}#0", sold.id), body: sold.body(true) };
    case.buyers().map(|member| telling(last(member))).collect()
}

impl Case {
    /// Members who bought or joined.
    pub(super) fn buyers(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.members)
            .filter(|member| self.joins.contains(member) || self.sales.iter().any(|sold| sold.member == *member))
    }
    /// How many different things are told.
    pub(super) fn happenings(&self) -> usize {
        self.sales.iter().map(|sold| 1 + sold.given.len()).sum::<usize>() + self.joins.len()
    }
}

/// A purchase before its refunds are cut down to what is left.
#[derive(Clone, Debug)]
struct Seed {
    member: usize,
    lines: Vec<(i64, i64)>,
    given: Vec<(u8, usize, i64)>,
    copies: usize,
    /// Told without a name as well.
    unnamed: bool,
}

pub(super) fn cases() -> impl Strategy<Value = Case> {
    let line = (1_i64..=3, 50_i64..=900);
    let given = (0_u8..8, 0_usize..3, 1_i64..=900);
    let seed = (
        0_usize..4,
        prop::collection::vec(line, 1..=3),
        prop::collection::vec(given, 0..=3),
        0_usize..=2,
        prop::bool::weighted(0.2),
    )
        .prop_map(|(member, lines, given, copies, unnamed)| Seed { member, lines, given, copies, unnamed });
    (
        1_usize..=4,
        prop::collection::vec(seed, 1..=8),
        prop::collection::vec(any::<bool>(), 4),
        prop::collection::vec(any::<u16>(), 96),
        prop::collection::vec(-240_000_i64..=240_000, 1..=3),
        prop::collection::vec(turns(), 0..=80),
    )
        .prop_map(|(members, seeds, joins, places, skews, turns)| {
            let sales: Vec<(Sold, Seed)> =
                seeds.into_iter().enumerate().map(|(number, seed)| (sold(number, members, &seed), seed)).collect();
            let joins: Vec<usize> = (0..members).filter(|member| joins[*member]).collect();
            let tellings = tellings(&sales, &joins, &places);
            Case { members, sales: sales.into_iter().map(|(sold, _)| sold).collect(), joins, tellings, skews, turns }
        })
}

fn turns() -> impl Strategy<Value = Turn> {
    let job = prop_oneof![
        3 => (1_usize..=4).prop_map(Job::Deliver),
        3 => Just(Job::Read),
        3 => Just(Job::Settle),
        1 => Just(Job::Renew),
    ];
    let fate = prop_oneof![16 => Just(Fate::Done), 1 => Just(Fate::DiesBefore), 1 => Just(Fate::DiesAfter)];
    (0_usize..3, job, fate, prop::bool::weighted(0.08)).prop_map(|(who, job, fate, lapse)| Turn {
        who,
        job,
        fate,
        lapse,
    })
}

/// The refunds that still find something to give back.
fn sold(number: usize, members: usize, seed: &Seed) -> Sold {
    let at = FIRST + MINUTE * i64::try_from(number).unwrap_or(0);
    let mut sold =
        Sold { id: format!("p{number}"), member: seed.member % members, at, lines: seed.lines.clone(), given: vec![] };
    let mut pieces: Vec<i64> = sold.lines.iter().map(|(pieces, _)| *pieces).collect();
    let mut money: Vec<i64> = sold.lines.iter().map(|(pieces, price)| pieces * price).collect();
    let mut left = sold.total();
    for (kind, line, amount) in &seed.given {
        let (line, price) = (line % sold.lines.len(), sold.lines[line % sold.lines.len()].1);
        let most = money[line].min(left);
        let given = match kind {
            0..=2 => Given::Pieces(line, (amount % 3 + 1).min(pieces[line]).min(most / price)),
            3..=4 => Given::Money(line, (*amount).min(most)),
            5..=6 => Given::Loose((*amount).min(left)),
            _ => Given::All,
        };
        let (taken, of_line) = match given {
            Given::Pieces(_, count) => {
                pieces[line] -= count;
                (count * price, count * price)
            }
            Given::Money(_, amount) => (amount, amount),
            Given::Loose(amount) => (amount, 0),
            Given::All => (left, 0),
        };
        if taken > 0 {
            left -= taken;
            money[line] -= of_line;
            sold.given.push(given);
        }
    }
    sold
}

/// Everything that is told, copies included, at the places that were drawn.
fn tellings(sales: &[(Sold, Seed)], joins: &[usize], places: &[u16]) -> Vec<Telling> {
    let mut all = Vec::new();
    // A copy comes under the same delivery id, as a retry, or under another, as a second topic.
    let mut tell = |name: &str, body: Vec<u8>, copies: usize| {
        for copy in 0..=copies {
            all.push(Telling { delivery: format!("{name}#{}", copy / 2), body: body.clone() });
        }
    };
    for (sold, seed) in sales {
        if seed.unnamed {
            tell(&format!("{}-unnamed", sold.id), sold.body(false), 0);
        }
        tell(&sold.id, sold.body(true), seed.copies);
        for (number, given) in sold.given.iter().enumerate() {
            tell(&sold.refund_id(number), sold.refund(number, *given), seed.copies % 2);
        }
    }
    for member in joins {
        let id = format!("join{member}");
        let data = json!({"join": {"id": id, "at": FIRST + MINUTE}, "customer": customer(*member)});
        tell(&id, bytes("join", &data), 1);
    }
    let mut in_order: Vec<(u16, usize, Telling)> =
        all.into_iter().enumerate().map(|(number, telling)| (places[number % places.len()], number, telling)).collect();
    in_order.sort_by_key(|(place, number, _)| (*place, *number));
    in_order.into_iter().map(|(_, _, telling)| telling).collect()
}
