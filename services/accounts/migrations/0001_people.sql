-- People who work with the system. Their sessions and roles live in schema access, where the row policies of every service look.
create table accounts.person (
    id uuid primary key,
    login text not null unique check (login = lower(login)),
    data_key bytea not null,
    name_enc bytea not null,
    password_hash text not null,
    disabled_at timestamptz,
    created_at timestamptz not null default now(),
    version int not null default 1 check (version > 0)
);

-- Tries to sign in, by keyed hashes of what was typed as login and of the address it came from: a login that exists and one that does
-- not wait alike, and a stranger's wrong passwords do not keep the person waiting who signs in from elsewhere.
create table accounts.attempt (
    login_hash bytea not null,
    address_hash bytea not null,
    failures int not null check (failures > 0),
    last_at timestamptz not null,
    locked_until timestamptz not null,
    primary key (login_hash, address_hash)
);
create index attempt_age on accounts.attempt (last_at);

-- Tries of one login from all addresses together since a time not longer than a day ago: guessing from many addresses is slowed too.
create table accounts.guessed (
    login_hash bytea primary key,
    tries int not null check (tries >= 0),
    since timestamptz not null,
    locked_until timestamptz not null
);
create index guessed_age on accounts.guessed (since);

-- Copies of the charities, from charity.registered: their names are public.
create table accounts.organisation (
    id uuid primary key,
    name text not null,
    kind text not null,
    area text not null,
    version int not null
);

grant select, insert, update on accounts.person, accounts.organisation to nuanlian_accounts, nuanlian_accounts_system;
grant select, insert, update, delete on accounts.attempt, accounts.guessed to nuanlian_accounts, nuanlian_accounts_system;
grant select, insert, update on access.session, access.role_grant to nuanlian_accounts, nuanlian_accounts_system;

-- Whether a person is managed from one of these areas (LIKE patterns): they hold a role there, or, holding none, held their last one there.
create function accounts.managed_from(person uuid, patterns text[]) returns boolean language sql stable as $$
    select exists (
        select from access.role_grant g
        where g.person_id = person and g.area like any (patterns)
          and (g.valid_until is null or g.valid_until > now() or not exists (
            select from access.role_grant later
            where later.person_id = person and (later.valid_until is null or later.valid_until > g.valid_until))))
$$;
