//! What the ledger is proved against: postings that nobody can change, and a check that finds whatever else was changed.

use super::data::{SHOP, applying, book, bought, earns, settled, standing};
use super::ground::Ground;
use perkgate_domain::event::Event;
use perkgate_domain::ids::Digest;
use perkgate_domain::limits::CallLimits;
use perkgate_domain::money::Currency;
use perkgate_domain::plan::{DecisionRecord, QueuedEntry};
use perkgate_domain::programme::{Caps, Installation, Merchant, Mode};
use perkgate_domain::rules::Rules;
use perkgate_gateway::decide::Replay;
use perkgate_gateway::store::{InstallationRow, PluginRow, ProgrammeRows};
use perkgate_gateway::vault::Vault;
use perkgate_plugin_host::{Call, Compiler, Host, HostConfig, Plugin};
use perkgate_tests::{Premises, hostile};

on_both! {
    postings_are_never_changed
    a_check_finds_what_was_tampered_with
    a_replay_finds_what_was_tampered_with
    a_replay_finds_what_is_missing
    a_replay_finds_a_decision_that_was_never_made
    the_command_ends_well_only_if_all_holds
}

async fn postings_are_never_changed(ground: &Ground) {
    settled(ground, &[bought(ground, SHOP, "1", "jana").await]).await;
    for statement in ["update postings set amount = 2", "delete from postings"] {
        let error = ground.by_hand(statement).await.expect_err("it is refused");
        assert!(error.to_string().contains("postings are never"), "{statement}: {error}");
    }
    if !ground.is_sqlite() {
        ground.by_hand("truncate postings").await.expect_err("it is refused");
    }
    assert_eq!(ground.number("select amount from postings").await, 1);
}

/// Past the triggers, as somebody with the file or the superuser's password could.
async fn unlock(ground: &Ground) {
    let statements: &[&str] = if ground.is_sqlite() {
        &["drop trigger postings_are_never_updated", "drop trigger postings_are_never_deleted"]
    } else {
        &["drop trigger postings_are_never_changed on postings"]
    };
    for statement in statements {
        ground.by_hand(statement).await.expect("the trigger goes");
    }
}

/// Two merchants with the same plugin, and purchases that it decided on.
struct Shops<'a> {
    ground: &'a Ground,
    host: Host,
    plugin: Plugin,
}

impl<'a> Shops<'a> {
    async fn open(ground: &'a Ground) -> Self {
        let config = HostConfig {
            limits: CallLimits::default(),
            cache_dir: None,
            cache_key: [7; 32],
            instances: 4,
            compiler: Compiler::Here,
        };
        let host = Host::new(config).expect("the plugin host starts");
        let component = hostile("honest-points");
        let plugin = host.load(&component).expect("it loads");
        let row = PluginRow {
            digest: plugin.digest(),
            plugin_id: "honest-points".to_owned(),
            version: "1.0.0".to_owned(),
            component,
        };
        for merchant in [SHOP, "other"] {
            let rows = programme(merchant, plugin.digest());
            ground.store().apply(&rows, std::slice::from_ref(&row), &applying(SHOP)).await.expect("it is applied");
        }
        let shops = Self { ground, host, plugin };
        for (merchant, order, whose) in [(SHOP, "1", "jana"), (SHOP, "2", "tom"), ("other", "1", "eva")] {
            let entry = bought(ground, merchant, order, whose).await;
            let book = book(ground, std::slice::from_ref(&entry)).await;
            let mut settlement = earns(&entry, standing(&book, &entry), 3);
            settlement.decisions = vec![shops.decides(&entry)];
            ground.store().settle(&[settlement], &[]).await.expect("it settles");
        }
        assert_eq!(shops.problems(None).await, Vec::<String>::new());
        unlock(ground).await;
        shops
    }

    /// What the plugin really says: three points for 3.20.
    fn decides(&self, entry: &QueuedEntry) -> DecisionRecord {
        let Event::Purchase(purchase) = &entry.event else { panic!("a purchase") };
        let mut made: DecisionRecord = serde_json::from_value(serde_json::json!({
            "installation": "points", "digest": self.plugin.digest(), "settings_revision": 1,
            "facts": {
                "now": purchase.placed_at,
                "local": {"year": 2026, "month": 6, "day": 1, "hour": 14, "minute": 0, "weekday": 1, "offset_minutes": 120},
                "merchant": {"id": entry.merchant, "name": "K", "currency": "EUR", "locale": "sk", "timezone": "Europe/Bratislava"},
                "member": null, "settings": "{}", "memory": "", "dice": 1
            },
            "outcome": {"decided": []}, "ruling": null, "notes": [], "shadow": false, "fuel": 0, "log": []
        }))
        .expect("a decision record");
        let verdict = self.plugin.decide(Call::Purchase { source: entry.source.as_str(), purchase }, &made.facts);
        (made.outcome, made.fuel, made.log) = (verdict.outcome, verdict.fuel, verdict.log);
        made
    }

    /// What a check of the ledger and a replay of its decisions find.
    async fn problems(&self, merchant: Option<&str>) -> Vec<String> {
        let (store, merchant) = (self.ground.store(), merchant.map(Into::into));
        let mut report = store.verify(merchant.as_ref()).await.expect("the ledger is checked");
        let mut replay = Replay::new(store, &self.host, merchant.as_ref());
        while replay.step(&mut report).await.expect("decisions are read") {}
        let replayed = report.replayed.expect("it was asked for");
        assert_eq!(replayed.passed_over, 0, "nothing failed");
        report.problems
    }

    async fn by_hand(&self, statement: &str) {
        let touched = self.ground.by_hand(statement).await.unwrap_or_else(|error| panic!("{error}: {statement}"));
        assert!(touched > 0, "nothing is there to be touched: {statement}");
    }

    /// Changes one row, looks who says what, and changes it back.
    async fn is_found(&self, tampering: &Tampering) {
        let Tampering { table, key, column, change, says } = tampering;
        let kept = format!("create table kept as select * from {table}");
        self.ground.by_hand(&kept).await.expect("it is kept");
        let (whose, shared) = if *table == "plugins" { ("true", true) } else { ("merchant_id = 'kavarna'", false) };
        let first = format!("{key} = (select min({key}) from kept where {whose})");
        self.by_hand(&format!("update {table} set {column} = {change} where {whose} and {first}")).await;
        for merchant in [None, Some(SHOP)] {
            let found = self.problems(merchant).await.join("\n");
            for words in *says {
                assert!(found.contains(words), "{table}.{column} = {change}: `{words}` is missing in:\n{found}");
            }
        }
        if !shared {
            let found = self.problems(Some("other")).await;
            assert_eq!(found, Vec::<String>::new(), "{table}.{column} = {change}: the others are whole");
        }
        let back = format!("(select k.{column} from kept k where k.{key} = {table}.{key} and {whose})");
        self.by_hand(&format!("update {table} set {column} = {back} where {whose} and {first}")).await;
        self.ground.by_hand("drop table kept").await.expect("it is dropped");
        assert_eq!(self.problems(None).await, Vec::<String>::new(), "{table}.{column} is put back");
    }
}

/// One column of one row of `kavarna`'s, the row with the least `key`.
struct Tampering {
    table: &'static str,
    key: &'static str,
    column: &'static str,
    change: &'static str,
    says: &'static [&'static str],
}

fn programme(merchant: &str, digest: Digest) -> ProgrammeRows {
    let installation = Installation {
        id: "points".into(),
        digest,
        partner: None,
        settings: "{}".to_owned(),
        settings_revision: 0,
        grants: ["earn".to_owned()].into(),
        caps: Caps::default(),
        mode: Mode::Live,
    };
    ProgrammeRows {
        merchant: Merchant {
            id: merchant.into(),
            name: "Kavárna U Mosta".to_owned(),
            currency: Currency::parse("EUR").expect("a currency"),
            timezone: "Europe/Bratislava".to_owned(),
            locale: "sk".to_owned(),
            country: None,
            url: None,
            rules: Rules::default(),
        },
        sources: Vec::new(),
        channels: Vec::new(),
        installations: vec![InstallationRow { installation, plugin_id: "honest-points".to_owned(), enrols: false }],
        file: None,
    }
}

async fn a_check_finds_what_was_tampered_with(ground: &Ground) {
    let shops = Shops::open(ground).await;
    let broken: &[&str] = &["posting 1 of member mem_", "of kavarna does not continue its chain"];
    let blank = if ground.is_sqlite() { "zeroblob(32)" } else { r"'\x00'::bytea" };
    let wallets = r#"replace(wallets, '"available":3', '"available":4')"#;
    for (table, key, column, change, says) in [
        (
            "members",
            "member_id",
            "wallets",
            wallets,
            &["points of member mem_", "of kavarna is 4 available", "make 3 available"][..],
        ),
        ("members", "member_id", "chain", blank, &["the chain of member mem_", "does not end where its postings do"]),
        ("balances", "account", "amount", "amount - 1", &["the balance of merchant/issued in points of kavarna is -7"]),
        ("lots", "lot_id", "reversed", "1", &["of kavarna earned 3 and gave back 1, its postings say 3 and 0"]),
        ("lots", "lot_id", "amount", "amount + 1", &["of kavarna earned 4 and gave back 0"]),
        ("lots", "lot_id", "expired", "1", &["0 points of kavarna have expired, and of its lots 1"]),
        ("postings", "posting_id", "amount", "amount + 1", broken),
        ("postings", "posting_id", "tranche", "'1780315200000'", broken),
        ("postings", "posting_id", "at", "at + 1", broken),
        ("postings", "posting_id", "hash", blank, broken),
    ] {
        shops.is_found(&Tampering { table, key, column, change, says }).await;
    }
    let kept = if ground.is_sqlite() { "" } else { "overriding system value" };
    ground.by_hand("create table kept as select * from postings").await.expect("they are kept");
    shops.by_hand("delete from postings where posting_id = 1").await;
    let found = shops.problems(Some(SHOP)).await.join("\n");
    assert!(found.contains("does not end where its postings do: one is missing"), "{found}");
    assert!(shops.problems(Some("other")).await.is_empty());
    shops.by_hand(&format!("insert into postings {kept} select * from kept where posting_id = 1")).await;
    assert!(shops.problems(None).await.is_empty());
    shops.by_hand("delete from lots where merchant_id = 'kavarna'").await;
    let found = shops.problems(Some(SHOP)).await.join("\n");
    assert!(found.contains("postings of kavarna speak of lot lot_"), "{found}");
    shops.by_hand("delete from postings where merchant_id = 'kavarna'").await;
    assert!(shops.problems(Some(SHOP)).await.len() >= 3, "balances, wallets, chains");
}

async fn a_replay_finds_what_was_tampered_with(ground: &Ground) {
    let shops = Shops::open(ground).await;
    let component = if ground.is_sqlite() { "x'00617364'" } else { r"'\x00617364'::bytea" };
    let decided: &[&str] = &["what was decided on entry 1 of kavarna was changed"];
    for (table, key, column, change, says) in [
        (
            "decisions",
            "entry_id",
            "document",
            r#"replace(document, '"amount":3', '"amount":30')"#,
            &[
                "what was decided on entry 1 of kavarna was changed",
                "`points` on entry 1 of kavarna comes to something else: outcome.decided[0].amount is stored as 30 and is 3",
            ][..],
        ),
        // The plugin does not look at them, so that it says the same.
        ("decisions", "entry_id", "document", r#"replace(document, '"dice":1', '"dice":2')"#, decided),
        ("decisions", "entry_id", "document", r#"replace(document, '"ruling":null', '"ruling":{}')"#, decided),
        (
            "decisions",
            "entry_id",
            "document",
            "'[{'",
            &[
                "what was decided on entry 1 of kavarna was changed",
                "what was decided on entry 1 of kavarna cannot be read",
            ],
        ),
        (
            "decisions",
            "entry_id",
            "document",
            r#"replace(document, '"log":[]', '"log":[{"level":"info","text":"a"}]')"#,
            &["comes to something else: log[0] is stored as {\"level\":\"info\",\"text\":\"a\"} and is null"],
        ),
        (
            "settings",
            "settings_revision",
            "document",
            r#"'{"points":9}'"#,
            &[
                "settings 1 of `points` of kavarna are not what it was told on entry 1: settings.points is stored as 9 and is null",
            ],
        ),
        (
            "entries",
            "entry_id",
            "document",
            r#"replace(document, '"total":320', '"total":990')"#,
            &["entry 1 of kavarna was changed", "outcome.decided[0].amount is stored as 3 and is 9"],
        ),
        (
            "plugins",
            "plugin_id",
            "component",
            component,
            &["the component sha256:", "of `points` on entry 1 of kavarna was changed: its bytes have another digest"],
        ),
    ] {
        shops.is_found(&Tampering { table, key, column, change, says }).await;
    }
}

async fn a_replay_finds_what_is_missing(ground: &Ground) {
    let shops = Shops::open(ground).await;
    shops.by_hand("delete from settings where merchant_id = 'kavarna'").await;
    let found = shops.problems(Some(SHOP)).await;
    // Two decisions were made by them, and that is said once.
    assert_eq!(found, ["settings 1 of `points` of kavarna are missing, and it decided by them on entry 1"]);
    assert!(shops.problems(Some("other")).await.is_empty());
    shops.by_hand("delete from decisions where entry_id = 1").await;
    let found = shops.problems(Some(SHOP)).await.join("\n");
    assert!(
        found.contains("`points` gave something for entry 1 of kavarna, and what was decided on it is missing"),
        "{found}"
    );
    for table in ["installations", "plugins"] {
        shops.by_hand(&format!("delete from {table}")).await;
    }
    let found = shops.problems(Some("other")).await;
    let [only] = found.as_slice() else { panic!("one thing is wrong with it: {found:#?}") };
    assert!(only.contains("of `points` on entry 3 of other is missing"), "{only}");
    shops.by_hand("delete from entries where merchant_id = 'other'").await;
    let found = shops.problems(Some("other")).await.join("\n");
    assert!(found.contains("entry 3 of other is missing, and there are decisions on it"), "{found}");
}

/// Whoever changes a decision may write its digest anew; the plugin still says what it said.
async fn a_replay_finds_a_decision_that_was_never_made(ground: &Ground) {
    let shops = Shops::open(ground).await;
    let entry = bought(ground, SHOP, "3", "jana").await;
    let book = book(ground, std::slice::from_ref(&entry)).await;
    let mut settlement = earns(&entry, standing(&book, &entry), 9);
    let mut forged = shops.decides(&entry);
    let outcome = serde_json::to_string(&forged.outcome).expect("JSON").replace("\"amount\":3", "\"amount\":9");
    forged.outcome = serde_json::from_str(&outcome).expect("an outcome");
    settlement.decisions = vec![forged];
    ground.store().settle(&[settlement], &[]).await.expect("postings, lots and digests are as they should be");
    let found = shops.problems(None).await;
    let wanted = format!(
        "`points` on entry {} of kavarna comes to something else: outcome.decided[0].amount is stored as 9 and is 3",
        entry.id
    );
    assert_eq!(found, [wanted]);
}

async fn the_command_ends_well_only_if_all_holds(ground: &Ground) {
    let shops = Shops::open(ground).await;
    let premises = Premises::on(Some(ground.url.clone()), &[]);
    // Any key will do: nothing in there is sealed in earnest.
    Vault::load(&premises.path(""), None).expect("a key");
    let told = premises.run(&["ledger", "verify", "--replay", "--json"]).json();
    assert_eq!(told["replayed"], serde_json::json!({"entries": 3, "decisions": 3, "passed_over": 0}));
    assert_eq!((&told["holds"], &told["problems"]), (&true.into(), &serde_json::json!([])));
    let change =
        r#"update decisions set document = replace(document, '"fuel":', '"fuel":1') where merchant_id = 'kavarna'"#;
    shops.by_hand(change).await;
    let ran = premises.run(&["ledger", "verify"]);
    assert!(ran.code == 0 && !ran.out.contains("made again"), "decisions are looked at only if asked for: {ran}");
    let ran = premises.run(&["ledger", "verify", "--replay"]);
    ran.fails_with_one_sentence("the ledger does not hold (4 findings)");
    assert!(ran.out.contains("3 decisions made again: THE LEDGER DOES NOT HOLD"), "{ran}");
    assert!(ran.out.contains("`points` on entry 2 of kavarna comes to something else: fuel is stored as 1"), "{ran}");
    let ran = premises.run(&["ledger", "verify", "--replay", "--merchant", "other"]);
    assert!(ran.code == 0 && ran.out.contains("1 decisions made again: every invariant holds"), "{ran}");
}
