-- name: lock_ledger!
-- One writer at a time; whoever comes next waits for its commit and reads its tail.
select pg_advisory_xact_lock(hashtext('nuanlian.ledger'));

-- name: tail^
-- The last entry, if there is one.
select seq, hash from audit.entry order by seq desc limit 1;

-- name: recorded
-- Which of these events stand in the ledger already.
select event_id from audit.entry where event_id = any (:event_ids::uuid[]);

-- name: append!
-- A batch of entries and the ids that each is about.
with added as (
    insert into audit.entry (seq, event_id, type, time, subject, area, content, prev_hash, hash)
    select e.seq, e.event_id, e.type, e.time, e.subject, e.area, e.content, e.prev_hash, e.hash
    from unnest(:seqs::bigint[], :event_ids::uuid[], :types::text[], :times::timestamptz[], :subjects::text[],
        :areas::text[], :contents::text[], :prev_hashes::bytea[], :hashes::bytea[])
        as e (seq, event_id, type, time, subject, area, content, prev_hash, hash)
)
insert into audit.about (id, seq) select a.id, a.seq from unnest(:about_ids::uuid[], :about_seqs::bigint[]) as a (id, seq);

-- name: run_clock!
-- What a batch of events says about needs. Sums are safe: an event is in one batch only, the one that appended it.
with mark as (
    select * from jsonb_to_recordset(:marks) as m (
        need_id uuid, area text, version int, case_number text, category text, urgency text, quantity int,
        promised int, received int, noted_at timestamptz, raised_at timestamptz, proposed_at timestamptz,
        approved_at timestamptz, dispatched_at timestamptz, delivered_at timestamptz, received_at timestamptz,
        closed_at timestamptz, withdrawn_at timestamptz)
)
insert into audit.fulfilment as f (
    need_id, area, version, case_number, category, urgency, quantity, promised, received,
    noted_at, raised_at, proposed_at, approved_at, dispatched_at, delivered_at, received_at, closed_at, withdrawn_at)
select need_id, (array_agg(area order by version desc))[1], max(version),
    (array_agg(case_number order by version desc) filter (where case_number is not null))[1],
    (array_agg(category order by version desc) filter (where category is not null))[1],
    (array_agg(urgency order by version desc) filter (where urgency is not null))[1],
    (array_agg(quantity order by version desc) filter (where quantity is not null))[1],
    sum(promised), sum(received), min(noted_at), min(raised_at), min(proposed_at), min(approved_at),
    min(dispatched_at), min(delivered_at), max(received_at), min(closed_at), min(withdrawn_at)
from mark group by need_id
on conflict (need_id) do update set
    area = case when excluded.version > f.version then excluded.area else f.area end,
    case_number = coalesce(f.case_number, excluded.case_number),
    category = case when excluded.version > f.version then coalesce(excluded.category, f.category)
        else coalesce(f.category, excluded.category) end,
    urgency = case when excluded.version > f.version then coalesce(excluded.urgency, f.urgency)
        else coalesce(f.urgency, excluded.urgency) end,
    quantity = case when excluded.version > f.version then coalesce(excluded.quantity, f.quantity)
        else coalesce(f.quantity, excluded.quantity) end,
    version = greatest(f.version, excluded.version),
    promised = f.promised + excluded.promised,
    received = f.received + excluded.received,
    noted_at = least(f.noted_at, excluded.noted_at),
    raised_at = least(f.raised_at, excluded.raised_at),
    proposed_at = least(f.proposed_at, excluded.proposed_at),
    approved_at = least(f.approved_at, excluded.approved_at),
    dispatched_at = least(f.dispatched_at, excluded.dispatched_at),
    delivered_at = least(f.delivered_at, excluded.delivered_at),
    received_at = greatest(f.received_at, excluded.received_at),
    closed_at = least(f.closed_at, excluded.closed_at),
    withdrawn_at = least(f.withdrawn_at, excluded.withdrawn_at);

-- name: plan_follow_ups
-- Returns only those that were not planned before.
insert into audit.follow_up (id, kind, need_id, beneficiary_id, delivery_id, area, due_at)
select f.id, f.kind, f.need_id, f.beneficiary_id, f.delivery_id, f.area, f.due_at
from jsonb_to_recordset(:follow_ups) as f (
    id uuid, kind text, need_id uuid, beneficiary_id uuid, delivery_id uuid, area text, due_at timestamptz)
on conflict do nothing
returning id, kind;

-- name: note_answers!
insert into audit.answer (follow_up_id, area, outcome, answered_at)
select a.follow_up_id, a.area, a.outcome, a.answered_at
from jsonb_to_recordset(:answers) as a (follow_up_id uuid, area text, outcome text, answered_at timestamptz)
on conflict (follow_up_id) do nothing;

-- name: mark_overdue
-- Follow-ups that have just become overdue, each only once.
update audit.follow_up set overdue_noted_at = now()
where id in (
    select f.id from audit.follow_up f
    where f.due_at < now() and f.overdue_noted_at is null
      and not exists (select from audit.answer a where a.follow_up_id = f.id)
    order by f.due_at limit :most for update skip locked)
returning id, need_id, beneficiary_id, area, due_at;

-- name: entries
-- A page of the ledger, newest first.
select seq, event_id, type, time, subject, area, prev_hash, hash, recorded_at from audit.entry
where seq < :before and (:type = '' or type = :type) order by seq desc limit :most;

-- name: entry^
select seq, event_id, type, time, subject, area, prev_hash, hash, recorded_at, content from audit.entry where seq = :seq;

-- name: story
-- Every entry about these ids, in order; for a household, what is about each of its needs too.
with chosen as (
    select unnest(:ids::uuid[]) as id
    union
    select e.subject::uuid from audit.about a join audit.entry e on e.seq = a.seq
    where a.id = any (:ids::uuid[]) and e.type in ('need.raised.v1', 'need.noted.v1')
)
select e.seq, e.event_id, e.type, e.time, e.subject, e.area, e.prev_hash, e.hash, e.recorded_at, e.content
from audit.entry e
where e.seq > :after and e.seq in (select a.seq from audit.about a join chosen using (id))
order by e.seq limit :most;

-- name: ids_of_case
-- The needs of a case number, and whose they are: a need that is only noted, a consent or a registration names no case number.
with needs as (
    select need_id as id from audit.fulfilment where case_number = :case_number
)
select id from needs
union
select (e.content::jsonb #>> '{data,beneficiary_id}')::uuid
from needs join audit.about a using (id) join audit.entry e on e.seq = a.seq
where e.type in ('need.raised.v1', 'need.noted.v1');

-- name: overview
-- Needs by state, and the time from raising to full receipt, by town; the row without an area is the total.
with late as (
    select f.area, count(*) as overdue from audit.follow_up f
    where f.due_at < now() and not exists (select from audit.answer a where a.follow_up_id = f.id)
    group by grouping sets ((f.area), ())
), counted as (
    select area, count(*) as needs,
        count(*) filter (where state in ('noted', 'open')) as open,
        count(*) filter (where state = 'partly_met') as partly_met,
        count(*) filter (where state = 'met') as met,
        count(*) filter (where state = 'received') as received,
        count(*) filter (where state = 'closed') as closed,
        count(*) filter (where state = 'withdrawn') as withdrawn,
        percentile_cont(0.5) within group (order by extract(epoch from received_at - raised_at) / 86400)
            filter (where received >= quantity) as median_days
    from audit.fulfilment group by grouping sets ((area), ())
)
select c.*, coalesce(l.overdue, 0) as overdue
from counted c left join late l on l.area is not distinct from c.area
order by c.area nulls first;

-- name: follow_ups
-- Follow-ups that wait for an answer, the longest due first.
select f.id, f.kind, f.need_id, f.beneficiary_id, f.delivery_id, f.area, f.due_at, f.due_at < now() as overdue,
    n.case_number, n.category, n.urgency
from audit.follow_up f left join audit.fulfilment n on n.need_id = f.need_id
where not exists (select from audit.answer a where a.follow_up_id = f.id)
  and (f.due_at < now()) = any (:overdue::bool[])
  and (f.due_at, f.id) > (:after_due::timestamptz, :after_id::uuid)
order by f.due_at, f.id limit :most;

-- name: chain
-- The whole chain in order, for the check.
select seq, prev_hash, hash, content from audit.entry order by seq;

-- name: altered^
-- The first entry that does not say what its event says, and the first whose event is gone.
select min(n.seq) as seq, min(n.seq) filter (where e.id is null) as orphan
from audit.entry n left join bus.event e on e.id = n.event_id
where e.id is null
   or (n.type, n.subject, n.time) is distinct from (e.type, e.subject, e.time)
   or n.area is distinct from coalesce(e.data ->> 'area', e.data ->> 'origin_area')
   or n.content::jsonb <> jsonb_build_object(
        'specversion', '1.0', 'id', e.id, 'source', e.source, 'type', e.type,
        'time', to_char(e.time at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'subject', e.subject,
        'datacontenttype', 'application/json', 'correlationid', e.correlation_id, 'causationid', e.causation_id,
        'aggregateversion', e.version, 'data', e.data);

-- name: lost^
-- The first event without an entry that is not on its way to the ledger either, and where it should stand.
with lost as (
    select e.seq, e.id as event_id, d.quarantined_at is not null as quarantined
    from bus.event e left join bus.delivery d on d.event_id = e.id and d.consumer = 'audit'
    where (d.event_id is null or d.done_at is not null or d.quarantined_at is not null)
      and not exists (select from audit.entry n where n.event_id = e.id)
    order by e.seq limit 1
)
select lost.event_id, lost.quarantined, coalesce(
    (select min(n.seq) from audit.entry n join bus.event e on e.id = n.event_id where e.seq > lost.seq),
    (select coalesce(max(seq), 0) + 1 from audit.entry)) as seq
from lost;

-- name: extent^
-- How many entries there are, and how many events still wait to be recorded.
select (select count(*) from audit.entry) as entries,
    (select count(*) from bus.event e where not exists (select from audit.entry n where n.event_id = e.id)) as waiting;
