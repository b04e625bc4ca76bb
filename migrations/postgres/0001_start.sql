-- The same tables as for SQLite, in the order in which a purchase meets them. Times are milliseconds since 1970 UTC, amounts whole units.
-- `merchant_id` leads every key: nothing is ever looked up without its tenant.

-- Rises whenever a merchant's programme changes, so that processes know when to look again.
create table registry (
    only_row bigint primary key check (only_row = 1),
    revision bigint not null
);
insert into registry values (1, 0);

create table merchants (
    merchant_id text collate "C" primary key,
    document text not null
);

-- Sealed: holds signing secrets and API tokens.
create table sources (
    merchant_id text collate "C" not null references merchants,
    source_id text collate "C" not null,
    sealed bytea not null,
    primary key (merchant_id, source_id)
);

-- Sealed: holds signing secrets and mail passwords.
create table channels (
    merchant_id text collate "C" not null references merchants,
    channel_id text collate "C" not null,
    sealed bytea not null,
    primary key (merchant_id, channel_id)
);

-- Components, by what they are. Never deleted: a decision made by one must stay repeatable.
create table plugins (
    digest bytea primary key,
    plugin_id text collate "C" not null,
    version text not null,
    component bytea not null
);

-- `place` is null for an installation that was removed: its record stays.
create table installations (
    merchant_id text collate "C" not null references merchants,
    installation_id text collate "C" not null,
    place bigint,
    plugin_id text collate "C" not null,
    digest bytea not null references plugins,
    partner_id text collate "C",
    settings text not null,
    settings_revision bigint not null,
    grants text not null,
    caps text not null,
    mode text not null,
    primary key (merchant_id, installation_id)
);

-- What each settings revision said: a stored decision names one.
create table settings (
    merchant_id text collate "C" not null,
    installation_id text collate "C" not null,
    settings_revision bigint not null,
    digest bytea not null,
    document text not null,
    primary key (merchant_id, installation_id, settings_revision)
);

-- Verified requests, as they came: never changed afterwards. `sealed` is headers and raw body: it may hold contact data.
create table arrivals (
    arrival_id bigint generated always as identity primary key,
    merchant_id text collate "C" not null,
    source_id text collate "C" not null,
    topic text not null,
    dedupe text collate "C" not null,
    test bigint not null,
    digest bytea not null,
    sealed bytea not null,
    received_at bigint not null
) with (toast_tuple_target = 8160);
create unique index arrivals_dedupe on arrivals (merchant_id, source_id, dedupe);

-- Arrivals still to be read. Whoever journalled one holds it until `leased_until`, by the database's clock; then anybody may.
create table inbox (
    arrival_id bigint primary key,
    merchant_id text collate "C" not null,
    fetched bytea,
    note text,
    attempts bigint not null default 0,
    not_before bigint not null default 0,
    leased_until bigint not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
create index inbox_turn on inbox (merchant_id, arrival_id);

-- How arrivals ended. state: read (its entries follow), nothing, test, conflict, parked.
create table readings (
    arrival_id bigint primary key,
    merchant_id text collate "C" not null,
    state text collate "C" not null,
    note text,
    -- The first entry it speaks of, its own or an earlier one.
    entry_id bigint,
    fetched bytea
);
create index readings_entry on readings (entry_id) where entry_id is not null;
create index readings_state on readings (merchant_id, state, arrival_id) where state <> 'read';

-- Requests turned away; only the newest of each source are kept.
create table rejections (
    rejection_id bigint generated always as identity primary key,
    merchant_id text collate "C" not null,
    source_id text collate "C" not null,
    cause text not null,
    detail text not null,
    digest bytea not null,
    bytes bigint not null,
    sealed bytea,
    received_at bigint not null
);
create index rejections_source on rejections (merchant_id, source_id, rejection_id);

-- What happened, deduplicated for ever. Where an entry stands is in `waiting`; one that does not wait is settled.
create table entries (
    entry_id bigint generated always as identity primary key,
    merchant_id text collate "C" not null,
    source_id text collate "C" not null,
    kind text collate "C" not null,
    external_id text collate "C" not null,
    reference text collate "C",
    arrival_id bigint not null,
    member_id text collate "C",
    purchase_entry bigint,
    document text not null,
    digest bytea not null,
    happened_at bigint not null,
    cause text,
    refunded text
) with (toast_tuple_target = 8160);
create unique index entries_dedupe on entries (merchant_id, source_id, kind, external_id);
create index entries_refunds on entries (purchase_entry) where purchase_entry is not null;
create index entries_reference on entries (merchant_id, source_id, reference) where reference is not null;

-- Entries that are not settled. state: queued, parked (waits for its purchase), unclaimed (waits for a member). Narrow, since every
-- entry passes through it.
create table waiting (
    entry_id bigint primary key,
    merchant_id text collate "C" not null,
    source_id text collate "C" not null,
    member_id text collate "C",
    purchase_id text collate "C",
    state text collate "C" not null,
    cause text,
    attempts bigint not null default 0,
    not_before bigint not null default 0,
    leased_until bigint not null default 0
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
create index waiting_turn on waiting (merchant_id, entry_id) where state = 'queued';
create index waiting_member on waiting (merchant_id, member_id, entry_id) where state = 'queued';
create index waiting_purchase on waiting (merchant_id, source_id, purchase_id) where purchase_id is not null;

-- `balances` is a cache of the member's postings: `perkgate ledger verify` proves it.
create table members (
    merchant_id text collate "C" not null,
    member_id text collate "C" not null,
    version bigint not null,
    joined_at bigint not null,
    locale text,
    consent bigint not null,
    visits bigint not null,
    spent bigint not null,
    first_purchase_at bigint,
    last_purchase_at bigint,
    tier text,
    tags text not null,
    balances text not null,
    chain bytea not null,
    primary key (merchant_id, member_id)
) with (fillfactor = 70);

-- Keyed hashes of addresses, customer ids and card codes.
create table member_keys (
    merchant_id text collate "C" not null,
    kind text collate "C" not null,
    hash bytea not null,
    member_id text collate "C" not null,
    primary key (merchant_id, kind, hash)
);
create index member_keys_member on member_keys (merchant_id, member_id);

-- The only table with contact data, field by field and sealed.
create table contacts (
    merchant_id text collate "C" not null,
    member_id text collate "C" not null,
    field text collate "C" not null,
    sealed bytea not null,
    primary key (merchant_id, member_id, field)
);

-- Everything that was decided on an entry, in the order in which the plugins ran: a list of decision records.
create table decisions (
    entry_id bigint primary key,
    merchant_id text collate "C" not null,
    document text not null
) with (toast_tuple_target = 8160);

create table memories (
    merchant_id text collate "C" not null,
    member_id text collate "C" not null,
    installation_id text collate "C" not null,
    bytes bytea not null,
    primary key (merchant_id, member_id, installation_id)
) with (fillfactor = 70);

create table lots (
    merchant_id text collate "C" not null,
    lot_id text collate "C" not null,
    entry_id bigint not null,
    member_id text collate "C" not null,
    installation_id text collate "C" not null,
    digest bytea not null,
    settings_revision bigint not null,
    wallet text collate "C" not null,
    amount bigint not null check (amount > 0),
    reversed bigint not null default 0 check (reversed between 0 and amount),
    shares text not null,
    primary key (merchant_id, entry_id, lot_id)
);

-- Append only. `posting_id` is the order of each member's hash chain.
create table postings (
    posting_id bigint generated always as identity primary key,
    merchant_id text collate "C" not null,
    entry_id bigint not null,
    ordinal bigint not null,
    member_id text collate "C" not null,
    wallet text collate "C" not null,
    source text not null,
    destination text not null,
    amount bigint not null check (amount > 0),
    lot_id text collate "C",
    at bigint not null,
    hash bytea not null
);
create unique index postings_entry on postings (merchant_id, entry_id, ordinal);
create function refuse_to_change_postings() returns trigger language plpgsql as
$$ begin raise exception 'postings are never updated or deleted'; end $$;
create trigger postings_are_never_changed before update or delete or truncate on postings
    for each statement execute function refuse_to_change_postings();

-- The accounts that are no member's; a cache of postings like the members' own.
create table balances (
    merchant_id text collate "C" not null,
    account text collate "C" not null,
    wallet text collate "C" not null,
    amount bigint not null,
    primary key (merchant_id, account, wallet)
) with (fillfactor = 30);

-- state: issued, used, withdrawn. An offer is a reward with a partner.
create table rewards (
    merchant_id text collate "C" not null,
    reward_id text collate "C" not null,
    member_id text collate "C" not null,
    entry_id bigint not null,
    installation_id text collate "C" not null,
    partner_id text collate "C",
    reward_key text not null,
    title text not null,
    terms text not null,
    code text collate "C" not null,
    price_wallet text collate "C",
    price_amount bigint,
    state text collate "C" not null,
    issued_at bigint not null,
    expires_at bigint,
    primary key (merchant_id, reward_id)
);
create index rewards_member on rewards (merchant_id, member_id, issued_at);
create index rewards_entry on rewards (merchant_id, entry_id);
create unique index rewards_code on rewards (merchant_id, code);

-- What caps and limits have been used up; `day` is empty for limits without one.
create table counters (
    merchant_id text collate "C" not null,
    day text collate "C" not null,
    installation_id text collate "C" not null,
    name text collate "C" not null,
    amount bigint not null,
    primary key (merchant_id, day, installation_id, name)
) with (fillfactor = 50);

-- The outbox. state: due, delivered, dead, suppressed.
create table deliveries (
    delivery_id text collate "C" primary key,
    merchant_id text collate "C" not null,
    channel_id text collate "C" not null,
    entry_id bigint not null,
    installation_id text collate "C" not null,
    member_id text collate "C" not null,
    message text not null,
    state text collate "C" not null,
    note text,
    created_at bigint not null,
    attempts bigint not null default 0,
    next_at bigint not null,
    leased_until bigint not null default 0
) with (fillfactor = 70);
create index deliveries_due on deliveries (merchant_id, channel_id, next_at) where state = 'due';
create index deliveries_entry on deliveries (merchant_id, entry_id);
create index deliveries_state on deliveries (merchant_id, state, created_at);

create table attempts (
    delivery_id text collate "C" not null,
    number bigint not null,
    at bigint not null,
    took_ms bigint not null,
    status bigint,
    error text,
    primary key (delivery_id, at, number)
);

-- Channels whose receiver fails: a circuit breaker's memory. No row for those that are well.
create table failing_channels (
    merchant_id text collate "C" not null,
    channel_id text collate "C" not null,
    failures bigint not null,
    failing_since bigint not null,
    closed_until bigint not null,
    disabled_at bigint,
    reason text,
    primary key (merchant_id, channel_id)
);
