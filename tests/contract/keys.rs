//! The keys of a database: made once, learnt by every process, rotated while others serve and wherever that is cut off, and never
//! taken for another database's.

use super::data::{SHOP, accepted, admission, anna, applying, arrival, bare, email, entry, join};
use super::ground::Ground;
use perkgate_domain::ids::{Digest, SourceId};
use perkgate_domain::member::KeyKind;
use perkgate_gateway::clock::ManualClock;
use perkgate_gateway::journal;
use perkgate_gateway::keyring::{self, KeyringError, Step};
use perkgate_gateway::store::{
    AdmissionResult, Appended, ContactField, NewArrival, NewRejection, RowKey, SealedPlace, SealedRow, Store,
};
use perkgate_gateway::tokens::{Access, Tokens};
use perkgate_gateway::vault::{Purpose, Vault, VaultError};
use perkgate_tests::NOON;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

on_both! {
    a_database_has_one_set_of_keys
    another_key_is_refused
    keys_are_rotated_while_others_seal
    a_rotation_that_is_cut_off_goes_on
    a_key_that_is_needed_is_not_retired
    every_column_of_bytes_is_known
    plain_digests_become_keyed_ones
    a_body_cannot_be_guessed_from_its_digest
}

const AT_ONCE: Duration = Duration::ZERO;

async fn opened(store: &dyn Store, dir: &Path) -> Vault {
    let vault = Vault::load(dir, None).expect("a key file");
    keyring::open(store, &vault, NOON).await.expect("its keys");
    vault
}

async fn rotated(store: &dyn Store, vault: &Vault) -> keyring::Status {
    keyring::rotate(store, vault, &anna(), &ManualClock::at(NOON), AT_ONCE, |_| {}).await.expect("it is rotated")
}

/// One value in every sealed place; and more arrivals than one batch takes.
async fn filled(ground: &Ground, vault: &Vault) {
    let store = ground.store();
    let row = |kind: &str, id: &str| SealedRow {
        id: id.to_owned(),
        sealed: vault.seal(&format!("{kind}/{SHOP}/{id}"), id.as_bytes()),
    };
    let mut rows = bare(SHOP);
    (rows.sources, rows.channels) = (vec![row("source", "eshop")], vec![row("channel", "mail")]);
    store.apply(&rows, &[], &applying(SHOP)).await.expect("it is applied");
    let arrivals: Vec<NewArrival> =
        (0..600).map(|number| sealed_arrival(vault, &format!("d{number}"), "body")).collect();
    let told = store.append(&arrivals, 60_000).await.expect("they are journalled");
    let mut who = entry(join("j"), &[email("jana")]);
    let sealed = vault.seal(&format!("contact/{SHOP}/email"), b"jana@example.com");
    who.contact = vec![ContactField { field: "email".to_owned(), sealed }];
    let mut read = admission(accepted(&told[0]), SHOP, AdmissionResult::Entries(vec![who]));
    read.fetched = Some(vault.seal(&context(), b"answers"));
    store.admit(&[read], 0).await.expect("it is read");
    let body = b"forged";
    let rejection = NewRejection {
        merchant: SHOP.into(),
        source: "eshop".into(),
        cause: "bad_signature",
        detail: "a forgery".to_owned(),
        digest: vault.digest(&SHOP.into(), body),
        bytes: 6,
        sealed: Some(vault.seal(&context(), body)),
        received_at: NOON,
    };
    store.reject(&[rejection], 9).await.expect("it is kept");
    let fetched = "update inbox set fetched = (select sealed from arrivals a where a.arrival_id = inbox.arrival_id)
                   where arrival_id = (select min(arrival_id) from inbox)";
    assert_eq!(ground.by_hand(fetched).await.expect("a platform answered"), 1);
}

fn context() -> String {
    journal::context(&SHOP.into(), &SourceId::from("eshop"))
}

fn sealed_arrival(vault: &Vault, dedupe: &str, body: &str) -> NewArrival {
    let digest = vault.digest(&SHOP.into(), body.as_bytes());
    NewArrival { digest, sealed: vault.seal(&context(), body.as_bytes()), ..arrival(SHOP, dedupe, body) }
}

/// What everything that is sealed says, in the order of the places.
async fn read(store: &dyn Store, vault: &Vault) -> Vec<String> {
    let mut said = Vec::new();
    for place in SealedPlace::ALL {
        let mut after = RowKey::default();
        loop {
            let cells = store.sealed(place, &[], &after).await.expect("it is read");
            let Some(last) = cells.last() else { break };
            after = last.key.clone();
            for cell in &cells {
                let kind = match place {
                    SealedPlace::Sources => "source",
                    SealedPlace::Channels => "channel",
                    SealedPlace::Contacts => "contact",
                    _ => "arrival",
                };
                let plain = vault.open(&format!("{kind}/{}/{}", cell.merchant, cell.name), &cell.sealed);
                said.push(plain.map_or_else(|error| error.to_string(), |plain| String::from_utf8_lossy(&plain).into()));
            }
        }
    }
    said
}

async fn a_database_has_one_set_of_keys(ground: &Ground) {
    let dir = tempfile::tempdir().expect("a directory");
    let another = ground.another().await;
    let (one, other) = tokio::join!(opened(ground.store(), dir.path()), opened(another.as_ref(), dir.path()));
    let later = opened(ground.store(), dir.path()).await;
    for vault in [&one, &other] {
        assert_eq!(vault.code_key(), later.code_key());
        assert_eq!(vault.blind(SHOP, KeyKind::Email, "a"), later.blind(SHOP, KeyKind::Email, "a"));
    }
    // They are drawn: from the key file alone nobody has them. What it sealed itself it still opens.
    let alone = Vault::load(dir.path(), None).expect("the key file");
    assert_ne!(alone.code_key(), later.code_key());
    assert_ne!(alone.digest(&SHOP.into(), b""), later.digest(&SHOP.into(), b""));
    assert_eq!(later.open("a", &alone.seal("a", b"text")).expect("it opens"), b"text");
    let lines = ground.count("audit").await;
    assert_eq!(lines, 1, "who was second made none");
}

async fn another_key_is_refused(ground: &Ground) {
    let (mine, others) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let vault = opened(ground.store(), mine.path()).await;
    let strange = Vault::load(others.path(), None).expect("a key file");
    let refused = keyring::open(ground.store(), &strange, NOON).await.expect_err("it is refused");
    assert!(matches!(refused, KeyringError::Vault(VaultError::Foreign { .. })), "{refused}");
    let said = refused.to_string();
    assert!(said.contains(&vault.roots()[0]) && said.contains(&strange.roots()[0]), "{said}");

    // A database of before, which has no keys of its own yet: what is sealed in it tells.
    let before = Vault::load(mine.path(), None).expect("the key file");
    filled(ground, &before).await;
    ground.by_hand("delete from keys").await.expect("as it was before");
    let refused = keyring::open(ground.store(), &strange, NOON).await.expect_err("it is refused");
    assert!(matches!(refused, KeyringError::Vault(VaultError::Foreign { .. })), "{refused}");
    assert_eq!(ground.count("keys").await, 0, "nothing is made");
    let upgraded = opened(ground.store(), mine.path()).await;
    assert_eq!(upgraded.code_key(), before.code_key(), "what was derived before is derived again");
    assert_eq!(upgraded.blind(SHOP, KeyKind::Card, "1"), before.blind(SHOP, KeyKind::Card, "1"));
}

async fn keys_are_rotated_while_others_seal(ground: &Ground) {
    let dir = tempfile::tempdir().expect("a directory");
    let vault = opened(ground.store(), dir.path()).await;
    filled(ground, &vault).await;
    let (root, said) = (vault.roots()[0].clone(), read(ground.store(), &vault).await);
    assert!(said.len() > 600 && said.iter().all(|said| said.len() < 20), "{said:?}");
    let blind = vault.blind(SHOP, KeyKind::Email, "jana@example.com");
    let code = vault.code_key();

    // A process that serves meanwhile. It has only the older root key, and looks when the new keys are made known.
    let another = ground.another().await;
    let serving = opened(another.as_ref(), dir.path()).await;
    let (told, mut steps) = mpsc::unbounded_channel();
    let clock = ManualClock::at(NOON);
    let by = anna();
    let rotating = keyring::rotate(ground.store(), &vault, &by, &clock, Duration::from_millis(50), move |step| {
        let _ = told.send(step);
    });
    let serves = async {
        while let Some(step) = steps.recv().await {
            if matches!(step, Step::Known | Step::Used) {
                keyring::look(another.as_ref(), &serving).await.expect("it learns");
                let late = sealed_arrival(&serving, &format!("late {step:?}"), "late");
                another.append(&[late], 0).await.expect("it is journalled");
            }
        }
    };
    let (status, ()) = tokio::join!(rotating, serves);
    let status = status.expect("it is rotated");
    assert_eq!((status.older(), status.roots.len(), vault.generation(Purpose::Seal)), (0, 2, 2));
    let now = read(another.as_ref(), &serving).await;
    assert_eq!(now.len(), said.len() + 2, "and what came meanwhile");
    assert!(
        said.iter().all(|text| now.contains(text)) && !now.iter().any(|text| text.contains("generation")),
        "{now:?}"
    );
    assert_eq!((vault.blind(SHOP, KeyKind::Email, "jana@example.com"), vault.code_key()), (blind, code));

    keyring::retire(ground.store(), &vault, &by, NOON, false).await.expect("nothing needs the older one");
    let fresh = opened(ground.store(), dir.path()).await;
    assert_eq!(fresh.roots().len(), 1);
    assert_ne!(fresh.roots()[0], root);
    assert_eq!(read(ground.store(), &fresh).await, now);
    // Whoever serves on reads the key file again.
    keyring::look(another.as_ref(), &serving).await.expect("it finds the new key");
    assert_eq!(serving.roots(), fresh.roots());
    let nothing = keyring::retire(ground.store(), &vault, &by, NOON, false).await.expect_err("there is nothing");
    assert!(matches!(nothing, KeyringError::Nothing), "{nothing}");

    // And once more.
    assert_eq!(rotated(ground.store(), &fresh).await.older(), 0);
    assert_eq!(fresh.generation(Purpose::Seal), 3);
    keyring::retire(ground.store(), &fresh, &by, NOON, false).await.expect("it is retired");
    assert_eq!(read(ground.store(), &opened(ground.store(), dir.path()).await).await, now);
    assert!(ground.store().verify(None).await.expect("it is checked").holds());
}

/// Killed at every step there is, and begun again by another process each time.
async fn a_rotation_that_is_cut_off_goes_on(ground: &Ground) {
    let dir = tempfile::tempdir().expect("a directory");
    let vault = opened(ground.store(), dir.path()).await;
    filled(ground, &vault).await;
    let said = read(ground.store(), &vault).await;
    // Between the key file and the database.
    vault.add_root(&vault.roots()).expect("the key file is written");
    for steps in 1..40_i32 {
        let store = ground.shared();
        let vault = opened(store.as_ref(), dir.path()).await;
        let (cut, mut left) = (Notify::new(), steps);
        let (clock, by) = (ManualClock::at(NOON), anna());
        // It ends where it waits next after so many steps.
        let ended = tokio::select! {
            biased;
            () = cut.notified() => None,
            status = keyring::rotate(store.as_ref(), &vault, &by, &clock, AT_ONCE, |_| {
                left -= 1;
                if left == 0 {
                    cut.notify_one();
                }
            }) => Some(status),
        };
        let after = opened(ground.store(), dir.path()).await;
        assert_eq!(after.roots().len(), 2, "one new root key, however often it is begun");
        assert_eq!(read(ground.store(), &after).await, said);
        if let Some(status) = ended {
            assert_eq!(status.expect("it is rotated").older(), 0);
            assert!(steps > 3, "it was cut off a few times");
            keyring::retire(ground.store(), &after, &anna(), NOON, false).await.expect("it is retired");
            assert_eq!(read(ground.store(), &opened(ground.store(), dir.path()).await).await, said);
            return;
        }
    }
    panic!("it never comes to its end");
}

async fn a_key_that_is_needed_is_not_retired(ground: &Ground) {
    let dir = tempfile::tempdir().expect("a directory");
    let (store, by) = (ground.store(), anna());
    let vault = opened(store, dir.path()).await;
    let serving = opened(store, dir.path()).await;
    filled(ground, &vault).await;
    let tokens = Tokens::new(&vault);
    let issued = tokens.issue(&Access::Operator, None, NOON, 30, &by).expect("a token");
    store.create_token(&issued.row, &by).await.expect("it is listed");
    rotated(store, &vault).await;
    assert!(tokens.check(store, &issued.token, NOON).await.is_ok(), "tokens outlive a rotation");
    // Somebody who did not look, and one value that nobody can open.
    store.append(&[sealed_arrival(&serving, "stale", "stale")], 0).await.expect("it is journalled");
    let mut broken = sealed_arrival(&serving, "broken", "broken");
    broken.sealed.truncate(30);
    store.append(&[broken], 0).await.expect("it is journalled");
    let refused = keyring::retire(store, &vault, &by, NOON, false).await.expect_err("something needs it");
    assert!(matches!(refused, KeyringError::Needed { sealed: 1 }), "{refused}");
    assert_eq!(rotated(store, &vault).await.older(), 1, "what does not open stays as it is");
    let refused = keyring::retire(store, &vault, &by, NOON, false).await.expect_err("a token needs it");
    assert!(matches!(refused, KeyringError::Tokens { tokens: 1 }), "{refused}");
    keyring::retire(store, &vault, &by, NOON, true).await.expect("it is retired");
    assert!(tokens.check(store, &issued.token, NOON).await.is_err(), "it has ended");
    let issued = tokens.issue(&Access::Operator, None, NOON, 30, &by).expect("a token");
    store.create_token(&issued.row, &by).await.expect("it is listed");
    assert!(tokens.check(store, &issued.token, NOON).await.is_ok());
}

/// A column that is sealed and not in the list would not open any more after a rotation.
async fn every_column_of_bytes_is_known(ground: &Ground) {
    let sql = if ground.is_sqlite() {
        "select t.name || '.' || c.name from sqlite_schema t, pragma_table_info(t.name) c
         where t.type = 'table' and lower(c.type) = 'blob'"
    } else {
        "select table_name || '.' || column_name from information_schema.columns
         where table_schema = current_schema() and data_type = 'bytea'"
    };
    let found: BTreeSet<String> = ground.texts(sql).await.into_iter().collect();
    let sealed = SealedPlace::ALL.map(SealedPlace::column).map(|(table, column)| format!("{table}.{column}"));
    let plain = [
        "_sqlx_migrations.checksum",
        "arrivals.digest",
        "audit.hash",
        "audit_heads.hash",
        "decisions.digest",
        "entries.digest",
        "entries.told",
        "forgotten.hash",
        "installations.digest",
        "keys.wrapped",
        "lots.digest",
        "member_keys.hash",
        "members.chain",
        "memories.bytes",
        "mentions.hash",
        "plugins.component",
        "plugins.digest",
        "postings.hash",
        "rejections.digest",
        "settings.digest",
        "wakes.data",
    ];
    let known: BTreeSet<String> = sealed.into_iter().chain(plain.map(str::to_owned)).collect();
    let unknown: Vec<_> = found.difference(&known).collect();
    assert!(unknown.is_empty(), "sealed (then add them to `SealedPlace`) or plain (then name them here)? {unknown:?}");
    assert!(known.is_subset(&found), "{:?}", known.difference(&found));
}

/// As an earlier version journalled it.
async fn make_plain(ground: &Ground, arrivals: &[(i64, &str, &str)]) {
    for (number, dedupe, body) in arrivals {
        let digits = Digest::of(body.as_bytes()).to_string().replace("sha256:", "");
        let bytes = if ground.is_sqlite() { format!("x'{digits}'") } else { format!(r"'\x{digits}'") };
        let dedupe = dedupe.replace("{}", &format!("sha256:{digits}"));
        let sql =
            format!("update arrivals set keyed = 0, digest = {bytes}, dedupe = '{dedupe}' where arrival_id = {number}");
        assert_eq!(ground.by_hand(&sql).await.expect("it is as before"), 1);
    }
}

async fn plain_digests_become_keyed_ones(ground: &Ground) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = ground.store();
    let vault = opened(store, dir.path()).await;
    let keyed = |dedupe: &str, body: &str| {
        let (plain, digest) = (Digest::of(body.as_bytes()), vault.digest(&SHOP.into(), body.as_bytes()));
        sealed_arrival(&vault, &journal::keyed_dedupe(&dedupe.replace("{}", &plain.to_string()), &plain, &digest), body)
    };
    let batch = [keyed("w1", "first"), keyed("w1", "second"), keyed("order.created:{}", "third")];
    let told = store.append(&batch, 0).await.expect("they are journalled");
    let (Appended::Accepted(first), Appended::Conflict(second), Appended::Accepted(third)) =
        (told[0], told[1], told[2])
    else {
        panic!("{told:?}")
    };
    make_plain(
        ground,
        &[(first.0, "w1", "first"), (second.0, "w1#{}", "second"), (third.0, "order.created:{}", "third")],
    )
    .await;
    // Told again before anything was done about it, by a process of the version before.
    let repeated = store.append(&[keyed("order.created:{}", "third")], 0).await.expect("it is journalled");
    let late = accepted(&repeated[0]);

    keyring::open(store, &vault, NOON).await.expect("digests are keyed");
    assert_eq!(ground.number("select count(*) from arrivals where keyed = 0").await, 0);
    let again = store.append(&batch, 0).await.expect("they are known");
    assert_eq!(again, [Appended::Duplicate(first), Appended::Conflict(second), Appended::Duplicate(late)]);
    let lines = ground.count("audit").await;
    keyring::open(store, &vault, NOON).await.expect("there is nothing to do");
    assert_eq!(ground.count("audit").await, lines);
}

async fn a_body_cannot_be_guessed_from_its_digest(ground: &Ground) {
    let dir = tempfile::tempdir().expect("a directory");
    let vault = opened(ground.store(), dir.path()).await;
    let body = r#"{"do":"join","identity":{"phone":"+421905123456","consent":true}}"#;
    let mine = vault.digest(&SHOP.into(), body.as_bytes());
    for guess in [
        Digest::of(body.as_bytes()),
        vault.digest(&"pekaren".into(), body.as_bytes()),
        Vault::load(dir.path(), None).expect("the key file").digest(&SHOP.into(), body.as_bytes()),
    ] {
        assert_ne!(mine, guess);
    }
    ground.store().append(&[sealed_arrival(&vault, "d", body)], 0).await.expect("it is journalled");
    let digits = Digest::of(body.as_bytes()).to_string().replace("sha256:", "");
    let hex = if ground.is_sqlite() { "lower(hex(digest))" } else { "encode(digest, 'hex')" };
    let found = format!("select count(*) from arrivals where {hex} = '{digits}' or dedupe like '%{digits}%'");
    assert_eq!(ground.number(&found).await, 0);
}
