-- The tables in the order in which a purchase meets them. Times are milliseconds since 1970 UTC, amounts whole units.
-- `merchant_id` leads every key: nothing is ever looked up without its tenant.

-- Rises whenever a merchant's programme changes, so that processes know when to look again.
create table registry (
    only_row integer primary key check (only_row = 1),
    revision integer not null
) strict;
insert into registry values (1, 0);

create table merchants (
    merchant_id text primary key,
    document text not null
) strict, without rowid;

-- Sealed: holds signing secrets and API tokens.
create table sources (
    merchant_id text not null references merchants,
    source_id text not null,
    sealed blob not null,
    primary key (merchant_id, source_id)
) strict, without rowid;

-- Sealed: holds signing secrets and mail passwords.
create table channels (
    merchant_id text not null references merchants,
    channel_id text not null,
    sealed blob not null,
    primary key (merchant_id, channel_id)
) strict, without rowid;

-- Components, by what they are. Never deleted: a decision made by one must stay repeatable.
create table plugins (
    digest blob primary key,
    plugin_id text not null,
    version text not null,
    component blob not null
) strict;

-- `place` is null for an installation that was removed: its record stays.
create table installations (
    merchant_id text not null references merchants,
    installation_id text not null,
    place integer,
    plugin_id text not null,
    digest blob not null references plugins,
    partner_id text,
    settings text not null,
    settings_revision integer not null,
    grants text not null,
    caps text not null,
    mode text not null,
    -- The member behind whom a new installation goes on being told of members; null if it has been, or need not.
    enrolled text,
    primary key (merchant_id, installation_id)
) strict, without rowid;

-- What each settings revision said: a stored decision names one.
create table settings (
    merchant_id text not null,
    installation_id text not null,
    settings_revision integer not null,
    digest blob not null,
    document text not null,
    primary key (merchant_id, installation_id, settings_revision)
) strict, without rowid;

-- Verified requests, as they came: never changed afterwards. `sealed` is headers and raw body: it may hold contact data.
create table arrivals (
    arrival_id integer primary key autoincrement,
    merchant_id text not null,
    source_id text not null,
    topic text not null,
    dedupe text not null,
    test integer not null,
    digest blob not null,
    sealed blob not null,
    received_at integer not null
) strict;
create unique index arrivals_dedupe on arrivals (merchant_id, source_id, dedupe);

-- Arrivals still to be read. Whoever journalled one holds it until `leased_until`, by the database's clock; then anybody may.
create table inbox (
    arrival_id integer primary key,
    merchant_id text not null,
    fetched blob,
    note text,
    attempts integer not null default 0,
    not_before integer not null default 0,
    leased_until integer not null
) strict;
create index inbox_turn on inbox (merchant_id, arrival_id);

-- How arrivals ended. state: read (its entries follow), nothing, test, conflict, parked.
create table readings (
    arrival_id integer primary key,
    merchant_id text not null,
    state text not null,
    note text,
    -- The first entry it speaks of, its own or an earlier one.
    entry_id integer,
    fetched blob
) strict;
create index readings_entry on readings (entry_id) where entry_id is not null;
create index readings_state on readings (merchant_id, state, arrival_id) where state <> 'read';

-- Requests turned away; only the newest of each source are kept.
create table rejections (
    rejection_id integer primary key autoincrement,
    merchant_id text not null,
    source_id text not null,
    cause text not null,
    detail text not null,
    digest blob not null,
    bytes integer not null,
    sealed blob,
    received_at integer not null
) strict;
create index rejections_source on rejections (merchant_id, source_id, rejection_id);

-- What happened, deduplicated for ever. Where an entry stands is in `waiting`; one that does not wait is settled.
create table entries (
    entry_id integer primary key autoincrement,
    merchant_id text not null,
    source_id text not null,
    kind text not null,
    external_id text not null,
    reference text,
    arrival_id integer not null,
    member_id text,
    purchase_entry integer,
    document text not null,
    digest blob not null,
    happened_at integer not null,
    cause text,
    refunded text
) strict;
create unique index entries_dedupe on entries (merchant_id, source_id, kind, external_id);
create index entries_refunds on entries (purchase_entry) where purchase_entry is not null;
create index entries_member on entries (merchant_id, member_id, happened_at) where member_id is not null;
create index entries_reference on entries (merchant_id, source_id, reference) where reference is not null;

-- Entries that are not settled. state: queued, parked (waits for its purchase), unclaimed (waits for a member). Narrow, since every
-- entry passes through it.
create table waiting (
    entry_id integer primary key,
    merchant_id text not null,
    source_id text not null,
    member_id text,
    purchase_id text,
    state text not null,
    cause text,
    attempts integer not null default 0,
    not_before integer not null default 0,
    leased_until integer not null default 0
) strict;
create index waiting_turn on waiting (merchant_id, entry_id) where state = 'queued';
create index waiting_member on waiting (merchant_id, member_id, entry_id) where state = 'queued';
create index waiting_purchase on waiting (merchant_id, source_id, purchase_id) where purchase_id is not null;

-- `wallets` is a cache of the member's postings: `perkgate ledger verify` proves it.
create table members (
    merchant_id text not null,
    member_id text not null,
    version integer not null,
    joined_at integer not null,
    locale text,
    consent integer not null,
    visits integer not null,
    spent integer not null,
    first_purchase_at integer,
    last_purchase_at integer,
    birthday text,
    referrer text,
    tier text,
    climb text not null,
    tags text not null,
    wallets text not null,
    through integer not null,
    due_at integer,
    merged_into text,
    forgotten_at integer,
    chain blob not null,
    primary key (merchant_id, member_id)
) strict, without rowid;
create index members_due on members (due_at) where due_at is not null;

-- Keyed hashes of addresses, customer ids and card codes.
create table member_keys (
    merchant_id text not null,
    kind text not null,
    hash blob not null,
    member_id text not null,
    primary key (merchant_id, kind, hash)
) strict, without rowid;
create index member_keys_member on member_keys (merchant_id, member_id);

-- The only table with contact data, field by field and sealed.
create table contacts (
    merchant_id text not null,
    member_id text not null,
    field text not null,
    sealed blob not null,
    primary key (merchant_id, member_id, field)
) strict, without rowid;

-- Everything that was decided on an entry, in the order in which the plugins ran: a list of decision records. `digest` is of entry
-- and document.
create table decisions (
    entry_id integer primary key,
    merchant_id text not null,
    document text not null,
    digest blob not null
) strict;

create table memories (
    merchant_id text not null,
    member_id text not null,
    installation_id text not null,
    bytes blob not null,
    primary key (merchant_id, member_id, installation_id)
) strict, without rowid;

create table lots (
    merchant_id text not null,
    lot_id text not null,
    entry_id integer not null,
    member_id text not null,
    installation_id text not null,
    digest blob not null,
    settings_revision integer not null,
    wallet text not null,
    amount integer not null check (amount > 0),
    reversed integer not null default 0,
    forgiven integer not null default 0,
    expired integer not null default 0,
    earned_at integer not null,
    matures_at integer,
    expires text not null,
    shares text not null,
    check (reversed >= 0 and forgiven >= 0 and expired >= 0 and reversed + forgiven + expired <= amount),
    primary key (merchant_id, entry_id, lot_id)
) strict, without rowid;

-- Append only. `posting_id` is the order of each member's hash chain.
create table postings (
    posting_id integer primary key autoincrement,
    merchant_id text not null,
    entry_id integer not null,
    ordinal integer not null,
    member_id text not null,
    wallet text not null,
    source text not null,
    destination text not null,
    amount integer not null check (amount > 0),
    lot_id text,
    tranche text,
    at integer not null,
    hash blob not null
) strict;
create unique index postings_entry on postings (merchant_id, entry_id, ordinal);
create trigger postings_are_never_updated before update on postings
begin
    select raise(abort, 'postings are never updated');
end;
create trigger postings_are_never_deleted before delete on postings
begin
    select raise(abort, 'postings are never deleted');
end;

-- The accounts that are no member's; a cache of postings like the members' own.
create table balances (
    merchant_id text not null,
    account text not null,
    wallet text not null,
    amount integer not null,
    primary key (merchant_id, account, wallet)
) strict, without rowid;

-- state: issued, used, withdrawn, lapsed, undone. `detail`: what was paid from which tranche, what it is. An offer is a reward with a partner.
create table rewards (
    merchant_id text not null,
    reward_id text not null,
    member_id text not null,
    entry_id integer not null,
    installation_id text not null,
    partner_id text,
    reward_key text not null,
    title text not null,
    terms text not null,
    code text not null,
    price_wallet text,
    price_amount integer,
    detail text not null,
    state text not null,
    used_in integer,
    issued_at integer not null,
    expires_at integer,
    primary key (merchant_id, reward_id)
) strict, without rowid;
create index rewards_member on rewards (merchant_id, member_id, issued_at);
create index rewards_entry on rewards (merchant_id, entry_id);
create unique index rewards_code on rewards (merchant_id, code);

-- What caps and limits have been used up. `scope`: a day, a month, a member, a member's day, or empty for all of it.
create table counters (
    merchant_id text not null,
    scope text not null,
    installation_id text not null,
    name text not null,
    amount integer not null,
    primary key (merchant_id, scope, installation_id, name)
) strict, without rowid;

-- The outbox. state: due, delivered, dead, suppressed.
create table deliveries (
    delivery_id text primary key,
    merchant_id text not null,
    channel_id text not null,
    entry_id integer not null,
    installation_id text not null,
    member_id text not null,
    message text not null,
    state text not null,
    note text,
    created_at integer not null,
    attempts integer not null default 0,
    next_at integer not null,
    leased_until integer not null default 0
) strict, without rowid;
create index deliveries_due on deliveries (merchant_id, channel_id, next_at) where state = 'due';
create index deliveries_entry on deliveries (merchant_id, entry_id);
create index deliveries_state on deliveries (merchant_id, state, created_at);

create table attempts (
    delivery_id text not null,
    number integer not null,
    at integer not null,
    took_ms integer not null,
    status integer,
    error text,
    primary key (delivery_id, at, number)
) strict, without rowid;

-- Channels whose receiver fails: a circuit breaker's memory. No row for those that are well.
create table failing_channels (
    merchant_id text not null,
    channel_id text not null,
    failures integer not null,
    failing_since integer not null,
    closed_until integer not null,
    disabled_at integer,
    reason text,
    primary key (merchant_id, channel_id)
) strict, without rowid;

-- Calls that plugins asked for. A row goes when its time has come and the entry it became is settled.
create table wakes (
    merchant_id text not null,
    member_id text not null,
    installation_id text not null,
    cause text not null,
    wake_key text not null,
    at integer not null,
    data blob not null,
    attempts integer not null default 0,
    not_before integer not null default 0,
    primary key (merchant_id, member_id, installation_id, cause, wake_key)
) strict, without rowid;
create index wakes_due on wakes (at);

-- What the merchant should know or do. state: open, closed.
create table tasks (
    merchant_id text not null,
    task_id text not null,
    installation_id text not null,
    member_id text,
    task_key text not null,
    title text not null,
    body text not null,
    state text not null,
    opened_at integer not null,
    closed_at integer,
    primary key (merchant_id, task_id)
) strict, without rowid;
create index tasks_state on tasks (merchant_id, state, opened_at);
create index tasks_open on tasks (merchant_id, member_id) where state = 'open';

-- Questions to members. `question_id` is the secret end of the link; a question is answered once.
create table questions (
    merchant_id text not null,
    question_id text not null,
    member_id text not null,
    installation_id text not null,
    question_key text not null,
    scale text not null,
    locale text not null,
    asked_at integer not null,
    expires_at integer not null,
    answered_at integer,
    primary key (merchant_id, question_id)
) strict, without rowid;

-- Which process looks for what is due. By the database's clock.
create table lead (
    only_row integer primary key check (only_row = 1),
    name text not null,
    leased_until integer not null
) strict;
insert into lead values (1, '', 0);
