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

-- Tries to sign in, by a keyed hash of what was typed as login: a login that exists and one that does not wait alike.
create table accounts.attempt (
    login_hash bytea primary key,
    failures int not null check (failures > 0),
    last_at timestamptz not null,
    locked_until timestamptz not null
);
create index attempt_age on accounts.attempt (last_at);

-- Copies of the charities, from charity.registered: their names are public.
create table accounts.organisation (
    id uuid primary key,
    name text not null,
    kind text not null,
    area text not null,
    version int not null
);

grant select, insert, update on accounts.person, accounts.organisation to nuanlian_accounts, nuanlian_accounts_system;
grant select, insert, update, delete on accounts.attempt to nuanlian_accounts, nuanlian_accounts_system;
grant select, insert, update on access.session, access.role_grant to nuanlian_accounts, nuanlian_accounts_system;
