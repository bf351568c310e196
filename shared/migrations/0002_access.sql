-- Who is asking. A request carries the hash of its token; everything else is looked up here, never taken from the application.
create table access.session (
    id uuid primary key,
    token_hash text not null unique,
    person_id uuid not null,
    kind text not null check (kind in ('browser', 'token')),
    label text not null default '',
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz
);
create index session_person on access.session (person_id);

create table access.role_grant (
    id uuid primary key,
    person_id uuid not null,
    role text not null check (role in ('worker', 'charity', 'coordinator', 'auditor', 'admin')),
    area text not null check (area ~ '^[0-9]{12}$'),
    charity_id uuid,
    valid_from timestamptz not null default now(),
    valid_until timestamptz,
    check ((role = 'charity') = (charity_id is not null))
);
create index role_grant_person on access.role_grant (person_id);

create table access.idempotency (
    person_id uuid not null,
    route text not null,
    key text not null,
    body_hash text not null,
    status int,
    response jsonb,
    created_at timestamptz not null default now(),
    primary key (person_id, route, key)
);

create function access.live_person() returns uuid
language sql stable security definer set search_path = access, pg_temp as $$
    select person_id from access.session
    where token_hash = nullif(current_setting('nuanlian.token', true), '')
      and revoked_at is null and expires_at > now()
$$;

-- '445381000000' -> '445381%': the levels are 2, 4, 6, 9 and 12 digits, the rest is zeros.
create function access.pattern(area text) returns text
language sql immutable as $$
    select case
        when right(area, 10) = repeat('0', 10) then left(area, 2)
        when right(area, 8) = repeat('0', 8) then left(area, 4)
        when right(area, 6) = repeat('0', 6) then left(area, 6)
        when right(area, 3) = repeat('0', 3) then left(area, 9)
        else area end || '%'
$$;

-- The areas that the person who is asking holds one of these roles for, as LIKE patterns. No session: an empty list.
create function access.areas(variadic roles text[]) returns text[]
language sql stable security definer set search_path = access, pg_temp as $$
    select coalesce(array_agg(access.pattern(area)), '{}') from access.role_grant
    where person_id = access.live_person() and role = any (roles)
      and valid_from <= now() and (valid_until is null or valid_until > now())
$$;

create function access.charities() returns uuid[]
language sql stable security definer set search_path = access, pg_temp as $$
    select coalesce(array_agg(charity_id), '{}') from access.role_grant
    where person_id = access.live_person() and role = 'charity'
      and valid_from <= now() and (valid_until is null or valid_until > now())
$$;

create function access.whoami() returns jsonb
language sql stable security definer set search_path = access, pg_temp as $$
    select jsonb_build_object(
        'session_id', s.id, 'person_id', s.person_id, 'kind', s.kind,
        'grants', coalesce((
            select jsonb_agg(jsonb_build_object('role', g.role, 'area', g.area, 'charity_id', g.charity_id) order by g.role, g.area)
            from access.role_grant g
            where g.person_id = s.person_id and g.valid_from <= now() and (g.valid_until is null or g.valid_until > now())), '[]'))
    from access.session s
    where s.token_hash = nullif(current_setting('nuanlian.token', true), '')
      and s.revoked_at is null and s.expires_at > now()
$$;

grant usage on schema access to nuanlian_service;
grant execute on all functions in schema access to nuanlian_service;
grant select, insert, update on access.idempotency to nuanlian_service;
grant select, delete on access.idempotency to nuanlian_engine;

-- Answers are kept for replay: each person finds their own alone.
alter table access.idempotency enable row level security;
alter table access.idempotency force row level security;
create policy own on access.idempotency to nuanlian_service
using (person_id = coalesce((select access.live_person()), '00000000-0000-0000-0000-000000000000'));
create policy prune on access.idempotency to nuanlian_engine using (created_at < now() - interval '7 days');
