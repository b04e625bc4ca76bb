-- Who is who, who was forgotten, and how far what is kept for a time has been removed.

-- proven: the platform, the member or the staff vouch for it; 0: somebody typed it, and it only suggests who they are. source_id: whose
-- customer id it is. Numbers attached so far were typed beside something stronger as often as not.
alter table member_keys add column proven bigint not null default 1;
alter table member_keys add column source_id text collate "C";
update member_keys set proven = 0 where kind = 'phone';

-- Members beside whom a key was named that is not theirs: what tells a placeholder, and where somebody else is named.
create table mentions (
    merchant_id text collate "C" not null,
    kind text collate "C" not null,
    hash bytea not null,
    member_id text collate "C" not null,
    primary key (merchant_id, kind, hash, member_id)
);
create index mentions_member on mentions (merchant_id, member_id);

-- The keys of whoever was forgotten, as keyed hashes, so that what names them and comes late is not kept.
create table forgotten (
    merchant_id text collate "C" not null,
    kind text collate "C" not null,
    hash bytea not null,
    at bigint not null,
    primary key (merchant_id, kind, hash)
);

-- How far what is linked to nobody has been looked through for whoever was forgotten. `done` once all of it has been.
create table erasures (
    merchant_id text collate "C" primary key,
    arrivals_seen bigint not null,
    rejections_seen bigint not null,
    done bigint not null
);

-- Its facts and texts were removed: it cannot be made again.
alter table decisions add column emptied bigint not null default 0;

-- How far each sweep has come.
create table sweeps (
    what text collate "C" primary key,
    seen bigint not null
);
insert into sweeps values ('arrivals', 0), ('answers', 0);
