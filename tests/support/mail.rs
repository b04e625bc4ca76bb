//! A mail server on loopback: the SMTP of the crate `mailin`, a thread for each connection.

use mailin::response::{NO_MAILBOX, OK};
use mailin::{Action, Handler, Response, SessionBuilder};
use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// A mail as it came.
#[derive(Clone, Debug, Default)]
pub struct Mail {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipient.
    pub to: String,
    /// Headers and body as they were sent.
    pub raw: String,
}

impl Mail {
    /// A header that stands on one line.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.raw.split("\r\n\r\n").next().unwrap_or_default();
        head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// The server. Knows everybody but `nobody@…`.
#[derive(Clone, Debug)]
pub struct MailServer {
    address: SocketAddr,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl MailServer {
    /// Opens on loopback. Its threads end with the process.
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let server = Self { address: listener.local_addr().expect("an address"), mails: Arc::default() };
        let mails = Arc::clone(&server.mails);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let taking = Taking { mails: Arc::clone(&mails), mail: Mail::default(), bytes: Vec::new() };
                std::thread::spawn(move || converse(stream, taking));
            }
        });
        server
    }
    /// `host:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }
    /// What came so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Ends with the connection, whichever side hangs up.
fn converse(mut stream: TcpStream, taking: Taking) -> std::io::Result<()> {
    let mut session = SessionBuilder::new("inbox").build(stream.peer_addr()?.ip(), taking);
    let mut lines = BufReader::new(stream.try_clone()?);
    session.greeting().write_to(&mut stream)?;
    loop {
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let response = session.process(&line);
        match response.action {
            Action::NoReply => {}
            Action::Reply => response.write_to(&mut stream)?,
            Action::Close | Action::UpgradeTls => return response.write_to(&mut stream),
        }
    }
}

/// One connection's mail while it comes in.
struct Taking {
    mails: Arc<Mutex<Vec<Mail>>>,
    mail: Mail,
    bytes: Vec<u8>,
}

impl Handler for Taking {
    fn mail(&mut self, _ip: IpAddr, _domain: &str, from: &str) -> Response {
        self.mail = Mail { from: from.to_owned(), ..Mail::default() };
        self.bytes.clear();
        OK
    }
    fn rcpt(&mut self, to: &str) -> Response {
        to.clone_into(&mut self.mail.to);
        if to.starts_with("nobody@") { NO_MAILBOX } else { OK }
    }
    fn data(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
    fn data_end(&mut self) -> Response {
        self.mail.raw = String::from_utf8_lossy(&self.bytes).into_owned();
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).push(std::mem::take(&mut self.mail));
        OK
    }
}
