//! `perkgate explain`: why did this purchase give what it gave, and what is this member's balance made of?

mod document;

use super::{Database, member, print_json, say};
use anyhow::Context as _;
use perkgate_domain::ids::{MerchantId, SourceId};
use perkgate_domain::ledger::Account;
use perkgate_domain::member::Member;
use perkgate_domain::time::Moment;
use perkgate_gateway::civil::Zone;
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::explain::{self, Change, Language, Later, Order, Origin, Voice};
use perkgate_gateway::store::{EntryView, ExplainView, LotView, ProgrammeRows, Schema, Store};
use perkgate_gateway::vault::Vault;
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// Whose programme
    #[arg(long, value_name = "ID")]
    merchant: String,
    /// Which source the order came by
    #[arg(long, value_name = "ID", required_unless_present = "member")]
    source: Option<String>,
    /// The platform's order id, or its number as staff read it
    #[arg(required_unless_present = "member")]
    order: Option<String>,
    /// Instead of an order, a member's balance: `email:…`, `phone:…`, `card:…`, `id:…`
    #[arg(long, value_name = "KEY", conflicts_with_all = ["source", "order"])]
    member: Option<String>,
    /// Only this wallet of the member's
    #[arg(long, value_name = "NAME", requires = "member", conflicts_with_all = ["source", "order"])]
    wallet: Option<String>,
    /// The language to say it in: cs, sk, pl, en or de [default: the merchant's]
    #[arg(long, value_name = "LANGUAGE")]
    lang: Option<String>,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let (store, vault) = flags.database.open(Schema::Current).await?;
    let merchant = MerchantId::new(flags.merchant.as_str());
    let programme = member::programme(store.as_ref(), &merchant).await?;
    let teller = Teller::new(store.as_ref(), &programme, flags.lang.as_deref(), SystemClock.now());
    let (words, document) = match &flags.member {
        Some(key) => teller.about_member(&vault, key, flags.wallet.as_deref()).await?,
        None => teller.about_order(flags.source.as_deref(), flags.order.as_deref()).await?,
    };
    if flags.json {
        print_json(&document)?;
    } else {
        for sentence in words {
            say(&sentence);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Finds things out and says them.
pub(super) struct Teller<'a> {
    store: &'a dyn Store,
    programme: &'a ProgrammeRows,
    zone: Zone,
    language: Language,
    now: Moment,
}

impl<'a> Teller<'a> {
    /// In the merchant's language, unless another one is asked for.
    pub(super) fn new(store: &'a dyn Store, programme: &'a ProgrammeRows, language: Option<&str>, now: Moment) -> Self {
        let merchant = &programme.merchant;
        let language = Language::of(language.unwrap_or(&merchant.locale));
        Self { store, programme, zone: Zone::named(&merchant.timezone), language, now }
    }

    fn voice(&self) -> Voice<'_> {
        Voice { language: self.language, zone: &self.zone, now: self.now }
    }

    async fn about_order(
        &self,
        source: Option<&str>,
        order: Option<&str>,
    ) -> anyhow::Result<(Vec<String>, serde_json::Value)> {
        let (merchant, source) = (&self.programme.merchant.id, SourceId::new(source.unwrap_or_default()));
        let order = order.unwrap_or_default();
        let view = self.store.explain(merchant, &source, order).await?.with_context(|| {
            format!(
                "no purchase `{order}` came by source `{source}` of `{merchant}`: it may not be paid yet, or was turned away \
                 (`perkgate rejections --merchant {merchant}` lists those)"
            )
        })?;
        let words = self.order(&view).await?;
        let document = document::order(&view, &words);
        Ok((words, document))
    }

    /// An order in words.
    pub(super) async fn order(&self, view: &ExplainView) -> anyhow::Result<Vec<String>> {
        let merchant = &self.programme.merchant.id;
        let member = match &view.entry.member {
            Some(member) => self.store.member(merchant, member).await?.map(|found| found.member),
            None => None,
        };
        Ok(explain::order(&self.facts(view, member.as_ref()), self.voice()))
    }

    fn facts<'v>(&'v self, view: &'v ExplainView, member: Option<&'v Member>) -> Order<'v> {
        let refunds = view.refunds.iter().map(|(entry, refund)| later(view, entry, Change::Refund(refund)));
        let edits = view.edits.iter().map(|(entry, edit)| later(view, entry, Change::Edit(edit)));
        let mut later: Vec<_> = refunds.chain(edits).collect();
        later.sort_by_key(|later| later.entry);
        Order {
            entry: view.entry.id,
            state: &view.entry.state,
            cause: view.entry.cause.as_deref(),
            purchase: &view.purchase,
            member,
            installations: self.programme.installations.iter().map(|row| &row.installation).collect(),
            decisions: view.decisions.iter().map(|made| (made.entry, &made.record)).collect(),
            lots: &view.lots,
            rewards: &view.rewards,
            coupons: &view.coupons,
            deliveries: view.deliveries.iter().map(|view| &view.delivery).collect(),
            later,
        }
    }

    async fn about_member(
        &self,
        vault: &Vault,
        key: &str,
        wallet: Option<&str>,
    ) -> anyhow::Result<(Vec<String>, serde_json::Value)> {
        let merchant = &self.programme.merchant.id;
        let member = member::find(self.store, vault, merchant.as_str(), key).await?.member;
        member::looks(self.store, merchant, "member.explain", &member.id).await?;
        let lots = self.store.lots(merchant, &member.id).await?;
        let origins: Vec<Origin> = lots.iter().map(origin).collect();
        let words = explain::balance(&member, wallet, &origins, self.voice());
        let document = document::balance(&member, wallet, &lots, &words);
        Ok((words, document))
    }
}

fn origin(view: &LotView) -> Origin {
    let order = view.reference.as_ref().unwrap_or(&view.external_id);
    Origin { lot: view.lot.clone(), kind: view.kind, order: order.clone() }
}

fn later<'a>(view: &ExplainView, entry: &'a EntryView, change: Change<'a>) -> Later<'a> {
    let reversed = Account::Reversed.to_string();
    let mut taken: BTreeMap<String, i64> = BTreeMap::new();
    for posting in view.postings.iter().filter(|posting| posting.entry == entry.id && posting.destination == reversed) {
        *taken.entry(posting.wallet.clone()).or_default() += posting.amount;
    }
    Later { entry: entry.id, state: &entry.state, cause: entry.cause.as_deref(), at: entry.at, change, taken }
}
