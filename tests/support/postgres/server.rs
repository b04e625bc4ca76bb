//! A PostgreSQL server from the installed binaries, in a directory of its own.
//!
//! Statics are not dropped and a test process may end in many ways, so a small shell stands between: it runs the server for as long as
//! the pipe to it is open, then stops the server and removes the directory.

use super::OLDEST;
use crate::wait::until;
use sqlx::{Connection as _, PgConnection};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

/// Does what it is told by lines; when the pipe is closed it cleans up.
const SUPERVISOR: &str = r#"
directory=$1
shift
server=
while read -r word; do
    case $word in
        start) "$@" >>"$directory/log" 2>&1 & server=$!; echo "$server" ;;
        stop) kill -QUIT "$server"; wait "$server"; server=; echo stopped ;;
    esac
done
if [ -n "$server" ]; then
    kill -CONT "$server"
    kill -QUIT "$server"
    wait "$server"
fi
cd /
rm -rf "$directory"
"#;

/// For tests: nothing survives the machine, and a server is small.
const SETTINGS: &[&str] =
    &["listen_addresses=127.0.0.1", "fsync=off", "full_page_writes=off", "max_connections=300", "shared_buffers=32MB"];

/// Ports to listen on. Below those that systems give to outgoing connections: one of them would sooner or later have the port of a
/// server that is stopped for a while.
const PORTS: std::ops::Range<u16> = 20_000..30_000;
/// How often another port is tried.
const TRIES: usize = 5;
/// Longest path of a directory for a socket, whose own path may have 107 bytes.
const SOCKET_DIRECTORY: usize = 80;

/// See the module's head.
#[derive(Debug)]
pub(super) struct Server {
    port: u16,
    directory: PathBuf,
    supervisor: Child,
    /// None while it is dropped.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    postmaster: u32,
    paused: bool,
}

impl Server {
    /// Starts one, or answers None where PostgreSQL is not installed.
    pub(super) async fn start(settings: &[&str]) -> Option<Self> {
        let binaries = binaries()?;
        for _ in 0..TRIES {
            let mut server = Self::prepare(&binaries, free_port(), settings);
            if server.run().await {
                return Some(server);
            }
        }
        panic!("PostgreSQL found no free port in {TRIES} tries");
    }

    /// Makes the directory and the supervisor.
    fn prepare(binaries: &Path, port: u16, settings: &[&str]) -> Self {
        let temporary = std::env::temp_dir();
        let temporary = if temporary.as_os_str().len() > SOCKET_DIRECTORY { PathBuf::from("/tmp") } else { temporary };
        let directory = tempfile::Builder::new().prefix("pk-pg-").tempdir_in(temporary).expect("a directory");
        let user = unprivileged(directory.path());
        if let Some((uid, gid)) = user {
            chown(directory.path(), Some(uid), Some(gid)).expect("the directory is given away");
        }
        let data = directory.path().join("data");
        let made = command(&binaries.join("initdb"), user, directory.path())
            .args(["-A", "trust", "--no-sync", "-U", "perkgate", "--encoding", "UTF8", "--locale", "C", "-D"])
            .arg(&data)
            .stdin(Stdio::null())
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));

        let mut supervisor = command(Path::new("sh"), user, directory.path());
        supervisor.args(["-c", SUPERVISOR, "perkgate-tests"]).arg(directory.path());
        supervisor.arg(binaries.join("postgres")).arg("-D").arg(&data);
        let sockets = format!("unix_socket_directories={}", directory.path().display());
        for setting in SETTINGS.iter().chain([&&*format!("port={port}"), &&*sockets]).chain(settings) {
            supervisor.args(["-c", setting]);
        }
        // A group of its own, so that Ctrl-C at the terminal leaves it time to clean up.
        supervisor.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut supervisor = supervisor.spawn().expect("a shell");
        let orders = supervisor.stdin.take();
        let answers = BufReader::new(supervisor.stdout.take().expect("its answers"));
        // From here on the supervisor removes it.
        let directory = directory.keep();
        Self { port, directory, supervisor, orders, answers, postmaster: 0, paused: false }
    }

    /// Of the database that every server has.
    pub(super) fn url(&self) -> String {
        format!("postgres://perkgate@127.0.0.1:{}/postgres", self.port)
    }

    /// Everything of it is in here.
    #[cfg(test)]
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    fn order(&mut self, word: &str) -> String {
        let orders = self.orders.as_mut().expect("a supervisor");
        orders.write_all(format!("{word}\n").as_bytes()).expect("the supervisor listens");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("the supervisor answers");
        answer.trim().to_owned()
    }

    /// Starts the server and waits until it answers. False if somebody else has the port.
    async fn run(&mut self) -> bool {
        self.postmaster = self.order("start").parse().expect("a process");
        let log = self.directory.join("log");
        let data = self.directory.join("data");
        let url = self.url();
        until("PostgreSQL answers", async || {
            // Only our own server counts: another process's may have the port.
            if let Ok(mut hand) = PgConnection::connect(&url).await {
                let there: Option<String> = sqlx::query_scalar("show data_directory").fetch_one(&mut hand).await.ok();
                return there.map(|there| Path::new(&there) == data);
            }
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let taken = said.contains("could not create any TCP/IP sockets");
            assert!(taken || !said.contains("FATAL:  could not"), "PostgreSQL does not start: {said}");
            taken.then_some(false)
        })
        .await
    }

    pub(super) fn stop(&mut self) {
        self.resume();
        assert_eq!(self.order("stop"), "stopped");
    }

    pub(super) async fn start_again(&mut self) {
        assert!(self.run().await, "somebody took the port of the server that was stopped");
    }

    /// The postmaster first, so that no child is missed.
    pub(super) fn pause(&mut self) {
        self.paused = true;
        signal("STOP", &[self.postmaster]);
        signal("STOP", &children(self.postmaster));
    }

    pub(super) fn resume(&mut self) {
        if std::mem::take(&mut self.paused) {
            signal("CONT", &children(self.postmaster));
            signal("CONT", &[self.postmaster]);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.resume();
        drop(self.orders.take());
        let _ = self.supervisor.wait();
    }
}

/// A command in the directory, by another user if one is named.
fn command(program: &Path, user: Option<(u32, u32)>, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).env("LC_ALL", "C");
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

/// Whom to run it as where we are root, which PostgreSQL refuses: by whose the directory is that we just made.
fn unprivileged(directory: &Path) -> Option<(u32, u32)> {
    let owner = std::fs::metadata(directory).expect("the directory is there").uid();
    if owner != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let find = |name: &str| {
        let mut fields =
            users.lines().map(|line| line.split(':')).find(|fields| fields.clone().next() == Some(name))?;
        Some((fields.nth(2)?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    let found = find("postgres").or_else(|| find("nobody"));
    Some(found.expect("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`"))
}

/// Where `initdb` and `postgres` are: on the path, or where Debian puts them; the newest first.
fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut packaged: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
        })
        .collect();
    packaged.sort_unstable_by(|one, other| other.cmp(one));
    let folders = std::env::split_paths(&path).chain(packaged.into_iter().map(|(_, folder)| folder));
    folders.into_iter().find(|folder| {
        folder.join("initdb").is_file() && version(&folder.join("postgres")).is_some_and(|version| version >= OLDEST)
    })
}

/// From `postgres (PostgreSQL) 15.18 (Debian …)`.
fn version(postgres: &Path) -> Option<u32> {
    let said = Command::new(postgres).arg("--version").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    let number = said.split_whitespace().find(|word| word.starts_with(|char: char| char.is_ascii_digit()))?;
    let digits = number.split(|char: char| !char.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn free_port() -> u16 {
    // Not all test processes begin at the same.
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 9_000).unwrap_or_default();
    let _ = NEXT.compare_exchange(0, PORTS.start + first, Ordering::SeqCst, Ordering::SeqCst);
    let mut ports =
        std::iter::repeat_with(|| NEXT.fetch_add(1, Ordering::SeqCst)).take_while(|port| PORTS.contains(port));
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}

/// Processes whose parent this is.
fn children(parent: u32) -> Vec<u32> {
    let listed = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output().expect("ps runs");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let pairs = listed.lines().filter_map(|line| line.trim().split_once(char::is_whitespace));
    let ours = pairs.filter(|(_, of)| of.trim().parse() == Ok(parent));
    ours.filter_map(|(pid, _)| pid.parse().ok()).collect()
}

/// Sends a signal. Processes that are gone meanwhile do not matter.
fn signal(name: &str, processes: &[u32]) {
    for process in processes {
        let _ = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).stderr(Stdio::null()).status();
    }
    // Signals are delivered at the receiver's own time; a moment is enough for a sleeping one.
    std::thread::sleep(Duration::from_millis(10));
}
