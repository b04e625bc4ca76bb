//! The four kinds of entry in a merchant file: the merchant, its sources, its plugins, its channels.

use super::caps::caps;
use super::checks;
use super::reading::{At, Section};
use super::rules::{DAYS, Ground};
use super::settings::to_json;
use super::{PluginRef, Wanted};
use perkgate_domain::event::OWN_SOURCE;
use perkgate_domain::ids::{ChannelId, Digest, InstallationId, MerchantId, PartnerId, SourceId};
use perkgate_domain::limits;
use perkgate_domain::manifest::DECISIONS;
use perkgate_domain::programme::{Audience, Channel, ChannelKind, Merchant, Mode, Source, SourceApi};
use perkgate_domain::rules::Rules;
use std::collections::BTreeMap;
use std::path::Path;

pub(super) const MERCHANT_KEYS: &[&str] = &[
    "id",
    "name",
    "currency",
    "timezone",
    "locale",
    "country",
    "url",
    "return_window_days",
    "since",
    "count_earlier",
    "caps",
];
pub(super) const SOURCE_KEYS: &[&str] =
    &["id", "platform", "secrets", "url", "api", "options", "test", "paused", "refund_window_days"];
pub(super) const PLUGIN_KEYS: &[&str] = &["id", "plugin", "partner", "settings", "grants", "caps", "mode"];
pub(super) const CHANNEL_KEYS: &[&str] = &["id", "kind", "for", "url", "secret", "smtp", "from", "to"];
const WEBHOOK_KEYS: &[&str] = &["url", "secret"];
const EMAIL_KEYS: &[&str] = &["smtp", "from", "to"];

/// `[merchant]` without the rules it has, and what rules are read by; no merchant only if something was said.
pub(super) fn merchant(section: &Section<'_>) -> (Option<Merchant>, Ground) {
    let id = section.needed_text("id", "\"my-shop\"");
    let id = id.and_then(|found| section.checked("id", found.line, checks::id(found.value).map(|()| found.value)));
    *section.reading.merchant.borrow_mut() = id.map(str::to_owned);
    let name = section.needed_text("name", "\"My Shop\"").and_then(|found| {
        let fits = !found.value.trim().is_empty() && found.value.len() <= limits::TEXT_BYTES;
        let complaint = format!("must have 1 to {} bytes; write the name customers know", limits::TEXT_BYTES);
        section.checked("name", found.line, fits.then_some(found.value).ok_or(complaint))
    });
    let currency = section.needed_text("currency", "\"EUR\"");
    let currency = currency.and_then(|found| section.checked("currency", found.line, checks::currency(found.value)));
    let timezone = section.needed_text("timezone", "\"Europe/Bratislava\"");
    let timezone = timezone.and_then(|found| section.checked("timezone", found.line, checks::timezone(found.value)));
    let locale = section.needed_text("locale", "\"sk\"");
    let locale = locale
        .and_then(|found| section.checked("locale", found.line, checks::locale(found.value).map(|()| found.value)));
    let country = section.text("country");
    let country = country.and_then(|found| section.checked("country", found.line, checks::country(found.value)));
    let url = section.resolved("url").and_then(|found| {
        section.checked("url", found.line, checks::url(&found.value, &["https", "http"]))?;
        section.checked("url", found.line, checks::entrance(&found.value))
    });
    let ground = Ground::new(currency, timezone.as_deref());
    let read = || {
        Some(Merchant {
            id: MerchantId::new(id?),
            name: name?.to_owned(),
            currency: currency?,
            timezone: timezone?,
            locale: locale?.to_owned(),
            country,
            url,
            rules: Rules::default(),
        })
    };
    (read(), ground)
}

/// `[[sources]]`. A source with something wrong is left out: the file is refused anyway.
pub(super) fn sources(sections: &[Section<'_>]) -> Vec<Source> {
    let mut seen = BTreeMap::new();
    sections.iter().filter_map(|section| source(section, &mut seen)).collect()
}

fn source(section: &Section<'_>, seen: &mut BTreeMap<String, usize>) -> Option<Source> {
    let before = section.reading.count();
    section.need("id", "\"eshop\"");
    let id = own_id(section, seen);
    if id.as_deref() == Some(OWN_SOURCE) {
        // What comes by a source of this name is taken for what people asked for by the API.
        let complaint = format!("is \"{OWN_SOURCE}\", which is the gateway's own; name the source otherwise");
        section.say_of(section.line_of("id"), "id", complaint);
    }
    let platform = section.needed_text("platform", "\"shopify\"").and_then(|found| platform(section, found));
    section.need("secrets", "[\"env:PERKGATE_SECRET_<MERCHANT>_<NAME>\"]");
    let secrets = section.resolved_list("secrets");
    if secrets.is_empty() && section.has("secrets") && section.reading.count() == before {
        section
            .say(section.line, "`secrets` of [[sources]] is empty; give the platform's secret as [\"env:PERKGATE_SECRET_<MERCHANT>_<NAME>\"]");
    }
    let web = |key: &str, section: &Section<'_>| {
        let found = section.resolved(key)?;
        section.checked(key, found.line, checks::url(&found.value, &["https", "http"]).map(|()| found.value))
    };
    let url = web("url", section);
    let api = section.inner("api", &["token", "base"]).and_then(|api| {
        api.need("token", "\"env:PERKGATE_SECRET_<MERCHANT>_<NAME>\"");
        let (token, base) = (api.resolved("token"), web("base", &api));
        Some(SourceApi { token: token?.value, base })
    });
    let options = section.raw_table("options");
    let options = options.map(|found| to_json(found.value, "options", section.reading)).unwrap_or_default();
    let (test, paused) = (section.flag("test"), section.flag("paused"));
    let refund_window_days = section.number("refund_window_days", DAYS);
    let (id, platform) = (SourceId::new(id?), platform?);
    let source = Source { id, platform, secrets, url, api, options, test, paused, refund_window_days };
    if section.reading.count() == before
        && let Err(complaint) = section.reading.surroundings.check_source(&source)
    {
        section.say(section.line, format!("the source \"{}\": {complaint}", source.id));
    }
    Some(source)
}

fn platform(section: &Section<'_>, found: At<&str>) -> Option<String> {
    let platforms = section.reading.surroundings.platforms();
    section.known("platform", found, platforms, "platform")
}

/// The `id` a section was given, well formed and not given before.
fn own_id(section: &Section<'_>, seen: &mut BTreeMap<String, usize>) -> Option<String> {
    let found = section.text("id")?;
    section.checked("id", found.line, checks::id(found.value))?;
    section.first("id", found, seen)?;
    Some(found.value.to_owned())
}

/// The first of `name`, `name-2`, `name-3` … that nobody has, and now taken. Ids that were given count as had wherever
/// they stand in the file, so `seen` holds them all before the first id is made.
fn make_id(name: &str, seen: &mut BTreeMap<String, usize>, line: usize) -> String {
    let mut number = 1_usize;
    loop {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let id = format!("{}{suffix}", &name[..name.len().min(64 - suffix.len())]);
        if !seen.contains_key(&id) {
            seen.insert(id.clone(), line);
            return id;
        }
        number += 1;
    }
}

/// `[[plugins]]`, in the order in which they run.
pub(super) fn plugins(sections: &[Section<'_>]) -> Vec<Wanted> {
    let mut seen = BTreeMap::new();
    let given: Vec<Option<String>> = sections.iter().map(|section| own_id(section, &mut seen)).collect();
    let wanted = sections.iter().zip(given).filter_map(|(section, id)| wanted(section, id, &mut seen));
    wanted.collect()
}

fn wanted(section: &Section<'_>, id: Option<String>, seen: &mut BTreeMap<String, usize>) -> Option<Wanted> {
    let plugin = section.needed_text("plugin", "\"points-per-spend\"").and_then(|found| plugin_ref(section, found));
    let partner = section.text("partner");
    let partner = partner
        .and_then(|found| section.checked("partner", found.line, checks::id(found.value).map(|()| found.value)))
        .map(PartnerId::from);
    let settings = section.raw_table("settings");
    let line = settings.map_or(section.line, |found| found.line);
    let settings = settings.map(|found| to_json(found.value, "settings", section.reading)).unwrap_or_default();
    let settings = serde_json::Value::Object(settings);
    if settings.to_string().len() > limits::SETTINGS_BYTES {
        let most = limits::SETTINGS_BYTES;
        section.say(line, format!("`settings` of [[plugins]] has more than {most} bytes as JSON; make it smaller"));
    }
    let grants = section.list("grants");
    let grants = grants.into_iter().filter_map(|found| section.known("grants", found, DECISIONS, "decision")).collect();
    let caps = caps(section);
    let mode = section.text("mode").map_or(Some(Mode::Live), |found| mode(section, found));
    let (plugin, name) = plugin?;
    let id = id.unwrap_or_else(|| make_id(&name, seen, section.line));
    let id = InstallationId::new(id);
    Some(Wanted { id, plugin, partner, settings, grants, caps, mode: mode?, line: section.line })
}

fn mode(section: &Section<'_>, found: At<&str>) -> Option<Mode> {
    let mode = section.known("mode", found, &["live", "shadow", "paused"], "mode")?;
    Some(match mode.as_str() {
        "shadow" => Mode::Shadow,
        "paused" => Mode::Paused,
        _ => Mode::Live,
    })
}

/// Which component, and what an installation of it is called unless it is given a name.
fn plugin_ref(section: &Section<'_>, found: At<&str>) -> Option<(PluginRef, String)> {
    let text = found.value;
    if let Some(digits) = text.strip_prefix("sha256:") {
        let complaint = "has no digest after `sha256:`; write the 64 hexadecimal digits `perkgate plugin check` prints";
        let digest = section.checked("plugin", found.line, Digest::parse(text).ok_or_else(|| complaint.to_owned()))?;
        return Some((PluginRef::Digest(digest), format!("sha256-{}", digits[..12].to_ascii_lowercase())));
    }
    let path = Path::new(text);
    let is_wasm = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wasm"));
    if is_wasm {
        let name = id_from(&path.file_stem().unwrap_or_default().to_string_lossy());
        let file = section.reading.surroundings.directory().join(path);
        return Some((PluginRef::File(file), name));
    }
    if text.contains(['/', '\\']) {
        section
            .say(found.line, "`plugin` of [[plugins]] is a path that does not end in .wasm; name the built component");
        return None;
    }
    let stock = section.known("plugin", found, section.reading.surroundings.stock(), "stock plugin")?;
    Some((PluginRef::Stock(stock.clone()), stock))
}

/// An id made of a file's name, of which cargo makes `my_rule` even if the package is `my-rule`.
fn id_from(stem: &str) -> String {
    let fitting = |char: char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' };
    let id: String = stem.chars().map(fitting).take(64).collect();
    if id.is_empty() { "plugin".to_owned() } else { id }
}

/// `[[channels]]`.
pub(super) fn channels(sections: &[Section<'_>]) -> Vec<Channel> {
    let mut seen = BTreeMap::new();
    let given: Vec<Option<String>> = sections.iter().map(|section| own_id(section, &mut seen)).collect();
    let channels = sections.iter().zip(given).filter_map(|(section, id)| channel(section, id, &mut seen));
    channels.collect()
}

fn channel(section: &Section<'_>, id: Option<String>, seen: &mut BTreeMap<String, usize>) -> Option<Channel> {
    let found = section.needed_text("kind", "\"webhook\"")?;
    let name = section.known("kind", found, &["webhook", "email"], "kind of channel")?;
    let (own, others) = if name == "webhook" { (WEBHOOK_KEYS, EMAIL_KEYS) } else { (EMAIL_KEYS, WEBHOOK_KEYS) };
    for key in others.iter().filter(|key| section.has(key)) {
        let keys = own.join(", ");
        section
            .say(section.line, format!("`{key}` of [[channels]] means nothing to kind \"{name}\", which has {keys}"));
    }
    let audience = section.text("for").map_or(Some(Audience::Members), |found| {
        let name = section.known("for", found, &["members", "merchant"], "audience")?;
        Some(if name == "merchant" { Audience::Merchant } else { Audience::Members })
    });
    let kind = if name == "webhook" { webhook(section) } else { email(section, audience?) };
    let id = id.unwrap_or_else(|| make_id(&name, seen, section.line));
    Some(Channel { id: ChannelId::new(id), audience: audience?, kind: kind? })
}

fn webhook(section: &Section<'_>) -> Option<ChannelKind> {
    section.need("url", "\"https://example.com/hook\"");
    section.need("secret", "\"env:PERKGATE_SECRET_<MERCHANT>_<NAME>\"");
    let url = section.resolved("url").and_then(|found| {
        section.checked("url", found.line, checks::url(&found.value, &["https", "http"]).map(|()| found.value))
    });
    let secret = section.resolved("secret").and_then(|found| {
        section.checked("secret", found.line, checks::webhook_secret(&found.value).map(|()| found.value))
    });
    Some(ChannelKind::Webhook { url: url?, secret: secret? })
}

fn email(section: &Section<'_>, audience: Audience) -> Option<ChannelKind> {
    section.need("smtp", "\"smtp://localhost:25\"");
    let smtp = section.resolved("smtp").and_then(|found| {
        section.checked("smtp", found.line, checks::url(&found.value, &["smtp", "smtps"]).map(|()| found.value))
    });
    let from = section.needed_text("from", "\"shop@example.com\"").and_then(|found| {
        section.checked("from", found.line, checks::sender(found.value).map(|()| found.value.to_owned()))
    });
    // Mail to members finds their own addresses; mail to the merchant needs one.
    let to = match audience {
        Audience::Merchant => section.needed_text("to", "\"owner@example.com\""),
        Audience::Members => {
            if section.has("to") {
                section.say(
                    section.line,
                    "`to` of [[channels]] is for `for = \"merchant\"`: members have addresses of their own",
                );
            }
            None
        }
    };
    let to = to.and_then(|found| {
        section.checked("to", found.line, checks::sender(found.value).map(|()| found.value.to_owned()))
    });
    if audience == Audience::Merchant && to.is_none() {
        return None;
    }
    Some(ChannelKind::Email { smtp: smtp?, from: from?, to })
}
