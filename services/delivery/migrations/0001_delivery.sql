-- What was promised, on its way. The case number and the codes only: whoever delivers asks intake for the contact.
create table delivery.charity (
    id uuid primary key,
    name text not null,
    version int not null
);

create table delivery.delivery (
    id uuid primary key,
    seq bigint generated always as identity unique,
    commitment_id uuid not null unique,
    proposal_id uuid not null,
    need_id uuid not null,
    beneficiary_id uuid not null,
    case_number text not null,
    offer_id uuid not null,
    charity_id uuid not null,
    area text not null check (area ~ '^[0-9]{12}$'),
    category text not null,
    quantity int not null check (quantity > 0),
    urgency text not null check (urgency in ('critical', 'high', 'normal', 'low')),
    pickup text not null check (pickup in ('delivery', 'self_pickup')),
    status text not null default 'scheduled' check (status in ('scheduled', 'dispatched', 'delivered', 'failed', 'received')),
    approved_at timestamptz not null,
    scheduled_for timestamptz,
    dispatched_at timestamptz,
    delivered_at timestamptz,
    received_at timestamptz,
    failed_at timestamptz,
    received int check (received between 0 and quantity),
    short_reason text,
    fail_reason text,
    version int not null default 1 check (version > 0),
    check ((status = 'received') = (received_at is not null and received is not null)),
    check ((status = 'failed') = (failed_at is not null and fail_reason is not null)),
    check (status <> 'dispatched' or dispatched_at is not null),
    check (status <> 'delivered' or delivered_at is not null),
    check (received is null or received = quantity or short_reason is not null)
);
create index delivery_area on delivery.delivery (area text_pattern_ops, seq desc);
create index delivery_charity on delivery.delivery (charity_id, seq desc);
create index delivery_waits on delivery.delivery (status, seq desc);

-- Needs that are no longer asked for, or whose household took its consent back: what has not left yet stays.
create table delivery.called_off (
    need_id uuid primary key,
    off boolean not null,
    version int not null
);

-- Receipt is overdue when it stays unconfirmed for more than 48 hours after the charity said that the help arrived.
create view delivery.standing with (security_invoker = true) as
select d.*, coalesce(c.name, '') as charity_name,
    coalesce(d.status = 'delivered' and d.delivered_at < now() - interval '48 hours', false) as overdue
from delivery.delivery d left join delivery.charity c on c.id = d.charity_id;

alter table delivery.delivery enable row level security;
alter table delivery.delivery force row level security;
create policy system on delivery.delivery to nuanlian_delivery_system using (true) with check (true);
create policy readers on delivery.delivery for select to nuanlian_delivery
    using (area like any ((select access.areas('worker', 'coordinator', 'auditor'))::text[])
        or charity_id = any ((select access.charities())::uuid[]));
create policy in_charge on delivery.delivery for update to nuanlian_delivery
    using (area like any ((select access.areas('worker', 'coordinator'))::text[]));
create policy giver on delivery.delivery for update to nuanlian_delivery
    using (charity_id = any ((select access.charities())::uuid[]));
-- Nobody writes the receipt of what they gave, nor takes back how it ended, whatever else they are.
create policy no_receipt_by_giver on delivery.delivery as restrictive for update to nuanlian_delivery
    using (charity_id <> all ((select access.charities())::uuid[]) or status in ('scheduled', 'dispatched', 'delivered'))
    with check (charity_id <> all ((select access.charities())::uuid[])
        or (status <> 'received' and received is null and received_at is null and short_reason is null));

grant select on delivery.charity, delivery.standing to nuanlian_delivery, nuanlian_delivery_system;
grant select on delivery.delivery to nuanlian_delivery, nuanlian_delivery_system;
grant update on delivery.delivery to nuanlian_delivery_system;
grant update (status, scheduled_for, dispatched_at, delivered_at, received_at, failed_at, received, short_reason, fail_reason, version)
    on delivery.delivery to nuanlian_delivery;
grant insert on delivery.delivery to nuanlian_delivery_system;
grant select, insert, update on delivery.called_off to nuanlian_delivery_system;
grant insert, update on delivery.charity to nuanlian_delivery_system;
