//! What the cases stand on: a database with merchants who have the same programme and nothing else in common, one for each case, and
//! a plugin host that all of them share.

use perkgate_domain::ids::MerchantId;
use perkgate_domain::limits::CallLimits;
use perkgate_domain::programme::Source;
use perkgate_gateway::apply;
use perkgate_gateway::clock::SystemClock;
use perkgate_gateway::outbound::{Outbound, Private};
use perkgate_gateway::registry::Registry;
use perkgate_gateway::store::{self, Actor, Schema, Store};
use perkgate_gateway::vault::Vault;
use perkgate_plugin_host::{Compiler, Host, HostConfig};
use perkgate_tests::programme::{MERCHANT, OWN, POINTS};
use perkgate_tests::{Held, NOON, Postgres};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tempfile::TempDir;

/// Merchants, and so cases, of one database. A check of the whole ledger looks at all of them.
pub(super) const MERCHANTS: usize = 50;

/// A card of three stamps.
const CARD: &str = r#"
[[plugins]]
plugin = "stamp-card"
settings = { goal = 3, reward = { key = "free-coffee", title = "Káva zadarmo" } }
grants = ["earn", "reward"]
"#;

/// Which database.
pub(super) enum Engine {
    Sqlite,
    Postgres(&'static Postgres),
}

/// Whose programme a case is about.
#[derive(Clone, Debug)]
pub(super) struct Merchant {
    pub(super) id: MerchantId,
    pub(super) source: Source,
}

/// See the module's head.
pub(super) struct Ground {
    pub(super) store: Arc<dyn Store>,
    pub(super) vault: Arc<Vault>,
    /// Workers share it: all that it remembers is programmes, which do not change here.
    pub(super) registry: Arc<Registry>,
    pub(super) outbound: Outbound,
    pub(super) hand: Hand,
    pub(super) merchants: Vec<Merchant>,
    /// A case went wrong here and its leavings were swept up, so the ledger need not hold.
    pub(super) swept: bool,
    _directory: TempDir,
}

impl Ground {
    pub(super) async fn new(engine: &Engine) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the database");
        let url = match engine {
            Engine::Sqlite => format!("sqlite://{}", directory.path().join("order.db").display()),
            Engine::Postgres(server) => server.fresh_database().await,
        };
        let store = store::open(&url, Schema::Migrate).await.expect("the database opens");
        let vault = Arc::new(Vault::new([7; 32]));
        let text = [MERCHANT, OWN, POINTS, CARD].concat();
        let prepared = apply::prepare_text(&text, "order.toml", directory.path().to_owned(), store.as_ref()).await;
        let mut prepared = prepared.expect("the merchant file is in order");
        let mut merchants = Vec::with_capacity(MERCHANTS);
        for number in 0..MERCHANTS {
            prepared.merchant.id = MerchantId::from(format!("kavarna{number}").as_str());
            apply::apply(&prepared, store.as_ref(), &vault, &Actor::command("anna@till"), NOON)
                .await
                .expect("the merchant file is applied");
            merchants.push(Merchant { id: prepared.merchant.id.clone(), source: prepared.sources()[0].clone() });
        }
        let registry =
            Registry::open(Arc::clone(&store), Arc::clone(&vault), host().clone(), Arc::new(SystemClock)).await;
        let registry = Arc::new(registry.expect("the programmes are read"));
        registry.loaded().await;
        let outbound = Outbound::new(Private::everything(), Duration::from_secs(1)).expect("a client");
        let hand = Hand::open(&url).await;
        Self { store, vault, registry, outbound, hand, merchants, swept: false, _directory: directory }
    }

    /// Checks the ledger of all merchants together.
    pub(super) async fn close(self) -> Result<(), String> {
        let report = self.store.verify(None).await.map_err(|error| error.to_string())?;
        if self.swept || report.holds() {
            Ok(())
        } else {
            Err(format!("the whole ledger does not hold: {:?}", report.problems))
        }
    }
}

/// Compiles each plugin once for the whole test process.
fn host() -> &'static Host {
    static HOST: OnceLock<(Host, TempDir)> = OnceLock::new();
    let (host, _) = HOST.get_or_init(|| {
        let compiled = tempfile::tempdir().expect("a directory for compiled plugins");
        let config = HostConfig {
            limits: CallLimits::default(),
            cache_dir: Some(compiled.path().to_owned()),
            cache_key: [7; 32],
            instances: 8,
            compiler: Compiler::Here,
        };
        (Host::new(config).expect("the plugin host starts"), compiled)
    });
    host
}

/// A connection beside the gateway's, for what no gateway does.
pub(super) enum Hand {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Hand {
    async fn open(url: &str) -> Self {
        if url.starts_with("sqlite") {
            Self::Sqlite(SqliteConnection::connect(url).await.expect("a connection"))
        } else {
            Self::Postgres(PgConnection::connect(url).await.expect("a connection"))
        }
    }

    async fn run(&mut self, statement: String) {
        let statement = sqlx::raw_sql(AssertSqlSafe(statement));
        match self {
            Self::Sqlite(connection) => drop(statement.execute(connection).await.expect("a statement by hand")),
            Self::Postgres(connection) => drop(statement.execute(connection).await.expect("a statement by hand")),
        }
    }

    /// The only value that a statement answers.
    pub(super) async fn number(&mut self, statement: String) -> i64 {
        let number = match self {
            Self::Sqlite(connection) => sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(connection).await,
            Self::Postgres(connection) => sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(connection).await,
        };
        number.expect("a number")
    }

    /// Every lease runs out, as it would with time: nobody here waits for ten seconds.
    pub(super) async fn lapse(&mut self) {
        for table in ["inbox", "waiting"] {
            self.run(format!("update {table} set leased_until = 0 where leased_until > 0")).await;
        }
    }

    /// Nothing waits any more.
    pub(super) async fn sweep(&mut self) {
        for table in ["inbox", "waiting"] {
            self.run(format!("delete from {table}")).await;
        }
    }

    /// The leases of somebody dead run out.
    pub(super) async fn bury(&mut self, held: Held) {
        for (table, id, numbers) in [("inbox", "arrival_id", held.arrivals), ("waiting", "entry_id", held.entries)] {
            let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
            if !numbers.is_empty() {
                self.run(format!("update {table} set leased_until = 0 where {id} in ({})", numbers.join(", "))).await;
            }
        }
    }
}
