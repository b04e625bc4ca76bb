//! A loaded plugin, and one call of it.

use crate::bindings::exports::perkgate::plugin::{answers, joins, profiles, purchases, redemptions, refunds, wakes};
use crate::bindings::perkgate::plugin::types as wit;
use crate::fault::{self, Phase};
use crate::state::State;
use crate::{check, convert, engine};
use perkgate_domain::decision::{Fault, Outcome, Price, Verdict};
use perkgate_domain::event::{Answer, Join, Kind, Profile, Woken};
use perkgate_domain::facts::Facts;
use perkgate_domain::ids::Digest;
use perkgate_domain::limits::CallLimits;
use perkgate_domain::manifest::Manifest;
use perkgate_domain::purchase::{Line, Purchase, Refund};
use perkgate_domain::time::Moment;
use perkgate_pack::Inspection;
use std::sync::Arc;
use wasmtime::Store;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{ComponentNamedList, Instance, InstancePre, Lower};

/// What a plugin is asked to decide on.
#[derive(Clone, Copy, Debug)]
pub enum Call<'a> {
    /// A paid sale.
    Purchase {
        /// The merchant's source it came by.
        source: &'a str,
        /// The sale.
        purchase: &'a Purchase,
    },
    /// Money given back.
    Refund {
        /// What was given back.
        refund: &'a Refund,
        /// The merchant's source the purchase came by.
        source: &'a str,
        /// The purchase it gives back.
        purchase: &'a Purchase,
    },
    /// A new customer.
    Join {
        /// The merchant's source it came by.
        source: &'a str,
        /// Who joined.
        join: &'a Join,
    },
    /// Somebody who said something about themselves.
    Profile {
        /// The merchant's source it came by.
        source: &'a str,
        /// When.
        profile: &'a Profile,
    },
    /// A time that has come.
    Wake(&'a Woken),
    /// A reward taken from the catalogue, or given back.
    Redemption(Taken<'a>),
    /// An answer to the plugin's question.
    Answer(&'a Answer),
}

/// A reward that a member took from the catalogue, or gave back.
#[derive(Clone, Copy, Debug)]
pub struct Taken<'a> {
    /// When.
    pub at: Moment,
    /// It was given back.
    pub undone: bool,
    /// Of the catalogue.
    pub reward: &'a str,
    /// As the member reads it.
    pub title: &'a str,
    /// What it cost.
    pub price: Option<&'a Price>,
}

impl<'a> Call<'a> {
    /// Which kind of entry it is about.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Purchase { .. } => Kind::Purchase,
            Self::Refund { .. } => Kind::Refund,
            Self::Join { .. } => Kind::Join,
            Self::Profile { .. } => Kind::Profile,
            Self::Wake(_) => Kind::Wake,
            Self::Redemption(_) => Kind::Redemption,
            Self::Answer(_) => Kind::Answer,
        }
    }

    /// The lines of the purchase it is about, if it is about one. Fuel grows with them, and shares name them.
    #[must_use]
    pub fn lines(&self) -> &'a [Line] {
        match self {
            Self::Purchase { purchase, .. } | Self::Refund { purchase, .. } => &purchase.lines,
            _ => &[],
        }
    }
}

/// A component that is ready to be called. Clones share everything.
#[derive(Clone)]
pub struct Plugin(Arc<Inner>);

struct Inner {
    inspection: Inspection,
    pre: InstancePre<State>,
    interfaces: Interfaces,
    limits: CallLimits,
}

macro_rules! interfaces {
    ($($interface:ident: $kind:ident($($told:ty),*)),* $(,)?) => {
        /// Where its functions are, for each interface it exports.
        struct Interfaces {
            $($interface: Option<$interface::GuestIndices>,)*
        }

        impl Interfaces {
            /// Finds them, and sees to it that they take and give what the contract says.
            fn of(inspection: &Inspection, pre: &InstancePre<State>) -> wasmtime::Result<Self> {
                $(let $interface = if inspection.exports.contains(&Kind::$kind) {
                    let indices = $interface::GuestIndices::new(pre)?;
                    typecheck::<($($told,)* wit::Facts<'_>,)>(pre, stringify!($interface))?;
                    Some(indices)
                } else {
                    None
                };)*
                Ok(Self { $($interface,)* })
            }
        }
    };
}
interfaces! {
    purchases: Purchase(wit::Purchase<'_>),
    refunds: Refund(wit::Refund<'_>, wit::Purchase<'_>),
    joins: Join(wit::Join<'_>),
    profiles: Profile(wit::Profile<'_>),
    wakes: Wake(wit::Woken<'_>),
    redemptions: Redemption(wit::Redemption<'_>),
    answers: Answer(wit::Answer<'_>),
}

/// What the function of every interface gives.
type Given = (Result<Vec<wit::Decision>, wit::Refusal>,);

impl Plugin {
    pub(crate) fn new(inspection: Inspection, pre: InstancePre<State>, limits: CallLimits) -> wasmtime::Result<Self> {
        let interfaces = Interfaces::of(&inspection, &pre)?;
        Ok(Self(Arc::new(Inner { inspection, pre, interfaces, limits })))
    }

    /// The SHA-256 of its component, which is what it is known by.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.0.inspection.digest
    }

    /// What it says about itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.0.inspection.manifest
    }

    /// Whether it decides on entries of this kind.
    #[must_use]
    pub fn handles(&self, kind: Kind) -> bool {
        kind.interface().and_then(Kind::of_interface).is_some_and(|kind| self.0.inspection.exports.contains(&kind))
    }

    /// Decides in an instance made for this call alone. Everything that can go wrong is in the verdict. Blocks for at most
    /// the deadline.
    ///
    /// A plugin that calls itself broken is [`Outcome::Refused`]: what that means is the caller's business.
    #[must_use]
    pub fn decide(&self, event: Call<'_>, facts: &Facts) -> Verdict {
        let decided = fault::contained(|| {
            let mut store = self.store();
            self.refuel(&mut store, event.lines().len());
            let outcome = match self.0.pre.instantiate(&mut store) {
                Ok(instance) => self.call(&mut store, &instance, event, facts),
                Err(error) => Outcome::Fault(fault::classify(&error, store.data(), Phase::Start)),
            };
            self.verdict(&mut store, event.lines().len(), outcome)
        });
        decided.unwrap_or_else(|panic| {
            let outcome = Outcome::Fault(fault::broke(&panic));
            Verdict { outcome, fuel: 0, memory_bytes: 0, log: Vec::new() }
        })
    }

    /// An instance that is kept. For measuring what making one costs; decisions are made with [`Plugin::decide`].
    ///
    /// # Errors
    /// The fault of making the instance.
    pub fn live(&self) -> Result<Live, Fault> {
        let mut store = self.store();
        self.refuel(&mut store, 0);
        match self.0.pre.instantiate(&mut store) {
            Ok(instance) => Ok(Live { plugin: self.clone(), store, instance }),
            Err(error) => Err(fault::classify(&error, store.data(), Phase::Start)),
        }
    }

    fn store(&self) -> Store<State> {
        let mut store = Store::new(self.0.pre.engine(), State::new(self.0.limits));
        store.limiter(|state| state);
        store
    }

    fn fuel(&self, lines: usize) -> u64 {
        let lines = u64::try_from(lines).unwrap_or(u64::MAX);
        self.0.limits.fuel.saturating_add(self.0.limits.fuel_per_line.saturating_mul(lines))
    }

    /// Gives a store what one call may use.
    fn refuel(&self, store: &mut Store<State>, lines: usize) {
        // Fails only for an engine that does not count fuel; ours does, and a store without fuel would stop at once.
        let _ = store.set_fuel(self.fuel(lines));
        store.set_epoch_deadline(engine::ticks(self.0.limits.deadline_ms));
        store.set_hostcall_fuel(self.0.limits.hostcall_bytes);
    }

    fn verdict(&self, store: &mut Store<State>, lines: usize, outcome: Outcome) -> Verdict {
        let fuel = self.fuel(lines).saturating_sub(store.get_fuel().unwrap_or(0));
        let state = store.data_mut();
        Verdict { outcome, fuel, memory_bytes: state.memory_peak(), log: std::mem::take(&mut state.log) }
    }

    fn call(&self, store: &mut Store<State>, instance: &Instance, event: Call<'_>, facts: &Facts) -> Outcome {
        let answer = match self.answer(&mut *store, instance, event, facts) {
            Ok(Some(answer)) => answer,
            Ok(None) => {
                let detail = format!("`{}` does not decide on a {}", self.manifest().id, event.kind().as_str());
                return Outcome::Fault(fault::host(detail));
            }
            Err(error) => return Outcome::Fault(fault::classify(&error, store.data(), Phase::Call)),
        };
        match answer {
            Err(refusal) => match check::text("a refusal's sentence", convert::refusal_text(&refusal)) {
                Ok(()) => Outcome::Refused(convert::refusal(refusal)),
                Err(fault) => Outcome::Fault(fault),
            },
            Ok(decisions) => {
                let decisions: Vec<_> = decisions.into_iter().map(convert::decision).collect();
                match check::check(&decisions, &event, &self.0.limits) {
                    Ok(()) => Outcome::Decided(decisions),
                    Err(fault) => Outcome::Fault(fault),
                }
            }
        }
    }

    /// What the plugin's function for this kind of entry gives; none if it has no such function.
    fn answer(
        &self,
        store: &mut Store<State>,
        instance: &Instance,
        event: Call<'_>,
        facts: &Facts,
    ) -> wasmtime::Result<Option<Result<Vec<wit::Decision>, wit::Refusal>>> {
        let lists = convert::Lists::of(facts);
        let facts = lists.lend(facts);
        let interfaces = &self.0.interfaces;
        // The interface's function in this instance; without it the call ends with nothing.
        macro_rules! guest {
            ($interface:ident) => {
                match &interfaces.$interface {
                    Some(indices) => indices.load(&mut *store, instance)?,
                    None => return Ok(None),
                }
            };
        }
        let answer = match event {
            Call::Purchase { source, purchase } => {
                let lines = convert::Lines::of(purchase);
                guest!(purchases).call_decide(store, lines.lend(source, purchase), facts)
            }
            Call::Refund { refund, source, purchase } => {
                let (given_back, lines) = (convert::refund_lines(refund), convert::Lines::of(purchase));
                let refund = convert::refund(refund, &given_back);
                guest!(refunds).call_decide(store, refund, lines.lend(source, purchase), facts)
            }
            Call::Join { source, join } => guest!(joins).call_decide(store, convert::join(source, join), facts),
            Call::Profile { source, profile } => {
                guest!(profiles).call_decide(store, convert::profile(source, profile), facts)
            }
            Call::Wake(woken) => guest!(wakes).call_decide(store, convert::woken(woken), facts),
            Call::Redemption(taken) => {
                let price = taken.price.map(convert::price);
                guest!(redemptions).call_decide(store, convert::redemption(&taken, price.as_ref()), facts)
            }
            Call::Answer(answer) => guest!(answers).call_decide(store, convert::answer(answer), facts),
        };
        answer.map(Some)
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin")
            .field("id", &self.0.inspection.manifest.id)
            .field("digest", &self.0.inspection.digest)
            .finish_non_exhaustive()
    }
}

/// An instance that is called again and again, so that what it holds piles up. See [`Plugin::live`].
pub struct Live {
    plugin: Plugin,
    store: Store<State>,
    instance: Instance,
}

impl Live {
    /// Decides in this instance. After a fault it answers with faults only.
    #[must_use]
    pub fn decide(&mut self, event: Call<'_>, facts: &Facts) -> Verdict {
        self.plugin.refuel(&mut self.store, event.lines().len());
        let outcome = self.plugin.call(&mut self.store, &self.instance, event, facts);
        self.plugin.verdict(&mut self.store, event.lines().len(), outcome)
    }
}

/// Whether the `decide` of an interface takes `Params` and gives [`Given`], without making an instance.
///
/// The generated bindings do this for every instance; done once at loading, a misfit is refused there.
fn typecheck<Params>(pre: &InstancePre<State>, interface: &str) -> wasmtime::Result<()>
where
    Params: ComponentNamedList + Lower,
{
    let component = pre.component();
    let missing = || wasmtime::format_err!("{interface} has no function `decide`");
    let name = format!("perkgate:plugin/{interface}@1.0.0");
    let (_, index) = component.get_export(None, &name).ok_or_else(missing)?;
    let (item, _) = component.get_export(Some(&index), "decide").ok_or_else(missing)?;
    match item {
        ComponentItem::ComponentFunc(function) => function
            .typecheck::<Params, Given>(&pre.instance_type())
            .map_err(|error| error.context(format!("`decide` of {interface} has another type"))),
        _ => Err(missing()),
    }
}
