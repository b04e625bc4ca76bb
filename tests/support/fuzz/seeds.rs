//! Good inputs: sales in every platform's shape, the format's own examples, merchant files, the stock's schemas, hostile components.
//! Where payloads collected from the platforms' documentation lie beside the repository, those as well.

use super::BETWEEN;
use crate::hostile::hostile;
use crate::programme::{COFFEE, ESHOP, MERCHANT, OFFER, OWN, PAY, POINTS, STAMPS, THANKS, TILL, webhook};
use crate::sales::{self, Sale};
use perkgate_gateway::connectors::standard;
use serde_json::Value;
use std::path::{Path, PathBuf};

type Seeds = Vec<Vec<u8>>;

fn sale() -> Sale {
    Sale::new(1_001, &[("Flat white", 2, 320), ("Medovník", 1, 490)]).by("jana@example.com").phone("+421905123456")
}

/// A path from the repository's root.
fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn with(choice: u8, body: impl AsRef<[u8]>) -> Vec<u8> {
    [&[choice][..], body.as_ref()].concat()
}

fn answered(choice: u8, body: impl AsRef<[u8]>, answer: impl AsRef<[u8]>) -> Vec<u8> {
    [&with(choice, body)[..], BETWEEN, answer.as_ref()].concat()
}

/// Collected payloads of a platform, under every topic there may be.
fn collected(platform: &str, topics: u8) -> Seeds {
    let Ok(folder) = std::fs::read_dir(here("../shared/payloads")) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = folder.filter_map(|file| Some(file.ok()?.path())).collect();
    paths.sort();
    let ours = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(platform) && path.extension().is_some_and(|end| end == "json")
    };
    let bodies = paths.into_iter().filter(ours).filter_map(|path| std::fs::read_to_string(path).ok());
    bodies.flat_map(|body| (0..topics).map(move |topic| with(topic, body.replace("voided", "paid")))).collect()
}

fn all(own: Seeds, collected: Seeds) -> Seeds {
    own.into_iter().chain(collected).collect()
}

pub(super) fn generic() -> Seeds {
    vec![
        with(0, r#"{"id":"1","total":"1.00","at":1772366400}"#),
        with(0, r#"{"id":17,"total":12.5,"at":"2026-03-01T10:00:00Z"}"#),
    ]
}

pub(super) fn shopify() -> Seeds {
    let (sale, refund) = (sales::shopify(&sale()), sales::shopify_refund(1, &sale(), &[(0, 1)]));
    let own = vec![with(0, sale), with(3, sales::shopify_cancelled(&self::sale())), with(4, refund)];
    all(own, collected("shopify", 6))
}

pub(super) fn square() -> Seeds {
    all(vec![answered(0, sales::square(&sale()), sales::square_order(&sale()))], collected("square", 1))
}

pub(super) fn standard() -> Seeds {
    let schema: Value = serde_json::from_str(standard::SCHEMA).unwrap_or_default();
    let examples = schema["examples"].as_array().cloned().unwrap_or_default();
    let own = vec![with(0, sales::standard(&sale())), with(0, sales::standard_refund(1, &sale(), &[(0, 1)]))];
    all(own, examples.iter().map(|example| with(0, example.to_string())).collect())
}

pub(super) fn stripe() -> Seeds {
    let lines = r#"{"object":"list","data":[{"id":"li_1","description":"Káva","amount_total":1130,"quantity":1}],"has_more":false}"#;
    all(vec![answered(0, sales::stripe(&sale()), lines)], collected("stripe", 1))
}

pub(super) fn woocommerce() -> Seeds {
    let order = r#"{"id":727,"number":"727","status":"completed","currency":"EUR","date_paid_gmt":"2026-03-01T10:00:00",
        "date_created_gmt":"2026-03-01T09:58:00","total":"29.35","total_tax":"1.35","prices_include_tax":false,"customer_id":26,
        "billing":{"email":"jana@example.com","phone":"0905 123 456","first_name":"Jana","last_name":"N","country":"SK"},
        "line_items":[{"id":315,"name":"Káva","quantity":2,"subtotal":"12.00","total":"12.00","total_tax":"0.90","sku":"K"}],
        "shipping_lines":[{"id":317,"method_title":"Kuriér","total":"10.00","total_tax":"0.00"}],"fee_lines":[],"refunds":[]}"#;
    let refunded = order.replace(r#""refunds":[]"#, r#""refunds":[{"id":9,"reason":"","total":"-6.00"}]"#);
    let refund = r#"[{"id":9,"date_created_gmt":"2026-03-02T10:00:00","amount":"6.00","line_items":[
        {"id":318,"quantity":-1,"total":"-6.00","meta_data":[{"key":"_refunded_item_id","value":"315"}]}]}]"#;
    all(vec![with(0, order), answered(1, refunded, refund)], collected("woocommerce", 3))
}

pub(super) fn headers() -> Seeds {
    let lines = "x-till-signature:aGVsbG8=\nx-shopify-hmac-sha256:aGVsbG8=\nx-shopify-topic:orders/paid\nx-shopify-webhook-id:1\n\
                 x-square-hmacsha256-signature:aGVsbG8=\nwebhook-id:1\nwebhook-timestamp:1772366400\nwebhook-signature:v1,aGVsbG8=\n\
                 stripe-signature:t=1772366400,v1=00ff\nx-wc-webhook-signature:aGVsbG8=\nx-wc-webhook-topic:order.updated\n\
                 x-wc-webhook-delivery-id:1\ncontent-type:application/json";
    (0..6)
        .map(|platform| answered(platform, lines, r#"{"id":"1","total":"1.00","type":"purchase","at":1772366400}"#))
        .collect()
}

pub(super) fn merchant_files() -> Seeds {
    let tiers = "\n[tiers]\nby = \"spend\"\nwindow = \"rolling\"\ndays = 365\nlevels = [{ name = \"gold\", at = \"100.00\", \
                 multiplier = \"1.5\" }]\n\n[wallets.points]\nmatures = { days = 14 }\nexpires = { days = 365, round = \"month\" }\n";
    let channel = webhook("https://example.com/hook");
    [
        &[ESHOP, TILL, PAY, OWN, POINTS][..],
        &[OWN, STAMPS, OFFER, COFFEE, THANKS],
        &[tiers, ESHOP, POINTS, &channel],
        &[],
    ]
    .iter()
    .map(|pieces| format!("{MERCHANT}{}", pieces.concat()).into_bytes())
    .collect()
}

pub(super) fn settings() -> Seeds {
    let mut schemas: Vec<PathBuf> = std::fs::read_dir(here("plugins"))
        .map(|folder| folder.filter_map(|plugin| Some(plugin.ok()?.path().join("settings.schema.json"))).collect())
        .unwrap_or_default();
    schemas.sort();
    let own = schemas.into_iter().filter_map(|path| std::fs::read(path).ok());
    let settings = r#"{"points":1,"per":"1.00","goal":10,"reward":{"key":"k","title":"t"}}"#;
    let mut seeds: Seeds = own.map(|schema| [&schema[..], BETWEEN, settings.as_bytes()].concat()).collect();
    let nested = r##"{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"},{"$ref":"#/$defs/b"}]},"b":{"type":"integer"}},"$ref":"#/$defs/a"}"##;
    seeds.push([nested.as_bytes(), BETWEEN, b"7"].concat());
    seeds
}

pub(super) fn components() -> Seeds {
    ["honest-points", "honest-wakes", "loop", "start-trap", "realloc-loop", "foreign-import", "table-bomb"]
        .map(hostile)
        .to_vec()
}

pub(super) fn api() -> Seeds {
    let bodies = [
        r#"{"email":"jana@example.com","name":"Jana","locale":"sk","consent":true,"birthday":"02-29"}"#,
        r#"{"phone":"+421905123456","card":"C-4711","referrer":"ABCDEF"}"#,
        "email:jana@example.com",
        "id:mem_00000000000000000000000000",
        "phone:0905 123 456",
        r#"{"other":"email:jana@example.com"}"#,
        r#"{"source":"own","order":"1001"}"#,
        r#"{"reward":"free-coffee"}"#,
        "rwd_1",
        r#"{"reward":"free-coffee"}"#,
        "open",
        "tsk_1",
    ];
    (0..).zip(bodies).map(|(route, body)| with(route, body)).collect()
}
