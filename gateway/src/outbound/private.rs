//! The private destinations that the operator allows, each by its host and port. Everything else private stays out of reach: the
//! operator's own network is not the merchants' to ask.

use super::literal;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Which destinations may be reached that are not of the public internet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Private {
    everything: bool,
    loopback: bool,
    listed: BTreeSet<(String, u16)>,
}

impl Private {
    /// None.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }
    /// All of them: for requests of the operator's own hand.
    #[must_use]
    pub fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }
    /// This machine's own addresses (`127.0.0.0/8`, `::1`) at any port.
    #[must_use]
    pub fn loopback() -> Self {
        Self { loopback: true, ..Self::default() }
    }
    /// These as well.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.everything |= other.everything;
        self.loopback |= other.loopback;
        self.listed.extend(other.listed);
        self
    }
    /// One host at one port, written `mail.lan:25`, `10.0.0.5:25` or `[fd00::1]:25`.
    ///
    /// # Errors
    /// A sentence if it is not written so.
    pub fn one(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("\"{text}\" is no host and port; write one such as mail.lan:25, 10.0.0.5:25 or [fd00::1]:25");
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?;
        let named = !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        let address = host.starts_with('[') && host.ends_with(']') && literal(host).is_some();
        if !named && !address {
            return Err(wrong());
        }
        Ok(Self { listed: BTreeSet::from([(spelt(host), port)]), ..Self::default() })
    }
    /// Whether the operator named this very host and port, as the URL names it and whatever it resolves to.
    pub(super) fn lists(&self, host: &str, port: u16) -> bool {
        self.everything || self.listed.contains(&(spelt(host), port))
    }
    /// Whether anything is listed at all.
    pub(super) fn is_listed(&self) -> bool {
        self.everything || !self.listed.is_empty()
    }
    pub(super) fn allows_loopback(&self) -> bool {
        self.loopback
    }
}

impl std::str::FromStr for Private {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::one(text)
    }
}

/// A host in one spelling: addresses as the system writes them, names in lower case and without a dot at the end.
fn spelt(host: &str) -> String {
    match literal(host) {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => address.to_string(),
        None => host.trim_end_matches('.').to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_port_is_listed_however_it_is_spelt() {
        let list = ["Mail.LAN.:25", "10.0.0.5:2525", "[FD00:0::1]:587"]
            .into_iter()
            .map(|text| text.parse().unwrap())
            .fold(Private::none(), Private::and);
        for (host, port) in
            [("mail.lan", 25), ("mail.lan.", 25), ("10.0.0.5", 2525), ("[fd00::1]", 587), ("fd00::1", 587)]
        {
            assert!(list.lists(host, port), "{host}:{port}");
        }
        for (host, port) in [("mail.lan", 26), ("lan", 25), ("10.0.0.5", 25), ("10.0.0.6", 2525), ("127.0.0.1", 25)] {
            assert!(!list.lists(host, port), "{host}:{port}");
        }
        assert!(!list.allows_loopback() && list.is_listed() && !Private::loopback().is_listed());
    }

    #[test]
    fn what_is_no_host_and_port_is_refused() {
        for text in [
            "",
            "mail.lan",
            ":25",
            "mail.lan:",
            "mail.lan:0",
            "mail.lan:99999",
            "fd00::1:25",
            "http://a:80",
            "a/b:25",
            "[x]:25",
            "*:25",
        ] {
            let error = Private::one(text).unwrap_err();
            assert!(error.contains("mail.lan:25"), "{text}: {error}");
        }
    }
}
