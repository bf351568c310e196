-- The ledger: every event once, in a gapless chain of hashes. Nothing here is ever changed or removed.
create table audit.entry (
    seq bigint primary key check (seq > 0),
    event_id uuid not null unique,
    type text not null,
    time timestamptz not null,
    subject text not null,
    area text,
    content text not null,
    prev_hash bytea not null check (length(prev_hash) = 32),
    hash bytea not null check (length(hash) = 32),
    recorded_at timestamptz not null default clock_timestamp()
);

-- Which entries are about an id: a story is one index lookup.
create table audit.about (
    id uuid not null,
    seq bigint not null references audit.entry (seq),
    primary key (id, seq)
);

create function audit.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '审计账本只能追加：%.% 不接受 % (the ledger is append-only)', tg_table_schema, tg_table_name, tg_op
        using errcode = 'insufficient_privilege', hint = '更正请发布一个新的事件 (publish a new event to correct an old one)';
end $$;
create trigger append_only before update or delete or truncate on audit.entry
    for each statement execute function audit.refuse_change();
create trigger append_only before update or delete or truncate on audit.about
    for each statement execute function audit.refuse_change();

-- How long each need takes from being noted to being closed. Every column only ever moves one way, so order does not matter.
create table audit.fulfilment (
    need_id uuid primary key,
    area text not null,
    version int not null default 0,
    case_number text,
    category text,
    urgency text,
    quantity int,
    promised int not null default 0,
    received int not null default 0,
    noted_at timestamptz,
    raised_at timestamptz,
    proposed_at timestamptz,
    approved_at timestamptz,
    dispatched_at timestamptz,
    delivered_at timestamptz,
    received_at timestamptz,
    closed_at timestamptz,
    withdrawn_at timestamptz,
    state text not null generated always as (
        case when closed_at is not null then 'closed'
             when withdrawn_at is not null then 'withdrawn'
             when received >= quantity then 'received'
             when promised >= quantity then 'met'
             when promised > 0 then 'partly_met'
             when raised_at is null then 'noted'
             else 'open' end) stored
);
create index fulfilment_area on audit.fulfilment (area);
create index fulfilment_case on audit.fulfilment (case_number);

create table audit.follow_up (
    id uuid primary key,
    kind text not null check (kind in ('outcome', 'safety')),
    need_id uuid not null,
    beneficiary_id uuid not null,
    delivery_id uuid not null,
    area text not null,
    due_at timestamptz not null,
    overdue_noted_at timestamptz,
    unique (delivery_id, kind)
);
create index follow_up_due on audit.follow_up (due_at, id);

-- Answers stand apart from what they answer: either may be recorded first.
create table audit.answer (
    follow_up_id uuid primary key,
    area text not null,
    outcome text not null,
    answered_at timestamptz not null
);

grant select, insert on audit.entry, audit.about, audit.answer to nuanlian_audit_system;
grant select, insert, update on audit.fulfilment, audit.follow_up to nuanlian_audit_system;
grant select on audit.entry, audit.about, audit.fulfilment, audit.follow_up, audit.answer to nuanlian_audit;

alter table audit.entry enable row level security;
alter table audit.entry force row level security;
alter table audit.fulfilment enable row level security;
alter table audit.fulfilment force row level security;
alter table audit.follow_up enable row level security;
alter table audit.follow_up force row level security;
alter table audit.answer enable row level security;
alter table audit.answer force row level security;
create policy system on audit.entry to nuanlian_audit_system using (true) with check (true);
create policy system on audit.fulfilment to nuanlian_audit_system using (true) with check (true);
create policy system on audit.follow_up to nuanlian_audit_system using (true) with check (true);
create policy system on audit.answer to nuanlian_audit_system using (true) with check (true);

-- What concerns no one area (a round, for instance) is for the auditors of a city or more: patterns of 2 or 4 digits.
create policy people on audit.entry for select to nuanlian_audit using (
    area like any ((select access.areas('auditor', 'coordinator'))::text[])
    or (area is null and (select exists (select from unnest(access.areas('auditor')) a where length(a) <= 5))));
create policy people on audit.fulfilment for select to nuanlian_audit
    using (area like any ((select access.areas('auditor', 'coordinator'))::text[]));
create policy people on audit.follow_up for select to nuanlian_audit
    using (area like any ((select access.areas('auditor', 'coordinator'))::text[]));
create policy people on audit.answer for select to nuanlian_audit
    using (area like any ((select access.areas('auditor', 'coordinator'))::text[]));
