-- What people decided of proposals, with the pair as it was then, and the models that learned from it.

-- The row a round or a person proposed by; null: the office's own rules.
alter table matcher.proposal add column model_id uuid;

create table matcher.decision (
    proposal_id uuid primary key,
    commitment_id uuid,
    need_id uuid not null,
    offer_id uuid not null,
    area text not null,
    category text not null,
    vulnerabilities text[] not null default '{}',
    outcome text not null check (outcome in ('approved', 'declined')),
    reason text not null default '',
    features jsonb,
    decided_at timestamptz not null
);
create index decision_latest on matcher.decision (decided_at desc);

create table matcher.follow_up (
    follow_up_id uuid primary key,
    delivery_id uuid not null,
    area text not null,
    outcome text not null,
    answered_at timestamptz not null
);
create index follow_up_delivery on matcher.follow_up (delivery_id);

-- Counts and measures over the whole office, groups of a few left out: nothing here tells of a household.
create table matcher.model (
    id uuid primary key,
    number int generated always as identity unique,
    version int not null default 1,
    state text not null default 'queued' check (state in ('queued', 'refused', 'challenger', 'champion', 'retired')),
    problem text not null default '',
    shapes jsonb,
    card jsonb,
    drift jsonb,
    drift_at timestamptz,
    asked_by uuid not null,
    made_at timestamptz not null default now(),
    promoted_by uuid,
    promoted_at timestamptz,
    promotion_reason text not null default '',
    ended_by uuid,
    ended_at timestamptz
);
create unique index model_champion on matcher.model ((true)) where state = 'champion';

grant select, insert, update, delete on matcher.decision, matcher.follow_up, matcher.model to nuanlian_matcher_system;
grant select on matcher.decision, matcher.follow_up, matcher.model to nuanlian_matcher;
grant insert (id, asked_by) on matcher.model to nuanlian_matcher;
grant update (state, version, promoted_by, promoted_at, promotion_reason, ended_by, ended_at) on matcher.model to nuanlian_matcher;

alter table matcher.decision enable row level security;
alter table matcher.decision force row level security;
alter table matcher.follow_up enable row level security;
alter table matcher.follow_up force row level security;

create policy system on matcher.decision to nuanlian_matcher_system using (true) with check (true);
create policy system on matcher.follow_up to nuanlian_matcher_system using (true) with check (true);

create policy readers on matcher.decision for select to nuanlian_matcher
    using (area like any ((select access.areas('coordinator', 'auditor'))::text[]));
create policy readers on matcher.follow_up for select to nuanlian_matcher
    using (area like any ((select access.areas('coordinator', 'auditor'))::text[]));
