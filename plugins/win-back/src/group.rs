//! Who is held out. A member is always in the same group, so the choice is by their id and not by dice.

use perkgate::{Decision, Tag, memory};

/// What the merchant compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// Gets nothing.
    HeldOut,
    /// Gets what there is.
    Treated,
}

impl Group {
    /// The group of a member: `percent` of all ids are held out, others with another seed.
    pub(crate) fn of(member: &str, seed: &str, percent: u8) -> Self {
        let name = u64::from_be_bytes(memory::name(&[seed, member]));
        // Stirred, so that ids that differ in their last letter only are spread as well.
        let stirred = (name ^ (name >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // The upper half as a fraction of one.
        let share = ((stirred >> 32) * 100) >> 32;
        if share < u64::from(percent) { Self::HeldOut } else { Self::Treated }
    }

    /// The tags by which the groups are told apart, as far as they are not there already.
    pub(crate) fn tags(self, present: &[String]) -> Vec<Decision> {
        let (put, take) = match self {
            Self::HeldOut => ("win-back-holdout", "win-back-treated"),
            Self::Treated => ("win-back-treated", "win-back-holdout"),
        };
        let has = |name: &str| present.iter().any(|tag| tag == name);
        let put = (!has(put)).then(|| Tag::put(put).into());
        put.into_iter().chain(has(take).then(|| Tag::take(take).into())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held_out(seed: &str, percent: u8) -> Vec<u32> {
        (0..10_000).filter(|id| Group::of(&format!("mem_{id:04}"), seed, percent) == Group::HeldOut).collect()
    }

    #[test]
    fn the_part_is_as_large_as_it_should_be() {
        for percent in [1, 10, 50] {
            let (count, expected) = (held_out("1", percent).len(), usize::from(percent) * 100);
            assert!(count.abs_diff(expected) < expected / 5, "{count} of 10000 at {percent} percent");
        }
        assert_eq!((held_out("1", 0).len(), held_out("1", 100).len()), (0, 10_000));
    }

    #[test]
    fn a_member_stays_in_their_group_and_another_seed_draws_anew() {
        let (ten, twenty) = (held_out("1", 10), held_out("1", 20));
        assert!(ten.iter().all(|id| twenty.contains(id)), "a larger part has the smaller one in it");
        let both = ten.iter().filter(|id| held_out_by("2", **id)).count();
        assert!(both < ten.len() / 3, "{both} of {} are held out by both seeds", ten.len());
    }

    fn held_out_by(seed: &str, id: u32) -> bool {
        Group::of(&format!("mem_{id:04}"), seed, 10) == Group::HeldOut
    }

    #[test]
    fn tags_are_put_once_and_replace_each_other() {
        let tags = |group: Group, present: &[&str]| {
            let present: Vec<String> = present.iter().map(|tag| (*tag).to_owned()).collect();
            group.tags(&present)
        };
        assert_eq!(tags(Group::Treated, &[]), [Tag::put("win-back-treated").into()]);
        assert!(tags(Group::Treated, &["win-back-treated"]).is_empty());
        let moved = [Tag::put("win-back-holdout").into(), Tag::take("win-back-treated").into()];
        assert_eq!(tags(Group::HeldOut, &["win-back-treated"]), moved);
    }
}
