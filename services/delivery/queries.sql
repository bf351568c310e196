-- name: copy_charity!
insert into delivery.charity as c (id, name, version) values (:id, :name, :version)
on conflict (id) do update set name = excluded.name, version = excluded.version where excluded.version > c.version;

-- name: open_delivery$
-- One delivery per commitment; no row when it is open already.
insert into delivery.delivery (
    id, commitment_id, proposal_id, need_id, beneficiary_id, case_number, offer_id, charity_id, area, category, quantity, urgency,
    pickup, approved_at)
values (
    :id, :commitment_id, :proposal_id, :need_id, :beneficiary_id, :case_number, :offer_id, :charity_id, :area, :category, :quantity,
    :urgency, :pickup, :approved_at)
on conflict (commitment_id) do nothing
returning id;

-- name: note_called_off!
-- Whether a need is still wanted, by the latest version that was heard of.
insert into delivery.called_off as c (need_id, off, version) values (:need_id, :off, :version)
on conflict (need_id) do update set off = excluded.off, version = excluded.version where excluded.version > c.version;

-- name: lock_need!
-- An approval and a withdrawal at once wait for each other here: whoever comes second sees what the first wrote.
select pg_advisory_xact_lock(hashtextextended('delivery.need ' || :need_id::uuid, 0));

-- name: call_off
-- What has not left yet for a need that is not wanted any more.
update delivery.delivery set status = 'failed', failed_at = now(), fail_reason = 'need_withdrawn', version = version + 1
where need_id = :need_id and status = 'scheduled'
    and exists (select from delivery.called_off c where c.need_id = :need_id and c.off)
returning *;

-- name: delivery^
select * from delivery.standing where id = :id;

-- name: deliveries
-- Deliveries as the list shows them, newest first, before the cursor.
select * from delivery.standing
where (:before::bigint is null or seq < :before)
    and (:status::text is null or status = :status)
    and (:area::text is null or area like access.pattern(:area))
    and (not :mine or charity_id = any ((select access.charities())::uuid[]))
    and (not :overdue or overdue)
order by seq desc limit :most;

-- name: counts
-- How many deliveries stand where, of those that the caller sees.
select status, count(*)::int as number, count(*) filter (where overdue)::int as overdue from delivery.standing group by status;

-- name: to_dispatch
-- What has to be taken along: not yet sent or on its way, the day agreed first, then the most urgent.
select * from delivery.standing
where status in ('scheduled', 'dispatched') and (not :mine or charity_id = any ((select access.charities())::uuid[]))
order by scheduled_for nulls last, array_position(array['critical', 'high', 'normal', 'low'], urgency), area, seq limit :most;

-- name: schedule^
update delivery.delivery set scheduled_for = :scheduled_for, version = version + 1
where id = :id and version = :version and status = any (:from_status::text[])
returning *;

-- name: dispatch^
update delivery.delivery set status = 'dispatched', dispatched_at = now(), version = version + 1
where id = :id and version = :version and status = any (:from_status::text[])
returning *;

-- name: deliver^
update delivery.delivery set status = 'delivered', delivered_at = now(), version = version + 1
where id = :id and version = :version and status = any (:from_status::text[])
returning *;

-- name: fail^
update delivery.delivery set status = 'failed', failed_at = now(), fail_reason = :reason, version = version + 1
where id = :id and version = :version and status = any (:from_status::text[])
returning *;

-- name: receive^
-- Receipt; a worker may confirm before the charity says that it delivered.
update delivery.delivery set
    status = 'received', received_at = now(), delivered_at = coalesce(delivered_at, now()), received = :received,
    short_reason = :short_reason, version = version + 1
where id = :id and version = :version and status = any (:from_status::text[]) and :received <= quantity
returning *;

-- name: towns
-- Where deliveries go, of those that the caller sees.
select distinct area from delivery.delivery order by area;
