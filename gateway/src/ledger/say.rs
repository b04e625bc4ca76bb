//! What is said and asked for: messages, questions, tasks for the merchant, wakes.

use super::apply::Verdict;
use super::desk::Desk;
use super::fault;
use perkgate_domain::decision::{Ask, Fault, FaultKind, Message, Task, Wake, WakeTime, WakeWhom};
use perkgate_domain::delivery::{Delivery, DeliveryState, TOO_OLD};
use perkgate_domain::event::{WakeCause, Woken};
use perkgate_domain::ids::{DeliveryId, InstallationId, MemberId, base32, derive, hash};
use perkgate_domain::limits::{MESSAGE_AGE_MS, WAKE_MS, WAKES};
use perkgate_domain::plan::{NewQuestion, NewTask, PlannedWake, WakeChange};

/// The wake that an entry is has been: it is not asked for any more.
pub(super) fn woken(desk: &mut Desk<'_>, woken: &Woken) {
    desk.book
        .wakes
        .retain(|wake| wake.installation != woken.installation || wake.cause != woken.cause || wake.key != woken.key);
    desk.out.wakes.push(WakeChange {
        member: desk.book.member.id.clone(),
        installation: woken.installation.clone(),
        cause: woken.cause,
        key: woken.key.clone(),
        planned: None,
    });
}

impl Verdict<'_, '_> {
    pub(super) fn message(&mut self, message: &Message) {
        let desk = &mut *self.desk;
        if desk.terms.channels.is_empty() {
            self.notes.push(format!("message `{}` goes nowhere: the merchant has no channel", message.key));
        }
        let suppressed = if desk.book.member.consent {
            too_old(desk)
        } else {
            Some("the member did not agree to messages".to_owned())
        };
        for channel in desk.terms.channels {
            let id = desk.id("dlv", &[self.installation.id.as_str(), self.place, channel.as_str()]);
            desk.out.deliveries.push(Delivery {
                id: DeliveryId::new(id),
                merchant: desk.entry.merchant.clone(),
                channel: channel.clone(),
                entry: desk.entry.id,
                installation: self.installation.id.clone(),
                member: desk.book.member.id.clone(),
                message: message.clone(),
                state: if suppressed.is_some() { DeliveryState::Suppressed } else { DeliveryState::Due },
                note: suppressed.clone(),
                created_at: desk.terms.now,
            });
        }
    }

    /// A question nobody could answer is not asked: without consent no message goes out, and no link without an address.
    pub(super) fn ask(&mut self, ask: &Ask) -> Result<(), Fault> {
        let Some(url) = &self.desk.terms.merchant.url else {
            let detail = "a question needs the address its link begins with: add `url = \"https://…\"` to [merchant]";
            return Err(fault(FaultKind::NotGranted, detail.to_owned()));
        };
        let secret = hash(&[self.desk.terms.code_key, b"question", self.id("qst", "").as_bytes()]);
        let id = base32(&secret, 26);
        let link = format!("{}/q/{}/{id}", url.trim_end_matches('/'), self.desk.entry.merchant);
        let text = if ask.text.contains("{link}") {
            ask.text.replace("{link}", &link)
        } else {
            format!("{}\n\n{link}", ask.text)
        };
        self.message(&Message { key: ask.key.clone(), subject: ask.subject.clone(), text, locale: ask.locale.clone() });
        let at = self.desk.at();
        self.desk.out.questions.push(NewQuestion {
            id,
            member: self.desk.book.member.id.clone(),
            installation: self.installation.id.clone(),
            key: ask.key.clone(),
            scale: ask.scale,
            locale: ask.locale.clone(),
            asked_at: at,
            expires_at: self.desk.terms.zone.end_of_day(at, ask.valid_days),
        });
        Ok(())
    }

    pub(super) fn task(&mut self, task: &Task) {
        let (id, member) = (self.id("tsk", ""), self.desk.book.member.id.clone());
        open(self.desk, id, &self.installation.id, Some(member), task);
    }

    /// # Errors
    /// [`Fault`] if the installation asks for too many.
    pub(super) fn wake(&mut self, wake: &Wake) -> Result<(), Fault> {
        let desk = &mut *self.desk;
        let earliest = desk.at().plus_ms(WAKE_MS);
        let at = wake.when.map(|when| match when {
            WakeTime::Moment(at) => at.max(earliest),
            WakeTime::Civil(civil) => desk.terms.zone.moment(civil).max(earliest),
        });
        let own = wake.whom == WakeWhom::Member;
        let member = match (&desk.book.member.referrer, own) {
            (_, true) => desk.book.member.id.clone(),
            (Some(referrer), false) => referrer.clone(),
            (None, false) => {
                self.notes.push(format!("wake `{}` is about nobody: nobody brought the member", wake.key));
                return Ok(());
            }
        };
        if own {
            let installation = &self.installation.id;
            let mine =
                |planned: &PlannedWake| planned.installation == *installation && planned.cause == WakeCause::Asked;
            desk.book.wakes.retain(|planned| !(mine(planned) && planned.key == wake.key));
            if at.is_some() && desk.book.wakes.iter().filter(|planned| mine(planned)).count() >= WAKES {
                let detail = format!(
                    "wake `{}` is one too many: an installation may wait for {WAKES} wakes about one member",
                    wake.key
                );
                return Err(fault(FaultKind::Result, detail));
            }
            if let Some(at) = at {
                desk.book.wakes.push(PlannedWake {
                    installation: installation.clone(),
                    cause: WakeCause::Asked,
                    key: wake.key.clone(),
                    at,
                    data: wake.data.clone(),
                    attempts: 0,
                });
            }
        }
        desk.out.wakes.push(WakeChange {
            member,
            installation: self.installation.id.clone(),
            cause: WakeCause::Asked,
            key: wake.key.clone(),
            planned: at.map(|at| (at, wake.data.clone())),
        });
        Ok(())
    }
}

/// Why a message about something that happened so long ago is not sent: it would not be true any more, and nobody expects it.
fn too_old(desk: &Desk<'_>) -> Option<String> {
    (desk.terms.now.since_ms(desk.at()) > MESSAGE_AGE_MS).then(|| TOO_OLD.to_owned())
}

/// Opens a task for the merchant, and tells of it by the merchant's own channels.
pub(super) fn open(
    desk: &mut Desk<'_>,
    id: String,
    installation: &InstallationId,
    member: Option<MemberId>,
    task: &Task,
) {
    let message = Message {
        key: task.key.clone(),
        subject: task.title.clone(),
        text: task.text.clone(),
        locale: desk.terms.merchant.locale.clone(),
    };
    let suppressed = too_old(desk);
    let told = desk.terms.own_channels.iter().map(|channel| Delivery {
        id: DeliveryId::new(derive("dlv", &[&id, channel.as_str()])),
        merchant: desk.entry.merchant.clone(),
        channel: channel.clone(),
        entry: desk.entry.id,
        installation: installation.clone(),
        // To nobody but the merchant: no consent is asked for, and no address looked up.
        member: MemberId::new(""),
        message: message.clone(),
        state: if suppressed.is_some() { DeliveryState::Suppressed } else { DeliveryState::Due },
        note: suppressed.clone(),
        created_at: desk.terms.now,
    });
    let deliveries = told.collect();
    desk.out.tasks.push(NewTask {
        id,
        installation: installation.clone(),
        member,
        key: task.key.clone(),
        title: task.title.clone(),
        text: task.text.clone(),
        at: desk.at(),
        deliveries,
    });
}

/// Calls everybody who asked to be told that the member's tier has changed. A tier that somebody had before the programme began is no
/// news.
pub(super) fn tier_changed(desk: &mut Desk<'_>, at: perkgate_domain::time::Moment) {
    if desk.terms.merchant.rules.is_history(at) {
        return;
    }
    let key = desk.book.member.tier.clone().unwrap_or_default();
    for installation in desk.terms.tier_watchers {
        let planned = PlannedWake {
            installation: installation.clone(),
            cause: WakeCause::Tier,
            key: key.clone(),
            at,
            data: Vec::new(),
            attempts: 0,
        };
        desk.book.wakes.retain(|wake| wake.installation != *installation || wake.cause != WakeCause::Tier);
        desk.out.wakes.push(WakeChange {
            member: desk.book.member.id.clone(),
            installation: installation.clone(),
            cause: WakeCause::Tier,
            key: planned.key.clone(),
            planned: Some((at, Vec::new())),
        });
        desk.book.wakes.push(planned);
    }
}
