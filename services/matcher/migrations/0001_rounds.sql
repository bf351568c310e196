-- The matching worker's own copy of open needs and offers, what it proposed, and why the rest got nothing.

-- A row may exist before its need is known: version 0, ended by an event that came first. `promised` and
-- `booked` are kept by matcher.recount: a reader sees the promises of their own area alone.
create table matcher.need (
    id uuid primary key,
    version int not null default 0,
    ended int not null default 0,
    quantity int not null default 0,
    promised int not null default 0,
    open boolean generated always as (version > ended and promised < quantity) stored,
    area text not null,
    beneficiary_id uuid,
    beneficiary_kind text not null default 'household',
    case_number text not null default '',
    category text not null default '',
    urgency text not null default 'normal',
    needed_by timestamptz,
    vulnerabilities text[] not null default '{}',
    minor boolean not null default false,
    consent boolean not null default false,
    raised_at timestamptz,
    whole boolean not null default false,
    bundle_id uuid
);
create index need_bundle on matcher.need (bundle_id, category) where open and bundle_id is not null;
create index need_open on matcher.need (category) where open;
create index need_share on matcher.need (category, raised_at);

create table matcher.offer (
    id uuid primary key,
    version int not null default 0,
    ended int not null default 0,
    quantity int not null default 0,
    promised int not null default 0,
    booked int not null default 0,
    open boolean generated always as (version > ended and promised < quantity) stored,
    offer_number text not null default '',
    charity_id uuid,
    charity_name text not null default '',
    category text not null default '',
    origin_area text not null default '',
    service_areas text[] not null default '{}',
    radius_m int,
    pickup text not null default 'delivery',
    available_from timestamptz,
    available_until timestamptz,
    expires_on date,
    designated_vulnerabilities text[] not null default '{}',
    licences text[] not null default '{}',
    vetted boolean not null default false,
    per_household_limit int,
    per_day_limit int,
    condition text not null default 'new'
);
create index offer_open on matcher.offer (category) where open;

-- One row a promise; approval and release may come in either order, so each fills in its own half.
create table matcher.commitment (
    commitment_id uuid primary key,
    need_id uuid not null,
    offer_id uuid not null,
    area text not null,
    beneficiary_id uuid,
    category text,
    quantity int not null default 0,
    released int not null default 0,
    returned int not null default 0
);
create index commitment_need on matcher.commitment (need_id);
create index commitment_offer on matcher.commitment (offer_id);
create index commitment_beneficiary on matcher.commitment (beneficiary_id);

create table matcher.aid (
    delivery_id uuid primary key,
    commitment_id uuid not null,
    need_id uuid not null,
    offer_id uuid not null,
    beneficiary_id uuid not null,
    area text not null,
    category text not null,
    quantity int not null,
    received_at timestamptz not null
);
create index aid_beneficiary on matcher.aid (beneficiary_id);
create index aid_commitment on matcher.aid (commitment_id);

create table matcher.round (
    id uuid primary key,
    state text not null default 'done' check (state in ('queued', 'done')),
    dry_run boolean not null default false,
    asked_by uuid,
    started_at timestamptz not null default now(),
    seconds real,
    seed int,
    categories text[] not null default '{}',
    needs int not null default 0,
    offers int not null default 0,
    edges int not null default 0,
    kept int not null default 0,
    made int not null default 0,
    superseded int not null default 0,
    unserved int not null default 0,
    certificate jsonb,
    fairness jsonb not null default '[]',
    shares jsonb not null default '{}',
    refused jsonb not null default '{}'
);
create index round_latest on matcher.round (started_at desc, id desc);

create table matcher.proposal (
    id uuid primary key,
    round_id uuid,
    by_person uuid,
    need_id uuid not null,
    offer_id uuid not null,
    area text not null,
    category text not null,
    quantity int not null check (quantity > 0),
    score int not null,
    need_version int not null,
    offer_version int not null,
    status text not null default 'pending' check (status in ('pending', 'decided', 'superseded')),
    made_at timestamptz not null default now()
);
create index proposal_pending on matcher.proposal (category) where status = 'pending';
create index proposal_need on matcher.proposal (need_id) where status = 'pending';
create index proposal_offer on matcher.proposal (offer_id) where status = 'pending';

-- Pairs that a coordinator said no to: the engine does not propose them again.
create table matcher.declined (
    need_id uuid not null,
    offer_id uuid not null,
    area text not null,
    reason text not null,
    primary key (need_id, offer_id)
);

create table matcher.unserved (
    need_id uuid primary key,
    round_id uuid not null,
    area text not null,
    category text not null,
    missing int not null,
    refusals jsonb not null
);
create index unserved_category on matcher.unserved (category);

-- What has to be looked at again: handlers add a line, a round takes all that it sees, so neither waits for the other.
create table matcher.dirty (
    id bigint generated always as identity primary key,
    category text not null,
    since timestamptz not null default now()
);

create table matcher.checked (
    category text primary key,
    at timestamptz not null
);

-- Units of an offer that were promised and not handed over yet.
create function matcher.booked(offer uuid) returns int
language sql stable as $$
    select coalesce(sum(k.quantity - k.released), 0)::int from matcher.commitment k
    where k.offer_id = offer and k.quantity > k.released
        and not exists (select from matcher.aid a where a.commitment_id = k.commitment_id)
$$;

-- Count again what is promised of a pair, and booked of the offer. The rows are locked first: the sums are then read by a later statement, which sees what
-- others committed while this one waited.
create function matcher.recount(need uuid, offer uuid) returns void
language plpgsql as $$
begin
    perform from matcher.need n where n.id = need for update;
    perform from matcher.offer o where o.id = offer for update;
    update matcher.need n set promised = coalesce(
        (select sum(k.quantity - least(k.released, k.quantity)) from matcher.commitment k where k.need_id = n.id), 0)
    where n.id = need;
    update matcher.offer o set booked = matcher.booked(o.id), promised = coalesce(
        (select sum(k.quantity - least(k.returned, k.quantity)) from matcher.commitment k where k.offer_id = o.id), 0)
    where o.id = offer;
end $$;

grant select, insert, update, delete on all tables in schema matcher to nuanlian_matcher_system;
grant select on all tables in schema matcher to nuanlian_matcher;
grant insert on matcher.dirty, matcher.round, matcher.proposal to nuanlian_matcher;
grant update (status) on matcher.proposal to nuanlian_matcher;

alter table matcher.need enable row level security;
alter table matcher.need force row level security;
alter table matcher.commitment enable row level security;
alter table matcher.commitment force row level security;
alter table matcher.aid enable row level security;
alter table matcher.aid force row level security;
alter table matcher.proposal enable row level security;
alter table matcher.proposal force row level security;
alter table matcher.declined enable row level security;
alter table matcher.declined force row level security;
alter table matcher.unserved enable row level security;
alter table matcher.unserved force row level security;

create policy system on matcher.need to nuanlian_matcher_system using (true) with check (true);
create policy system on matcher.commitment to nuanlian_matcher_system using (true) with check (true);
create policy system on matcher.aid to nuanlian_matcher_system using (true) with check (true);
create policy system on matcher.proposal to nuanlian_matcher_system using (true) with check (true);
create policy system on matcher.declined to nuanlian_matcher_system using (true) with check (true);
create policy system on matcher.unserved to nuanlian_matcher_system using (true) with check (true);

create policy readers on matcher.need for select to nuanlian_matcher
    using (area like any ((select access.areas('worker', 'coordinator', 'auditor'))::text[]));
create policy readers on matcher.commitment for select to nuanlian_matcher
    using (area like any ((select access.areas('worker', 'coordinator', 'auditor'))::text[]));
create policy readers on matcher.aid for select to nuanlian_matcher
    using (area like any ((select access.areas('worker', 'coordinator', 'auditor'))::text[]));
create policy readers on matcher.proposal for select to nuanlian_matcher
    using (area like any ((select access.areas('worker', 'coordinator', 'auditor'))::text[]));
create policy readers on matcher.declined for select to nuanlian_matcher
    using (area like any ((select access.areas('worker', 'coordinator', 'auditor'))::text[]));
create policy readers on matcher.unserved for select to nuanlian_matcher
    using (area like any ((select access.areas('worker', 'coordinator', 'auditor'))::text[]));

create policy proposers on matcher.proposal for insert to nuanlian_matcher
    with check (area like any ((select access.areas('coordinator'))::text[]));
create policy swappers on matcher.proposal for update to nuanlian_matcher
    using (area like any ((select access.areas('coordinator'))::text[]));

-- Of each offer of these categories what rounds proposed to needs beside this one: how many units, and the least score among
-- them. A reader sees the proposals of their own area alone; of the others they learn these numbers, and whether the one that
-- scores least is of the need's town.
create function matcher.outbid(wanted uuid, codes text[])
returns table (offer_id uuid, units int, beats int, kin boolean)
language sql stable security definer set search_path = matcher, pg_temp as $$
    select p.offer_id, sum(p.quantity)::int, min(p.score),
        (array_agg(left(p.area, 9) = left(n.area, 9) order by p.score, left(p.area, 9) = left(n.area, 9) desc))[1]
    from need n cross join proposal p join offer o on o.id = p.offer_id
    where n.id = wanted and n.area like any (access.areas('worker', 'coordinator', 'auditor'))
        and p.status = 'pending' and p.by_person is null and p.need_id <> wanted and o.category = any (codes)
    group by p.offer_id
$$;
grant create on schema matcher to nuanlian_matcher_system;
alter function matcher.outbid(uuid, text[]) owner to nuanlian_matcher_system;
revoke create on schema matcher from nuanlian_matcher_system;
revoke execute on function matcher.outbid(uuid, text[]) from public;
grant execute on function matcher.outbid(uuid, text[]) to nuanlian_matcher, nuanlian_matcher_system;
