//! Real servers on loopback, and refusals that never reach one.

use super::*;
use axum::Router;
use axum::http::{HeaderMap as Headers, StatusCode};
use axum::response::Redirect;
use axum::routing::{get, post};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const CAP: usize = 1024;

async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn open() -> Outbound {
    Outbound::new(Private::everything(), Duration::from_secs(5)).unwrap()
}

fn closed() -> Outbound {
    Outbound::new(Private::none(), Duration::from_secs(5)).unwrap()
}

#[tokio::test]
async fn a_request_goes_out_and_its_answer_comes_back() {
    let echo = post(|headers: Headers, body: String| async move {
        let said = format!("{} {} {body}", headers["x-one"].to_str().unwrap(), headers["user-agent"].to_str().unwrap());
        (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "120")], said)
    });
    let address = serve(Router::new().route("/", echo)).await;
    let headers = [("x-one".to_owned(), "1".to_owned())];
    let answer = open().post(&format!("http://{address}/"), &headers, b"hello".to_vec(), CAP).await.unwrap();
    assert_eq!((answer.status, answer.retry_after.as_deref()), (503, Some("120")));
    assert_eq!(answer.body, format!("1 perkgate/{} hello", env!("CARGO_PKG_VERSION")).into_bytes());
    // By name too, so that the resolver is asked.
    let answer = open().get(&format!("http://localhost:{}/", address.port()), &[], CAP).await;
    assert!(answer.is_ok_and(|answer| answer.status == 405));
}

#[tokio::test]
async fn private_addresses_are_refused_before_anything_is_sent() {
    static HITS: AtomicUsize = AtomicUsize::new(0);
    let count = get(|| async { HITS.fetch_add(1, Ordering::SeqCst).to_string() });
    let port = serve(Router::new().route("/", count)).await.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "10.0.0.1",
        "169.254.169.254",
        "[fd00::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "１２７.0.0.1",
    ] {
        let error = closed().get(&format!("https://{host}:{port}/"), &[], CAP).await.unwrap_err();
        assert!(matches!(error, OutboundError::Refused { .. }), "{host}: {error}");
        assert!(!error.is_transient());
        let error = closed().get(&format!("http://{host}:{port}/"), &[], CAP).await.unwrap_err();
        assert!(matches!(error, OutboundError::Plain { .. }), "{host}: {error}");
    }
    for host in ["127.0.0.1", "localhost", "::1", "[::1]"] {
        let error = closed().resolve(host, 25).await.unwrap_err();
        assert!(matches!(error, OutboundError::Refused { .. }), "{host}: {error}");
    }
    assert_eq!(HITS.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_listed_destination_is_one_host_at_one_port_and_no_other() {
    static HITS: AtomicUsize = AtomicUsize::new(0);
    let count = || get(|| async { HITS.fetch_add(1, Ordering::SeqCst).to_string() });
    let listed = serve(Router::new().route("/", count())).await.port();
    let other = serve(Router::new().route("/", count())).await.port();
    let list = Private::one(&format!("localhost:{listed}")).unwrap();
    let outbound = Outbound::new(list, Duration::from_secs(5)).unwrap();
    for url in [format!("http://localhost:{listed}/"), format!("http://LOCALHOST:{listed}/")] {
        assert_eq!(outbound.get(&url, &[], CAP).await.unwrap().status, 200, "{url}");
    }
    assert!(outbound.resolve("localhost", listed).await.is_ok());
    assert_eq!(HITS.load(Ordering::SeqCst), 2);
    // Another port of the host, another name of the machine, and the rest of the operator's network.
    for place in [
        format!("localhost:{other}"),
        format!("127.0.0.1:{listed}"),
        format!("[::1]:{listed}"),
        format!("10.0.0.1:{listed}"),
        "169.254.169.254".to_owned(),
    ] {
        let error = outbound.get(&format!("http://{place}/"), &[], CAP).await.unwrap_err();
        assert!(matches!(error, OutboundError::Plain { .. }), "{place}: {error}");
        let error = outbound.get(&format!("https://{place}/"), &[], CAP).await.unwrap_err();
        assert!(matches!(error, OutboundError::Refused { .. }), "{place}: {error}");
        assert!(error.to_string().contains("--allow-private-destination HOST:PORT"), "{error}");
    }
    assert!(matches!(outbound.resolve("localhost", other).await, Err(OutboundError::Refused { .. })));
    assert!(matches!(outbound.resolve("127.0.0.1", listed).await, Err(OutboundError::Refused { .. })));
    assert_eq!(HITS.load(Ordering::SeqCst), 2, "what is refused is not asked");
}

#[tokio::test]
async fn loopback_is_this_machine_and_nothing_else_private() {
    let address = serve(Router::new().route("/", get(|| async { "here" }))).await;
    let outbound = Outbound::new(Private::loopback(), Duration::from_secs(5)).unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/", address.port());
        assert_eq!(outbound.get(&url, &[], CAP).await.unwrap().body, b"here", "{host}");
        assert!(outbound.resolve(host, 25).await.is_ok());
    }
    for host in
        ["10.0.0.1", "169.254.169.254", "192.168.0.1", "[fd00::1]", "[fe80::1]", "0.0.0.0", "[::ffff:169.254.169.254]"]
    {
        let error = outbound.get(&format!("http://{host}/"), &[], CAP).await.unwrap_err();
        assert!(matches!(error, OutboundError::Plain { .. }), "{host}: {error}");
        let error = outbound.get(&format!("https://{host}/"), &[], CAP).await.unwrap_err();
        assert!(matches!(error, OutboundError::Refused { .. }), "{host}: {error}");
        assert!(matches!(outbound.resolve(host, 25).await, Err(OutboundError::Refused { .. })), "{host}");
    }
}

#[tokio::test]
async fn plain_http_to_a_public_host_is_refused_even_where_private_ones_are_allowed() {
    let error = open().get("http://8.8.8.8/", &[], CAP).await.unwrap_err();
    assert!(matches!(error, OutboundError::Plain { .. }), "{error}");
}

#[tokio::test]
async fn a_private_host_is_resolved_where_that_is_allowed() {
    let addresses = open().resolve("localhost", 2525).await.unwrap();
    assert!(
        !addresses.is_empty() && addresses.iter().all(|address| address.ip().is_loopback() && address.port() == 2525)
    );
    assert_eq!(open().resolve("127.0.0.1", 25).await.unwrap(), ["127.0.0.1:25".parse().unwrap()]);
    assert_eq!(closed().resolve("8.8.8.8", 25).await.unwrap(), ["8.8.8.8:25".parse().unwrap()]);
}

#[tokio::test]
async fn a_name_nobody_has_is_a_transient_error() {
    // Too long a label for any name, so that the system knows without asking anybody.
    let host = format!("{}.invalid", "n".repeat(64));
    let error = open().get(&format!("http://{host}/secret-path"), &[], CAP).await.unwrap_err();
    assert!(matches!(error, OutboundError::Dns { .. }), "{error:?}");
    assert!(error.is_transient() && !error.to_string().contains("secret-path"), "{error}");
    assert!(matches!(open().resolve(&host, 1).await, Err(OutboundError::Dns { .. })));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let target = serve(Router::new().route("/", get(|| async { "secret" }))).await;
    let redirect = get(move || async move { Redirect::temporary(&format!("http://{target}/")) });
    let address = serve(Router::new().route("/", redirect)).await;
    let answer = open().get(&format!("http://{address}/"), &[], CAP).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (307, &b""[..]));
}

#[tokio::test]
async fn a_server_that_takes_its_time_is_given_up() {
    let slow = get(|| async {
        tokio::time::sleep(Duration::from_secs(30)).await;
        "late"
    });
    let address = serve(Router::new().route("/", slow)).await;
    let outbound = Outbound::new(Private::everything(), Duration::from_millis(100)).unwrap();
    let error = outbound.get(&format!("http://{address}/"), &[], CAP).await.unwrap_err();
    assert!(matches!(error, OutboundError::Timeout { .. }) && error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up_too() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc").await.unwrap();
        tokio::time::sleep(Duration::from_secs(30)).await;
    });
    let outbound = Outbound::new(Private::everything(), Duration::from_millis(200)).unwrap();
    let error = outbound.get(&format!("http://{address}/"), &[], CAP).await.unwrap_err();
    assert!(matches!(error, OutboundError::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_may_be_as_long_as_its_cap_and_no_longer() {
    let router = Router::new()
        .route("/full", get(|| async { "x".repeat(CAP) }))
        .route("/over", get(|| async { "x".repeat(CAP + 1) }));
    let address = serve(router).await;
    let answer = open().get(&format!("http://{address}/full"), &[], CAP).await.unwrap();
    assert_eq!(answer.body.len(), CAP);
    let error = open().get(&format!("http://{address}/over"), &[], CAP).await.unwrap_err();
    assert!(matches!(error, OutboundError::TooLarge { status: 200, cap: CAP, .. }), "{error:?}");
}

#[tokio::test]
async fn nobody_there_and_not_http_are_transient() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"220 I speak SMTP\r\n").await.unwrap();
    });
    let error = open().get(&format!("http://{address}/"), &[], CAP).await.unwrap_err();
    assert!(matches!(error, OutboundError::Interrupted { .. }) && error.is_transient(), "{error:?}");

    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = open().get(&format!("http://{free}/"), &[], CAP).await.unwrap_err();
    assert!(matches!(error, OutboundError::Connect { .. }) && error.is_transient(), "{error:?}");
    // A server without TLS behind an https URL.
    let address = serve(Router::new()).await;
    let error = open().get(&format!("https://{address}/"), &[], CAP).await.unwrap_err();
    assert!(matches!(error, OutboundError::Connect { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_no_url_or_header_is_said() {
    for url in ["", "/path", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com", "https://"] {
        assert!(matches!(open().get(url, &[], CAP).await, Err(OutboundError::Url)), "{url}");
    }
    let headers = [("x-a".to_owned(), "secret\r\nx-b: 1".to_owned())];
    let error = open().get("http://127.0.0.1:1/", &headers, CAP).await.unwrap_err();
    assert!(matches!(error, OutboundError::Header { .. }) && !error.to_string().contains("secret"), "{error}");
}
