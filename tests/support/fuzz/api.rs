//! Requests of somebody with a token: whatever they send, they are answered, and the gateway has no trouble with it.

use crate::gateway::{Ground, TestGateway};
use crate::programme::{COFFEE, OWN, POINTS};
use crate::staff::Staff;
use perkgate_domain::ids::Digest;
use std::fmt::Write as _;
use std::sync::{Mutex, OnceLock, PoisonError};
use tokio::runtime::Runtime;

/// Method and path below the merchant; `*` is told by the input.
const ROUTES: &[(&str, &str)] = &[
    ("POST", "/members"),
    ("PATCH", "/members/email:jana@example.com"),
    ("GET", "/members/*"),
    ("DELETE", "/members/*"),
    ("GET", "/members/*/export"),
    ("POST", "/members/email:jana@example.com/merge"),
    ("POST", "/members/email:jana@example.com/claims"),
    ("POST", "/members/email:jana@example.com/redemptions"),
    ("DELETE", "/members/email:jana@example.com/redemptions/*"),
    ("POST", "/members/email:jana@example.com/coupons"),
    ("GET", "/tasks?state=*"),
    ("POST", "/tasks/*/close"),
];

/// One gateway for the whole process: opening one takes longer than an input.
struct Office {
    runtime: Runtime,
    gateway: TestGateway,
}

fn office() -> &'static Mutex<Office> {
    static OFFICE: OnceLock<Mutex<Office>> = OnceLock::new();
    OFFICE.get_or_init(|| {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let gateway = runtime.block_on(Ground::of(&[OWN, POINTS, COFFEE]).open());
        Mutex::new(Office { runtime, gateway })
    })
}

/// The first byte chooses the route; the rest is the body, and what fills the path.
pub(super) fn api(data: &[u8]) {
    let Some((choice, body)) = data.split_first() else { return };
    let (method, path) = ROUTES[usize::from(*choice) % ROUTES.len()];
    let mut filled = String::new();
    for byte in body.iter().take(200) {
        let _ = write!(filled, "%{byte:02x}");
    }
    let path = format!("/v1/merchants/kavarna{}", path.replace('*', &filled));
    let (key, body) = (Digest::of(data).to_string(), String::from_utf8_lossy(body));
    let office = office().lock().unwrap_or_else(PoisonError::into_inner);
    let staff = Staff::at(&office.gateway);
    let heard = office.runtime.block_on(staff.sends(method, &path, &[("idempotency-key", &key)], &body));
    assert!(heard.status < 500, "{method} {path}: {}", heard.head);
    if heard.status >= 400 {
        assert!(!heard.code().is_empty() && heard.message().len() > 10, "{method} {path}: {}", heard.text);
    } else {
        assert!(!heard.json().is_null() || heard.text.is_empty(), "{method} {path}: {}", heard.text);
    }
}
