//! A database as a whole: what is copied is the same to the last byte on either engine, and a merchant that is removed leaves nothing.

mod dump;

use super::data::{LEASE, SHOP, bought, email, entry, journalled, purchase, says, settled};
use super::ground::Ground;
use dump::{Dump, tables};
use perkgate_domain::ids::MerchantId;
use perkgate_gateway::store::whole::{self, Leaving, RemovedRow};
use perkgate_gateway::store::{self, Schema, StoreError};
use perkgate_tests::postgres_or_skip;
use tempfile::TempDir;

on_both! {
    what_is_moved_to_the_other_engine_and_back_is_the_same
    numbers_go_on_and_triggers_guard_where_it_is_moved_to
    it_is_moved_into_a_new_database_only
    a_copy_that_was_broken_off_is_opened_by_nobody
    it_is_not_moved_while_somebody_has_it_open
    a_backup_is_the_same_and_goes_into_a_new_database_only
    a_removed_merchant_leaves_nothing_and_takes_nobody_elses
    a_removal_goes_on_where_it_was
    every_table_is_a_merchants_or_everybodys
}

/// Tables whose rows are no merchant's. A table that is neither here, nor has a `merchant_id`, nor belongs to one that has, would be
/// left behind when a merchant is removed.
const EVERYBODYS: &[&str] = &["keys", "lead", "plugins", "registry", "sweeps"];

/// New databases, to be copied into.
struct Targets {
    directory: TempDir,
}

impl Targets {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory") }
    }
    fn file(&self, name: &str) -> String {
        format!("sqlite://{}", self.directory.path().join(name).display())
    }
    /// Of the other engine, or of the same where there is no PostgreSQL.
    async fn other(&self, ground: &Ground, name: &str) -> String {
        match postgres_or_skip("the other engine").await {
            Some(server) if ground.is_sqlite() => server.fresh_database().await,
            _ => self.file(name),
        }
    }
    async fn same(&self, ground: &Ground, name: &str) -> String {
        if ground.is_sqlite() {
            return self.file(name);
        }
        postgres_or_skip("the same engine").await.expect("it was there a moment ago").fresh_database().await
    }
}

/// Two merchants' purchases, settled and not, and values at the edge of what a column takes.
async fn lived_in(ground: &Ground) {
    let of = [bought(ground, SHOP, "1", "jana").await, bought(ground, SHOP, "2", "eva").await];
    settled(ground, &of).await;
    settled(ground, &[bought(ground, "other", "1", "jana").await]).await;
    says(ground, SHOP, vec![entry(purchase("3"), &[email("jana")])], LEASE).await;
    journalled(ground, &[SHOP, "other"], LEASE).await;
    let empty = if ground.is_sqlite() { "x''" } else { r"'\x'::bytea" };
    let bytes = if ground.is_sqlite() { "x'00ff80'" } else { r"'\x00ff80'::bytea" };
    for statement in [
        format!(
            "insert into rejections (merchant_id, source_id, cause, detail, digest, bytes, sealed, received_at)
             values ('kavarna', 'eshop', 'stale', 'žltý \"kôň\"\\ 🐎', {bytes}, {}, {empty}, {}),
                    ('kavarna', 'eshop', '', '', {empty}, 0, null, -1)",
            i64::MAX,
            i64::MIN
        ),
        "insert into counters values ('kavarna', 'Z', 'p', '', 1), ('kavarna', 'a', 'p', 'Ž', 2), ('kavarna', 'á', '', '', 3)"
            .to_owned(),
        "update registry set revision = 7".to_owned(),
    ] {
        ground.by_hand(&statement).await.expect("a row");
    }
    ground.leases_end().await;
}

fn quietly(_: &str, _: u64) {}

async fn what_is_moved_to_the_other_engine_and_back_is_the_same(ground: &Ground) {
    lived_in(ground).await;
    let (targets, before) = (Targets::new(), Dump::of(&ground.url).await);
    assert!(before.rows("postings") == 3 && before.rows("inbox") == 2, "{before:?}");
    let there = targets.other(ground, "there.db").await;
    let copied = whole::move_to(&ground.url, &there, true, &mut quietly).await.expect("it is moved");
    assert_eq!((copied.rows, copied.tables), (before.all(), before.tables()));
    assert!(copied.report.holds() && copied.report.postings == 3);
    before.is(&Dump::of(&there).await);
    before.is(&Dump::of(&ground.url).await);
    let back = targets.same(ground, "back.db").await;
    whole::move_to(&there, &back, true, &mut quietly).await.expect("it is moved back");
    before.is(&Dump::of(&back).await);
}

async fn numbers_go_on_and_triggers_guard_where_it_is_moved_to(ground: &Ground) {
    lived_in(ground).await;
    let last = ground.store().reserve(5).await.expect("numbers").into_iter().max().expect("five");
    let targets = Targets::new();
    let there = targets.other(ground, "there.db").await;
    whole::move_to(&ground.url, &there, true, &mut quietly).await.expect("it is moved");
    let moved = Ground::there(&there).await;
    let next = moved.store().reserve(1).await.expect("a number")[0];
    assert_eq!(next.0, last.0 + 1, "a number that was given out is not given out again");
    settled(&moved, &[bought(&moved, SHOP, "9", "nova").await]).await;
    let report = moved.store().verify(None).await.expect("a look");
    assert!(report.holds() && report.postings == 4, "{report:?}");
    for statement in ["delete from postings", "update postings set amount = 1"] {
        let refused = moved.by_hand(statement).await.expect_err("a trigger");
        assert!(refused.to_string().contains("postings are never"), "{refused}");
    }
}

async fn it_is_moved_into_a_new_database_only(ground: &Ground) {
    lived_in(ground).await;
    let targets = Targets::new();
    let there = targets.other(ground, "there.db").await;
    store::open(&there, Schema::Migrate).await.expect("it opens").close().await;
    let error = whole::move_to(&ground.url, &there, true, &mut quietly).await.expect_err("it has tables");
    assert!(matches!(error, StoreError::NotEmpty(_)), "{error}");
    let error = whole::move_to(&ground.url, &ground.url, true, &mut quietly).await.expect_err("it is the same");
    assert!(matches!(error, StoreError::NotEmpty(_) | StoreError::Database(_)), "{error}");
    assert!(ground.store().verify(None).await.expect("a look").holds());
}

async fn a_copy_that_was_broken_off_is_opened_by_nobody(ground: &Ground) {
    lived_in(ground).await;
    // What the source cannot answer breaks the copy off in the middle.
    let broken = if ground.is_sqlite() {
        "alter table wakes add column extra integer"
    } else {
        "alter table wakes add column extra bigint"
    };
    ground.by_hand(broken).await.expect("a column that no migration made");
    let targets = Targets::new();
    let there = targets.other(ground, "there.db").await;
    let error = whole::move_to(&ground.url, &there, true, &mut quietly).await.expect_err("they differ");
    assert!(matches!(error, StoreError::Differs(_)), "{error}");
    for schema in [Schema::Migrate, Schema::Current, Schema::AsItIs] {
        let Err(error) = store::open(&there, schema).await else { panic!("it is opened") };
        assert!(matches!(error, StoreError::Unfinished(_)), "{error}");
    }
    let error = whole::move_to(&ground.url, &there, true, &mut quietly).await.expect_err("it is there");
    assert!(matches!(error, StoreError::Unfinished(_)), "{error}");
    assert!(ground.store().verify(None).await.expect("a look").holds(), "where it comes from is as it was");
}

async fn it_is_not_moved_while_somebody_has_it_open(ground: &Ground) {
    lived_in(ground).await;
    let targets = Targets::new();
    let there = targets.other(ground, "there.db").await;
    let error = whole::move_to(&ground.url, &there, false, &mut quietly).await.expect_err("it is open");
    assert!(matches!(error, StoreError::InUse), "{error}");
    ground.store().close().await;
    whole::move_to(&ground.url, &there, false, &mut quietly).await.expect("nobody has it open any more");
    assert!(Ground::there(&there).await.store().verify(None).await.expect("a look").holds());
}

async fn a_backup_is_the_same_and_goes_into_a_new_database_only(ground: &Ground) {
    lived_in(ground).await;
    let (targets, before) = (Targets::new(), Dump::of(&ground.url).await);
    let path = |name: &str| targets.directory.path().join(name);
    // The store is open and its writer at work, as a gateway's.
    let open = bought(ground, SHOP, "4", "eva").await;
    let before_it = Dump::of(&ground.url).await;
    let report = whole::backup(&ground.url, &path("b.db"), &mut quietly).await.expect("a backup");
    settled(ground, &[open]).await;
    assert!(report.holds() && report.postings == 3);
    before_it.is(&Dump::of(&targets.file("b.db")).await);
    assert!(before_it.all() > before.all());
    let error = whole::backup(&ground.url, &path("b.db"), &mut quietly).await.expect_err("it is there");
    assert!(error.to_string().contains("is not written over"), "{error}");

    for url in [targets.same(ground, "r.db").await, targets.other(ground, "s.db").await] {
        let draft = path("draft.db");
        let restored = whole::restore(&path("b.db"), &url, &draft, &mut quietly).await.expect("it is restored");
        assert!(restored.holds() && restored.postings == 3);
        before_it.is(&Dump::of(&url).await);
        whole::restore(&path("b.db"), &url, &draft, &mut quietly).await.expect_err("something is there");
        before_it.is(&Dump::of(&url).await);
        assert!(!draft.exists());
    }
    before_it.is(&Dump::of(&targets.file("b.db")).await);
    std::fs::write(path("text.db"), "no database").expect("a file");
    let error = whole::restore(&path("text.db"), &targets.file("t.db"), &path("draft.db"), &mut quietly).await;
    assert!(error.expect_err("no backup").to_string().contains("no backup"));
    let files = std::fs::read_dir(targets.directory.path()).expect("a directory");
    let names = files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
    let left = names.filter(|name| ["partial", "restoring", "draft"].iter().any(|left| name.contains(left)));
    assert_eq!(left.collect::<Vec<_>>(), Vec::<String>::new(), "nothing is left lying about");
}

/// As the command does it.
async fn removed(leaving: &Leaving) -> Vec<RemovedRow> {
    let mut rows = Vec::new();
    let mut keep = |row| {
        rows.push(row);
        Ok::<_, StoreError>(())
    };
    leaving.export(true, &mut keep).await.expect("the programme");
    leaving.close_door().await.expect("it is closed");
    assert!(leaving.hush().await.expect("it is hushed"));
    leaving.export(false, &mut keep).await.expect("the rest");
    leaving.remove(&mut quietly).await.expect("it is removed");
    rows
}

async fn a_removed_merchant_leaves_nothing_and_takes_nobody_elses(ground: &Ground) {
    dump::fill(&ground.url, &[SHOP, "other"], 3).await;
    // More than one transaction's worth.
    let many = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 2500)
                insert into counters select 'kavarna', 'many', 'p', 'n' || i, 1 from n";
    ground.by_hand(many).await.expect("rows");
    let (before, others) = (Dump::of(&ground.url).await, Dump::without(&ground.url, SHOP).await);
    let leaving = Leaving::open(&ground.url, &MerchantId::from(SHOP)).await.expect("it opens");
    assert!(leaving.is_there().await.expect("a look") && leaving.has_programme().await.expect("a look"));
    let revision = ground.store().revision().await.expect("a revision");
    let rows = removed(&leaving).await;
    assert!(ground.store().revision().await.expect("a revision") > revision, "processes look again");
    assert!(!leaving.is_there().await.expect("a look"));
    leaving.close().await;

    let after = Dump::of(&ground.url).await;
    after.says_nothing_of(SHOP);
    others.is(&Dump::without(&ground.url, SHOP).await);
    assert_eq!(rows.len() as u64, before.all() - after.all(), "what is exported is what is removed");
    let attempts = rows.iter().filter(|row| row.table == "attempts").count();
    assert_eq!(attempts, 3, "what belongs to it by another table's row is its own");
    let posting = rows.iter().find(|row| row.table == "postings").expect("postings are exported");
    assert!(posting.row["hash"]["hex"].is_string() && posting.row["amount"].is_i64(), "{posting:?}");
    let refused = ground.by_hand("delete from postings").await.expect_err("the trigger is back");
    assert!(refused.to_string().contains("postings are never"), "{refused}");
}

async fn a_removal_goes_on_where_it_was(ground: &Ground) {
    dump::fill(&ground.url, &[SHOP, "other"], 2).await;
    let leaving = Leaving::open(&ground.url, &MerchantId::from(SHOP)).await.expect("it opens");
    leaving.close_door().await.expect("it is closed");
    leaving.close().await;
    // Whoever did it was killed; what belongs to rows that are gone is gone before them.
    let leaving = Leaving::open(&ground.url, &MerchantId::from(SHOP)).await.expect("it opens");
    assert!(leaving.is_there().await.expect("a look") && !leaving.has_programme().await.expect("a look"));
    leaving.close_door().await.expect("twice is as good as once");
    leaving.remove(&mut quietly).await.expect("it is removed");
    assert_eq!(leaving.remove(&mut quietly).await.expect("twice"), 0);
    leaving.close().await;
    Dump::of(&ground.url).await.says_nothing_of(SHOP);
}

async fn every_table_is_a_merchants_or_everybodys(ground: &Ground) {
    dump::fill(&ground.url, &[SHOP], 1).await;
    let leaving = Leaving::open(&ground.url, &MerchantId::from(SHOP)).await.expect("it opens");
    let mut told: Vec<String> = Vec::new();
    for programme in [true, false] {
        let tell = |row: RemovedRow| {
            told.push(row.table);
            Ok::<_, StoreError>(())
        };
        leaving.export(programme, tell).await.expect("an export");
    }
    leaving.close().await;
    for (table, _) in tables(&ground.url).await {
        assert!(
            told.contains(&table) || EVERYBODYS.contains(&table.as_str()),
            "the table `{table}` has no merchant_id: say in store/whole/merchant.rs by which row it is a merchant's, or here that it \
             is everybody's"
        );
    }
}
