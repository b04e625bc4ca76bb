//! The binary under test, run as a process, and a shop's directory for it.

use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The e-shop's signing secret.
pub(crate) const SECRET: &str = "shpss-cli-signing";

const PROGRAMME: &str = r#"
[merchant]
id = "kavarna"
name = "Kavárna U Mosta"
currency = "EUR"
timezone = "Europe/Bratislava"
locale = "sk"

[[sources]]
id = "eshop"
platform = "shopify"
secrets = ["shpss-cli-signing"]

[[plugins]]
plugin = "points-per-spend"
settings = { points = 1, per = "1.00" }
grants = ["earn"]
"#;

/// Beyond what anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// A command without the surroundings of whoever runs the tests.
fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perkgate"));
    for name in ["DATABASE", "DATA", "LISTEN", "OPS_LISTEN", "KEY", "LOG", "SECRETS"] {
        command.env_remove(format!("PERKGATE_{name}"));
    }
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn perkgate(arguments: &[&str]) -> Ran {
    Ran::of(command().args(arguments).output().expect("the binary runs"))
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
    /// Its one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("not one document ({error}): {self}"))
    }
    /// It says on standard error, in one line, why and what to do.
    #[track_caller]
    pub(crate) fn says_one_sentence(&self, word: &str) {
        let lines: Vec<&str> = self.err.lines().collect();
        let [line] = lines.as_slice() else { panic!("one line was expected: {self}") };
        assert!(line.starts_with("perkgate: ") && line.contains(word), "`{word}` is missing: {self}");
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {}\n--- out\n{}\n--- err\n{}", self.code, self.out, self.err)
    }
}

/// A directory with a merchant file and a database.
pub(crate) struct Shop {
    directory: TempDir,
}

impl Shop {
    pub(crate) fn new() -> Self {
        let shop = Self { directory: tempfile::tempdir().expect("a directory") };
        shop.write("kavarna.toml", PROGRAMME);
        shop
    }
    /// With more in its merchant file, beginning within the last plugin's entry.
    pub(crate) fn with(more: &str) -> Self {
        let shop = Self::new();
        shop.write("kavarna.toml", &format!("{PROGRAMME}{more}"));
        shop
    }
    pub(crate) fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).expect("a file");
        path
    }
    pub(crate) fn merchant_file(&self) -> String {
        self.path("kavarna.toml")
    }
    /// A command on the shop's database, of which nobody hears anything: whoever would read hung up before it said a word.
    pub(crate) fn ask_and_hang_up(&self, arguments: &[&str]) -> Option<i32> {
        let mut command = command();
        command.args(arguments).args(["--database", &self.database()]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        drop((child.stdout.take(), child.stderr.take()));
        child.wait().expect("it ends").code()
    }
    /// A command on the shop's database that writes to a disk without room.
    pub(crate) fn ask_without_room(&self, arguments: &[&str]) -> Ran {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
        let mut command = command();
        command.args(arguments).args(["--database", &self.database()]).stdout(full);
        Ran::of(command.stderr(Stdio::piped()).spawn().and_then(Child::wait_with_output).expect("the binary runs"))
    }
    fn database(&self) -> String {
        format!("sqlite://{}", self.path("perkgate.db"))
    }
    /// A command on the shop's database.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Ran {
        let database = self.database();
        perkgate(&[arguments, &["--database", &database]].concat())
    }
    /// As [`Shop::ask`], with variables in its environment.
    pub(crate) fn ask_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let mut command = command();
        command.args(arguments).args(["--database", &self.database()]).envs(environment.iter().copied());
        Ran::of(command.output().expect("the binary runs"))
    }
    /// Starts a gateway on a free port and waits until it listens.
    pub(crate) fn serve(&self) -> Served {
        self.serve_with(&["--merchant", &self.merchant_file()])
    }
    /// As [`Shop::serve`], with other arguments.
    pub(crate) fn serve_with(&self, arguments: &[&str]) -> Served {
        self.start(usize::MAX, arguments)
    }
    /// As [`Shop::serve`], and hangs up on its log as soon as it listens.
    pub(crate) fn serve_unheard(&self) -> Served {
        self.start(1, &["--merchant", &self.merchant_file()])
    }
    /// Reads its log until it said that it listens, and on, if `addresses` is more than one.
    fn start(&self, addresses: usize, arguments: &[&str]) -> Served {
        let mut command = command();
        command.args(["serve", "--listen", "127.0.0.1:0", "--ops-listen", "off", "--database", &self.database()]);
        command.args(arguments);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the binary runs");
        let lines = BufReader::new(child.stderr.take().expect("its log")).lines();
        let (said, listening) = mpsc::channel();
        // Read to the end, so that the gateway never waits for somebody to read its log.
        std::thread::spawn(move || {
            let lines = lines.map_while(Result::ok);
            let told = lines.filter_map(|line| Some(line.split_once("listening on http://")?.1.trim().to_owned()));
            for address in told.take(addresses) {
                let _ = said.send(address);
            }
        });
        let address = listening.recv_timeout(PATIENCE).expect("it says where it listens");
        Served { child, address }
    }
    /// Waits until somebody has so many settled purchases; answers the document about them.
    pub(crate) fn until_settled(&self, key: &str, visits: i64) -> Value {
        self.until(&["member", "--merchant", "kavarna", key, "--json"], |member| member["visits"] == visits)
    }
    /// Asks until the document that is answered is as it should be.
    #[track_caller]
    pub(crate) fn until(&self, arguments: &[&str], as_it_should_be: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let ran = self.ask(arguments);
            if ran.code == 0 && as_it_should_be(&ran.json()) {
                return ran.json();
            }
            assert!(started.elapsed() < PATIENCE, "something else was expected: {ran}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    /// Order ids in the database, as the platform gave them.
    pub(crate) fn orders(&self) -> Vec<String> {
        let url = self.database();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            use sqlx::Connection as _;
            let mut hand = sqlx::SqliteConnection::connect(&url).await.expect("the database opens");
            sqlx::query_scalar(
                "select external_id from entries
                 where kind = 'purchase' and entry_id not in (select entry_id from waiting) order by entry_id",
            )
            .fetch_all(&mut hand)
            .await
            .expect("the entries are read")
        })
    }
}

/// A gateway that serves.
pub(crate) struct Served {
    child: Child,
    address: String,
}

impl Served {
    /// Where the e-shop's webhooks go.
    pub(crate) fn door(&self) -> String {
        format!("http://{}/in/kavarna/eshop", self.address)
    }
    /// Asks it to end (SIGTERM), which it does well.
    pub(crate) fn stops_well(mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill runs");
        assert!(asked.success());
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                break status;
            }
            assert!(started.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(status.code(), Some(0), "{status}");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // For tests that fail in between; one that ended already cannot be killed again.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
