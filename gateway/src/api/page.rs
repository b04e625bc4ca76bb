//! The page on which a member answers a question: a form, a word of thanks, or that it is over. No scripts and nothing from elsewhere;
//! everything that is not written here is escaped.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use perkgate_domain::event::Scale;
use perkgate_domain::ids::Digest;
use std::fmt::Write as _;
use std::sync::LazyLock;

/// Characters of an answer's text: each takes four bytes at most, so that it fits in `ANSWER_BYTES`.
const TEXT_CHARS: usize = 500;

const STYLE: &str = "body{margin:0;font:1rem/1.5 system-ui,sans-serif;color:#222;background:#f6f5f2}\
main{max-width:34rem;margin:3rem auto;padding:1.5rem}fieldset{border:0;margin:0;padding:0}legend{padding:0;font-size:1.2rem}\
.scores{display:flex;flex-wrap:wrap;gap:.5rem;margin:1rem 0 .25rem}.scores label{flex:1 0 2.2rem;text-align:center;\
background:#fff;border:1px solid #bbb;border-radius:.4rem;padding:.5rem .25rem}.ends{display:flex;justify-content:space-between;\
color:#555;font-size:.875rem;margin:0 0 1rem}textarea{box-sizing:border-box;width:100%;font:inherit;padding:.5rem}\
button{margin-top:1rem;font:inherit;padding:.6rem 1.4rem}";

/// Nothing may be loaded, and nobody may put the page into theirs; the style is the one above.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = STANDARD.encode(Digest::of(STYLE.as_bytes()).as_bytes());
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// What is written on the page in one language. `{shop}` is the merchant's name.
struct Words {
    language: &'static str,
    nps: &'static str,
    nps_ends: [&'static str; 2],
    csat: &'static str,
    csat_ends: [&'static str; 2],
    text: &'static str,
    send: &'static str,
    choose: &'static str,
    thanks: &'static str,
    over: &'static str,
    unknown: &'static str,
    busy: &'static str,
}

/// The first is for everybody whose language is not here.
const LANGUAGES: [Words; 5] = [
    Words {
        language: "en",
        nps: "How likely are you to recommend {shop} to a friend?",
        nps_ends: ["Not at all", "Certainly"],
        csat: "How content were you with {shop}?",
        csat_ends: ["Not at all", "Very"],
        text: "What should we know? (You may leave this empty.)",
        send: "Send",
        choose: "Please choose a number.",
        thanks: "Thank you for your answer!",
        over: "This question cannot be answered any more.",
        unknown: "There is no such question. Is the link complete?",
        busy: "Your answer could not be taken just now. Please try again in a moment.",
    },
    Words {
        language: "sk",
        nps: "Nakoľko je pravdepodobné, že odporučíte {shop} svojim známym?",
        nps_ends: ["Vôbec", "Určite"],
        csat: "Ako ste boli spokojní: {shop}?",
        csat_ends: ["Vôbec", "Veľmi"],
        text: "Čo by sme mali vedieť? (Nepovinné.)",
        send: "Odoslať",
        choose: "Vyberte, prosím, číslo.",
        thanks: "Ďakujeme za vašu odpoveď!",
        over: "Na túto otázku sa už nedá odpovedať.",
        unknown: "Takáto otázka neexistuje. Je odkaz celý?",
        busy: "Vašu odpoveď sa teraz nepodarilo prijať. Skúste to, prosím, o chvíľu.",
    },
    Words {
        language: "cs",
        nps: "Jak pravděpodobné je, že doporučíte {shop} svým známým?",
        nps_ends: ["Vůbec", "Určitě"],
        csat: "Jak jste byli spokojeni: {shop}?",
        csat_ends: ["Vůbec", "Velmi"],
        text: "Co bychom měli vědět? (Nepovinné.)",
        send: "Odeslat",
        choose: "Vyberte prosím číslo.",
        thanks: "Děkujeme za vaši odpověď!",
        over: "Na tuto otázku už nelze odpovědět.",
        unknown: "Taková otázka neexistuje. Je odkaz celý?",
        busy: "Vaši odpověď se teď nepodařilo přijmout. Zkuste to prosím za chvíli.",
    },
    Words {
        language: "pl",
        nps: "Na ile prawdopodobne jest, że polecisz {shop} znajomym?",
        nps_ends: ["Wcale", "Na pewno"],
        csat: "Jak oceniasz {shop}?",
        csat_ends: ["Bardzo źle", "Bardzo dobrze"],
        text: "Co powinniśmy wiedzieć? (Nieobowiązkowe.)",
        send: "Wyślij",
        choose: "Proszę wybrać liczbę.",
        thanks: "Dziękujemy za odpowiedź!",
        over: "Na to pytanie nie można już odpowiedzieć.",
        unknown: "Nie ma takiego pytania. Czy link jest kompletny?",
        busy: "Nie udało się teraz przyjąć odpowiedzi. Prosimy spróbować za chwilę.",
    },
    Words {
        language: "de",
        nps: "Wie wahrscheinlich ist es, dass Sie {shop} weiterempfehlen?",
        nps_ends: ["Gar nicht", "Ganz sicher"],
        csat: "Wie zufrieden waren Sie mit {shop}?",
        csat_ends: ["Gar nicht", "Sehr"],
        text: "Was sollten wir wissen? (Freiwillig.)",
        send: "Absenden",
        choose: "Bitte wählen Sie eine Zahl.",
        thanks: "Vielen Dank für Ihre Antwort!",
        over: "Diese Frage kann nicht mehr beantwortet werden.",
        unknown: "Diese Frage gibt es nicht. Ist der Link vollständig?",
        busy: "Ihre Antwort konnte gerade nicht angenommen werden. Bitte versuchen Sie es gleich noch einmal.",
    },
];

fn words(locale: &str) -> &'static Words {
    let language = locale.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    LANGUAGES.iter().find(|words| words.language == language).unwrap_or(&LANGUAGES[0])
}

/// What the page says instead of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Answered, now or before.
    Thanks,
    /// Too late.
    Over,
    /// No such question.
    Unknown,
    /// Our fault.
    Busy,
}

/// A page with one sentence, in the language of `locale`.
pub(super) fn says(word: Word, locale: &str) -> Response<Body> {
    let words = words(locale);
    let (status, sentence) = match word {
        Word::Thanks => (200, words.thanks),
        Word::Over => (410, words.over),
        Word::Unknown => (404, words.unknown),
        Word::Busy => (503, words.busy),
    };
    page(status, words, sentence, &format!("<h1>{}</h1>", escaped(sentence)))
}

/// The form. `again` says that no number was chosen.
pub(super) fn form(shop: &str, scale: Scale, locale: &str, again: bool) -> Response<Body> {
    let words = words(locale);
    let (question, ends) = match scale {
        Scale::Nps => (words.nps, words.nps_ends),
        Scale::Csat => (words.csat, words.csat_ends),
    };
    let question = question.replace("{shop}", shop);
    let mut scores = String::new();
    for score in scale.scores() {
        // Writing into a text does not fail.
        let _ = write!(
            scores,
            "<label><input type=\"radio\" name=\"score\" value=\"{score}\" required><br>{score}</label>"
        );
    }
    let hint = if again { format!("<p role=\"alert\">{}</p>", escaped(words.choose)) } else { String::new() };
    let body = format!(
        "{hint}<form method=\"post\"><fieldset><legend>{}</legend><div class=\"scores\">{scores}</div>\
         <p class=\"ends\"><span>{}</span><span>{}</span></p></fieldset>\
         <label>{}<textarea name=\"text\" rows=\"4\" maxlength=\"{TEXT_CHARS}\"></textarea></label>\
         <button type=\"submit\">{}</button></form>",
        escaped(&question),
        escaped(ends[0]),
        escaped(ends[1]),
        escaped(words.text),
        escaped(words.send),
    );
    page(if again { 400 } else { 200 }, words, shop, &body)
}

fn page(status: u16, words: &Words, title: &str, body: &str) -> Response<Body> {
    let text = format!(
        "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
         <title>{}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>\n",
        words.language,
        escaped(title),
    );
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &'static str); 4] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        // The address is the member's right to answer: it goes nowhere.
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    response
}

/// Text for between tags and in quotes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;
    use perkgate_domain::limits::ANSWER_BYTES;

    async fn text(response: Response<Body>) -> String {
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_shops_name_is_text_and_nothing_else() {
        let shop = "<script src=\"//evil\">'&";
        let html = text(form(shop, Scale::Nps, "en", false)).await;
        assert!(
            !html.contains("<script") && html.contains("&lt;script src=&quot;//evil&quot;&gt;&#39;&amp;"),
            "{html}"
        );
    }

    #[tokio::test]
    async fn every_score_can_be_chosen_and_no_other() {
        for (scale, scores) in [(Scale::Nps, 0..=10), (Scale::Csat, 1..=5)] {
            let html = text(form("Káva", scale, "sk", false)).await;
            assert_eq!(html.matches("name=\"score\"").count(), scores.clone().count());
            for score in scores {
                assert!(html.contains(&format!("value=\"{score}\" required")), "{score}");
            }
        }
        const { assert!(TEXT_CHARS * 4 <= ANSWER_BYTES) };
    }

    #[tokio::test]
    async fn it_speaks_the_members_language_or_english() {
        for (locale, language) in
            [("sk", "sk"), ("cs-CZ", "cs"), ("PL", "pl"), ("de_AT", "de"), ("en-GB", "en"), ("hu", "en"), ("", "en")]
        {
            for scale in [Scale::Nps, Scale::Csat] {
                let html = text(form("Káva U Mosta", scale, locale, true)).await;
                assert!(html.contains(&format!("<html lang=\"{language}\">")), "{locale}");
                assert!(html.contains("Káva U Mosta") && !html.contains("{shop}"), "{locale}");
            }
        }
        let thanks: Vec<_> = LANGUAGES.iter().map(|words| words.thanks).collect();
        assert!(thanks.iter().enumerate().all(|(at, word)| !thanks[..at].contains(word)));
    }

    #[tokio::test]
    async fn nothing_is_loaded_and_the_address_goes_nowhere() {
        let response = says(Word::Over, "de");
        assert_eq!(response.status(), 410);
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(response.headers()[header::REFERRER_POLICY], "no-referrer");
        let html = text(response).await;
        assert!(!html.contains("http") && !html.contains("src=") && !html.contains("<script"), "{html}");
    }
}
