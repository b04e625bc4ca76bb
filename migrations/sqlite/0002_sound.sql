-- What fails is put aside alone and tried again; what a platform says of the time is a claim.

-- Since when an entry fails. A new state, `failed`: it failed too often and waits for a person, and its member's later entries behind it.
alter table waiting add column failing_since integer;
create index waiting_failed on waiting (merchant_id, member_id, entry_id) where state = 'failed';

-- Members for whom what is due could not be seen to. The scheduler leaves them alone until `not_before`.
create table stalled_members (
    merchant_id text not null,
    member_id text not null,
    cause text not null,
    failing_since integer not null,
    attempts integer not null,
    wait_ms integer not null,
    not_before integer not null,
    primary key (merchant_id, member_id)
) strict, without rowid;

-- The digest of what was told, where the time in it was not believed and `document` has another: a repetition is held against this.
alter table entries add column told blob;
-- 1 for what happened before the programme began and does not count.
alter table entries add column uncounted integer not null default 0;
