//! What plugins decided on one entry, and why nothing came of it.

use super::order::Order;
use super::texts::decisions as texts;
use super::{Voice, unstopped};
use crate::civil::{Period, Zone};
use perkgate_domain::cap::{Beyond, Span};
use perkgate_domain::decision::{Blame, Decision, Earn, Fault, FaultKind, Outcome, Refusal};
use perkgate_domain::ids::EntryId;
use perkgate_domain::ledger::Lot;
use perkgate_domain::plan::DecisionRecord;
use perkgate_domain::programme::Mode;
use perkgate_domain::time::Moment;

/// Lines told of one by one; the others are added up.
const LINES: usize = 6;

/// What every plugin that was asked about an entry said, and what came of it.
pub(super) fn of(order: &Order<'_>, entry: EntryId, voice: Voice<'_>) -> Vec<String> {
    let mut lots: Vec<&Lot> = order.lots.iter().filter(|lot| lot.entry == entry).collect();
    let records = order.decisions.iter().filter(|(on, _)| *on == entry);
    records.flat_map(|(_, record)| one(order, record, &mut lots, voice)).collect()
}

/// Who was not asked, and that nobody was.
pub(super) fn silent(order: &Order<'_>, voice: Voice<'_>) -> Vec<String> {
    let asked = |id| order.decisions.iter().any(|(on, record)| *on == order.entry && record.installation == id);
    let paused = order.installations.iter().filter(|one| one.mode == Mode::Paused && !asked(one.id.clone()));
    let said: Vec<String> = paused.map(|one| voice.say(texts::PAUSED, &[("plugin", one.id.as_str())])).collect();
    let nobody = said.is_empty() && !order.decisions.iter().any(|(on, _)| *on == order.entry);
    if nobody { vec![voice.say(texts::NO_PLUGINS, &[])] } else { said }
}

fn one(order: &Order<'_>, record: &DecisionRecord, lots: &mut Vec<&Lot>, voice: Voice<'_>) -> Vec<String> {
    let plugin = record.installation.as_str();
    let with = |sentence: super::texts::Sentence, text: &str| {
        voice.say(sentence, &[("plugin", plugin), ("text", unstopped(text))])
    };
    if record.shadow {
        return vec![with(texts::SHADOW, "")];
    }
    let mut said = match (&record.outcome, &record.ruling) {
        (Outcome::Refused(Refusal::Broken(why)), _) => vec![with(texts::FAILED, why)],
        (_, Some(ruling)) => vec![ruled_out(record, ruling, voice)],
        (Outcome::Refused(Refusal::NotConfigured(why)), None) => vec![with(texts::NOT_SET_UP, why)],
        (Outcome::Refused(Refusal::Unsupported(why)), None) => vec![with(texts::NOT_COVERED, why)],
        (Outcome::Fault(fault), None) => {
            vec![with(if fault.blame == Blame::Host { texts::NOT_RUN } else { texts::FAILED }, &fault.detail)]
        }
        (Outcome::Decided(decisions), None) => {
            let installation = &record.installation;
            let mut lot = |earn: &Earn| {
                let place = lots.iter().position(|lot| {
                    lot.installation == *installation && lot.wallet == earn.wallet && lot.amount == earn.amount
                });
                place.map(|place| lots.remove(place))
            };
            let said = decisions.iter().map(|decision| match decision {
                Decision::Earn(earn) => Some(earned(order, plugin, earn, lot(earn), voice)),
                other => plain(plugin, other, voice),
            });
            let said: Vec<String> = said.flatten().collect();
            // Rewards, offers and messages are told of by themselves.
            let silent =
                decisions.iter().all(|decision| matches!(decision, Decision::Wake(_) | Decision::Remember { .. }));
            match record.log.last() {
                Some(line) if silent => vec![with(texts::NOTHING_SAYS, &line.text)],
                None if silent => vec![with(texts::NOTHING, "")],
                _ => said,
            }
        }
    };
    said.extend(record.notes.iter().map(|note| with(texts::NOTE, note)));
    said
}

/// What needs no more than a sentence; nothing for what is told of elsewhere.
fn plain(plugin: &str, decision: &Decision, voice: Voice<'_>) -> Option<String> {
    let quoted = |text: &str| voice.language.quoted(text);
    let say = |sentence, name, text: &str| Some(voice.say(sentence, &[("plugin", plugin), (name, text)]));
    match decision {
        Decision::Spend(spend) => {
            let units = voice.language.units(spend.amount, &spend.wallet);
            let parts = [("plugin", plugin), ("units", &units), ("reason", unstopped(&spend.reason))];
            Some(voice.say(texts::TAKEN, &parts))
        }
        Decision::Tier { name: Some(name) } => say(texts::TIER_PUT, "tier", &quoted(name)),
        Decision::Tier { name: None } => say(texts::TIER_OUT, "tier", ""),
        Decision::Tag { name, present: true } => say(texts::TAG_ON, "tag", &quoted(name)),
        Decision::Tag { name, present: false } => say(texts::TAG_OFF, "tag", &quoted(name)),
        Decision::Task(task) => say(texts::TASK, "title", &quoted(&task.title)),
        Decision::Ask(ask) => say(texts::ASKED, "subject", &quoted(&ask.subject)),
        Decision::Earn(_)
        | Decision::Reward(_)
        | Decision::Offer(_)
        | Decision::Message(_)
        | Decision::Wake(_)
        | Decision::Remember { .. } => None,
    }
}

fn earned(order: &Order<'_>, plugin: &str, earn: &Earn, lot: Option<&Lot>, voice: Voice<'_>) -> String {
    let units = voice.language.units(earn.amount, &earn.wallet);
    let parts = [("plugin", plugin), ("units", &units), ("reason", unstopped(&earn.reason))];
    let mut said = vec![voice.say(texts::EARNED, &parts)];
    let shares = lot.map_or(&earn.shares, |lot| &lot.shares);
    let shares: Vec<(&str, i64)> = shares
        .iter()
        .filter(|share| share.amount > 0)
        .map(|share| (order.line(&share.line).unwrap_or(&share.line), share.amount))
        .collect();
    if shares.len() > 1 {
        said.push(voice.say(texts::BY_LINE, &[("lines", &by_line(&shares, voice))]));
    }
    said.extend(lot.into_iter().flat_map(|lot| terms(order, lot, voice)));
    said.join(" ")
}

fn by_line(shares: &[(&str, i64)], voice: Voice<'_>) -> String {
    let (told, rest) = shares.split_at(shares.len().min(LINES));
    let mut said: Vec<String> =
        told.iter().map(|(name, amount)| format!("{name} {}", voice.language.number(*amount))).collect();
    if !rest.is_empty() {
        let amount = voice.language.number(rest.iter().map(|(_, amount)| amount).sum());
        said.push(voice.say(texts::MORE_LINES, &[("count", &rest.len().to_string()), ("amount", &amount)]));
    }
    said.join("; ")
}

/// When what a lot has may be spent, when it is lost, and what of it was.
pub(super) fn terms(order: &Order<'_>, lot: &Lot, voice: Voice<'_>) -> Vec<String> {
    let mut said = Vec::new();
    if lot.net() > 0 {
        let pending = lot.matures_at.filter(|at| *at > voice.now);
        said.extend(pending.map(|at| voice.say(texts::SPENT_FROM, &[("when", &voice.moment(at))])));
        let end = order.end(lot);
        said.extend(end.map(|end| voice.say(texts::VALID, &[("day", &voice.last_day(end))])));
    }
    if lot.expired > 0 {
        let units = voice.language.units(lot.expired, &lot.wallet);
        said.push(voice.say(texts::LOST, &[("units", &units)]));
    }
    said
}

/// Why a verdict was not acted on.
fn ruled_out(record: &DecisionRecord, ruling: &Fault, voice: Voice<'_>) -> String {
    let plugin = record.installation.as_str();
    let beyond = Some(ruling).filter(|ruling| ruling.kind == FaultKind::Cap).and_then(|cap| Beyond::parse(&cap.detail));
    let Some(beyond) = beyond else {
        return voice.say(texts::NOT_ACTED_ON, &[("plugin", plugin), ("text", unstopped(&ruling.detail))]);
    };
    let span = match beyond.span {
        Span::Purchase => texts::SPAN_PURCHASE,
        Span::MemberDay => texts::SPAN_MEMBER_DAY,
        Span::Day => texts::SPAN_DAY,
        Span::Month => texts::SPAN_MONTH,
        Span::Total => texts::SPAN_TOTAL,
    };
    let span = voice.say(span, &[]);
    let units = |amount| voice.language.units(amount, &beyond.wallet);
    let (most, sum) = (units(beyond.most), units(beyond.sum));
    let parts = [("plugin", plugin), ("span", &span), ("most", &most), ("sum", &sum)];
    let mut said = vec![voice.say(texts::CAPPED, &parts)];
    if beyond.whose.is_none() {
        said.push(voice.say(texts::CAP_OF_ALL, &[]));
    }
    let anew = anew(beyond.span, record.facts.now, voice.zone);
    said.extend(anew.map(|at| voice.say(texts::CAP_ANEW, &[("day", &voice.date(at))])));
    said.join(" ")
}

/// When a cap that was reached at `at` counts anew.
fn anew(span: Span, at: Moment, zone: &Zone) -> Option<Moment> {
    match span {
        Span::Purchase | Span::Total => None,
        Span::MemberDay | Span::Day => Some(zone.end_of_day(at, 0)),
        Span::Month => Some(zone.end_of(at, Period::Month)),
    }
}
