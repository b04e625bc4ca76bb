-- What fails is put aside alone and tried again; what a platform says of the time is a claim.

-- Since when an entry fails. A new state, `failed`: it failed too often and waits for a person, and its member's later entries behind it.
alter table waiting add column failing_since bigint;
create index waiting_failed on waiting (merchant_id, member_id, entry_id) where state = 'failed';

-- Members for whom what is due could not be seen to. The scheduler leaves them alone until `not_before`.
create table stalled_members (
    merchant_id text collate "C" not null,
    member_id text collate "C" not null,
    cause text not null,
    failing_since bigint not null,
    attempts bigint not null,
    wait_ms bigint not null,
    not_before bigint not null,
    primary key (merchant_id, member_id)
);

-- The digest of what was told, where the time in it was not believed and `document` has another: a repetition is held against this.
alter table entries add column told bytea;
-- 1 for what happened before the programme began and does not count.
alter table entries add column uncounted bigint not null default 0;
