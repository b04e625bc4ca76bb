//! Questions and their answers, for members: whoever has the link may answer once, until it expires. No token; the question's id is
//! what nobody can guess.

use super::page::{self, Word};
use super::problem::{Code, Problem};
use super::{Desk, visit};
use crate::errand::{self, Errand, ErrandError};
use crate::store::{Actor, QuestionView};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Response;
use perkgate_domain::ids::MerchantId;
use perkgate_domain::programme::Merchant;
use std::sync::Arc;

type Link = Path<(String, String)>;

/// A question that may still be answered, and who asks it.
struct Open {
    programme: Arc<perkgate_domain::programme::Programme>,
    question: QuestionView,
}

impl Open {
    fn merchant(&self) -> &Merchant {
        &self.programme.merchant
    }
    fn form(&self, again: bool) -> Response<Body> {
        page::form(&self.merchant().name, self.question.scale, &self.question.locale, again)
    }
}

/// `GET /q/{merchant}/{question}`: asks, and changes nothing. Mail scanners follow links too.
pub(super) async fn ask(State(desk): State<Desk>, Path(link): Link) -> Response<Body> {
    match open(&desk, link).await {
        Ok(open) => open.form(false),
        Err(page) => *page,
    }
}

/// `POST /q/{merchant}/{question}`: takes the answer.
pub(super) async fn answer(State(desk): State<Desk>, Path(link): Link, body: Body) -> Response<Body> {
    let open = match open(&desk, link).await {
        Ok(open) => open,
        Err(page) => return *page,
    };
    let locale = &open.question.locale;
    let body = match visit::read(body).await {
        Ok(body) => body,
        Err(Problem { code: Code::Busy, .. }) => return page::says(Word::Busy, locale),
        Err(_) => return open.form(true),
    };
    let (score, text) = said(&body);
    let Some(score) = score else { return open.form(true) };
    let question = &open.question;
    let errand = Errand::Answer {
        question: question.id.clone(),
        installation: question.installation.clone(),
        member: question.member.clone(),
        key: question.key.clone(),
        scale: question.scale,
        score,
        text,
    };
    let (merchant, now, by) = (&open.merchant().id, desk.clock.now(), Actor::link(&question.member));
    match errand::run(desk.store.as_ref(), &desk.journal, merchant, &question.id, &errand, &by, now).await {
        Ok(outcome) if outcome.refused(&errand).is_none() => page::says(Word::Thanks, locale),
        Ok(_) => page::says(Word::Over, locale),
        // Somebody with the same link was faster.
        Err(ErrandError::Reused) => page::says(Word::Thanks, locale),
        Err(ErrandError::Wrong(_)) => open.form(true),
        Err(error) => {
            tracing::debug!(%merchant, "an answer is told to come again: {error}");
            page::says(Word::Busy, locale)
        }
    }
}

/// The question of a link, or the page that says why it is not asked.
async fn open(desk: &Desk, (merchant, id): (String, String)) -> Result<Open, Box<Response<Body>>> {
    let says = |word, locale: &str| Err(Box::new(page::says(word, locale)));
    let merchant = MerchantId::new(merchant);
    let snapshot = desk.registry.snapshot();
    let Some(programme) = snapshot.programme(&merchant) else { return says(Word::Unknown, "en") };
    let locale = programme.merchant.locale.as_str();
    let question = match desk.store.question(&merchant, &id).await {
        Ok(Some(question)) => question,
        Ok(None) => return says(Word::Unknown, locale),
        Err(error) => {
            tracing::debug!(%merchant, "a question is not shown: {error}");
            return says(Word::Busy, locale);
        }
    };
    if question.answered_at.is_some() {
        return says(Word::Thanks, &question.locale);
    }
    if question.expires_at <= desk.clock.now() {
        return says(Word::Over, &question.locale);
    }
    Ok(Open { programme: Arc::clone(programme), question })
}

/// Score and text of a form, as browsers send it. An empty text is none.
fn said(body: &[u8]) -> (Option<u8>, Option<String>) {
    let (mut score, mut text) = (None, None);
    for (name, value) in form_urlencoded::parse(body) {
        match name.as_ref() {
            "score" => score = value.parse().ok(),
            "text" => text = Some(value.trim().to_owned()).filter(|text| !text.is_empty()),
            _ => {}
        }
    }
    (score, text)
}

#[cfg(test)]
mod tests {
    use super::said;

    #[test]
    fn a_form_is_read_as_browsers_send_it() {
        let wrote = Some("Výborná káva & milá obsluha".to_owned());
        assert_eq!(said("score=9&text=V%C3%BDborn%C3%A1+k%C3%A1va+%26+mil%C3%A1+obsluha".as_bytes()), (Some(9), wrote));
        assert_eq!(said(b"score=0&text=+%0D%0A"), (Some(0), None));
        for nothing in [&b""[..], b"score=", b"score=-1", b"score=256", b"text", b"\xff\xfe=&&&=="] {
            assert_eq!(said(nothing).0, None);
        }
    }
}
