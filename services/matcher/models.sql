-- name: note_decision!
-- What a person decided, once; with the pair's features as they were.
insert into matcher.decision (
    proposal_id, commitment_id, need_id, offer_id, area, category, vulnerabilities, outcome, reason, features, decided_at)
values (
    :proposal_id, :commitment_id, :need_id, :offer_id, :area, :category, :vulnerabilities::text[], :outcome, :reason,
    :features::jsonb, :decided_at)
on conflict (proposal_id) do nothing;

-- name: note_follow_up!
insert into matcher.follow_up (follow_up_id, delivery_id, area, outcome, answered_at)
values (:follow_up_id, :delivery_id, :area, :outcome, :answered_at)
on conflict (follow_up_id) do nothing;

-- name: decided_need^
-- A need as it is known, with what is open of it.
select id, beneficiary_id, beneficiary_kind, area, category, urgency, needed_by, raised_at, vulnerabilities, minor, consent, whole, bundle_id,
    greatest(1, quantity - promised) as quantity
from matcher.need where id = :id and version > 0;

-- name: decided_offer^
-- An offer as it is known, with what is free of it.
select id, charity_id, category, service_areas, origin_area, radius_m, pickup, available_from, available_until, expires_on,
    designated_vulnerabilities, licences, vetted, per_household_limit, condition, per_day_limit, booked,
    greatest(1, quantity - promised) as quantity
from matcher.offer where id = :id and version > 0;

-- name: decisions
-- The latest decisions whose features are known, with when the aid came and the last answer to a follow-up.
select d.decided_at, d.outcome, d.reason, d.area, d.category, d.vulnerabilities, d.features, a.received_at, f.outcome as helped, f.answered_at
from matcher.decision d
left join lateral (
    select min(x.received_at) as received_at from matcher.aid x where x.commitment_id = d.commitment_id) a on true
left join lateral (
    select u.outcome, u.answered_at from matcher.aid x join matcher.follow_up u on u.delivery_id = x.delivery_id
    where x.commitment_id = d.commitment_id order by u.answered_at desc, u.follow_up_id limit 1) f on true
where d.features is not null
order by d.decided_at desc, d.proposal_id limit :most;

-- name: recent_features
-- The pairs decided of late.
select features from matcher.decision
where features is not null and decided_at > now() - make_interval(days => :days) order by decided_at desc limit :most;

-- name: champion^
select id, number, shapes, card from matcher.model where state = 'champion';

-- name: models
-- Models, latest first, after the cursor.
select id, number, state, problem, card, made_at, promoted_at, promoted_by, promotion_reason, ended_at
from matcher.model where :after::int is null or number < :after::int
order by number desc limit :most;

-- name: model^
select id, number, state, problem, shapes, card, drift, drift_at, made_at, promoted_at, promoted_by, promotion_reason, ended_at
from matcher.model where id = :id;

-- name: lock_models!
-- One change of the model in force at a time.
select pg_advisory_xact_lock(hashtext('matcher.model'));

-- name: ask_model$
insert into matcher.model (id, asked_by) values (:id, :asked_by) returning number;

-- name: made_model!
update matcher.model set state = 'challenger', shapes = :shapes::jsonb, card = :card::jsonb where id = :id and state = 'queued';

-- name: refuse_model!
update matcher.model set state = 'refused', problem = :problem where id = :id and state = 'queued';

-- name: retire^
-- Take the champion out of force.
update matcher.model set state = 'retired', version = version + 1, ended_by = :by, ended_at = now()
where state = 'champion' returning id, number, version;

-- name: promote^
update matcher.model set state = 'champion', version = version + 1, promoted_by = :by, promoted_at = now(),
    promotion_reason = :reason, ended_by = null, ended_at = null
where id = :id and state in ('challenger', 'retired') returning id, number, version;

-- name: note_drift!
update matcher.model set drift = :drift::jsonb, drift_at = now() where id = :id;
