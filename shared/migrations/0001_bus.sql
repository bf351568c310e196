-- Events, who consumes them, and the work that waits. One delivery row per (event, consumer) is outbox, inbox and to-do list at once.
create table bus.event (
    id uuid primary key,
    seq bigint generated always as identity unique,
    source text not null,
    type text not null,
    time timestamptz not null default clock_timestamp(),
    subject text not null,
    correlation_id uuid not null,
    causation_id uuid,
    version int not null check (version > 0),
    data jsonb not null
);

create table bus.subscription (
    type text not null,
    consumer text not null,
    primary key (type, consumer)
);

create table bus.delivery (
    event_id uuid not null references bus.event (id),
    consumer text not null,
    seq bigint not null,
    done_at timestamptz,
    next_try timestamptz not null default now(),
    sent int not null default 0,
    failures int not null default 0,
    error text,
    quarantined_at timestamptz,
    primary key (event_id, consumer)
);
create index delivery_waiting on bus.delivery (consumer, seq) where done_at is null and quarantined_at is null;

create table bus.job (
    id uuid primary key,
    kind text not null,
    key text not null,
    payload jsonb not null default '{}',
    state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed')),
    run_after timestamptz not null default now(),
    sent_at timestamptz,
    lease_until timestamptz,
    fence int not null default 0,
    attempts int not null default 0,
    error text,
    created_at timestamptz not null default now(),
    finished_at timestamptz
);
-- Jobs of one kind and key that wait are one job: whoever runs it sees everything that was left for it.
create unique index job_waiting on bus.job (kind, key) where state = 'queued';
create index job_open on bus.job (run_after) where state in ('queued', 'running');

grant usage on schema bus to nuanlian_service;
grant select, insert on bus.event to nuanlian_service;
grant select on bus.subscription to nuanlian_service;
grant select, insert, update on bus.delivery, bus.job to nuanlian_service;
