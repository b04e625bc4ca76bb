//! For what a plugin remembers about a member, which is bytes of its own making and few of them.

/// Eight bytes that name something, such as a purchase by its source and id: FNV-1a of the parts with a zero byte between them. For
/// telling a few things of one member apart, not for secrets.
#[must_use]
pub fn name(parts: &[&str]) -> [u8; 8] {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            add(0);
        }
        part.bytes().for_each(&mut add);
    }
    hash.to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_fnv_1a_for_ever() {
        // From the reference: of nothing, of "a" and of "foobar".
        assert_eq!(name(&[]), 0xcbf2_9ce4_8422_2325_u64.to_be_bytes());
        assert_eq!(name(&["a"]), 0xaf63_dc4c_8601_ec8c_u64.to_be_bytes());
        assert_eq!(name(&["foobar"]), 0x8594_4171_f739_67e8_u64.to_be_bytes());
    }

    #[test]
    fn parts_are_kept_apart() {
        assert_ne!(name(&["till", "1"]), name(&["till1"]));
        assert_ne!(name(&["till1", ""]), name(&["till", "1"]));
    }
}
