-- Rounds under way, how far they are and whether somebody wants them stopped; and what a round hands to the next.

-- A round's row is written beside its own transaction, about once a second; one that is not renewed any more is a dead worker's. `stage` and
-- `value` as the engine tells them; `fence` is that of the job's start, so that a worker that was replaced writes nothing here.
create table matcher.running (
    round_id uuid primary key,
    fence int not null,
    stage text not null,
    value double precision,
    since timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp(),
    cancelled_by uuid
);

alter table matcher.round
    add column cancelled_by uuid,
    add column resumed boolean not null default false,
    drop constraint round_state_check,
    add constraint round_state_check check (state in ('queued', 'running', 'done', 'cancelled', 'failed'));

-- The prices that the last round over a family of categories ended with, in 1/scale milli-points: of offers by id (or part of one), of
-- towns and classes by code; what costs the least it may is left out. `fingerprint`: of policy, catalogue and model.
create table matcher.last_prices (
    family text primary key,
    fingerprint text not null,
    scale int not null,
    offers jsonb not null,
    groups jsonb not null
);
grant select, insert, update, delete on matcher.last_prices to nuanlian_matcher_system;

grant select, insert, update, delete on matcher.running to nuanlian_matcher_system;
grant select on matcher.running to nuanlian_matcher;
grant update (cancelled_by) on matcher.running to nuanlian_matcher;
grant update (state, cancelled_by) on matcher.round to nuanlian_matcher;
