-- Who gives, what they pledge, and how much of it is promised or delivered. Nothing here is about a household.
create table offers.charity (
    id uuid primary key,
    name text not null unique check (name <> ''),
    kind text not null check (kind in ('charity', 'company', 'volunteer_team')),
    area text not null check (area ~ '^[0-9]{12}$'),
    version int not null default 1 check (version > 0),
    created_at timestamptz not null default now()
);

create table offers.offer (
    id uuid primary key,
    offer_number text not null check (offer_number <> ''),
    charity_id uuid not null references offers.charity (id),
    category text not null,
    quantity int not null check (quantity > 0),
    origin_area text not null check (origin_area ~ '^[0-9]{12}$'),
    service_areas text[] not null check (cardinality(service_areas) > 0),
    radius_m int check (radius_m > 0),
    pickup text not null check (pickup in ('delivery', 'self_pickup')),
    available_from timestamptz,
    available_until timestamptz,
    expires_on date,
    designated_vulnerabilities text[] not null default '{}',
    licences text[] not null default '{}',
    vetted boolean not null default false,
    per_household_limit int check (per_household_limit > 0),
    per_day_limit int check (per_day_limit > 0),
    unit_value_fen int check (unit_value_fen >= 0),
    condition text not null check (condition in ('new', 'used')),
    status text not null default 'open' check (status in ('open', 'withdrawn')),
    withdraw_reason text,
    version int not null default 1 check (version > 0),
    content_hash bytea not null,
    created_at timestamptz not null default now(),
    unique (charity_id, offer_number),
    check (available_from <= available_until)
);

-- One row a commitment, whatever order its facts arrive in: quantity stays unknown until the approval itself is here.
create table offers.commitment (
    commitment_id uuid primary key,
    offer_id uuid not null,
    area text check (area ~ '^[0-9]{12}$'),
    quantity int check (quantity > 0),
    released int not null default 0 check (released >= 0),
    returned boolean not null default false
);
create index commitment_offer on offers.commitment (offer_id);

-- One row a delivery: which commitment it carries out, when the charity brought it, how much was confirmed.
create table offers.delivery (
    delivery_id uuid primary key,
    offer_id uuid not null,
    commitment_id uuid,
    delivered_at timestamptz,
    failed boolean not null default false,
    received int check (received >= 0)
);
create index delivery_commitment on offers.delivery (commitment_id);

create table offers.import_run (
    id uuid primary key,
    sha256 bytea not null,
    mode text not null check (mode in ('whole', 'right_rows')),
    rows int not null,
    added int not null,
    changed int not null,
    unchanged int not null,
    refused int not null,
    by_person uuid not null,
    at timestamptz not null default now(),
    refused_file bytea,
    expires_at timestamptz not null default now() + interval '7 days'
);
create index import_run_person on offers.import_run (by_person, at desc);

-- Whether one of the areas lies in one of the patterns that access.areas gives, or contains it.
create function offers.touches(areas text[], patterns text[]) returns boolean
language sql immutable as $$
    select exists (select 1 from unnest(areas) a, unnest(patterns) p where a like p or p like access.pattern(a))
$$;

-- An offer with its balance: quantity = free + committed + delivered + lost; a withdrawn or expired offer has nothing free.
create view offers.standing with (security_invoker = true) as
select o.*, c.name as charity_name, c.kind as charity_kind, b.committed, b.delivered, b.lost, b.taken,
    case when s.state in ('withdrawn', 'expired') then 0 else greatest(o.quantity - b.taken, 0) end as free,
    s.state
from offers.offer o
join offers.charity c on c.id = o.charity_id
cross join lateral (
    select
        coalesce(sum(m.quantity - m.released - m.arrived), 0)::int as committed,
        coalesce(sum(m.arrived), 0)::int as delivered,
        coalesce(sum(case when m.returned then 0 else m.released end), 0)::int as lost,
        coalesce(sum(m.quantity - case when m.returned then m.released else 0 end), 0)::int as taken
    from (
        select k.quantity, k.returned, least(k.released, k.quantity) as released,
            least(
                case when d.received is not null then d.received when d.delivered_at is not null and not d.failed then k.quantity else 0 end,
                k.quantity - least(k.released, k.quantity)) as arrived
        from offers.commitment k left join offers.delivery d on d.commitment_id = k.commitment_id
        where k.offer_id = o.id and k.quantity is not null
    ) m
) b
cross join lateral (
    select case
        when o.status = 'withdrawn' then 'withdrawn'
        when o.expires_on < (now() at time zone 'Asia/Shanghai')::date or o.available_until < now() then 'expired'
        when b.taken >= o.quantity then 'used_up'
        else 'open'
    end as state
) s;

alter table offers.offer enable row level security;
alter table offers.offer force row level security;
create policy system on offers.offer to nuanlian_offers_system using (true) with check (true);
create policy own on offers.offer to nuanlian_offers
    using (charity_id = any ((select access.charities())::uuid[]))
    with check (charity_id = any ((select access.charities())::uuid[]));
create policy office on offers.offer for select to nuanlian_offers
    using (offers.touches(service_areas || origin_area, (select access.areas('coordinator', 'auditor'))::text[]));
-- Seeing an offer that serves one's area is not holding it: that takes where it comes from, before and after the change.
create policy office_enters on offers.offer for insert to nuanlian_offers
    with check (origin_area like any ((select access.areas('coordinator'))::text[]));
create policy office_changes on offers.offer for update to nuanlian_offers
    using (origin_area like any ((select access.areas('coordinator'))::text[]));

alter table offers.commitment enable row level security;
alter table offers.commitment force row level security;
create policy system on offers.commitment to nuanlian_offers_system using (true) with check (true);
create policy of_offer on offers.commitment for select to nuanlian_offers
    using (exists (select 1 from offers.offer o where o.id = offer_id));

alter table offers.delivery enable row level security;
alter table offers.delivery force row level security;
create policy system on offers.delivery to nuanlian_offers_system using (true) with check (true);
create policy of_offer on offers.delivery for select to nuanlian_offers
    using (exists (select 1 from offers.offer o where o.id = offer_id));

alter table offers.import_run enable row level security;
alter table offers.import_run force row level security;
create policy system on offers.import_run to nuanlian_offers_system using (true) with check (true);
create policy mine on offers.import_run to nuanlian_offers
    using (by_person = (select access.live_person())) with check (by_person = (select access.live_person()));

grant select, insert on offers.charity, offers.offer to nuanlian_offers, nuanlian_offers_system;
-- Whose an offer is and which number it has never change.
grant update (category, quantity, origin_area, service_areas, radius_m, pickup, available_from, available_until, expires_on,
    designated_vulnerabilities, licences, vetted, per_household_limit, per_day_limit, unit_value_fen, condition, status, withdraw_reason, version,
    content_hash) on offers.offer to nuanlian_offers, nuanlian_offers_system;
grant select on offers.commitment, offers.delivery, offers.standing to nuanlian_offers, nuanlian_offers_system;
grant insert, update on offers.commitment, offers.delivery to nuanlian_offers_system;
grant select, insert on offers.import_run to nuanlian_offers, nuanlian_offers_system;
grant update on offers.import_run to nuanlian_offers_system;
