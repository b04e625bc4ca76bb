//! What the attributes themselves refuse.
use perkgate::prelude::*;

struct Rules;

#[perkgate::purchases]
fn nothing() -> Decide {
    Ok(vec![])
}

#[perkgate::refunds]
fn too_few(_refund: &Refund, _facts: &Facts) -> Decide {
    Ok(vec![])
}

#[perkgate::joins]
async fn waits(_join: &Join, _facts: &Facts) -> Decide {
    Ok(vec![])
}

#[perkgate::joins]
fn generic<T>(_join: &Join, _facts: &Facts, _settings: T) -> Decide {
    Ok(vec![])
}

#[perkgate::purchases]
fn no_answer(_purchase: &Purchase, _facts: &Facts) {}

#[perkgate::purchases]
fn borrows_settings(_purchase: &Purchase, _facts: &Facts, _settings: &i64) -> Decide {
    Ok(vec![])
}

#[perkgate::purchases]
struct NotAFunction;

#[perkgate::purchases(decisions = "earn")]
fn with_arguments(_purchase: &Purchase, _facts: &Facts) -> Decide {
    Ok(vec![])
}

#[perkgate::profiles]
fn without_facts(_profile: &Profile) -> Decide {
    Ok(vec![])
}

#[perkgate::wakes]
unsafe fn unsafely(_woken: &Woken, _facts: &Facts) -> Decide {
    Ok(vec![])
}

#[perkgate::redemptions]
fn too_many(_redemption: &Redemption, _facts: &Facts, _settings: i64, _more: i64) -> Decide {
    Ok(vec![])
}

#[perkgate::answers]
fn silent(_answer: &Answer, _facts: &Facts) {}

#[perkgate::wakes(installed)]
fn with_a_cause(_woken: &Woken, _facts: &Facts) -> Decide {
    Ok(vec![])
}

impl Rules {
    #[perkgate::purchases]
    fn method(&self, _purchase: &Purchase, _facts: &Facts) -> Decide {
        Ok(vec![])
    }
}

fn main() {}
