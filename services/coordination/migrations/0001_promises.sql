-- The one owner of remaining quantities. What a need lacks and an offer has is changed here alone, under the locks of its row,
-- with a CHECK behind every guard.

-- `asked` is what the need last said; `quantity` never falls below what is promised already (`met`), so that a lowered need keeps
-- its promises and grows no new ones. A row may exist before its need is known: version 0, ended by an event that came first.
create table coordination.need (
    id uuid primary key,
    version int not null default 0,
    ended int not null default 0,
    open boolean generated always as (version > ended) stored,
    asked int not null default 0,
    quantity int not null default 0,
    met int not null default 0,
    area text not null,
    beneficiary_id uuid,
    case_number text not null default '',
    category text not null default '',
    urgency text not null default 'normal',
    needed_by timestamptz,
    vulnerabilities text[] not null default '{}',
    minor boolean not null default false,
    consent boolean not null default false,
    raised_at timestamptz,
    raised_by uuid,
    whole boolean not null default false,
    bundle_id uuid,
    check (met between 0 and quantity)
);

create index need_bundle on coordination.need (bundle_id) where bundle_id is not null;

-- `pledged` is what the charity last said; `quantity` never falls below what is promised (`committed`).
create table coordination.offer (
    id uuid primary key,
    version int not null default 0,
    ended int not null default 0,
    open boolean generated always as (version > ended) stored,
    pledged int not null default 0,
    quantity int not null default 0,
    committed int not null default 0,
    offer_number text not null default '',
    charity_id uuid,
    charity_name text not null default '',
    category text not null default '',
    pickup text not null default 'delivery',
    check (committed between 0 and quantity)
);

create table coordination.proposal (
    id uuid primary key,
    need_id uuid not null,
    offer_id uuid not null,
    area text not null,
    quantity int not null default 0,
    score int not null default 0,
    factors jsonb not null default '[]',
    alternatives jsonb not null default '[]',
    proposed_by uuid,
    status text not null default 'pending'
        check (status in ('pending', 'approved', 'partly_approved', 'declined', 'superseded')),
    decided_by uuid,
    decided_at timestamptz,
    decline_reason text,
    approved_quantity int,
    listed_at timestamptz not null default now(),
    version int not null,
    check (approved_quantity between 1 and quantity)
);
create index proposal_board on coordination.proposal (status, score desc, id desc);
create index proposal_decided on coordination.proposal (decided_at desc, id desc) where decided_at is not null;
create index proposal_need on coordination.proposal (need_id) where status = 'pending';
create index proposal_offer on coordination.proposal (offer_id) where status = 'pending';
create index proposal_new on coordination.proposal (listed_at) where status = 'pending';

create table coordination.commitment (
    id uuid primary key,
    proposal_id uuid not null unique,
    need_id uuid not null,
    offer_id uuid not null,
    area text not null,
    quantity int not null check (quantity > 0),
    released int not null default 0 check (released between 0 and quantity),
    returned_to_offer boolean not null default false,
    status text not null default 'active' check (status in ('active', 'released', 'fulfilled')),
    committed_at timestamptz not null default now()
);

grant select, insert, update on coordination.need, coordination.offer, coordination.proposal, coordination.commitment
    to nuanlian_coordination_system;
grant select on coordination.need, coordination.offer, coordination.proposal, coordination.commitment to nuanlian_coordination;
grant update (met) on coordination.need to nuanlian_coordination;
grant update (committed) on coordination.offer to nuanlian_coordination;
grant update (status, decided_by, decided_at, decline_reason, approved_quantity, version) on coordination.proposal
    to nuanlian_coordination;
grant insert on coordination.commitment to nuanlian_coordination;

alter table coordination.need enable row level security;
alter table coordination.need force row level security;
alter table coordination.proposal enable row level security;
alter table coordination.proposal force row level security;
alter table coordination.commitment enable row level security;
alter table coordination.commitment force row level security;

create policy system on coordination.need to nuanlian_coordination_system using (true) with check (true);
create policy system on coordination.proposal to nuanlian_coordination_system using (true) with check (true);
create policy system on coordination.commitment to nuanlian_coordination_system using (true) with check (true);

create policy readers on coordination.need for select to nuanlian_coordination
    using (area like any ((select access.areas('worker', 'coordinator', 'auditor'))::text[]));
create policy readers on coordination.proposal for select to nuanlian_coordination
    using (area like any ((select access.areas('worker', 'coordinator', 'auditor'))::text[]));
create policy readers on coordination.commitment for select to nuanlian_coordination
    using (area like any ((select access.areas('worker', 'coordinator', 'auditor'))::text[]));

create policy deciders on coordination.need for update to nuanlian_coordination
    using (area like any ((select access.areas('coordinator'))::text[]));
create policy deciders on coordination.proposal for update to nuanlian_coordination
    using (area like any ((select access.areas('coordinator'))::text[]));
create policy deciders on coordination.commitment for insert to nuanlian_coordination
    with check (area like any ((select access.areas('coordinator'))::text[]));
