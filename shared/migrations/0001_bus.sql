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

-- Whoever serves a request may only add to the bus, through these two: what is on it is for the engine's roles to read.
create function bus.publish(events jsonb) returns void
language plpgsql security definer set search_path = bus, pg_temp as $$
begin
    with fact as (
        insert into event (id, source, type, subject, correlation_id, causation_id, version, data)
        select e.id, e.source, e.type, e.subject, e.correlation_id, e.causation_id, e.version, e.data
        from jsonb_to_recordset(events) as e (
            n int, id uuid, source text, type text, subject text, correlation_id uuid, causation_id uuid, version int, data jsonb)
        order by e.n
        returning id, seq, type
    )
    insert into delivery (event_id, consumer, seq)
    select distinct fact.id, s.consumer, fact.seq from fact join subscription s on s.type in (fact.type, '*');
end $$;

-- While a job of the same kind and key waits, that one is enough. Touching it keeps it from starting before the leaver commits, and
-- when it has just started a new one is left: a start never overlooks what the leaver wrote.
create function bus.add_job(job_id uuid, job_kind text, job_key text, job_payload jsonb, delay double precision) returns void
language plpgsql security definer set search_path = bus, pg_temp as $$
begin
    insert into job as j (id, kind, key, payload, run_after)
    values (job_id, job_kind, job_key, job_payload, now() + delay * interval '1 second')
    on conflict (kind, key) where state = 'queued' do update set run_after = least(j.run_after, excluded.run_after);
end $$;

revoke execute on all functions in schema bus from public;
grant usage on schema bus to nuanlian_service;
grant execute on function bus.publish, bus.add_job to nuanlian_service;
grant select on bus.event, bus.subscription to nuanlian_engine;
grant select, insert, update on bus.delivery to nuanlian_engine;
grant select, insert, update, delete on bus.job to nuanlian_engine;
