-- Who did what. Append only: one hash chain for each merchant, and one, under the empty name, for the installation.
create table audit (
    audit_id integer primary key autoincrement,
    merchant_id text not null,
    -- Its number in the chain, from 1.
    place integer not null,
    at integer not null,
    -- token, command, process or link; and which.
    actor_kind text not null,
    actor text not null,
    act text not null,
    member_id text,
    arrival_id integer,
    before text,
    after text,
    hash blob not null
) strict;
create unique index audit_chain on audit (merchant_id, place);
create index audit_at on audit (at);
create trigger audit_is_never_updated before update on audit
begin
    select raise(abort, 'the audit log is never updated');
end;
create trigger audit_is_never_deleted before delete on audit
begin
    select raise(abort, 'the audit log is never deleted');
end;

-- Where each chain ends, so that a missing end shows.
create table audit_heads (
    merchant_id text primary key,
    place integer not null,
    hash blob not null
) strict, without rowid;
