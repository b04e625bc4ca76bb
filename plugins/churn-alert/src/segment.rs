//! Which segment a member is in, by visits and recency.

use perkgate::{Decision, Tag};

/// Where a member stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Comes often and was here not long ago.
    Champion,
    /// Comes now and then.
    Occasional,
    /// A regular who is late.
    AtRisk,
}

impl Segment {
    /// The tag.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Champion => "champion",
            Self::Occasional => "occasional",
            Self::AtRisk => "at-risk",
        }
    }
}

/// Puts the segment's tag and takes the others off, as far as that changes anything.
pub(crate) fn tags(segment: Option<Segment>, present: &[String]) -> Vec<Decision> {
    let has = |name: &str| present.iter().any(|tag| tag == name);
    let put = segment.map(Segment::name).filter(|name| !has(name)).map(|name| Tag::put(name).into());
    let others = [Segment::Champion, Segment::Occasional, Segment::AtRisk].into_iter();
    let others = others.filter(|other| Some(*other) != segment && has(other.name()));
    put.into_iter().chain(others.map(|other| Tag::take(other.name()).into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_has_the_tag_of_one_segment_at_most() {
        let tags = |segment, present: &[&str]| {
            let present: Vec<String> = present.iter().map(|tag| (*tag).to_owned()).collect();
            tags(segment, &present)
        };
        assert_eq!(tags(Some(Segment::Champion), &["vip"]), [Tag::put("champion").into()]);
        assert!(tags(Some(Segment::Champion), &["champion"]).is_empty());
        let moved = [Tag::put("at-risk").into(), Tag::take("champion").into(), Tag::take("occasional").into()];
        assert_eq!(tags(Some(Segment::AtRisk), &["champion", "occasional"]), moved);
        assert_eq!(tags(None, &["at-risk"]), [Tag::take("at-risk").into()]);
    }
}
