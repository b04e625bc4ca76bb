//! Nothing that was changed opens, and a key is never replaced.

use super::*;

fn vault() -> Vault {
    Vault::new([7; 32])
}

#[test]
fn what_is_sealed_opens_and_never_looks_the_same_twice() {
    let one = vault().seal("contact/mem_1", b"jana@example.com");
    let two = vault().seal("contact/mem_1", b"jana@example.com");
    assert_ne!(one, two);
    assert_eq!(vault().open("contact/mem_1", &one).unwrap(), b"jana@example.com");
    assert_eq!(vault().open("contact/mem_1", &vault().seal("contact/mem_1", b"")).unwrap(), b"");
    assert!(!one.windows(4).any(|window| window == b"jana"));
    assert_eq!(one.len(), 1 + NONCE_BYTES + TAG_BYTES + 16);
}

#[test]
fn no_changed_byte_opens() {
    let sealed = vault().seal("a", b"text");
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(vault().open("a", &changed).is_err(), "byte {at}");
    }
    for len in 0..sealed.len() {
        assert!(vault().open("a", &sealed[..len]).is_err(), "{len} bytes");
    }
    let longer = [&sealed[..], b"x"].concat();
    assert!(vault().open("a", &longer).is_err());
}

#[test]
fn neither_another_place_nor_another_key_opens() {
    let sealed = vault().seal("contact/mem_1", b"text");
    assert!(
        matches!(vault().open("contact/mem_2", &sealed), Err(VaultError::Sealed { context }) if context == "contact/mem_2")
    );
    assert!(Vault::new([8; 32]).open("contact/mem_1", &sealed).is_err());
    let newer = [&[9], &sealed[1..]].concat();
    assert!(matches!(vault().open("contact/mem_1", &newer), Err(VaultError::Version { version: 9, .. })));
}

#[test]
fn subkeys_differ_and_debug_shows_none() {
    let vault = vault();
    let ring = vault.ring();
    let keys = Purpose::ALL.map(|purpose| ring.newest(purpose).1);
    let keys = [&keys[..], &[ring.hedge, [7; 32]]].concat();
    for (at, key) in keys.iter().enumerate() {
        assert!(!keys[..at].contains(key));
    }
    assert_eq!(format!("{vault:?}"), "Vault(closed)");
}

#[test]
fn blinds_are_stable_and_apart() {
    let vault = vault();
    let one = vault.blind("kavarna", KeyKind::Email, "a@example.com");
    assert_eq!(one, Vault::new([7; 32]).blind("kavarna", KeyKind::Email, "a@example.com"));
    for other in [
        vault.blind("bistro", KeyKind::Email, "a@example.com"),
        vault.blind("kavarna", KeyKind::Card, "a@example.com"),
        vault.blind("kavarna", KeyKind::Email, "b@example.com"),
        Vault::new([8; 32]).blind("kavarna", KeyKind::Email, "a@example.com"),
    ] {
        assert_ne!(one, other);
    }
}

#[test]
fn every_partner_sees_another_id() {
    let (vault, member) = (vault(), MemberId::from("mem_1"));
    let one = vault.pseudonym(&PartnerId::from("bakery"), &member);
    assert_eq!(one, vault.pseudonym(&PartnerId::from("bakery"), &member));
    assert_ne!(one, vault.pseudonym(&PartnerId::from("cinema"), &member));
    assert!(one.starts_with("mem_") && one.len() == 30, "{one}");
}

#[test]
fn a_key_is_read_from_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let sealed = vault().seal("a", b"text");
    let base64 = STANDARD.encode([7; 32]);
    for text in [&"07".repeat(32), &format!(" {}\n", "07".repeat(32)), &base64, base64.trim_end_matches('=')] {
        assert!(Vault::load(dir.path(), Some(text)).unwrap().open("a", &sealed).is_ok(), "{text}");
    }
    for text in ["", "07", &"07".repeat(31), &"zz".repeat(32), &STANDARD.encode([7; 31]), "correct horse"] {
        let error = Vault::load(dir.path(), Some(text)).unwrap_err();
        assert!(matches!(error, VaultError::Key), "{text}");
        assert!(text.is_empty() || !error.to_string().contains(&format!("`{text}`")));
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "no file is made where a key is given");
}

#[test]
fn a_key_file_is_made_once_and_read_ever_after() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let sealed = Vault::load(&data, None).unwrap().seal("a", b"text");
    let text = std::fs::read_to_string(data.join(KEY_FILE)).unwrap();
    assert_eq!(Vault::load(&data, None).unwrap().open("a", &sealed).unwrap(), b"text");
    assert_eq!(std::fs::read_to_string(data.join(KEY_FILE)).unwrap(), text);
    assert!(text.contains("Back it up"), "{text}");
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), 1, "no draft is left");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(data.join(KEY_FILE)).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn processes_that_start_together_agree_on_one_key() {
    let dir = tempfile::tempdir().unwrap();
    let vaults: Vec<Vault> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| Vault::load(dir.path(), None).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(vaults.iter().all(|vault| vault.code_key() == vaults[0].code_key()));
}

#[test]
fn a_damaged_key_file_is_an_error_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    Vault::load(dir.path(), None).unwrap();
    let path = dir.path().join(KEY_FILE);
    let whole = std::fs::read_to_string(&path).unwrap();
    let digit = whole.rfind("perkgate-key-1 ").unwrap() + "perkgate-key-1 ".len();
    let other = if whole.as_bytes()[digit] == b'0' { "1" } else { "0" };
    let mut flipped = whole.clone();
    flipped.replace_range(digit..=digit, other);
    for damaged in
        ["", "perkgate-key-1", &whole[..whole.len() - 20], &flipped, &format!("{whole}{whole}"), &"07".repeat(32)]
    {
        std::fs::write(&path, damaged).unwrap();
        let error = Vault::load(dir.path(), None).unwrap_err();
        assert!(matches!(error, VaultError::Damaged { .. }), "{damaged}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), damaged);
    }
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(matches!(Vault::load(dir.path(), None), Err(VaultError::Damaged { .. })));
    std::fs::write(&path, &whole).unwrap();
    assert!(Vault::load(dir.path(), None).is_ok());
}

/// As a rotation does: a new root key, and a new sealing key wrapped by both.
fn rotated(vault: &Vault) -> Vec<Wrapped> {
    let old = vault.roots()[0].clone();
    let mut rows = vault.first_keys(&old, false);
    vault.learn(&rows).unwrap();
    vault.add_root(std::slice::from_ref(&old)).unwrap();
    let roots = vault.roots();
    rows.extend(vault.wrapped_by(&roots[0]));
    rows.extend(vault.new_key(Purpose::Seal, 2, &roots));
    rows
}

#[test]
fn a_key_is_known_before_it_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::load(dir.path(), None).unwrap();
    let mut rows = rotated(&vault);
    let before = vault.seal("a", b"before");
    assert_eq!((before[0], before.len()), (FIRST, 1 + NONCE_BYTES + 6 + TAG_BYTES));
    assert!(vault.learn(&rows).unwrap());
    assert!(!vault.learn(&rows).unwrap(), "nothing is new");
    assert_eq!((vault.generation(Purpose::Seal), vault.coming(Purpose::Seal)), (1, 2));
    assert_eq!(Vault::generation_of(&vault.seal("a", b"still")), Some(1));
    for row in &mut rows {
        row.active = true;
    }
    assert!(vault.learn(&rows).unwrap());
    let after = vault.seal("a", b"after");
    assert_eq!(after[..5], [NUMBERED, 0, 0, 0, 2]);
    assert_eq!((Vault::generation_of(&after), vault.sealed_head()), (Some(2), after[..5].to_vec()));
    for (sealed, plain) in [(&before, "before"), (&after, "after")] {
        assert_eq!(vault.open("a", sealed).unwrap(), plain.as_bytes());
    }
    for at in 0..after.len() {
        let mut changed = after.clone();
        changed[at] ^= 1;
        assert!(vault.open("a", &changed).is_err(), "byte {at}");
        assert!(vault.open("a", &after[..at]).is_err(), "{at} bytes");
    }
    rows.retain(|row| row.purpose != "seal" || row.generation == 1);
    vault.learn(&rows).unwrap();
    assert!(matches!(vault.open("a", &after), Err(VaultError::Generation { generation: 2, .. })));
}

#[test]
fn either_root_key_unwraps_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(dir.path().join(KEY_FILE));
    assert!(text.is_err());
    let vault = Vault::load(dir.path(), None).unwrap();
    let old = std::fs::read_to_string(dir.path().join(KEY_FILE)).unwrap();
    let rows = rotated(&vault);
    let both = std::fs::read_to_string(dir.path().join(KEY_FILE)).unwrap();
    assert!(both.contains(old.lines().last().unwrap()), "the older key stays");
    vault.keep_root(&vault.roots()[0]).unwrap();
    let new = std::fs::read_to_string(dir.path().join(KEY_FILE)).unwrap();
    assert!(!new.contains(old.lines().last().unwrap()));
    for file in [&old, &both, &new] {
        std::fs::write(dir.path().join(KEY_FILE), file).unwrap();
        let other = Vault::load(dir.path(), None).unwrap();
        other.learn(&rows).unwrap();
        assert_eq!(other.code_key(), vault.code_key());
    }
    assert!(matches!(Vault::new([8; 32]).learn(&rows), Err(VaultError::Foreign { .. })));
    for at in [0, 30] {
        let mut damaged = rows.clone();
        for row in &mut damaged {
            row.bytes[at] ^= 1;
        }
        assert!(matches!(vault.learn(&damaged), Err(VaultError::Sealed { .. })));
    }
    // Swapped, as somebody with the database could.
    let mut swapped = rows.clone();
    for row in &mut swapped {
        row.bytes =
            rows.iter().find(|other| other.purpose != row.purpose && other.root == row.root).unwrap().bytes.clone();
    }
    assert!(vault.learn(&swapped).is_err());
    let without: Vec<Wrapped> = rows.iter().filter(|row| row.purpose != "blind").cloned().collect();
    assert!(matches!(vault.learn(&without), Err(VaultError::NoKey { purpose: Purpose::Blind })));
}

#[test]
fn in_the_environment_the_newest_key_comes_first() {
    let dir = tempfile::tempdir().unwrap();
    let (new, old) = ("08".repeat(32), "07".repeat(32));
    let vault = Vault::load(dir.path(), Some(&format!("{new} {old}"))).unwrap();
    let fingerprints = [[8; 32], [7; 32]].map(|key| Vault::new(key).roots().remove(0));
    assert_eq!(vault.roots(), fingerprints);
    assert!(!vault.has_file());
    assert!(matches!(vault.add_root(&[]), Err(VaultError::Environment)));
    vault.keep_root(&fingerprints[0]).unwrap();
    assert_eq!(vault.root_of("a", &Vault::new([7; 32]).seal("a", b"text")), Some(fingerprints[1].clone()));
    assert_eq!(vault.root_of("a", &Vault::new([9; 32]).seal("a", b"text")), None);
    assert!(matches!(Vault::load(dir.path(), Some(" , ")), Err(VaultError::Key)));
    assert!(matches!(Vault::load(dir.path(), Some(&format!("{new} nonsense"))), Err(VaultError::Key)));
}

#[test]
fn digests_are_the_merchants_own_and_keyed() {
    let (kavarna, pekaren) = (MerchantId::from("kavarna"), MerchantId::from("pekaren"));
    let one = vault().digest(&kavarna, b"body");
    assert_eq!(one, vault().keyed(&kavarna, &Digest::of(b"body")));
    let others = [
        vault().digest(&pekaren, b"body"),
        vault().digest(&kavarna, b"nobody"),
        Vault::new([8; 32]).digest(&kavarna, b"body"),
        Digest::of(b"body"),
    ];
    assert!(others.iter().all(|other| *other != one));
}
