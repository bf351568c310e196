-- name: copy_need^
-- The need as its owner says it; an older version than the one known changes nothing and returns nothing.
insert into matcher.need as n (
    id, version, quantity, promised, area, beneficiary_id, beneficiary_kind, case_number, category, urgency, needed_by,
    vulnerabilities, minor, consent, raised_at, whole, bundle_id)
values (
    :id, :version, :quantity,
    coalesce((select sum(k.quantity - least(k.released, k.quantity)) from matcher.commitment k where k.need_id = :id), 0),
    :area, :beneficiary_id, :beneficiary_kind, :case_number, :category, :urgency, :needed_by, :vulnerabilities::text[], :minor,
    :consent, :raised_at, :whole, :bundle_id)
on conflict (id) do update set
    version = excluded.version, quantity = excluded.quantity, area = excluded.area, beneficiary_id = excluded.beneficiary_id,
    beneficiary_kind = excluded.beneficiary_kind, case_number = excluded.case_number, category = excluded.category,
    urgency = excluded.urgency, needed_by = excluded.needed_by, vulnerabilities = excluded.vulnerabilities, minor = excluded.minor,
    consent = excluded.consent, raised_at = excluded.raised_at, whole = excluded.whole, bundle_id = excluded.bundle_id
where excluded.version > n.version
returning n.category, (select old.category from matcher.need old where old.id = :id) as before;

-- name: drop_need$
-- The need was withdrawn or closed, perhaps before it was known here.
insert into matcher.need as n (id, area, ended) values (:id, :area, :version)
on conflict (id) do update set ended = greatest(n.ended, excluded.ended)
returning n.category;

-- name: copy_offer^
insert into matcher.offer as o (
    id, version, quantity, booked, promised, offer_number, charity_id, charity_name, category, origin_area, service_areas, radius_m, pickup,
    available_from, available_until, expires_on, designated_vulnerabilities, licences, vetted, per_household_limit, per_day_limit,
    condition)
values (
    :id, :version, :quantity, matcher.booked(:id),
    coalesce((select sum(k.quantity - least(k.returned, k.quantity)) from matcher.commitment k where k.offer_id = :id), 0),
    :offer_number, :charity_id, :charity_name, :category, :origin_area, :service_areas::text[], :radius_m, :pickup, :available_from,
    :available_until, :expires_on, :designated_vulnerabilities::text[], :licences::text[], :vetted, :per_household_limit,
    :per_day_limit, :condition)
on conflict (id) do update set
    version = excluded.version, quantity = excluded.quantity, offer_number = excluded.offer_number, charity_id = excluded.charity_id,
    charity_name = excluded.charity_name, category = excluded.category, origin_area = excluded.origin_area,
    service_areas = excluded.service_areas, radius_m = excluded.radius_m, pickup = excluded.pickup,
    available_from = excluded.available_from, available_until = excluded.available_until, expires_on = excluded.expires_on,
    designated_vulnerabilities = excluded.designated_vulnerabilities, licences = excluded.licences, vetted = excluded.vetted,
    per_household_limit = excluded.per_household_limit, per_day_limit = excluded.per_day_limit, condition = excluded.condition
where excluded.version > o.version
returning o.category, (select old.category from matcher.offer old where old.id = :id) as before;

-- name: drop_offer$
insert into matcher.offer as o (id, charity_id, ended) values (:id, :charity_id, :version)
on conflict (id) do update set ended = greatest(o.ended, excluded.ended)
returning o.category;

-- name: note_commitment!
insert into matcher.commitment (commitment_id, need_id, offer_id, area, beneficiary_id, category, quantity)
values (:commitment_id, :need_id, :offer_id, :area, :beneficiary_id, :category, :quantity)
on conflict (commitment_id) do update set
    beneficiary_id = excluded.beneficiary_id, category = excluded.category, quantity = excluded.quantity;

-- name: release_commitment!
insert into matcher.commitment (commitment_id, need_id, offer_id, area, released, returned)
values (:commitment_id, :need_id, :offer_id, :area, :released, :returned)
on conflict (commitment_id) do update set released = excluded.released, returned = excluded.returned;

-- name: recount!
select matcher.recount(:need_id, :offer_id);

-- name: note_aid!
insert into matcher.aid (delivery_id, commitment_id, need_id, offer_id, beneficiary_id, area, category, quantity, received_at)
values (:delivery_id, :commitment_id, :need_id, :offer_id, :beneficiary_id, :area, :category, :quantity, :received_at)
on conflict (delivery_id) do nothing;

-- name: decide_proposal!
update matcher.proposal set status = 'decided' where id = :id and status <> 'decided';

-- name: note_declined!
insert into matcher.declined (need_id, offer_id, area, reason) values (:need_id, :offer_id, :area, :reason)
on conflict (need_id, offer_id) do nothing;

-- name: categories_of
-- The categories that a pair touches.
select category from matcher.need where id = :need_id
union
select category from matcher.offer where id = :offer_id;

-- name: mark!
insert into matcher.dirty (category) select distinct code from unnest(:categories::text[]) as code where code <> '';

-- name: lock_round!
-- A round over everything has no other beside it.
select pg_advisory_xact_lock(hashtext('matcher.round'));

-- name: share_round!
-- Rounds over some categories go on side by side, but not beside one over everything.
select pg_advisory_xact_lock_shared(hashtext('matcher.round'));

-- name: lock_family!
-- One round at a time over categories that may stand for one another.
select pg_advisory_xact_lock(hashtext('matcher.round'), hashtext(:family));

-- name: dirty
select distinct category from matcher.dirty order by 1;

-- name: take_dirty
delete from matcher.dirty where category = any (:categories::text[]) returning category;

-- name: take_all_dirty!
delete from matcher.dirty;

-- name: joined
-- The categories that open bundles join, each set once: they must be planned together.
select distinct array_agg(distinct category order by category) as categories from matcher.need
where open and bundle_id is not null
group by bundle_id having count(distinct category) > 1;

-- name: clock$
select clock_timestamp();

-- name: open_needs
-- Needs that still lack something, less what people proposed by hand. One whose bundle reaches beyond these categories, since a moment
-- ago, waits for the round over all that it reaches.
with hand as (
    select need_id, sum(quantity)::int as quantity from matcher.proposal
    where status = 'pending' and by_person is not null and category = any (:categories::text[])
    group by need_id
)
select n.id, n.version, n.beneficiary_id, n.beneficiary_kind, n.area, n.category, n.urgency, n.needed_by, n.raised_at,
    n.vulnerabilities, n.minor, n.consent, n.whole, n.bundle_id, n.quantity - n.promised - coalesce(hand.quantity, 0) as quantity
from matcher.need n left join hand on hand.need_id = n.id
where n.open and n.category = any (:categories::text[]) and n.quantity - n.promised > coalesce(hand.quantity, 0)
    and (n.bundle_id is null or not exists (
        select from matcher.need other
        where other.open and other.bundle_id = n.bundle_id and not (other.category = any (:categories::text[]))))
order by n.id;

-- name: open_offers
-- Offers that still have something, less what people proposed by hand.
with hand as (
    select offer_id, sum(quantity)::int as quantity from matcher.proposal
    where status = 'pending' and by_person is not null and category = any (:categories::text[])
    group by offer_id
)
select o.id, o.version, o.charity_id, o.category, o.service_areas, o.origin_area, o.radius_m, o.pickup, o.available_from,
    o.available_until, o.expires_on, o.designated_vulnerabilities, o.licences, o.vetted, o.per_household_limit, o.condition,
    o.per_day_limit, o.booked, o.quantity - o.promised - coalesce(hand.quantity, 0) as quantity
from matcher.offer o left join hand on hand.offer_id = o.id
where o.open and o.category = any (:categories::text[]) and o.quantity - o.promised > coalesce(hand.quantity, 0)
order by o.id;

-- name: past_aid
-- What the beneficiaries of these categories' open needs received; the need's category counts, which a substitute may differ from.
select a.beneficiary_id, coalesce(nullif(n.category, ''), a.category) as category, a.received_at, a.need_id, a.offer_id, a.quantity
from matcher.aid a
join (select distinct beneficiary_id from matcher.need where open and category = any (:categories::text[])) b
    on b.beneficiary_id = a.beneficiary_id
left join matcher.need n on n.id = a.need_id
where coalesce(nullif(n.category, ''), a.category) = any (:categories::text[])
order by a.delivery_id;

-- name: pending_aid
-- What they were promised and did not receive yet, and what people proposed for them by hand.
select k.beneficiary_id, coalesce(nullif(n.category, ''), k.category) as category, k.need_id, k.offer_id, k.quantity - k.released as quantity
from matcher.commitment k
join (select distinct beneficiary_id from matcher.need where open and category = any (:categories::text[])) b
    on b.beneficiary_id = k.beneficiary_id
left join matcher.need n on n.id = k.need_id
where k.quantity > k.released and coalesce(nullif(n.category, ''), k.category) = any (:categories::text[])
    and not exists (select from matcher.aid a where a.commitment_id = k.commitment_id)
union all
select n.beneficiary_id, n.category, p.need_id, p.offer_id, p.quantity
from matcher.proposal p join matcher.need n on n.id = p.need_id
where p.status = 'pending' and p.by_person is not null and p.category = any (:categories::text[])
    and n.beneficiary_id is not null;

-- name: pending_proposals
-- What waits for a decision, with what has become of its need and offer since.
select p.id, p.need_id, p.offer_id, p.area, p.quantity, p.score, p.by_person,
    n.version <= n.ended as need_gone, o.version <= o.ended as offer_gone,
    n.version <> p.need_version as need_changed, o.version <> p.offer_version as offer_changed,
    n.quantity - n.promised as need_left, o.quantity - o.promised as offer_left, n.consent,
    p.model_id is distinct from :model_id::uuid as model_changed,
    coalesce(o.available_until < :now or o.expires_on < (:now::timestamptz at time zone 'Asia/Shanghai')::date, false) as offer_over,
    coalesce(n.needed_by < :now, false) as need_over
from matcher.proposal p
join matcher.need n on n.id = p.need_id
join matcher.offer o on o.id = p.offer_id
where p.status = 'pending' and p.category = any (:categories::text[])
order by p.id;

-- name: declined_pairs
select d.need_id, d.offer_id from matcher.declined d join matcher.need n on n.id = d.need_id
where n.open and n.category = any (:categories::text[]);

-- name: shares
-- For each town, and for each class of vulnerability, the mean share of its needs that is promised or received, in
-- thousandths.
with met as (
    select left(area, 9) || '000' as town, vulnerabilities, least(promised, quantity)::numeric / quantity as part
    from matcher.need
    where category = any (:categories::text[]) and raised_at > :since and quantity > 0 and (open or promised > 0))
select town as code, round(1000 * avg(part))::int as share from met group by 1
union all
select class, round(1000 * avg(part))::int from met cross join unnest(vulnerabilities) as class group by 1
order by 1;

-- name: supersede
-- Take back proposals that are still pending.
update matcher.proposal set status = 'superseded' where id = any (:ids::uuid[]) and status = 'pending'
returning id, need_id, offer_id, area;

-- name: add_proposals!
insert into matcher.proposal (
    id, round_id, by_person, need_id, offer_id, area, category, quantity, score, need_version, offer_version, model_id)
select p.id, p.round_id, p.by_person, p.need_id, p.offer_id, p.area, p.category, p.quantity, p.score, p.need_version, p.offer_version,
    p.model_id
from jsonb_to_recordset(:proposals::jsonb) as p (
    id uuid, round_id uuid, by_person uuid, need_id uuid, offer_id uuid, area text, category text, quantity int, score int,
    need_version int, offer_version int, model_id uuid);

-- name: forget_served!
delete from matcher.unserved where category = any (:categories::text[]) and not (need_id = any (:unserved::uuid[]));

-- name: note_unserved
-- Why needs got nothing, or less than they lack; returns those whose reasons are news.
insert into matcher.unserved as u (need_id, round_id, area, category, missing, refusals)
select r.need_id, :round_id, r.area, r.category, r.missing, r.refusals
from jsonb_to_recordset(:unserved::jsonb) as r (need_id uuid, area text, category text, missing int, refusals jsonb)
on conflict (need_id) do update set
    round_id = excluded.round_id, area = excluded.area, category = excluded.category, missing = excluded.missing,
    refusals = excluded.refusals
where (u.category, u.missing, u.refusals) is distinct from (excluded.category, excluded.missing, excluded.refusals)
returning need_id;

-- name: note_checked!
insert into matcher.checked (category, at) select code, :now from unnest(:categories::text[]) as code
on conflict (category) do update set at = excluded.at;

-- name: add_round$
-- What came of a round; nothing when a person has cancelled it.
insert into matcher.round as r (
    id, dry_run, started_at, seconds, seed, categories, needs, offers, edges, kept, made, superseded, unserved, certificate, fairness,
    shares, refused, resumed)
values (
    :id, :dry_run, :started_at, :seconds, :seed, :categories::text[], :needs, :offers, :edges, :kept, :made, :superseded, :unserved,
    :certificate::jsonb, :fairness::jsonb, :shares::jsonb, :refused::jsonb,
    :resumed)
on conflict (id) do update set
    state = 'done', dry_run = excluded.dry_run, started_at = excluded.started_at, seconds = excluded.seconds, seed = excluded.seed,
    categories = excluded.categories, needs = excluded.needs, offers = excluded.offers, edges = excluded.edges, kept = excluded.kept,
    made = excluded.made, superseded = excluded.superseded, unserved = excluded.unserved, certificate = excluded.certificate,
    fairness = excluded.fairness, shares = excluded.shares, refused = excluded.refused,
    resumed = excluded.resumed
where r.state <> 'cancelled' returning true;

-- name: ask_round!
-- A round that a person asked for; the job fills it in.
insert into matcher.round (id, state, dry_run, asked_by) values (:id, 'queued', :dry_run, :asked_by);

-- name: stale_categories
-- What time alone has changed: pending proposals whose offer ran out or whose need's date passed, and needs that got nothing when
-- last looked at hours ago. Also what was marked and left without a job.
select category from matcher.dirty
union
select p.category from matcher.proposal p
join matcher.need n on n.id = p.need_id join matcher.offer o on o.id = p.offer_id
where p.status = 'pending' and (o.available_until < now() or o.expires_on < (now() at time zone 'Asia/Shanghai')::date or n.needed_by < now())
union
select u.category from matcher.unserved u left join matcher.checked c on c.category = u.category
where c.at is null or c.at < now() - interval '6 hours';

-- name: unserved
-- Open needs that get nothing or too little, with why; in the order of their ids.
select u.need_id, u.area, u.category, u.missing, u.refusals, n.case_number, n.urgency, n.raised_at
from matcher.unserved u join matcher.need n on n.id = u.need_id
where n.open and (:area::text is null or u.area like access.pattern(:area::text))
    and (:rule::text is null or u.refusals @> jsonb_build_array(jsonb_build_object('rule', :rule::text)))
    and (:after::uuid is null or u.need_id > :after::uuid)
order by u.need_id limit :most;

-- name: recent_needs
-- Needs of these categories that were raised since, open or not, as the forecast takes them: nobody's id.
select category, area, quantity, urgency, raised_at, vulnerabilities, minor, beneficiary_kind
from matcher.need
where category = any (:categories::text[]) and raised_at > :since and version > 0 and quantity > 0 and consent;

-- name: own_areas$
-- The areas that the caller reads for, as LIKE patterns.
select access.areas('coordinator', 'auditor');

-- name: rounds
-- Rounds, latest first, after the cursor.
select id, state, dry_run, started_at, seconds, seed, categories, needs, offers, edges, kept, made, superseded, unserved, certificate,
    resumed
from matcher.round
where :at::timestamptz is null or (started_at, id) < (:at::timestamptz, :after::uuid)
order by started_at desc, id desc limit :most;

-- name: round^
select id, state, dry_run, started_at, seconds, seed, categories, needs, offers, edges, kept, made, superseded, unserved, certificate,
    fairness, refused, resumed
from matcher.round where id = :id;

-- name: need^
select n.id, n.version, n.version > n.ended as open, n.quantity, n.promised, n.area, n.beneficiary_id, n.beneficiary_kind, n.case_number,
    n.category, n.urgency, n.needed_by, n.vulnerabilities, n.minor, n.consent, n.raised_at, n.whole, n.bundle_id
from matcher.need n where n.id = :id and n.version > 0;

-- name: why^
-- Why a need got nothing or too little at the last look.
select u.round_id, u.missing, u.refusals, r.started_at from matcher.unserved u left join matcher.round r on r.id = u.round_id
where u.need_id = :id;

-- name: pending_of_need
select p.id, p.offer_id, p.quantity, p.score, p.by_person, o.offer_number, o.charity_name
from matcher.proposal p join matcher.offer o on o.id = p.offer_id
where p.need_id = :id and p.status = 'pending' order by p.score desc, p.id;

-- name: outbid
-- Offers of these categories that rounds proposed to other needs, with the score that the least of them has.
select offer_id, units, beats, kin from matcher.outbid(:id, :categories::text[]);

-- name: hand_of_need$
-- What people proposed for a need by hand, leaving out the proposal that is being replaced.
select coalesce(sum(quantity), 0)::int from matcher.proposal
where need_id = :id and status = 'pending' and by_person is not null and id is distinct from :replaces::uuid;

-- name: offers_for
-- Every offer of these categories that is not withdrawn, with what is free apart from hand-made proposals.
select o.id, o.version, o.charity_id, o.charity_name, o.offer_number, o.category, o.service_areas, o.origin_area, o.radius_m, o.pickup,
    o.available_from, o.available_until, o.expires_on, o.designated_vulnerabilities, o.licences, o.vetted, o.per_household_limit,
    o.condition, o.per_day_limit, o.booked,
    greatest(0, o.quantity - o.promised - coalesce((
        select sum(p.quantity) from matcher.proposal p
        where p.offer_id = o.id and p.status = 'pending' and p.by_person is not null and p.id is distinct from :replaces::uuid), 0))::int
        as quantity
from matcher.offer o
where o.version > o.ended and o.category = any (:categories::text[])
order by o.id;

-- name: aid_of
-- What one beneficiary received.
select a.beneficiary_id, coalesce(nullif(n.category, ''), a.category) as category, a.received_at, a.need_id, a.offer_id, a.quantity
from matcher.aid a left join matcher.need n on n.id = a.need_id
where a.beneficiary_id = :beneficiary_id order by a.delivery_id;

-- name: promised_to
-- What one beneficiary was promised and did not receive yet, or was proposed by hand.
select k.beneficiary_id, coalesce(nullif(n.category, ''), k.category) as category, k.need_id, k.offer_id, k.quantity - k.released as quantity
from matcher.commitment k left join matcher.need n on n.id = k.need_id
where k.beneficiary_id = :beneficiary_id and k.quantity > k.released
    and not exists (select from matcher.aid a where a.commitment_id = k.commitment_id)
union all
select n.beneficiary_id, n.category, p.need_id, p.offer_id, p.quantity
from matcher.proposal p join matcher.need n on n.id = p.need_id
where n.beneficiary_id = :beneficiary_id and p.status = 'pending' and p.by_person is not null
    and p.id is distinct from :replaces::uuid;

-- name: declined_of_need
select need_id, offer_id from matcher.declined where need_id = :id;

-- name: last_shares$
-- The shares of towns and classes that the last round over a category worked with.
select shares from matcher.round where state = 'done' and categories @> array[:category]::text[]
order by started_at desc, id desc limit 1;

-- name: replace^
-- Take one pending proposal of a need back, because a person proposes another in its place.
update matcher.proposal set status = 'superseded' where id = :id and need_id = :need_id and status = 'pending'
returning id, need_id, offer_id, area;
