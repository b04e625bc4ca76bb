//! The gateway as an operator has it: the built binary as a process, which can be killed, stopped and started again.

use crate::gateway::Address;
use crate::programme::MERCHANT;
use perkgate_gateway::outbound::{Outbound, Private};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Beyond what anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);
/// SIGKILL, whose number is the same everywhere.
const KILLED: i32 = 9;
/// What cargo sets for the package whose tests it runs (the Cargo book, "Environment variables").
const TESTS_OWN: &[&str] = &[
    "CARGO_BIN_",
    "CARGO_CRATE_NAME",
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_TMPDIR",
];

/// The binary under test. Cargo tells its path to the gateway's own tests only, so it is asked for here, once for the process; that
/// also makes sure that it is the present one.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).args([
            "build",
            "--package",
            "perkgate",
            "--bin",
            "perkgate",
            "--message-format",
            "json",
        ]);
        // What cargo tells the tests about their own package would make it build others again, which look at these.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if TESTS_OWN.iter().any(|own| name.starts_with(own)) {
                build.env_remove(&*name);
            }
        }
        // Where these tests were built, and as they were: target/PROFILE/deps/it-….
        let tests = std::env::current_exe().expect("a path of the tests");
        let folders: Vec<&Path> = tests.ancestors().skip(1).take(3).collect();
        if let [deps, profile, target] = folders.as_slice()
            && deps.ends_with("deps")
            && let Some(name) = profile.file_name().and_then(|name| name.to_str())
        {
            build.args(["--profile", if name == "debug" { "dev" } else { name }]).arg("--target-dir").arg(target);
        }
        let output = build.output().expect("cargo runs");
        assert!(output.status.success(), "the binary is not built: {}", String::from_utf8_lossy(&output.stderr));
        let messages = String::from_utf8(output.stdout).expect("text");
        let mut executables = messages.lines().filter_map(|line| {
            let message: Value = serde_json::from_str(line).ok()?;
            Some(PathBuf::from(message["executable"].as_str()?))
        });
        executables.next_back().expect("cargo says where the binary is")
    })
}

/// A command of it without the surroundings of whoever runs the tests.
fn command() -> Command {
    let mut command = Command::new(binary());
    for name in ["DATABASE", "DATA", "LISTEN", "OPS_LISTEN", "KEY", "LOG", "TRACES", "TRACE_ONE_IN"] {
        command.env_remove(format!("PERKGATE_{name}"));
    }
    command.stdin(Stdio::null());
    command
}

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; -1 if it was ended by a signal.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
    /// Its one JSON document, of a command that did what it should.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("not one document ({error}): {self}"))
    }
    /// It failed and says in one line why; the log's lines before it are no part of that.
    #[track_caller]
    pub fn fails_with_one_sentence(&self, word: &str) {
        assert_eq!(self.code, 1, "{self}");
        let said: Vec<&str> = self.err.lines().filter(|line| !line.contains(" INFO ")).collect();
        let [line] = said.as_slice() else { panic!("one line was expected: {self}") };
        assert!(line.starts_with("perkgate: ") && line.contains(word), "`{word}` is missing: {self}");
        assert!(!self.err.contains("panicked") && !self.err.contains("backtrace"), "{self}");
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {}\n--- out\n{}\n--- err\n{}", self.code, self.out, self.err)
    }
}

/// What served gateways stand on: a database, and a directory with the merchant file, the key and the compiled plugins.
#[derive(Debug)]
pub struct Premises {
    directory: TempDir,
    database: String,
}

impl Premises {
    /// With a merchant file of these pieces (see [`crate::programme`]), on SQLite in the directory or on the database named.
    pub fn on(database: Option<String>, pieces: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let file = |name| directory.path().join(name);
        std::fs::write(file("kavarna.toml"), format!("{MERCHANT}{}", pieces.concat())).expect("a merchant file");
        let database = database.unwrap_or_else(|| format!("sqlite://{}", file("perkgate.db").display()));
        Self { directory, database }
    }
    /// Of the database.
    pub fn url(&self) -> &str {
        &self.database
    }
    /// A file in the directory. SQLite's is `perkgate.db`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
    /// Runs a command on the database to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().expect("the binary runs"))
    }
    /// Starts a command on the database, to be heard on standard error.
    pub fn starts(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary runs")
    }
    /// Starts a command on the database, to be killed in the middle of it; nobody hears what it says.
    pub fn begin(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary runs")
    }
    /// Runs a command that needs no database to its end.
    pub fn run_alone(&self, arguments: &[&str]) -> Ran {
        Ran::of(command().current_dir(self.directory.path()).args(arguments).output().expect("the binary runs"))
    }
    /// Runs `serve`, which is expected to fail at the start; one that serves after all is ended.
    pub fn serve_in_vain(&self) -> Ran {
        let mut serving = self.serving();
        let mut child = serving.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let started = Instant::now();
        while child.try_wait().expect("it can be waited for").is_none() && started.elapsed() < PATIENCE {
            std::thread::sleep(PAUSE);
        }
        // One that ended already cannot be killed.
        let _ = child.kill();
        Ran::of(child.wait_with_output().expect("its words"))
    }
    /// Starts a gateway on a free port and waits until it is ready.
    pub async fn serve(&self) -> Served {
        let mut served = self.start(self.serving());
        served.ready().await;
        served
    }
    /// As [`Premises::serve`], with writes beyond a limit of the system refused rather than fatal: for [`Served::limit_files`].
    pub async fn serve_limitable(&self) -> Served {
        let serving = self.serving();
        let mut shell = Command::new("sh");
        // The signal stays ignored over `exec`; what is left is an error of the write.
        shell.args(["-c", "trap '' XFSZ; exec \"$@\"", "perkgate-tests"]);
        shell.arg(serving.get_program()).args(serving.get_args());
        shell.stdin(Stdio::null()).envs(serving.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let mut served = self.start(shell);
        served.ready().await;
        served
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command();
        command.args(arguments).args(["--database", &self.database, "--data"]).arg(self.directory.path());
        command
    }
    fn serving(&self) -> Command {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]);
        command.arg("--merchant").arg(self.path("kavarna.toml"));
        command
    }
    #[expect(clippy::unused_self, reason = "who is served outlives the server")]
    fn start(&self, command: Command) -> Served {
        let probe = Outbound::new(Private::everything(), Duration::from_secs(5)).expect("an HTTP client");
        let (address, pages) = (Address::default(), Address::default());
        let mut served = Served { command, child: None, address, pages, log: Arc::default(), probe };
        served.spawn();
        served
    }
}

/// A gateway that serves. Started again it has another port, and whoever has its address knows.
#[derive(Debug)]
pub struct Served {
    command: Command,
    child: Option<Child>,
    address: Address,
    pages: Address,
    log: Arc<Mutex<Vec<String>>>,
    probe: Outbound,
}

impl Served {
    pub(crate) fn address(&self) -> Address {
        self.address.clone()
    }
    /// `http://127.0.0.1:…`
    pub fn url(&self) -> String {
        self.address.base()
    }
    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }
    /// What it said so far on standard error, in all its lives.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// Lines of the log that tell of trouble.
    pub fn troubles(&self) -> Vec<String> {
        let trouble = |line: &String| [" WARN ", " ERROR ", "panicked"].iter().any(|word| line.contains(word));
        self.log().into_iter().filter(trouble).collect()
    }

    /// Starts it and does not wait.
    pub fn spawn(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        self.address.is(String::new());
        self.pages.is(String::new());
        let mut child = self.command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the binary runs");
        let lines = BufReader::new(child.stderr.take().expect("its log")).lines();
        let (address, pages, log) = (self.address.clone(), self.pages.clone(), Arc::clone(&self.log));
        // Reads to the end, so that the gateway never waits for somebody to read its log.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some((_, place)) = line.split_once("listening on http://") {
                    address.is(format!("http://{}", place.trim()));
                }
                if let Some((_, place)) = line.split_once("pages are at http://") {
                    pages.is(format!("http://{}", place.trim()));
                }
                log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        self.child = Some(child);
    }

    /// Waits until it says that it is ready.
    pub async fn ready(&mut self) {
        let started = Instant::now();
        while !self.is_ready().await {
            let ended = self.child.as_mut().expect("it was started").try_wait().expect("it can be waited for");
            assert!(ended.is_none() && started.elapsed() < PATIENCE, "it is not ready ({ended:?}): {:#?}", self.log());
            tokio::time::sleep(PAUSE).await;
        }
    }
    /// Whether it says so now.
    pub async fn is_ready(&self) -> bool {
        let base = self.address.base();
        if base.is_empty() {
            return false;
        }
        let answer = self.probe.get(&format!("{base}/readyz"), &[], 1024).await;
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// One of the operator's pages: status and text.
    pub async fn page(&self, path: &str) -> (u16, String) {
        let answer = self.probe.get(&format!("{}{path}", self.pages.base()), &[], 1 << 20).await;
        let answer = answer.expect("the page is answered");
        (answer.status, String::from_utf8(answer.body).expect("a text"))
    }
    /// Purchases it has settled itself in this life.
    pub async fn settled(&self) -> u64 {
        let (_, told) = self.page("/metrics").await;
        let line = "perkgate_settled_total{what=\"purchase\",how=\"settled\"} ";
        told.lines().find_map(|said| said.strip_prefix(line)).map_or(0, |count| count.parse().expect("a number"))
    }

    /// The status of a request that nobody signed.
    pub async fn posts(&self, path: &str) -> u16 {
        let answer = self.probe.post(&format!("{}{path}", self.address.base()), &[], b"{}".to_vec(), 1024).await;
        answer.expect("an answer").status
    }

    /// Ends it in the middle of whatever it does (SIGKILL).
    ///
    /// # Panics
    /// If it had ended by itself.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("it is killed");
        let status = child.wait().expect("it ends");
        assert_eq!(status.signal(), Some(KILLED), "it ended before it was killed ({status}): {:#?}", self.log());
    }

    /// Asks it to end (SIGTERM), which it does well.
    pub async fn stop(&mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.id().to_string()]).status().expect("kill runs");
        assert!(asked.success());
        let status = self.ended().await;
        assert_eq!(status.code(), Some(0), "{status}: {:#?}", self.log());
    }

    async fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        let started = Instant::now();
        loop {
            if let Some(status) = child.try_wait().expect("it can be waited for") {
                return status;
            }
            if started.elapsed() > PATIENCE {
                let _ = child.kill();
                panic!("it does not end: {:#?}", self.log());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Lets no file of it grow beyond so many bytes: to the process that is a full disk. None takes the limit away again.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let limit = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        let limited = Command::new("prlimit")
            .args(["--pid", &self.id().to_string(), &format!("--fsize={limit}:")])
            .status()
            .expect("prlimit runs");
        assert!(limited.success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // For tests that fail in between; one that ended already cannot be killed again.
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
