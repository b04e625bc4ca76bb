//! What the store tells those who act for members: what became of an errand, tasks, questions, segments, and all of one member.

use super::data::{
    LEASE, SHOP, anna, book, bought, earns, email, entry, journalled, purchase, says, settled, standing,
};
use super::ground::Ground;
use perkgate_domain::event::{Answer, Event, Scale};
use perkgate_domain::ids::{EntryId, MemberId, RewardId};
use perkgate_domain::ledger::{HeldReward, RewardState};
use perkgate_domain::plan::{NewQuestion, NewTask, Settlement};
use perkgate_domain::rules::Audience;
use perkgate_domain::time::Moment;
use perkgate_gateway::store::ContactField;
use perkgate_tests::NOON;

on_both! {
    an_errand_is_followed_from_its_arrival_to_what_it_gave
    a_task_is_open_until_it_is_closed
    a_question_is_found_by_its_secret_and_answered_once
    a_segment_is_told_page_by_page
    an_export_tells_everything_of_one_member_and_nothing_of_another
}

fn coffee(entry: EntryId, member: &MemberId) -> HeldReward {
    HeldReward {
        id: RewardId::new(format!("rwd_{entry}")),
        member: member.clone(),
        entry,
        installation: "".into(),
        partner: None,
        key: "free-coffee".to_owned(),
        title: "Káva zadarmo".to_owned(),
        text: String::new(),
        code: format!("CODE{entry}"),
        price: None,
        paid: Vec::new(),
        kind: None,
        returns_price: false,
        used_in: None,
        state: RewardState::Issued,
        issued_at: NOON,
        expires_at: None,
    }
}

/// Somebody's purchase, settled with whatever `more` adds.
async fn settles(ground: &Ground, order: &str, whose: &str, more: impl FnOnce(&mut Settlement)) -> MemberId {
    let order = bought(ground, SHOP, order, whose).await;
    let member = standing(&book(ground, std::slice::from_ref(&order)).await, &order);
    let id = member.id.clone();
    let mut settlement = earns(&order, member, 3);
    more(&mut settlement);
    ground.store().settle(&[settlement], &[]).await.expect("it settles");
    id
}

async fn an_errand_is_followed_from_its_arrival_to_what_it_gave(ground: &Ground) {
    let unread = journalled(ground, &[SHOP], LEASE).await[0];
    let outcome = async |merchant: &str, arrival| {
        ground.another().await.outcome(&merchant.into(), arrival).await.expect("a look")
    };
    let told = outcome(SHOP, unread).await.expect("it is journalled");
    assert_eq!((told.arrival.state.as_str(), told.entry.is_none()), ("new", true));
    assert!(outcome("other", unread).await.is_none(), "another merchant's");

    let (arrival, ready) = says(ground, SHOP, vec![entry(purchase("1"), &[email("jana")])], LEASE).await;
    let told = outcome(SHOP, arrival).await.expect("it is read");
    let waits = told.entry.expect("an entry");
    assert_eq!((told.arrival.state.as_str(), waits.state.as_str()), ("read", "queued"));

    let member = standing(&book(ground, &ready).await, &ready[0]);
    let mut settlement = earns(&ready[0], member, 3);
    settlement.rewards = vec![coffee(ready[0].id, ready[0].member.as_ref().expect("somebody"))];
    settlement.cause = Some("for a reason".to_owned());
    ground.store().settle(&[settlement.clone()], &[]).await.expect("it settles");
    let told = outcome(SHOP, arrival).await.expect("it is done");
    let done = told.entry.expect("an entry");
    assert_eq!((done.id, done.state.as_str(), done.member), (ready[0].id, "settled", ready[0].member.clone()));
    assert_eq!((done.cause, told.rewards), (settlement.cause, settlement.rewards));
}

async fn a_task_is_open_until_it_is_closed(ground: &Ground) {
    let task = |id: &str, member: &MemberId, at| NewTask {
        id: id.to_owned(),
        installation: "feedback".into(),
        member: Some(member.clone()),
        key: format!("call-{id}"),
        title: "Call them".to_owned(),
        text: "They waited long.".to_owned(),
        at,
        deliveries: Vec::new(),
    };
    let jana = settles(ground, "1", "jana", |settlement| {
        let member = settlement.member.as_ref().expect("somebody").id.clone();
        settlement.tasks = vec![task("tsk_1", &member, NOON), task("tsk_2", &member, NOON.plus_ms(1))];
    })
    .await;
    let store = ground.another().await;
    let listed = async |merchant: &str, state: &str, most| {
        let tasks = store.tasks(&merchant.into(), state, most).await.expect("a list");
        tasks.into_iter().map(|task| (task.id, task.member, task.closed_at)).collect::<Vec<_>>()
    };
    let row = |id: &str, closed| (id.to_owned(), Some(jana.clone()), closed);
    assert_eq!(listed(SHOP, "open", 9).await, [row("tsk_2", None), row("tsk_1", None)], "newest first");
    assert_eq!(listed(SHOP, "open", 1).await.len(), 1);
    assert!(listed("other", "open", 9).await.is_empty());

    let close = async |merchant: &str, id: &str| {
        store.close_task(&merchant.into(), id, Moment(5), &anna()).await.expect("an act")
    };
    assert!(!close("other", "tsk_1").await && !close(SHOP, "tsk_9").await);
    assert!(close(SHOP, "tsk_1").await);
    assert!(!close(SHOP, "tsk_1").await, "once");
    assert_eq!(listed(SHOP, "open", 9).await, [row("tsk_2", None)]);
    assert_eq!(listed(SHOP, "closed", 9).await, [row("tsk_1", Some(Moment(5)))]);
}

async fn a_question_is_found_by_its_secret_and_answered_once(ground: &Ground) {
    let jana = settles(ground, "1", "jana", |settlement| {
        settlement.questions = vec![NewQuestion {
            id: "secret".to_owned(),
            member: settlement.member.as_ref().expect("somebody").id.clone(),
            installation: "feedback".into(),
            key: "visit".to_owned(),
            scale: Scale::Csat,
            locale: "sk".to_owned(),
            asked_at: NOON,
            expires_at: NOON.plus_ms(10),
        }];
    })
    .await;
    let store = ground.another().await;
    let found = async |merchant: &str, id: &str| store.question(&merchant.into(), id).await.expect("a look");
    for (merchant, id) in [("other", "secret"), (SHOP, "another"), (SHOP, "\0"), (SHOP, "")] {
        assert!(found(merchant, id).await.is_none(), "{id:?}");
    }
    let asked = found(SHOP, "secret").await.expect("it is there");
    assert_eq!((asked.member, asked.scale, asked.locale.as_str()), (jana, Scale::Csat, "sk"));
    assert_eq!((asked.expires_at, asked.answered_at), (NOON.plus_ms(10), None));

    let answer = Event::Answer(Answer {
        id: "secret".to_owned(),
        at: NOON.plus_ms(2),
        installation: "feedback".into(),
        key: "visit".to_owned(),
        scale: Scale::Csat,
        score: 5,
        text: None,
    });
    let (_, ready) = says(ground, SHOP, vec![entry(answer, &[email("jana")])], LEASE).await;
    settled(ground, &ready).await;
    assert_eq!(found(SHOP, "secret").await.expect("it stays").answered_at, Some(NOON.plus_ms(2)));
}

async fn a_segment_is_told_page_by_page(ground: &Ground) {
    let mut everybody = Vec::new();
    for (number, whose) in ["jana", "peter", "eva", "ivan"].into_iter().enumerate() {
        let order = number.to_string();
        let member = settles(ground, &order, whose, |settlement| {
            let member = settlement.member.as_mut().expect("somebody");
            member.tags = if number == 3 { vec![] } else { vec!["100% \"regular\"".to_owned(), "vip".to_owned()] };
            member.tier = (number == 1).then(|| "gold".to_owned());
        });
        everybody.push(member.await);
    }
    let store = ground.another().await;
    let mut tagged = everybody[..3].to_vec();
    tagged.sort();
    let segment = async |merchant: &str, audience: Audience, after: Option<&MemberId>, most| {
        store.segment(&merchant.into(), &audience, after, most).await.expect("a list")
    };
    for tag in ["vip", "100% \"regular\""] {
        assert_eq!(segment(SHOP, Audience::Tag(tag.to_owned()), None, 9).await, tagged, "{tag}");
    }
    let vip = || Audience::Tag("vip".to_owned());
    assert_eq!(segment(SHOP, vip(), None, 2).await, tagged[..2]);
    assert_eq!(segment(SHOP, vip(), Some(&tagged[1]), 2).await, tagged[2..]);
    assert!(segment(SHOP, vip(), Some(&tagged[2]), 2).await.is_empty());
    assert_eq!(segment(SHOP, Audience::Tier("gold".to_owned()), None, 9).await, everybody[1..2]);
    assert!(segment(SHOP, Audience::Tag("vi".to_owned()), None, 9).await.is_empty());
    assert!(segment("other", vip(), None, 9).await.is_empty());
}

async fn an_export_tells_everything_of_one_member_and_nothing_of_another(ground: &Ground) {
    let mut told = entry(purchase("1"), &[email("jana")]);
    told.contact = vec![ContactField { field: "email".to_owned(), sealed: b"sealed".to_vec() }];
    let (_, ready) = says(ground, SHOP, vec![told], LEASE).await;
    let jana = ready[0].member.clone().expect("somebody");
    let member = standing(&book(ground, &ready).await, &ready[0]);
    let mut settlement = earns(&ready[0], member, 3);
    settlement.rewards = vec![coffee(ready[0].id, &jana)];
    settlement.deliveries = vec![super::data::delivery(ready[0].id, &jana, SHOP, "mail", 0)];
    ground.store().settle(std::slice::from_ref(&settlement), &[]).await.expect("it settles");
    let peter = settles(ground, "2", "peter", |_| ()).await;

    let store = ground.another().await;
    let all = store.export(&SHOP.into(), &jana).await.expect("a look").expect("she is there");
    assert_eq!((all.member.id, all.member.wallets["points"].available), (jana.clone(), 3));
    assert_eq!(all.keys, ["email", "referral"]);
    assert_eq!(all.contact.iter().map(|field| field.field.as_str()).collect::<Vec<_>>(), ["email"]);
    let [only] = all.entries.as_slice() else { panic!("one entry: {:?}", all.entries) };
    assert_eq!((only.entry, only.state.as_str(), &only.event), (ready[0].id, "settled", &purchase("1")));
    assert_eq!(all.postings.iter().map(|posting| posting.amount).collect::<Vec<_>>(), [3]);
    assert_eq!((all.rewards, all.deliveries.len(), all.complete), (settlement.rewards, 1, true));
    assert!(all.questions.is_empty());
    let his = store.export(&SHOP.into(), &peter).await.expect("a look").expect("he is there");
    assert!(his.contact.is_empty() && his.rewards.is_empty() && his.entries.len() == 1);
    assert!(store.export(&"other".into(), &jana).await.expect("a look").is_none());
    assert!(store.export(&SHOP.into(), &"mem_nobody\0".into()).await.expect("a look").is_none());
}
