//! Asking a platform's API for what its webhook left out: the only file of the connectors that touches the network.

use super::FetchRequest;
use crate::outbound::{Outbound, OutboundError};
use std::collections::BTreeMap;

/// The longest answer that is read, bytes: an order of 500 lines with everything a platform says about each is below it.
pub const ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Why a question was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct FetchError {
    /// Whether asking again later may help; if not, somebody has to mend the source first.
    pub transient: bool,
    /// In a sentence, without URL, credentials or body.
    pub detail: String,
}

/// Asks everything, one after the other, and gives the answers by [`FetchRequest::key`]. The first failure ends it: a
/// reading needs all the answers.
pub async fn fetch(outbound: &Outbound, requests: &[FetchRequest]) -> Result<BTreeMap<String, Vec<u8>>, FetchError> {
    let mut answers = BTreeMap::new();
    for request in requests {
        let FetchRequest { key, url, headers } = request;
        let answer = outbound.get(url, headers, ANSWER_BYTES).await.map_err(|error| unanswered(key, &error))?;
        if !(200..300).contains(&answer.status) {
            return Err(refused(key, answer.status));
        }
        answers.insert(key.clone(), answer.body);
    }
    Ok(answers)
}

fn unanswered(key: &str, error: &OutboundError) -> FetchError {
    FetchError { transient: error.is_transient(), detail: format!("asking the platform for `{key}`: {error}") }
}

fn refused(key: &str, status: u16) -> FetchError {
    let (transient, cure) = match status {
        401 | 403 => (false, "check the source's api.token and what it may read"),
        404 | 410 => (
            false,
            "it is not there: check that the source's api.token and api.base are of the account that sent the webhook",
        ),
        300..=399 => (false, "redirects are not followed: check the source's api.base"),
        408 | 425 | 429 | 500..=599 => (true, "it is asked again later"),
        _ => (false, "the platform does not take the question: check the source's api.base"),
    };
    FetchError { transient, detail: format!("asking the platform for `{key}`: it answered {status}; {cure}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::Private;
    use axum::Router;
    use axum::http::{HeaderMap, StatusCode};
    use axum::routing::get;
    use std::time::Duration;

    async fn platform() -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let order =
            get(
                |headers: HeaderMap| async move { format!("order for {}", headers["authorization"].to_str().unwrap()) },
            );
        let status = get(|axum::extract::Path(code): axum::extract::Path<u16>| async move {
            (StatusCode::from_u16(code).unwrap(), "jana@example.com")
        });
        let router = Router::new()
            .route("/order", order)
            .route("/long", get(|| async { vec![b'x'; ANSWER_BYTES + 1] }))
            .route("/status/{code}", status);
        tokio::spawn(async move { axum::serve(listener, router).await });
        base
    }

    fn ask(key: &str, url: String) -> FetchRequest {
        FetchRequest { key: key.into(), url, headers: vec![("authorization".into(), "Bearer t0ken".into())] }
    }

    fn outbound() -> Outbound {
        Outbound::new(Private::everything(), Duration::from_secs(5)).unwrap()
    }

    #[tokio::test]
    async fn answers_come_back_under_their_keys() {
        let base = platform().await;
        let asked = [ask("one", format!("{base}/order")), ask("two", format!("{base}/status/201"))];
        let answers = fetch(&outbound(), &asked).await.unwrap();
        assert_eq!(answers["one"], b"order for Bearer t0ken");
        assert_eq!(answers["two"], b"jana@example.com");
        assert_eq!(fetch(&outbound(), &[]).await.unwrap(), BTreeMap::new());
    }

    #[tokio::test]
    async fn a_refusal_is_permanent_and_trouble_is_transient() {
        let base = platform().await;
        let cases = [
            (400, false),
            (401, false),
            (403, false),
            (404, false),
            (410, false),
            (301, false),
            (408, true),
            (429, true),
            (500, true),
            (502, true),
            (503, true),
        ];
        for (status, transient) in cases {
            let error = fetch(&outbound(), &[ask("order", format!("{base}/status/{status}"))]).await.unwrap_err();
            assert_eq!(error.transient, transient, "{status}");
            let said = error.to_string();
            assert!(said.contains(&status.to_string()) && said.contains("`order`"), "{said}");
            assert!(!said.contains("jana") && !said.contains("t0ken") && !said.contains(&base), "{said}");
        }
    }

    #[tokio::test]
    async fn no_answer_is_transient_and_a_refused_or_endless_one_is_not() {
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        assert!(fetch(&outbound(), &[ask("order", format!("http://{free}/"))]).await.unwrap_err().transient);
        let closed = Outbound::new(Private::none(), Duration::from_secs(5)).unwrap();
        assert!(!fetch(&closed, &[ask("order", format!("https://{free}/"))]).await.unwrap_err().transient);
        let base = platform().await;
        assert!(!fetch(&outbound(), &[ask("order", format!("{base}/long"))]).await.unwrap_err().transient);
    }
}
