-- name: publish!
-- Store events and one delivery row for each service that subscribed to their type.
select bus.publish(:events);

-- name: claim
-- Take waiting deliveries of these consumers for sending; they come back by themselves if nobody marks them done.
update bus.delivery d
set sent = d.sent + 1, next_try = now() + least(30 * (d.sent + 1), 300) * interval '1 second'
from (
    select event_id, consumer from bus.delivery
    where consumer = any (:consumers) and done_at is null and quarantined_at is null and next_try <= now()
    order by seq limit :most for update skip locked
) due
where d.event_id = due.event_id and d.consumer = due.consumer
returning d.consumer, d.event_id, d.seq;

-- name: take
-- Mark deliveries done for this transaction and return their events; what is done already is not returned.
with taken as (
    update bus.delivery set done_at = now(), error = null
    where consumer = :consumer and event_id = any (:ids) and done_at is null and quarantined_at is null
    returning event_id
)
select e.* from bus.event e join taken on taken.event_id = e.id order by e.seq;

-- name: envelopes
-- The stored events with these ids.
select * from bus.event where id = any (:ids) order by seq;

-- name: note_failure$
-- Count a failed try; after `most` of them the delivery is quarantined with its error until a person replays it.
update bus.delivery
set failures = failures + 1, error = :error, next_try = now() + least(power(2, failures), 60) * interval '1 second',
    quarantined_at = case when failures + 1 >= :most then now() end
where consumer = :consumer and event_id = :event_id and done_at is null
returning quarantined_at is not null;

-- name: wake_all!
-- Make everything undone due at once, as after a broker's loss or a restart.
update bus.delivery set next_try = now()
where consumer = any (:consumers) and done_at is null and quarantined_at is null and next_try > now();

-- name: replay
-- Give quarantined deliveries of a consumer (or of all) another round of tries.
update bus.delivery set quarantined_at = null, failures = 0, error = null, next_try = now()
where quarantined_at is not null and (:consumer = '' or consumer = :consumer)
returning event_id, consumer;

-- name: quarantined
select d.consumer, d.event_id, e.type, d.failures, d.error, d.quarantined_at
from bus.delivery d join bus.event e on e.id = d.event_id
where d.quarantined_at is not null order by d.quarantined_at limit :most;

-- name: subscribe!
insert into bus.subscription (type, consumer)
select unnest(:types::text[]), :consumer on conflict do nothing;

-- name: unsubscribe_others!
delete from bus.subscription where consumer = :consumer and not (type = any (:types));

-- name: add_job!
-- Leave a job; while one of the same kind and key waits, that one is enough.
select bus.add_job(:id, :kind, :key, :payload, :delay::double precision);

-- name: due_jobs
-- Jobs to send to workers: waiting and not sent lately, or running with a lease that ran out.
update bus.job j set sent_at = now()
from (
    select id from bus.job
    where kind = any (:kinds)
      and ((state = 'queued' and run_after <= now() and (sent_at is null or sent_at < now() - interval '30 seconds'))
        or (state = 'running' and lease_until < now()
            and (sent_at is null or sent_at < lease_until or sent_at < now() - interval '30 seconds')))
    order by run_after limit :most for update skip locked
) due
where j.id = due.id
returning j.id;

-- name: lease_job^
-- Start a job unless another worker holds it; `fence` tells this start from every other.
update bus.job set state = 'running', fence = fence + 1, attempts = attempts + 1, lease_until = now() + :seconds * interval '1 second'
where id = (
    select id from bus.job where id = :id
      and ((state = 'queued' and run_after <= clock_timestamp()) or (state = 'running' and lease_until < now()))
    for update
)
returning id, kind, key, payload, fence, attempts;

-- name: renew_lease$
-- Keep a job while it is being worked on; nothing when another worker took it over.
update bus.job set lease_until = now() + :seconds * interval '1 second'
where id = :id and fence = :fence and state = 'running' returning true;

-- name: end_leases!
-- Whoever held these jobs is gone: they may start again at once.
update bus.job set lease_until = now(), sent_at = null where kind = any (:kinds) and state = 'running';

-- name: finish_job$
-- Only the holder of the latest lease may finish.
update bus.job set state = 'done', finished_at = now(), lease_until = null, error = null
where id = :id and fence = :fence and state = 'running' returning true;

-- name: fail_job!
-- Give the job back for another try, or keep it as failed after `most` tries.
update bus.job
set state = case when attempts >= :most then 'failed' else 'running' end, error = :error,
    lease_until = now() + least(power(2, attempts), 60) * interval '1 second', sent_at = null
where id = :id and fence = :fence and state = 'running';

-- name: failed_jobs
select id, kind, key, attempts, error from bus.job where state = 'failed' order by created_at limit :most;

-- name: prune!
-- Finished jobs are kept for a week.
delete from bus.job where state = 'done' and finished_at < now() - interval '7 days';
