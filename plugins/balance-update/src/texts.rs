//! What a member is told: the balance, and a sentence each about what is not available yet, the next tier and what expires next, as
//! far as there is anything to say. Amounts stand behind colons, where no language inflects them.

use crate::{Settings, TiersBy};
use perkgate::texts::{Own, Text, counted, date, fill, language, points, purchases};
use perkgate::{Date, Facts, Message, Refusal, money};
use serde::Deserialize;

/// A moment before midnight is still that day; an hour more allows for a clock change until then.
const SURE_MS: i64 = 3_600_001;
const DAY_MS: i64 = 86_400_000;

/// Texts by language. The sentences are parts of `{more}`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OwnTexts {
    message: Own,
    pending: Own<String>,
    progress: Own<String>,
    expiry: Own<String>,
}

/// A sentence that is said only where there is something to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sentence {
    /// Placeholder: {amount}.
    Pending,
    /// Placeholders: {tier}, {missing}.
    Progress,
    /// Placeholders: {date}, {amount}.
    Expiry,
}

impl Sentence {
    fn key(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Progress => "progress",
            Self::Expiry => "expiry",
        }
    }

    fn own(self, texts: &OwnTexts) -> &Own<String> {
        match self {
            Self::Pending => &texts.pending,
            Self::Progress => &texts.progress,
            Self::Expiry => &texts.expiry,
        }
    }

    /// English for languages that have none.
    fn built_in(self, language: &str) -> &'static str {
        match (self, language) {
            (Self::Pending, "cs") => "Zatím čeká na připsání: {amount}.",
            (Self::Pending, "sk") => "Zatiaľ čaká na pripísanie: {amount}.",
            (Self::Pending, "pl") => "Do zaksięgowania: {amount}.",
            (Self::Pending, "de") => "Noch nicht verfügbar: {amount}.",
            (Self::Pending, _) => "Not available yet: {amount}.",
            (Self::Progress, "cs") => "Do úrovně {tier} ještě chybí: {missing}.",
            (Self::Progress, "sk") => "Do úrovne {tier} ešte chýba: {missing}.",
            (Self::Progress, "pl") => "Do poziomu {tier} brakuje jeszcze: {missing}.",
            (Self::Progress, "de") => "Noch bis zur Stufe {tier}: {missing}.",
            (Self::Progress, _) => "Still missing for {tier}: {missing}.",
            (Self::Expiry, "cs") => "Do {date} využijte: {amount}.",
            (Self::Expiry, "sk") => "Do {date} využite: {amount}.",
            (Self::Expiry, "pl") => "Do wykorzystania do {date}: {amount}.",
            (Self::Expiry, "de") => "Bis {date} einzulösen: {amount}.",
            (Self::Expiry, _) => "Use by {date}: {amount}.",
        }
    }
}

/// Subject and text; English for languages that have none. `{more}` is left out where there is nothing more.
fn built_in(language: &str, more: bool) -> Text {
    let (subject, balance) = match language {
        "cs" => ("Váš zůstatek", "Váš zůstatek u nás: {balance}."),
        "sk" => ("Váš zostatok", "Váš zostatok u nás: {balance}."),
        "pl" => ("Twoje saldo", "Twoje saldo u nas: {balance}."),
        "de" => ("Ihr Guthaben", "Ihr Guthaben bei uns: {balance}."),
        _ => ("Your balance", "Your balance with us: {balance}."),
    };
    let text = if more { format!("{balance} {{more}} {{shop}}") } else { format!("{balance} {{shop}}") };
    Text { subject: subject.to_owned(), text }
}

/// So much of a wallet. Points and stamps have words; others have the names the merchant gave them.
fn of_wallet(language: &str, wallet: &str, amount: i64) -> String {
    let stamps = match perkgate::locale::language(language) {
        "cs" => ["razítko", "razítka", "razítek"],
        "sk" => ["pečiatka", "pečiatky", "pečiatok"],
        "pl" => ["pieczątka", "pieczątki", "pieczątek"],
        "de" => ["Stempel", "Stempel", "Stempel"],
        _ => ["stamp", "stamps", "stamps"],
    };
    match wallet {
        "points" => points(language, amount),
        "stamps" => counted(language, amount, stamps),
        wallet => format!("{} {wallet}", money::number(language, amount)),
    }
}

/// What is told: the balance, and the values of the sentences there are.
struct Told<'a> {
    facts: &'a Facts,
    settings: &'a Settings,
    language: &'a str,
}

impl Told<'_> {
    /// What of the wallets is not zero, by the amount that `of` takes from a balance.
    fn wallets(&self, of: impl Fn(perkgate::Balance) -> i64) -> Result<String, Refusal> {
        let member = self.facts.member()?;
        let amounts = self.settings.wallets.iter().map(|wallet| (wallet, of(member.balance(wallet))));
        let told = amounts.filter(|(_, amount)| *amount != 0);
        let told: Vec<String> = told.map(|(wallet, amount)| of_wallet(self.language, wallet, amount)).collect();
        Ok(told.join(", "))
    }

    fn sentence(&self, sentence: Sentence, values: &[(&str, String)]) -> Result<String, Refusal> {
        let own = sentence.own(&self.settings.texts).get(self.language);
        let template = own.map_or_else(|| sentence.built_in(self.language), String::as_str);
        fill(template, sentence.key(), &self.facts.merchant, values)
    }

    fn pending(&self) -> Result<Option<String>, Refusal> {
        let amount = self.wallets(|balance| balance.pending)?;
        (!amount.is_empty()).then(|| self.sentence(Sentence::Pending, &[("amount", amount)])).transpose()
    }

    fn progress(&self) -> Result<Option<String>, Refusal> {
        let next = self.facts.standing.as_ref().and_then(|standing| standing.next.as_ref());
        let Some(next) = next.filter(|next| next.missing > 0) else { return Ok(None) };
        let missing = match self.settings.tiers_by {
            TiersBy::Points => points(self.language, next.missing),
            TiersBy::Spent => money::of_merchant(self.language, next.missing, &self.facts.merchant),
            TiersBy::Visits => purchases(self.language, next.missing),
            TiersBy::Nothing => return Ok(None),
        };
        self.sentence(Sentence::Progress, &[("tier", next.name.clone()), ("missing", missing)]).map(Some)
    }

    /// What of one wallet is lost on the first day something is.
    fn expiry(&self) -> Result<Option<String>, Refusal> {
        let until = self.facts.now.saturating_add(i64::from(self.settings.expiry_days) * DAY_MS);
        let lost = self.facts.coming.iter().filter_map(|coming| {
            let at = coming.expires_at.filter(|at| *at <= until && self.settings.wallets.contains(&coming.wallet))?;
            Some((Date::of_moment(at.saturating_sub(SURE_MS), &self.facts.local), coming))
        });
        let lost: Vec<_> = lost.collect();
        let Some((day, first)) = lost.iter().min_by_key(|(day, _)| *day) else { return Ok(None) };
        let same = lost.iter().filter(|(other, coming)| other == day && coming.wallet == first.wallet);
        let amount = same.fold(0_i64, |sum, (_, coming)| sum.saturating_add(coming.amount));
        let values = [("date", date(self.language, *day)), ("amount", of_wallet(self.language, &first.wallet, amount))];
        self.sentence(Sentence::Expiry, &values).map(Some)
    }
}

/// The message; none if the member has nothing in any of the wallets.
pub(crate) fn message(facts: &Facts, settings: &Settings) -> Result<Option<Message>, Refusal> {
    let language = language(facts, &settings.texts.message);
    let told = Told { facts, settings, language };
    let balance = told.wallets(|balance| balance.available)?;
    let pending = told.pending()?;
    if balance.is_empty() && pending.is_none() {
        return Ok(None);
    }
    let balance = if balance.is_empty() { "0".to_owned() } else { balance };
    let more = [pending, told.progress()?, told.expiry()?].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let own = settings.texts.message.get(language).cloned();
    let text = own.unwrap_or_else(|| built_in(language, !more.is_empty()));
    let values = [("balance", balance), ("more", more)];
    text.message("balance", language, &facts.merchant, &values).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use perkgate::sample;
    use perkgate::texts::LANGUAGES;

    #[test]
    fn every_built_in_text_fills_in() {
        let values = ["balance", "more", "amount", "tier", "missing", "date"].map(|name| (name, format!("<{name}>")));
        for language in LANGUAGES {
            let text = built_in(language, true).filled("balance", &sample::merchant(), &values).expect(language);
            assert!(text.text.contains("<balance>. <more> Kaváreň pri moste"), "{}", text.text);
            assert!(!built_in(language, false).text.contains("{more}"));
            assert!(language == "en" || built_in(language, true) != built_in("en", true), "{language} is translated");
            for (sentence, named) in [
                (Sentence::Pending, &["<amount>"][..]),
                (Sentence::Progress, &["<tier>", "<missing>"]),
                (Sentence::Expiry, &["<date>", "<amount>"]),
            ] {
                let said = fill(sentence.built_in(language), "x", &sample::merchant(), &values).expect(language);
                assert!(named.iter().all(|value| said.contains(value)) && said.ends_with('.'), "{said}");
                assert!(language == "en" || sentence.built_in(language) != sentence.built_in("en"), "{language}");
            }
        }
    }

    #[test]
    fn wallets_have_words() {
        assert_eq!([of_wallet("cs", "stamps", 5), of_wallet("pl", "stamps", 2)], ["5 razítek", "2 pieczątki"]);
        assert_eq!([of_wallet("sk", "stamps", 1), of_wallet("de", "points", -3)], ["1 pečiatka", "-3 Punkte"]);
        assert_eq!(of_wallet("en", "beans", 1250), "1,250 beans");
    }
}
