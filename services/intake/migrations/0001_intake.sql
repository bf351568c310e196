-- Households and whoever else needs help, visits, needs, and copies of what became of the needs.
-- Columns ending in _enc are sealed with the household's data key; columns ending in _blind are keyed indexes of exact values.
create sequence intake.number as bigint;

create table intake.household (
    id uuid primary key,
    case_number text not null unique check (case_number <> ''),
    area text not null check (area ~ '^[0-9]{12}$'),
    data_key bytea not null,
    village_enc bytea,
    address_enc bytea,
    phone_enc bytea,
    location_enc bytea,
    phone_blind bytea,
    vulnerabilities text[] not null default '{}',
    consent boolean not null,
    consent_on date,
    consent_by_guardian boolean not null default false,
    consent_withdrawn_on date,
    content_hash bytea,
    imported_version int,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version int not null default 1 check (version > 0),
    check (not consent or consent_on is not null)
);
create index household_phone on intake.household (phone_blind);
create index household_area on intake.household (area text_pattern_ops, id);

create table intake.member (
    id uuid primary key,
    household_id uuid not null references intake.household (id),
    area text not null check (area ~ '^[0-9]{12}$'),
    position int not null default 0,
    name_enc bytea not null,
    id_number_enc bytea,
    birth_date_enc bytea,
    name_blind bytea,
    id_blind bytea,
    relation text not null default '',
    sex text check (sex in ('1', '2')),
    minor_until date,
    vulnerabilities text[] not null default '{}'
);
create index member_household on intake.member (household_id, position);
create index member_name on intake.member (name_blind);
create index member_id on intake.member (id_blind);

-- Beneficiaries that are no household; their names are no personal data.
create table intake.beneficiary_site (
    id uuid primary key,
    site_number text not null unique,
    kind text not null check (kind in ('site', 'institution', 'group', 'station')),
    name text not null check (name <> ''),
    area text not null check (area ~ '^[0-9]{12}$'),
    minors boolean not null default false,
    data_key bytea not null,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    unique (area, kind, name)
);

create table intake.visit (
    id uuid primary key,
    beneficiary_id uuid not null,
    beneficiary_kind text not null check (beneficiary_kind in ('household', 'site', 'institution', 'group', 'station')),
    area text not null check (area ~ '^[0-9]{12}$'),
    visited_at timestamptz not null,
    worker_id uuid not null,
    note_enc bytea,
    participants_enc bytea,
    follow_up_id uuid,
    client_ref text,
    body_hash bytea,
    created_at timestamptz not null default now(),
    unique (worker_id, client_ref)
);
create index visit_beneficiary on intake.visit (beneficiary_id, visited_at);

create table intake.need (
    id uuid primary key,
    need_number text not null unique check (need_number <> ''),
    beneficiary_id uuid not null,
    beneficiary_kind text not null check (beneficiary_kind in ('household', 'site', 'institution', 'group', 'station')),
    case_number text not null,
    area text not null check (area ~ '^[0-9]{12}$'),
    visit_id uuid not null references intake.visit (id),
    text_enc bytea,
    category text,
    quantity int check (quantity > 0),
    urgency text not null check (urgency in ('critical', 'high', 'normal', 'low')),
    needed_by timestamptz,
    whole boolean not null default false,
    bundle_id uuid,
    status text not null
        check (status in ('noted', 'open', 'partly_met', 'met', 'received', 'closed', 'withdrawn')),
    suggested_category text,
    confidence_milli int not null default 0 check (confidence_milli between 0 and 1000),
    committed int not null default 0 check (committed >= 0),
    received int not null default 0 check (received >= 0),
    content_hash bytea,
    close_reason text check (close_reason in ('solved_otherwise', 'not_needed', 'nothing_fits', 'moved', 'other')),
    raised_by uuid not null,
    raised_at timestamptz not null,
    version int not null default 1 check (version > 0),
    check (close_reason is null or status = 'closed'),
    check (status in ('noted', 'withdrawn') or (category is not null and quantity is not null)),
    check (bundle_id is null or category is not null)
);
create index need_beneficiary on intake.need (beneficiary_id);
create index need_bundle on intake.need (bundle_id) where bundle_id is not null;
create index need_status on intake.need (status, id);
create index need_area on intake.need (area text_pattern_ops, id);

-- What coordination and delivery said of each commitment. Columns stay null until their event came, in whatever order.
create table intake.commitment (
    commitment_id uuid primary key,
    need_id uuid not null,
    area text not null check (area ~ '^[0-9]{12}$'),
    offer_id uuid not null,
    charity_id uuid,
    quantity int check (quantity > 0),
    approved_at timestamptz,
    released int not null default 0 check (released >= 0),
    delivery_id uuid,
    delivery_version int not null default 0,
    scheduled_for timestamptz,
    received int check (received >= 0),
    short int check (short >= 0),
    received_at timestamptz
);
create index commitment_need on intake.commitment (need_id);

create table intake.follow_up (
    id uuid primary key,
    kind text check (kind in ('outcome', 'safety')),
    need_id uuid not null,
    beneficiary_id uuid not null,
    delivery_id uuid,
    area text not null check (area ~ '^[0-9]{12}$'),
    due_at timestamptz not null,
    overdue boolean not null default false,
    answered_at timestamptz,
    outcome text check (outcome in ('helped', 'partly', 'not_helped')),
    visit_id uuid,
    check ((answered_at is null) = (outcome is null))
);
create index follow_up_open on intake.follow_up (due_at) where answered_at is null;
create index follow_up_need on intake.follow_up (need_id);

-- Pairs of needs that looked like one and that a person said are two, the smaller id first: they are not asked about again.
create table intake.told_apart (
    one uuid not null references intake.need (id),
    other uuid not null references intake.need (id),
    area text not null check (area ~ '^[0-9]{12}$'),
    said_by uuid not null,
    said_at timestamptz not null default now(),
    primary key (one, other),
    check (one < other)
);
create index told_apart_other on intake.told_apart (other);

-- One uploaded workbook. Refused rows may hold personal data: sealed, seen only by who uploaded them, gone after seven days.
create table intake.import_run (
    id uuid primary key,
    kind text not null check (kind in ('households', 'needs')),
    file_sha256 text not null,
    mode text not null check (mode in ('whole', 'right_rows')),
    rows int not null,
    written int not null,
    unchanged int not null,
    refused int not null,
    by_person uuid not null,
    at timestamptz not null default now(),
    data_key bytea,
    refused_file_enc bytea,
    expires_at timestamptz not null default now() + interval '7 days'
);

-- A workbook between the look at it and the decision to import it.
create table intake.upload (
    id uuid primary key,
    kind text not null check (kind in ('households', 'needs')),
    by_person uuid not null,
    data_key bytea not null,
    file_enc bytea not null,
    expires_at timestamptz not null default now() + interval '1 hour'
);

-- Who looked up the contact of a household for a delivery.
create table intake.access_log (
    id uuid primary key,
    what text not null,
    about uuid not null,
    person_id uuid not null,
    at timestamptz not null default now()
);

do $$
declare t text;
begin
    foreach t in array array['household', 'member', 'beneficiary_site', 'visit', 'need', 'commitment', 'follow_up'] loop
        execute format('alter table intake.%I enable row level security', t);
        execute format('alter table intake.%I force row level security', t);
        execute format('create policy system on intake.%I to nuanlian_intake_system using (true) with check (true)', t);
        execute format(
            'create policy readers on intake.%I for select to nuanlian_intake
             using (area like any ((select access.areas(''worker'', ''coordinator'', ''auditor''))::text[]))', t);
        execute format(
            'create policy writers on intake.%I to nuanlian_intake
             using (area like any ((select access.areas(''worker''))::text[]))', t);
    end loop;
    foreach t in array array['import_run', 'upload', 'access_log'] loop
        execute format('alter table intake.%I enable row level security', t);
        execute format('alter table intake.%I force row level security', t);
        execute format('create policy system on intake.%I to nuanlian_intake_system using (true) with check (true)', t);
    end loop;
end $$;
alter table intake.told_apart enable row level security;
alter table intake.told_apart force row level security;
create policy system on intake.told_apart to nuanlian_intake_system using (true) with check (true);
create policy readers on intake.told_apart for select to nuanlian_intake
    using (area like any ((select access.areas('worker', 'coordinator', 'auditor'))::text[]));
create policy writers on intake.told_apart for insert to nuanlian_intake
    with check (area like any ((select access.areas('worker', 'coordinator'))::text[]) and said_by = (select access.live_person()));
create policy own on intake.import_run to nuanlian_intake
    using (by_person = (select access.live_person())) with check (by_person = (select access.live_person()));
create policy own on intake.upload to nuanlian_intake
    using (by_person = (select access.live_person())) with check (by_person = (select access.live_person()));
create policy write_own on intake.access_log for insert to nuanlian_intake
    with check (person_id = (select access.live_person()));

grant select, insert, update on all tables in schema intake to nuanlian_intake, nuanlian_intake_system;
grant delete on intake.member to nuanlian_intake, nuanlian_intake_system;
grant delete on intake.upload to nuanlian_intake_system;
grant usage on all sequences in schema intake to nuanlian_intake, nuanlian_intake_system;
revoke update on intake.access_log from nuanlian_intake, nuanlian_intake_system;

-- Whom a delivery goes to, while it is under way and the household agrees: for the charity that promised it, and for the worker or
-- coordinator of the town. A charity sees no table of intake: this function is its only window.
create function intake.contact(wanted uuid)
returns table (
    household_id uuid, case_number text, area text, data_key bytea, village_enc bytea, address_enc bytea, phone_enc bytea,
    member_id uuid, name_enc bytea, relation text, site_name text)
language sql stable security definer set search_path = intake, pg_temp as $$
    select n.beneficiary_id, n.case_number, n.area, h.data_key, h.village_enc, h.address_enc, h.phone_enc,
           m.id, m.name_enc, m.relation, s.name
    from commitment c
    join need n on n.id = c.need_id
    left join household h on h.id = n.beneficiary_id
    left join beneficiary_site s on s.id = n.beneficiary_id
    left join lateral (
        select id, name_enc, relation from member where household_id = h.id order by position, id limit 1) m on true
    where c.commitment_id = wanted
      and c.quantity > c.released and c.received is null
      and n.status <> 'withdrawn'
      and (h.consent or s.id is not null)
      and (c.charity_id = any (access.charities()) or n.area like any (access.areas('worker', 'coordinator')))
$$;
grant create on schema intake to nuanlian_intake_system;
alter function intake.contact(uuid) owner to nuanlian_intake_system;
revoke create on schema intake from nuanlian_intake_system;
revoke execute on function intake.contact(uuid) from public;
grant execute on function intake.contact(uuid) to nuanlian_intake, nuanlian_intake_system;

-- A number is unique over all towns, but whether it is in use elsewhere must stay unseen in lists: only a yes or no for the given ones.
create function intake.numbers_taken(kind text, numbers text[]) returns text[]
language sql stable security definer set search_path = intake, pg_temp as $$
    select coalesce(array_agg(number), '{}') from (
        select case_number as number from household where kind = 'case' and case_number = any (numbers)
        union all
        select need_number from need where kind = 'need' and need_number = any (numbers)) taken
$$;
grant create on schema intake to nuanlian_intake_system;
alter function intake.numbers_taken(text, text[]) owner to nuanlian_intake_system;
revoke create on schema intake from nuanlian_intake_system;
revoke execute on function intake.numbers_taken(text, text[]) from public;
grant execute on function intake.numbers_taken(text, text[]) to nuanlian_intake, nuanlian_intake_system;
