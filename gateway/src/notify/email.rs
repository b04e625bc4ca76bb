//! A delivery as a mail, handed to the SMTP server that the channel names.
//!
//! `smtps://` is TLS from the first byte, `smtp://` is upgraded by STARTTLS wherever the server offers it; a server with a
//! public address must. Certificates are checked for the host's name against the Mozilla roots built in. The connection goes
//! to an address vetted by [`Outbound::resolve`].

use super::Sent;
use crate::outbound::address::is_public;
use crate::outbound::{Outbound, OutboundError};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message};
use perkgate_domain::delivery::DueDelivery;
use perkgate_domain::time::Moment;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a connection waits for its next mail, milliseconds. Servers hang up after five minutes at the earliest (RFC
/// 5321, section 4.5.3.2).
const IDLE_MS: i64 = 30_000;
/// Connections kept for one server and sender.
const IDLE_CONNECTIONS: usize = 4;

/// Sends mail; keeps connections for the next one.
pub(super) struct Mailer {
    outbound: Outbound,
    timeout: Duration,
    /// By the channel's URL and sender. A connection is in here only while it is between two mails, so one whose sending was
    /// cut short, and on which an answer may still be under way, can never be used again.
    idle: Mutex<HashMap<(String, String), Vec<Idle>>>,
}

struct Idle {
    connection: AsyncSmtpConnection,
    since: Moment,
}

/// A server, as the channel's URL writes it.
pub(super) struct Server {
    implicit_tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
    credentials: Option<Credentials>,
}

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
enum MailError {
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error("{0}")]
    Smtp(#[from] smtp::Error),
    #[error("the mail server offers no STARTTLS, and mail to a public host is not sent unencrypted: use smtps://")]
    Unencrypted,
}

impl Mailer {
    pub(super) fn new(outbound: Outbound, timeout: Duration) -> Self {
        Self { outbound, timeout, idle: Mutex::default() }
    }

    /// One attempt at `now`. `sender` is shown beside the address `from`, if that comes without a name.
    pub(super) async fn send(&self, due: &DueDelivery, sender: &str, url: &str, from: &str, now: Moment) -> Sent {
        let Some(to) = due.contact.email.as_deref() else {
            return Sent::never("the member has no e-mail address");
        };
        let Some(server) = Server::parse(url) else {
            return Sent::never("the channel's smtp is not smtp://host:port or smtps://user:password@host");
        };
        let Some(from) = mailbox(from, Some(sender)) else {
            return Sent::never("the channel's `from` is not an e-mail address");
        };
        let Some(to) = to.parse().ok().map(|address| Mailbox::new(due.contact.name.as_deref().map(one_line), address))
        else {
            return Sent::never("the member's e-mail address is not one that mail can be sent to");
        };
        let Some(mail) = compose(due, &from, to, now) else {
            return Sent::never("no mail can be made of this message");
        };
        let place = (url.to_owned(), from.email.to_string());
        match tokio::time::timeout(self.timeout, self.deliver(&server, &from.email, &mail, &place, now)).await {
            Ok(Ok(status)) => Sent::Taken { status },
            Ok(Err(error)) => judge(&server, &error),
            Err(_) => Sent::again(format!("{} did not answer within {} ms", server.host, self.timeout.as_millis())),
        }
    }

    /// Hangs up where nothing was sent for a while.
    pub(super) fn tidy(&self, now: Moment) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|_, connections| {
            connections.retain(|idle| now.since_ms(idle.since) < IDLE_MS);
            !connections.is_empty()
        });
    }

    async fn deliver(
        &self,
        server: &Server,
        from: &Address,
        mail: &Message,
        place: &(String, String),
        now: Moment,
    ) -> Result<u16, MailError> {
        let mut connection = match self.live_connection(place, now).await {
            Some(connection) => connection,
            None => self.connect(server, from).await?,
        };
        let response = connection.send(mail.envelope(), &mail.formatted()).await?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = idle.entry(place.clone()).or_default();
        if connections.len() < IDLE_CONNECTIONS {
            connections.push(Idle { connection, since: now });
        }
        Ok(response.code().into())
    }

    /// A kept connection whose server still answers.
    async fn live_connection(&self, place: &(String, String), now: Moment) -> Option<AsyncSmtpConnection> {
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).get_mut(place)?.pop()?;
            let mut connection = idle.connection;
            if now.since_ms(idle.since) < IDLE_MS && connection.test_connected().await {
                return Some(connection);
            }
        }
    }

    async fn connect(&self, server: &Server, from: &Address) -> Result<AsyncSmtpConnection, MailError> {
        let addresses = self.outbound.resolve(&server.host, server.port).await?;
        let public = addresses.iter().any(|address| is_public(address.ip()));
        let hello = ClientId::Domain(from.domain().to_owned());
        let tls = TlsParameters::new(server.host.clone())?;
        let implicit = server.implicit_tls.then(|| tls.clone());
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(addresses.as_slice(), Some(self.timeout), &hello, implicit, None)
                .await?;
        if connection.can_starttls() {
            connection.starttls(tls, &hello).await?;
        }
        if !connection.is_encrypted() && public {
            connection.abort().await;
            return Err(MailError::Unencrypted);
        }
        if let Some(credentials) = &server.credentials {
            connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await?;
        }
        Ok(connection)
    }
}

impl Server {
    /// Reads `smtp://host`, `smtps://user:password@host:port`. User and password are percent-encoded; the port is 587, 465
    /// for `smtps`, where none is written.
    pub(super) fn parse(url: &str) -> Option<Self> {
        let url: reqwest::Url = url.parse().ok()?;
        let implicit_tls = match url.scheme() {
            "smtp" => false,
            "smtps" => true,
            _ => return None,
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return None;
        }
        let host = url.host_str().filter(|host| !host.is_empty())?;
        let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host).to_owned();
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => Some(Credentials::new(unescape(user)?, unescape(password.unwrap_or_default())?)),
        };
        Some(Self { implicit_tls, host, port: url.port().unwrap_or(if implicit_tls { 465 } else { 587 }), credentials })
    }
}

/// Undoes percent-encoding.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(tail.get(..2)?).ok()?, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

/// Reads `address` or `Name <address>`; `name` is taken where none is written.
pub(super) fn mailbox(text: &str, name: Option<&str>) -> Option<Mailbox> {
    let mailbox: Mailbox = text.trim().parse().ok()?;
    Some(Mailbox::new(mailbox.name.or(name.map(str::to_owned)).map(|name| one_line(&name)), mailbox.email))
}

/// Without anything that could end a header's line and begin another header.
fn one_line(text: &str) -> String {
    let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The mail. Its id is derived from the delivery's, so that a mail sent twice can be seen to be one.
fn compose(due: &DueDelivery, from: &Mailbox, to: Mailbox, now: Moment) -> Option<Message> {
    let id = format!("<{}@{}>", due.delivery.id, from.email.domain());
    // Mail dates have years of four digits.
    let date = Duration::from_millis(u64::try_from(now.0).unwrap_or(0).min(253_402_300_799_000));
    // RFC 3834: asks out-of-office replies not to answer.
    let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
    Message::builder()
        .message_id(Some(id))
        .date(SystemTime::checked_add(&UNIX_EPOCH, date)?)
        .from(from.clone())
        .to(to)
        .subject(one_line(&due.delivery.message.subject))
        .raw_header(automatic)
        .singlepart(SinglePart::plain(due.delivery.message.text.clone()))
        .ok()
}

/// What an error means: a server's 5xx is final, all else may pass. The server's own words are not kept, since they tend to
/// repeat the address; its codes are.
fn judge(server: &Server, error: &MailError) -> Sent {
    let error = match error {
        MailError::Outbound(error) if error.is_transient() => return Sent::again(error.to_string()),
        MailError::Outbound(error) => return Sent::never(error.to_string()),
        MailError::Unencrypted => return Sent::again(error.to_string()),
        MailError::Smtp(error) => error,
    };
    let host = &server.host;
    let said = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    if let Some(code) = error.status() {
        let status = u16::from(code);
        let text = match enhanced_code(&said) {
            Some(enhanced) => format!("the mail server {host} answered {status} ({enhanced})"),
            None => format!("the mail server {host} answered {status}"),
        };
        if error.is_permanent() {
            return Sent::Never { status: Some(status), error: text };
        }
        return Sent::Again { status: Some(status), error: text, retry_after: None };
    }
    if error.is_client() {
        // lettre's own fixed sentences: no SMTPUTF8 for this address, no common way to log in.
        return Sent::never(format!("the mail server {host} lacks what this mail needs: {said}"));
    }
    if error.is_response() {
        return Sent::again(format!("what listens at {host} does not speak SMTP, or hung up"));
    }
    Sent::again(format!("no connection to the mail server {host}: {said}"))
}

/// The code of RFC 3463 that an answer begins with: `5.1.1`.
fn enhanced_code(said: &str) -> Option<&str> {
    let first = said.split_whitespace().next()?;
    let digits = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_digit());
    (first.split('.').count() == 3 && first.split('.').all(digits)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_read_from_its_url() {
        let server = Server::parse("smtps://us%40er:p%3A%C5%A1@mail.example.com").unwrap();
        assert_eq!((server.implicit_tls, server.host.as_str(), server.port), (true, "mail.example.com", 465));
        assert_eq!(server.credentials, Some(Credentials::new("us@er".into(), "p:š".into())));
        let server = Server::parse("smtp://localhost:2525").unwrap();
        assert_eq!((server.implicit_tls, server.host.as_str(), server.port), (false, "localhost", 2525));
        assert!(server.credentials.is_none());
        assert_eq!(Server::parse("smtp://[::1]/").unwrap().host, "::1");
        assert_eq!(Server::parse("smtp://mail.example.com").unwrap().port, 587);
        for url in [
            "",
            "localhost:25",
            "http://localhost",
            "smtp:",
            "smtp://",
            "smtp://h/path",
            "smtp://h?tls=none",
            "smtp://a%zz@h",
        ] {
            assert!(Server::parse(url).is_none(), "{url}");
        }
    }

    #[test]
    fn a_servers_words_are_not_kept() {
        assert_eq!(enhanced_code("5.1.1 <jana@example.com> unknown"), Some("5.1.1"));
        for said in ["jana@example.com", "", "5.1", "5.1.1.1 x", "4.2.jana x", "1234.1.1"] {
            assert_eq!(enhanced_code(said), None, "{said}");
        }
    }

    #[test]
    fn a_sender_may_bring_a_name() {
        assert_eq!(
            mailbox("a@example.com", Some("Kavárna\r\nBcc: x")).unwrap().name.as_deref(),
            Some("Kavárna Bcc: x")
        );
        assert_eq!(mailbox("Shop <a@example.com>", Some("Kavárna")).unwrap().name.as_deref(), Some("Shop"));
        assert!(mailbox("nobody", None).is_none());
    }
}
