-- name: charities
-- Charities by name, after the cursor.
select id, name, kind, area, version from offers.charity
where (:after::text is null or name > :after) order by name limit :most;

-- name: charity^
select id, name, kind, area, version from offers.charity where id = :id;

-- name: charities_named
select id, name, kind, area from offers.charity where name = any (:names::text[]);

-- name: add_charities
-- Enter charities; a name that is there already is left alone and not returned.
insert into offers.charity (id, name, kind, area)
select c.id, c.name, c.kind, c.area from jsonb_to_recordset(:charities::jsonb) as c (id uuid, name text, kind text, area text)
on conflict (name) do nothing
returning id, name, kind, area;

-- name: add_offers
-- Enter offers; one whose number its charity has used already is left alone and not returned.
insert into offers.offer (
    id, offer_number, charity_id, category, quantity, origin_area, service_areas, radius_m, pickup, available_from, available_until,
    expires_on, designated_vulnerabilities, licences, vetted, per_household_limit, per_day_limit, unit_value_fen, condition, content_hash)
select
    o.id, o.offer_number, o.charity_id, o.category, o.quantity, o.origin_area, o.service_areas, o.radius_m, o.pickup, o.available_from,
    o.available_until, o.expires_on, o.designated_vulnerabilities, o.licences, o.vetted, o.per_household_limit, o.per_day_limit, o.unit_value_fen,
    o.condition, decode(o.content_hash, 'hex')
from jsonb_to_recordset(:offers::jsonb) as o (
    id uuid, offer_number text, charity_id uuid, category text, quantity int, origin_area text, service_areas text[], radius_m int,
    pickup text, available_from timestamptz, available_until timestamptz, expires_on date, designated_vulnerabilities text[],
    licences text[], vetted boolean, per_household_limit int, per_day_limit int, unit_value_fen int, condition text, content_hash text)
on conflict (charity_id, offer_number) do nothing
returning id, version;

-- name: change_offers
-- Replace the content of open offers whose version is still the one that the change was made from.
update offers.offer t set
    category = o.category, quantity = o.quantity, origin_area = o.origin_area, service_areas = o.service_areas,
    radius_m = o.radius_m, pickup = o.pickup, available_from = o.available_from, available_until = o.available_until,
    expires_on = o.expires_on, designated_vulnerabilities = o.designated_vulnerabilities, licences = o.licences, vetted = o.vetted,
    per_household_limit = o.per_household_limit, per_day_limit = o.per_day_limit, unit_value_fen = o.unit_value_fen, condition = o.condition,
    content_hash = decode(o.content_hash, 'hex'), version = t.version + 1
from jsonb_to_recordset(:offers::jsonb) as o (
    id uuid, version int, category text, quantity int, origin_area text, service_areas text[], radius_m int, pickup text,
    available_from timestamptz, available_until timestamptz, expires_on date, designated_vulnerabilities text[], licences text[],
    vetted boolean, per_household_limit int, per_day_limit int, unit_value_fen int, condition text, content_hash text)
where t.id = o.id and t.version = o.version and t.status = 'open'
returning t.id, t.version;

-- name: withdraw_offer^
-- Close an open offer for new promises; what is promised stays promised.
update offers.offer set status = 'withdrawn', withdraw_reason = :reason, version = version + 1
where id = :id and version = :version and status = 'open'
returning id, charity_id, origin_area, version;

-- name: offer^
select * from offers.standing where id = :id;

-- name: offers_page
-- Offers as the list shows them, newest first, after the cursor.
select * from offers.standing
where (:before::uuid is null or id < :before)
    and (:state::text is null or state = :state)
    and (:category::text is null or category = :category)
    and (:charity_id::uuid is null or charity_id = :charity_id)
order by id desc limit :most;

-- name: totals
-- Sums over the offers that the list shows, by category.
select category, count(*)::int as offers, sum(quantity)::bigint as quantity, sum(free)::bigint as free, sum(committed)::bigint as committed,
    sum(delivered)::bigint as delivered
from offers.standing
where (:state::text is null or state = :state) and (:category::text is null or category = :category)
group by category order by category;

-- name: by_town
-- Who got how much of one offer: towns, never households.
select k.area, count(*)::int as times, sum(k.quantity - least(k.released, k.quantity))::int as promised,
    coalesce(sum(d.received), 0)::int as received
from offers.commitment k left join offers.delivery d on d.commitment_id = k.commitment_id
where k.offer_id = :offer_id and k.quantity is not null and k.area is not null
group by k.area having sum(k.quantity - least(k.released, k.quantity)) > 0
order by promised desc, k.area;

-- name: offers_numbered
-- What is stored already under these (charity, number) pairs.
select s.id, s.charity_id, s.offer_number, s.version, s.status, s.taken, s.origin_area, s.designated_vulnerabilities,
    encode(s.content_hash, 'hex') as content_hash
from offers.standing s
join unnest(:charity_ids::uuid[], :numbers::text[]) as k (charity_id, offer_number)
    on k.charity_id = s.charity_id and k.offer_number = s.offer_number;

-- name: lock_imports!
-- One import at a time: the same file sent twice at once finds itself stored.
select pg_advisory_xact_lock(hashtext('offers.import'));

-- name: add_import_run!
insert into offers.import_run (id, sha256, mode, rows, added, changed, unchanged, refused, by_person, refused_file)
values (:id, :sha256, :mode, :rows, :added, :changed, :unchanged, :refused, :by_person, :refused_file);

-- name: import_runs
select id, mode, rows, added, changed, unchanged, refused, at, refused_file is not null as has_file, expires_at
from offers.import_run order by at desc limit :most;

-- name: refused_file$
select refused_file from offers.import_run where id = :id and expires_at > now();

-- name: forget_refused!
-- Refused rows are kept for seven days.
update offers.import_run set refused_file = null where expires_at <= now() and refused_file is not null;

-- name: note_commitment!
insert into offers.commitment (commitment_id, offer_id, area, quantity) values (:commitment_id, :offer_id, :area, :quantity)
on conflict (commitment_id) do update set quantity = excluded.quantity, area = excluded.area;

-- name: note_release!
insert into offers.commitment (commitment_id, offer_id, area, released, returned)
values (:commitment_id, :offer_id, :area, :released, :returned)
on conflict (commitment_id) do update set released = excluded.released, returned = excluded.returned;

-- name: note_delivery!
-- What one event says of a delivery; what it does not say (null) stays as it was.
insert into offers.delivery as t (delivery_id, offer_id, commitment_id, delivered_at, failed, received)
values (:delivery_id, :offer_id, :commitment_id, :delivered_at, :failed, :received)
on conflict (delivery_id) do update set
    commitment_id = coalesce(t.commitment_id, excluded.commitment_id),
    delivered_at = coalesce(t.delivered_at, excluded.delivered_at),
    failed = t.failed or excluded.failed,
    received = coalesce(t.received, excluded.received);
