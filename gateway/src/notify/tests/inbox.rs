//! A mail server for the tests: the SMTP of the crate `mailin`, on a port of loopback, a thread for each connection.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailin::response::{AUTH_OK, INVALID_CREDENTIALS, NO_MAILBOX, OK, OUT_OF_SPACE};
use mailin::{Action, AuthMechanism, Handler, Response, SessionBuilder};
use perkgate_domain::programme::ChannelKind;
use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What was received.
#[derive(Clone, Default)]
pub(super) struct Mail {
    pub(super) from: String,
    pub(super) to: String,
    raw: Vec<u8>,
}

/// The server. Knows everybody but `nobody@…`, and has no room for `full@…`.
pub(super) struct Inbox {
    address: SocketAddr,
    mails: Arc<Mutex<Vec<Mail>>>,
    connections: Arc<AtomicUsize>,
}

impl Inbox {
    pub(super) fn open() -> Self {
        Self::listen(false)
    }

    /// Takes mail only from `shop`, whose password is `p@ss`.
    pub(super) fn guarded() -> Self {
        Self::listen(true)
    }

    fn listen(guarded: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let inbox = Self { address, mails: Arc::default(), connections: Arc::default() };
        let (mails, connections) = (inbox.mails.clone(), inbox.connections.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                connections.fetch_add(1, Ordering::SeqCst);
                let handler = Taking { mails: mails.clone(), mail: Mail::default() };
                std::thread::spawn(move || converse(stream, handler, guarded));
            }
        });
        inbox
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
    pub(super) fn channel(&self) -> ChannelKind {
        ChannelKind::Email { smtp: format!("smtp://{}", self.address), from: "kavarna@example.com".into(), to: None }
    }
    pub(super) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn converse(mut stream: TcpStream, handler: Taking, guarded: bool) -> Option<()> {
    let mut builder = SessionBuilder::new("inbox");
    if guarded {
        builder.enable_auth(AuthMechanism::Plain).insecure_enable_plaintext_auth();
    }
    let mut session = builder.build(stream.peer_addr().ok()?.ip(), handler);
    let mut lines = BufReader::new(stream.try_clone().ok()?);
    session.greeting().write_to(&mut stream).ok()?;
    loop {
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        let response = session.process(&line);
        match response.action {
            Action::NoReply => {}
            Action::Reply => response.write_to(&mut stream).ok()?,
            Action::Close | Action::UpgradeTls => return response.write_to(&mut stream).ok(),
        }
    }
}

/// One connection's mail as it comes in.
struct Taking {
    mails: Arc<Mutex<Vec<Mail>>>,
    mail: Mail,
}

impl Handler for Taking {
    fn mail(&mut self, _ip: IpAddr, _domain: &str, from: &str) -> Response {
        self.mail = Mail { from: from.to_owned(), ..Mail::default() };
        OK
    }
    fn rcpt(&mut self, to: &str) -> Response {
        to.clone_into(&mut self.mail.to);
        match to.split('@').next() {
            Some("nobody") => NO_MAILBOX,
            Some("full") => OUT_OF_SPACE,
            _ => OK,
        }
    }
    fn data(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.mail.raw.extend_from_slice(bytes);
        Ok(())
    }
    fn data_end(&mut self) -> Response {
        self.mails.lock().unwrap().push(std::mem::take(&mut self.mail));
        OK
    }
    fn auth_plain(&mut self, _for: &str, user: &str, password: &str) -> Response {
        if (user, password) == ("shop", "p@ss") { AUTH_OK } else { INVALID_CREDENTIALS }
    }
}

impl Mail {
    fn parts(&self) -> (&str, &str) {
        std::str::from_utf8(&self.raw).unwrap().split_once("\r\n\r\n").unwrap()
    }

    /// A header that is on one line, as it was sent.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.parts().0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// A header with its folded lines joined and its encoded words (RFC 2047, base64) read.
    pub(super) fn words(&self, name: &str) -> String {
        let unfolded = self.parts().0.replace("\r\n ", " ");
        let line = unfolded.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap();
        let mut text = String::new();
        let mut encoded_before = false;
        for word in line.split(' ') {
            let inner = word.strip_prefix("=?utf-8?b?").and_then(|rest| rest.strip_suffix("?="));
            // White space between two encoded words is not part of the text.
            let joined = encoded_before && inner.is_some();
            if !joined && !text.is_empty() {
                text.push(' ');
            }
            match inner {
                Some(base64) => text.push_str(std::str::from_utf8(&STANDARD.decode(base64).unwrap()).unwrap()),
                None => text.push_str(word),
            }
            encoded_before = inner.is_some();
        }
        text.replace('"', "")
    }

    /// The body, its transfer encoding undone.
    pub(super) fn text(&self) -> String {
        let body = self.parts().1;
        let plain = match self.header("Content-Transfer-Encoding") {
            Some("base64") => STANDARD.decode(body.split_whitespace().collect::<String>()).unwrap(),
            Some("quoted-printable") => {
                let mut bytes = Vec::new();
                let mut rest = body.trim_end_matches("\r\n").replace("=\r\n", "").into_bytes().into_iter();
                while let Some(byte) = rest.next() {
                    if byte == b'=' {
                        let hex = [rest.next().unwrap(), rest.next().unwrap()];
                        bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
                    } else {
                        bytes.push(byte);
                    }
                }
                bytes
            }
            Some("7bit") => body.trim_end_matches("\r\n").into(),
            other => panic!("{other:?}"),
        };
        String::from_utf8(plain).unwrap().replace("\r\n", "\n")
    }
}
