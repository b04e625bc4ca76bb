//! Every request that leaves the gateway: webhooks to merchants, questions to platforms, connections to mail servers.
//!
//! Where they go is written by merchants and partners, so none may reach the operator's own network. A name is resolved once,
//! its addresses are vetted by [`address::is_public`], and the connection goes to a vetted address: a name that answers
//! differently a second time gains nothing. No redirect is followed, no proxy is taken from the environment, and time and
//! size are capped.
//!
//! Only `https` to public addresses is possible, unless the operator allows some [`Private`] destinations. Those may be reached
//! by plain `http` too, at their private addresses; plain `http` to a public address is refused always.
//!
//! Certificates are checked against the system's trusted roots (package `ca-certificates`, or the file that `SSL_CERT_FILE`
//! names), so that an operator's own authority is trusted where they trust it.

pub mod address;
mod private;

pub use private::Private;

use address::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, Request, Url};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Sends requests. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Outbound {
    secure: Client,
    plain: Client,
    /// For destinations that the operator lists, by TLS and without.
    listed: Option<(Client, Client)>,
    private: Private,
    timeout: Duration,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code, whatever it is.
    pub status: u16,
    /// The header `Retry-After`, if there is one and it is text.
    pub retry_after: Option<String>,
    /// At most as many bytes as were asked for.
    pub body: Vec<u8>,
}

/// Why there is no answer. Names the host and never more of the URL, whose path may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// No request can be made of this.
    #[error("the URL is not an absolute http or https URL")]
    Url,
    /// A header's name or value is not one.
    #[error("the header `{name}` cannot be sent: its name or value has characters that headers may not have")]
    Header {
        /// The name given.
        name: String,
    },
    /// Plain http, where anybody on the way reads along.
    #[error(
        "plain http to {host} is refused: use https (http is for private hosts that the operator allows with --allow-private-destination)"
    )]
    Plain {
        /// From the URL.
        host: String,
    },
    /// All its addresses are private, loopback, link-local or otherwise not of the public internet.
    #[error(
        "{host} has no public address, and private ones are refused; the operator may allow one with --allow-private-destination HOST:PORT"
    )]
    Refused {
        /// From the URL.
        host: String,
    },
    /// The name has no address, or nobody knows.
    #[error("the name {host} cannot be resolved: {detail}")]
    Dns {
        /// From the URL.
        host: String,
        /// What the resolver said.
        detail: String,
    },
    /// Nobody listens, or TLS could not be agreed on.
    #[error("no connection to {host}: {detail}")]
    Connect {
        /// From the URL.
        host: String,
        /// What the system said.
        detail: String,
    },
    /// The whole took too long.
    #[error("{host} did not answer within {} ms", .after.as_millis())]
    Timeout {
        /// From the URL.
        host: String,
        /// The limit.
        after: Duration,
    },
    /// The answer is longer than was asked for; no more than that was read.
    #[error("{host} answered {status} with more than {cap} bytes")]
    TooLarge {
        /// From the URL.
        host: String,
        /// The status code, which had arrived.
        status: u16,
        /// The limit.
        cap: usize,
    },
    /// The connection was made and then lost, or did not speak HTTP.
    #[error("the connection to {host} was lost: {detail}")]
    Interrupted {
        /// From the URL.
        host: String,
        /// What happened.
        detail: String,
    },
    /// No client can be set up.
    #[error(
        "TLS cannot be set up: {detail}. Install the system's trusted certificates (package ca-certificates), or name a file of them in SSL_CERT_FILE"
    )]
    Setup {
        /// What was missing.
        detail: String,
    },
}

impl OutboundError {
    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Dns { .. } | Self::Connect { .. } | Self::Timeout { .. } | Self::Interrupted { .. } => true,
            Self::Url
            | Self::Header { .. }
            | Self::Plain { .. }
            | Self::Refused { .. }
            | Self::TooLarge { .. }
            | Self::Setup { .. } => false,
        }
    }
}

impl Outbound {
    /// For everybody. `timeout` is for a whole request, from resolving the name to the answer's last byte.
    pub fn new(private: Private, timeout: Duration) -> Result<Self, OutboundError> {
        // The process's TLS provider; if another part of the process chose one first, that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = |policy: Policy| {
            Client::builder()
                .user_agent(concat!("perkgate/", env!("CARGO_PKG_VERSION")))
                .dns_resolver(Arc::new(Resolver { policy }))
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .referer(false)
                .timeout(timeout)
                .pool_idle_timeout(Duration::from_secs(30))
                .pool_max_idle_per_host(4)
                .build()
                .map_err(|error| OutboundError::Setup { detail: cause(&error) })
        };
        let (secure, plain) = Policy::unlisted(&private);
        let listed =
            private.is_listed().then(|| Ok((client(Policy::Any)?, client(Policy::PrivateOnly)?))).transpose()?;
        Ok(Self { secure: client(secure)?, plain: client(plain)?, listed, private, timeout })
    }

    /// GETs. Reads at most `cap` bytes of the answer, more is an error.
    pub async fn get(&self, url: &str, headers: &[(String, String)], cap: usize) -> Result<Answer, OutboundError> {
        self.send(Method::GET, url, headers, None, cap).await
    }

    /// POSTs. Reads at most `cap` bytes of the answer, more is an error (which knows the status).
    pub async fn post(
        &self,
        url: &str,
        headers: &[(String, String)],
        body: Vec<u8>,
        cap: usize,
    ) -> Result<Answer, OutboundError> {
        self.send(Method::POST, url, headers, Some(body), cap).await
    }

    /// The vetted addresses of a host that is to be connected to without HTTP, never none of them.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, OutboundError> {
        let policy = if self.private.lists(host, port) { Policy::Any } else { Policy::unlisted(&self.private).0 };
        let mut addresses = match literal(host) {
            Some(ip) => policy.vet(host, vec![SocketAddr::new(ip, port)])?,
            None => tokio::time::timeout(self.timeout, look_up(host, policy))
                .await
                .map_err(|_| OutboundError::Timeout { host: host.to_owned(), after: self.timeout })??,
        };
        for address in &mut addresses {
            address.set_port(port);
        }
        Ok(addresses)
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(String, String)],
        body: Option<Vec<u8>>,
        cap: usize,
    ) -> Result<Answer, OutboundError> {
        let url: Url = url.parse().map_err(|_| OutboundError::Url)?;
        let host = url.host_str().ok_or(OutboundError::Url)?.to_owned();
        let port = url.port_or_known_default().ok_or(OutboundError::Url)?;
        let listed = self.listed.as_ref().filter(|_| self.private.lists(&host, port));
        let (secure, plain) = Policy::unlisted(&self.private);
        let (client, policy) = match (url.scheme(), listed) {
            ("https", Some((client, _))) => (client, Policy::Any),
            ("https", None) => (&self.secure, secure),
            ("http", Some((_, client))) => (client, Policy::PrivateOnly),
            ("http", None) if plain == Policy::Nothing => return Err(OutboundError::Plain { host }),
            ("http", None) => (&self.plain, plain),
            _ => return Err(OutboundError::Url),
        };
        // A literal address never passes the resolver, so it is vetted here.
        if let Some(ip) = literal(&host) {
            policy.vet(&host, vec![SocketAddr::new(ip, 0)])?;
        }
        let mut request = Request::new(method, url);
        *request.headers_mut() = header_map(headers)?;
        *request.body_mut() = body.map(Into::into);
        let mut response = client.execute(request).await.map_err(|error| self.explain(&host, &error))?;

        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.explain(&host, &error))? {
            if body.len() + chunk.len() > cap {
                return Err(OutboundError::TooLarge { host, status, cap });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, retry_after, body })
    }

    /// What the client's error means. The resolver's refusals come back as sources of it.
    fn explain(&self, host: &str, error: &reqwest::Error) -> OutboundError {
        let mut source = std::error::Error::source(error);
        while let Some(inner) = source {
            match inner.downcast_ref() {
                Some(OutboundError::Refused { host }) => return OutboundError::Refused { host: host.clone() },
                Some(OutboundError::Plain { host }) => return OutboundError::Plain { host: host.clone() },
                Some(OutboundError::Dns { host, detail }) => {
                    return OutboundError::Dns { host: host.clone(), detail: detail.clone() };
                }
                _ => source = inner.source(),
            }
        }
        let host = host.to_owned();
        if error.is_timeout() {
            OutboundError::Timeout { host, after: self.timeout }
        } else if error.is_connect() {
            OutboundError::Connect { host, detail: cause(error) }
        } else {
            OutboundError::Interrupted { host, detail: cause(error) }
        }
    }
}

/// The innermost cause, which says what happened; the outer ones repeat the URL.
fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, OutboundError> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, text) in headers {
        let wrong = || OutboundError::Header { name: name.clone() };
        let mut value = HeaderValue::from_str(text).map_err(|_| wrong())?;
        // Signatures and credentials: not to be shown by anything that prints headers.
        value.set_sensitive(true);
        map.append(HeaderName::try_from(name.as_str()).map_err(|_| wrong())?, value);
    }
    Ok(map)
}

/// The address, if the host is written as one (IPv6 in brackets or not).
fn literal(host: &str) -> Option<IpAddr> {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host).parse().ok()
}

/// Which addresses a client may connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    PublicOnly,
    PublicOrLoopback,
    LoopbackOnly,
    PrivateOnly,
    Any,
    Nothing,
}

impl Policy {
    /// For destinations that are not listed: by TLS, and without.
    fn unlisted(private: &Private) -> (Self, Self) {
        if private.allows_loopback() {
            (Self::PublicOrLoopback, Self::LoopbackOnly)
        } else {
            (Self::PublicOnly, Self::Nothing)
        }
    }
    fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::PublicOnly => is_public(address),
            Self::PublicOrLoopback => is_public(address) || address.is_loopback(),
            Self::LoopbackOnly => address.is_loopback(),
            Self::PrivateOnly => !is_public(address),
            Self::Any => true,
            Self::Nothing => false,
        }
    }
    /// Leaves the addresses that may be connected to; none is an error.
    fn vet(self, host: &str, mut addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, OutboundError> {
        let host = host.to_owned();
        if addresses.is_empty() {
            return Err(OutboundError::Dns { host, detail: "it has no address".into() });
        }
        addresses.retain(|address| self.allows(address.ip()));
        match self {
            _ if !addresses.is_empty() => Ok(addresses),
            Self::PublicOnly | Self::PublicOrLoopback | Self::Any => Err(OutboundError::Refused { host }),
            Self::LoopbackOnly | Self::PrivateOnly | Self::Nothing => Err(OutboundError::Plain { host }),
        }
    }
}

/// Resolves a name by the system, once, and vets what it says. Ports are 0.
async fn look_up(host: &str, policy: Policy) -> Result<Vec<SocketAddr>, OutboundError> {
    let found = tokio::net::lookup_host((host, 0))
        .await
        .map_err(|error| OutboundError::Dns { host: host.to_owned(), detail: error.to_string() })?;
    policy.vet(host, found.collect())
}

/// What the clients ask for addresses: they connect to nothing else, unless the URL has a literal one.
struct Resolver {
    policy: Policy,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy;
        Box::pin(async move {
            let addresses = look_up(name.as_str(), policy).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests;
