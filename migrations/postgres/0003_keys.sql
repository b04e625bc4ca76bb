-- Data keys, each wrapped by every root key that may open it. Rotating the root adds rows; retiring the old root removes its rows.
-- A data key seals or signs new things only once it is active: by then every process knows it.
create table keys (
    purpose text collate "C" not null,
    generation bigint not null,
    -- The fingerprint of the root key that wrapped it.
    root text collate "C" not null,
    wrapped bytea not null,
    active bigint not null,
    made_at bigint not null,
    primary key (purpose, generation, root)
);

-- The tokens that were made. A token itself is kept nowhere.
create table tokens (
    token_id text collate "C" primary key,
    role text collate "C" not null,
    merchant_id text collate "C",
    partner_id text collate "C",
    name text,
    -- Of the key it is signed with.
    generation bigint not null,
    created_at bigint not null,
    created_by text not null,
    expires_at bigint not null,
    revoked_at bigint,
    revoked_by text
);
create index tokens_merchant on tokens (merchant_id, created_at) where merchant_id is not null;

-- Digests of bodies are keyed. Rows written before this have a plain one, until the first start re-keys them.
alter table arrivals add column keyed bigint not null default 0;
alter table rejections add column keyed bigint not null default 0;
create index arrivals_unkeyed on arrivals (arrival_id) where keyed = 0;
create index rejections_unkeyed on rejections (rejection_id) where keyed = 0;
