-- Who did what. Append only: one hash chain for each merchant, and one, under the empty name, for the installation.
create table audit (
    audit_id bigint generated always as identity primary key,
    merchant_id text collate "C" not null,
    -- Its number in the chain, from 1.
    place bigint not null,
    at bigint not null,
    -- token, command, process or link; and which.
    actor_kind text collate "C" not null,
    actor text not null,
    act text collate "C" not null,
    member_id text collate "C",
    arrival_id bigint,
    before text,
    after text,
    hash bytea not null
);
create unique index audit_chain on audit (merchant_id, place);
create index audit_at on audit (at);
create function refuse_to_change_audit() returns trigger language plpgsql as
$$ begin raise exception 'the audit log is never updated or deleted'; end $$;
create trigger audit_is_never_changed before update or delete or truncate on audit
    for each statement execute function refuse_to_change_audit();

-- Where each chain ends, so that a missing end shows.
create table audit_heads (
    merchant_id text collate "C" primary key,
    place bigint not null,
    hash bytea not null
);
