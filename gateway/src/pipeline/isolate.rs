//! A batch that fails is taken apart: by halves, until what fails stands alone and is put off, and everything else is settled. So one
//! entry costs the others of its batch a few more commits, once, and never more.

use super::lanes::{Owner, owner};
use super::{Pipeline, PipelineError};
use crate::store::{Postponed, PutOff};
use perkgate_domain::ids::EntryId;
use perkgate_domain::limits::retry_at;
use perkgate_domain::plan::QueuedEntry;
use std::collections::HashSet;
use std::sync::Arc;

/// Entries, and members for whom something is due, that are settled in one commit.
pub(super) struct Part {
    pub(super) entries: Arc<Vec<QueuedEntry>>,
    pub(super) nudged: Vec<Owner>,
}

/// What became of a part.
pub(super) enum Settled {
    /// So many were settled or put off; these wait for another batch.
    Done { count: usize, deferred: Vec<EntryId> },
    /// None of it is written, for this reason.
    Failed(String),
}

impl Part {
    fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.nudged.is_empty()
    }

    /// Two parts that together are this one, the earlier first; none if there is only one thing in it. Members stay whole until only
    /// one is left; that one's entries are parted in their order.
    fn halves(&self) -> Option<(Self, Self)> {
        let mut owners: Vec<Option<Owner>> = Vec::new();
        let mut seen = HashSet::new();
        let all = self.entries.iter().map(owner).chain(self.nudged.iter().cloned().map(Some));
        for owner in all {
            // What is nobody's stands by itself.
            if owner.as_ref().is_none_or(|owner| seen.insert(owner.clone())) {
                owners.push(owner);
            }
        }
        if owners.len() > 1 {
            let nameless = owners[..owners.len() / 2].iter().filter(|owner| owner.is_none()).count();
            let first: HashSet<Owner> = owners.drain(..owners.len() / 2).flatten().collect();
            let mut without_owner = 0;
            let (one, other): (Vec<_>, Vec<_>) = self.entries.iter().cloned().partition(|entry| {
                if let Some(owner) = owner(entry) {
                    return first.contains(&owner);
                }
                without_owner += 1;
                without_owner <= nameless
            });
            let (near, far) = self.nudged.iter().cloned().partition(|owner| first.contains(owner));
            return Some((
                Self { entries: Arc::new(one), nudged: near },
                Self { entries: Arc::new(other), nudged: far },
            ));
        }
        if self.entries.len() > 1 {
            let (one, other) = self.entries.split_at(self.entries.len() / 2);
            let part = |entries: &[QueuedEntry], nudged| Self { entries: Arc::new(entries.to_vec()), nudged };
            return Some((part(one, Vec::new()), part(other, self.nudged.clone())));
        }
        None
    }

    /// Without what belongs to these. Answers the entries that were left out.
    fn leave_out(&mut self, owners: &HashSet<Owner>) -> Vec<EntryId> {
        self.nudged.retain(|owner| !owners.contains(owner));
        let concerns = |entry: &QueuedEntry| owner(entry).is_some_and(|owner| owners.contains(&owner));
        if !self.entries.iter().any(concerns) {
            return Vec::new();
        }
        let (out, stay): (Vec<_>, Vec<_>) = self.entries.iter().cloned().partition(concerns);
        self.entries = Arc::new(stay);
        out.iter().map(|entry| entry.id).collect()
    }
}

impl Pipeline {
    /// Settles entries, and what is due for `nudged`; what fails is put off alone. Answers how many were settled or put off, and which
    /// wait for another batch.
    ///
    /// # Errors
    /// [`PipelineError`] if the database as a whole fails.
    pub(super) async fn settle_batch(
        &self,
        entries: Arc<Vec<QueuedEntry>>,
        nudged: Vec<Owner>,
    ) -> Result<(usize, Vec<EntryId>), PipelineError> {
        let now = self.clock.now();
        let (mut settled, mut later) = (0, Vec::new());
        let mut failed: Vec<(PutOff, Option<QueuedEntry>)> = Vec::new();
        // Whose earlier entries failed or were deferred: theirs wait, in the database or for another batch.
        let (mut held, mut behind) = (HashSet::new(), HashSet::new());
        let mut waiting = Vec::new();
        let mut parts = vec![Part { entries, nudged }];
        while let Some(mut part) = parts.pop() {
            waiting.extend(part.leave_out(&held));
            later.extend(part.leave_out(&behind));
            if part.is_empty() {
                continue;
            }
            let why = match self.settle_part(&part).await? {
                Settled::Done { count, deferred } => {
                    settled += count;
                    let late: HashSet<_> = deferred.iter().collect();
                    behind.extend(part.entries.iter().filter(|entry| late.contains(&entry.id)).filter_map(owner));
                    later.extend(deferred);
                    continue;
                }
                Settled::Failed(why) => why,
            };
            if let Some((one, other)) = part.halves() {
                parts.push(other);
                parts.push(one);
                continue;
            }
            let entry = part.entries.first().cloned();
            let owner = part.nudged.into_iter().next().or_else(|| owner(entry.as_ref()?));
            let what = match (&entry, &owner) {
                (Some(entry), _) => Postponed::Entry(entry.id),
                (None, Some((merchant, member))) => Postponed::Member(merchant.clone(), member.clone()),
                (None, None) => continue,
            };
            held.extend(owner);
            let until = retry_at(now, entry.as_ref().map_or(0, |entry| entry.attempts));
            failed.push((PutOff { what, until, at: now, why }, entry));
        }
        self.put_off(failed, waiting).await.map(|count| (settled + count, later))
    }

    /// Writes down what failed, and gives back what waits behind it.
    async fn put_off(
        &self,
        failed: Vec<(PutOff, Option<QueuedEntry>)>,
        waiting: Vec<EntryId>,
    ) -> Result<usize, PipelineError> {
        if failed.is_empty() {
            return Ok(0);
        }
        let (put_off, entries): (Vec<PutOff>, Vec<Option<QueuedEntry>>) = failed.into_iter().unzip();
        self.store.settle(&[], &put_off).await?;
        for (put_off, entry) in put_off.iter().zip(&entries) {
            self.report_put_off(put_off, entry.as_ref());
        }
        let owners: HashSet<Owner> = entries.iter().flatten().filter_map(owner).collect();
        self.let_wait_behind(&owners, waiting).await?;
        Ok(put_off.len())
    }
}
