//! Tables as full as they are after a while: twenty thousand of everything that grows, of fifty merchants.

use super::super::data::purchase;
use super::super::ground::Ground;

const ROWS: &str = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 20000)";

const TABLES: &[&str] = &[
    "insert into arrivals (merchant_id, source_id, topic, dedupe, test, digest, sealed, received_at)
     select 'bulk' || (i % 50), 'eshop', 'orders/paid', 'd' || i, 0, {hash}, {hash}, i from n order by i",
    "insert into inbox (arrival_id, merchant_id, leased_until) select i, 'bulk' || (i % 50), 0 from n where i > 15000",
    "insert into readings (arrival_id, merchant_id, state, entry_id)
     select i, 'bulk' || (i % 50), case when i % 100 = 0 then 'parked' else 'read' end, i from n where i <= 15000",
    "insert into entries (merchant_id, source_id, kind, external_id, reference, arrival_id, member_id, document, digest, happened_at)
     select 'bulk' || (i % 50), 'eshop', 'purchase', 'o' || i, '#' || i, i, 'mem_' || i, '{purchase}', {hash}, i from n order by i",
    "update entries set purchase_entry = entry_id - 1 where entry_id % 5 = 0",
    "insert into waiting (entry_id, merchant_id, source_id, member_id, purchase_id, state)
     select i, 'bulk' || (i % 50), 'eshop', 'mem_' || i, case when i < 14000 then 'none' || i end,
            case when i < 14000 then 'parked' else 'queued' end from n where i > 12000",
    "insert into members (merchant_id, member_id, version, joined_at, consent, visits, spent, climb, tags, wallets, chain,
                          through, due_at)
     select 'bulk' || (i % 50), 'mem_' || i, 0, 0, 1, 0, 0, '{}', '[]', '{}', {hash}, 0, case when i % 3 = 0 then i end from n",
    "insert into member_keys (merchant_id, kind, hash, member_id) select 'bulk' || (i % 50), 'email', {hash}, 'mem_' || i from n",
    "insert into mentions (merchant_id, kind, hash, member_id) select 'bulk' || (i % 50), 'phone', {hash}, 'mem_' || i from n",
    "insert into contacts (merchant_id, member_id, field, sealed) select 'bulk' || (i % 50), 'mem_' || i, 'email', {hash} from n",
    "insert into decisions (entry_id, merchant_id, document, digest) select i, 'bulk' || (i % 50), '[]', {hash} from n where i <= 12000",
    "insert into memories (merchant_id, member_id, installation_id, bytes) select 'bulk' || (i % 50), 'mem_' || i, 'stamps', {hash} from n",
    "insert into lots (merchant_id, lot_id, entry_id, member_id, installation_id, digest, settings_revision, wallet, amount, earned_at,
                       expires, shares)
     select 'bulk' || (i % 50), 'lot_' || i, i, 'mem_' || i, 'points', {hash}, 1, 'points', 5, i, 'never', '[]' from n",
    "insert into postings (merchant_id, entry_id, ordinal, member_id, wallet, source, destination, amount, lot_id, at, hash)
     select 'bulk' || (i % 50), i, 0, 'mem_' || i, 'points', 'merchant/issued', 'mem_' || i || '/available', 5, 'lot_' || i, i, {hash}
     from n order by i",
    "insert into rewards (merchant_id, reward_id, member_id, entry_id, installation_id, reward_key, title, terms, code, detail, state,
                          issued_at)
     select 'bulk' || (i % 50), 'rwd_' || i, 'mem_' || i, i, 'stamps', 'coffee', 'Coffee', '', 'C' || i, '{}', 'issued', i from n",
    "insert into counters (merchant_id, scope, installation_id, name, amount)
     select 'bulk' || (i % 50), 'day' || (i / 100), 'points', 'n' || i, 1 from n",
    "insert into deliveries (delivery_id, merchant_id, channel_id, entry_id, installation_id, member_id, message, state, created_at, next_at)
     select 'dlv_' || i, 'bulk' || (i % 50), 'mail', i, 'thanks', 'mem_' || i,
            '{\"key\":\"k\",\"subject\":\"s\",\"text\":\"t\",\"locale\":\"en\"}', case when i % 3 = 0 then 'due' else 'delivered' end, i, 1780315200000 + i
     from n",
    "insert into attempts (delivery_id, number, at, took_ms) select 'dlv_' || i, 1, i, 1 from n",
    "insert into failing_channels (merchant_id, channel_id, failures, failing_since, closed_until)
     select 'failing' || i, 'mail', 1, 1, 1 from n where i <= 500",
    "insert into wakes (merchant_id, member_id, installation_id, cause, wake_key, at, data)
     select 'bulk' || (i % 50), 'mem_' || i, 'birthday', 'asked', 'birthday', i, {hash} from n",
    "insert into tasks (merchant_id, task_id, installation_id, member_id, task_key, title, body, state, opened_at)
     select 'bulk' || (i % 50), 'tsk_' || i, 'feedback', 'mem_' || i, 'detractor', 't', 'b', 'open', i from n",
    "insert into questions (merchant_id, question_id, member_id, installation_id, question_key, scale, locale, asked_at, expires_at)
     select 'bulk' || (i % 50), 'q' || i, 'mem_' || i, 'feedback', 'nps', 'nps', 'sk', i, i from n",
    "insert into balances (merchant_id, account, wallet, amount) select 'bulk' || i, 'merchant/issued', 'points', -5 from n where i <= 2000",
];

/// Fills the tables, and lets PostgreSQL look at them, as its autovacuum would by and by.
pub(super) async fn fill(ground: &Ground) {
    let hash = if ground.is_sqlite() { "unhex(printf('%064x', i))" } else { "decode(lpad(to_hex(i), 64, '0'), 'hex')" };
    let event = serde_json::to_string(&purchase("bulk")).expect("an event is JSON");
    for table in TABLES {
        let rows = if table.starts_with("update") { "" } else { ROWS };
        let statement = table.replace("{hash}", hash).replace("{purchase}", &event);
        ground.by_hand(&format!("{rows} {statement}")).await.unwrap_or_else(|error| panic!("{error}: {statement}"));
    }
    if !ground.is_sqlite() {
        ground.by_hand("analyze").await.expect("it is analysed");
    }
}
