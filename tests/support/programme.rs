//! Pieces of merchant files, to be put together as a story needs them.

/// The merchant that every file begins with.
pub const MERCHANT: &str = r#"
[merchant]
id = "kavarna"
name = "Kavárna U Mosta"
currency = "EUR"
timezone = "Europe/Bratislava"
locale = "sk"
country = "SK"
"#;

/// A Shopify store, source `eshop`.
pub const ESHOP: &str = r#"
[[sources]]
id = "eshop"
platform = "shopify"
secrets = ["shpss-kavarna-signing"]
"#;

/// A Square till, source `till`.
pub const TILL: &str = r#"
[[sources]]
id = "till"
platform = "square"
secrets = ["square-kavarna-signing"]
url = "https://perkgate.example/in/kavarna/till"
"#;

/// Stripe, source `pay`.
pub const PAY: &str = r#"
[[sources]]
id = "pay"
platform = "stripe"
secrets = ["whsec_stripe_kavarna_signing"]
"#;

/// A till of the shop's own that speaks Perkgate's format, source `own`.
pub const OWN: &str = r#"
[[sources]]
id = "own"
platform = "standard-webhooks"
secrets = ["whsec_a2F2YXJuYS1vd24tdGlsbC1zaWduaW5nLWtleQ=="]
"#;

/// What [`OWN`] signs with.
pub const OWN_SECRET: &str = "whsec_a2F2YXJuYS1vd24tdGlsbC1zaWduaW5nLWtleQ==";

/// A point per euro.
pub const POINTS: &str = r#"
[[plugins]]
plugin = "points-per-spend"
settings = { points = 1, per = "1.00" }
grants = ["earn"]
"#;

/// A card of two stamps.
pub const STAMPS: &str = r#"
[[plugins]]
plugin = "stamp-card"
settings = { goal = 2, reward = { key = "free-coffee", title = "Káva zadarmo" } }
grants = ["earn", "reward"]
"#;

/// A card of ten stamps, so that rewards come and go without covering everything.
pub const CARD: &str = r#"
[[plugins]]
plugin = "stamp-card"
settings = { goal = 10, reward = { key = "free-coffee", title = "Káva zadarmo" } }
grants = ["earn", "reward"]
"#;

/// The cinema's offer from ten euros.
pub const OFFER: &str = r#"
[[plugins]]
plugin = "partner-offer"
partner = "kino-lumiere"
settings = { key = "kino", title = "Lístok 1+1", text = "Ukážte kód pri pokladni.", minimum = "10.00", valid_days = 30 }
grants = ["offer"]
"#;

/// A coffee for five points, that may be given back for ten minutes.
pub const COFFEE: &str = r#"
[[rewards]]
key = "free-coffee"
title = "Káva zadarmo"
kind = "free-item"
item = "Espresso"
price = { points = 5 }
undo_minutes = 10
"#;

/// A message on the first purchase.
pub const THANKS: &str = r#"
[[plugins]]
plugin = "thank-you"
settings = { first_purchase = true }
grants = ["message"]
"#;

/// The secret of [`webhook`] channels.
pub const CHANNEL_SECRET: &str = "whsec_a2F2YXJuYS1vdXRnb2luZy1zaWduaW5nLWtleQ==";

/// A webhook channel to this address.
#[must_use]
pub fn webhook(url: &str) -> String {
    format!("\n[[channels]]\nkind = \"webhook\"\nurl = \"{url}\"\nsecret = \"{CHANNEL_SECRET}\"\n")
}

/// An e-mail channel by this server (`host:port`).
#[must_use]
pub fn email(server: &str) -> String {
    format!("\n[[channels]]\nkind = \"email\"\nsmtp = \"smtp://{server}\"\nfrom = \"kavarna@example.com\"\n")
}

/// A plugin file beside the merchant file, that may earn.
#[must_use]
pub fn plugin_file(name: &str) -> String {
    format!("\n[[plugins]]\nplugin = \"{name}.wasm\"\ngrants = [\"earn\"]\n")
}
