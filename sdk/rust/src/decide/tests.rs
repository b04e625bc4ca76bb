//! What the builders leave in the records of the contract.

use super::*;
use crate::sample;

#[test]
fn a_decision_is_written_in_a_line() {
    let decision: Decision = Earn::points(5).because("five").shared(vec![Share::new("1", 5)]).into();
    let Decision::Earn(earn) = decision else { panic!("an earn") };
    assert_eq!((earn.wallet.as_str(), earn.amount, earn.shares.len()), ("points", 5, 1));
    assert_eq!((earn.matures_days, earn.valid_days), (None, None), "as the wallet has it");
}

#[test]
fn a_wallet_never_used_is_empty() {
    let member = sample::member();
    assert_eq!((member.balance("stamps").available, member.balance("stamps").pending), (0, 0));
}

#[test]
fn kinds_are_read_by_the_names_they_have_in_settings() {
    let kinds: Vec<LineKind> = serde_json::from_str(r#"["gift-card","tip"]"#).expect("kinds");
    assert_eq!(kinds, [LineKind::GiftCard, LineKind::Tip]);
    assert!(serde_json::from_str::<LineKind>(r#""gift"#).is_err());
    let error = serde_json::from_str::<LineKind>(r#""gift""#).expect_err("unknown").to_string();
    assert!(error.contains("gift-card"), "{error}");
}

#[test]
fn an_earn_may_have_terms_of_its_own() {
    let earn = Earn::new("stamps", 1).matures_days(14).valid_days(365);
    assert_eq!((earn.matures_days, earn.valid_days), (Some(14), Some(365)));
}

#[test]
fn a_wake_is_at_a_moment_or_by_the_clocks_or_called_off() {
    let moment = Wake::at("birthday", 1_800_000_000_000);
    assert_eq!((moment.key.as_str(), moment.when), ("birthday", Some(WakeTime::Moment(1_800_000_000_000))));
    assert_eq!((moment.whom, moment.data.len()), (WakeWhom::Member, 0));
    let clocks = CivilTime { year: 2027, month: 2, day: 29, hour: 9, minute: 0 };
    assert_eq!(Wake::civil("birthday", clocks).when, Some(WakeTime::Civil(clocks)));
    let cancelled = Wake::cancel("birthday");
    assert_eq!((cancelled.key.as_str(), cancelled.when, cancelled.whom), ("birthday", None, WakeWhom::Member));
}

#[test]
fn a_wake_may_be_about_the_referrer_and_hand_something_back() {
    let wake = Wake::at("friend", 7).of_referrer().with(*b"anna");
    assert_eq!((wake.whom, &wake.data[..], wake.when), (WakeWhom::Referrer, &b"anna"[..], Some(WakeTime::Moment(7))));
    assert_eq!(Wake::cancel("friend").of_referrer().whom, WakeWhom::Referrer);
    let Decision::Wake(decided) = Decision::from(wake.clone()) else { panic!("a wake") };
    assert_eq!(decided, wake);
}

#[test]
fn a_task_is_for_the_merchant() {
    let Decision::Task(task) = Task::new("call", "Call Anna", "She gave a 2.").into() else { panic!("a task") };
    assert_eq!((task.key.as_str(), task.title.as_str(), task.text.as_str()), ("call", "Call Anna", "She gave a 2."));
}

#[test]
fn a_question_can_be_answered_for_a_month_or_as_said() {
    let ask = Ask::new("first", Scale::Csat, "sk", "Ako chutilo?", "Klikni: {link}");
    let shown = (ask.key.as_str(), ask.locale.as_str(), ask.subject.as_str(), ask.text.as_str());
    assert_eq!(shown, ("first", "sk", "Ako chutilo?", "Klikni: {link}"));
    assert_eq!((ask.scale, ask.valid_days), (Scale::Csat, 30));
    let Decision::Ask(ask) = ask.valid_days(7).into() else { panic!("a question") };
    assert_eq!(ask.valid_days, 7);
}

#[test]
fn what_was_not_asked_for_is_refused_with_the_line_to_add() {
    let facts = sample::facts();
    let Err(Refusal::Broken(member)) = facts.member() else { panic!("no member was told") };
    assert!(member.contains("\"member\""), "{member}");
    let Err(Refusal::Broken(tier)) = facts.standing() else { panic!("no standing was told") };
    assert!(tier.contains("\"tier\""), "{tier}");
    let told = Facts { standing: Some(sample::standing()), ..sample::facts_with_member() };
    assert_eq!(told.member().map(|member| member.visits), Ok(0));
    assert_eq!(told.standing().map(|standing| standing.multiplier_milli), Ok(1000));
}
