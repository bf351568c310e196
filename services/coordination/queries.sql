-- name: copy_need!
-- The need as its owner says it; an older version than the one known changes nothing. What is promised stays covered.
insert into coordination.need as n (
    id, version, asked, quantity, area, beneficiary_id, case_number, category, urgency, needed_by, vulnerabilities, minor, consent,
    raised_at, raised_by, whole, bundle_id)
values (
    :id, :version, :asked, :asked, :area, :beneficiary_id, :case_number, :category, :urgency, :needed_by, :vulnerabilities::text[],
    :minor, :consent, :raised_at, :raised_by, :whole, :bundle_id)
on conflict (id) do update set
    version = excluded.version, asked = excluded.asked, quantity = greatest(excluded.asked, n.met), area = excluded.area,
    beneficiary_id = excluded.beneficiary_id, case_number = excluded.case_number, category = excluded.category,
    urgency = excluded.urgency, needed_by = excluded.needed_by, vulnerabilities = excluded.vulnerabilities, minor = excluded.minor,
    consent = excluded.consent, raised_at = excluded.raised_at, raised_by = excluded.raised_by,
    whole = excluded.whole, bundle_id = excluded.bundle_id
where excluded.version > n.version;

-- name: end_need!
-- The need was withdrawn or closed, perhaps before it was known here.
insert into coordination.need as n (id, area, ended) values (:id, :area, :version)
on conflict (id) do update set ended = greatest(n.ended, excluded.ended);

-- name: copy_offer!
insert into coordination.offer as o (
    id, version, pledged, quantity, offer_number, charity_id, charity_name, category, pickup)
values (:id, :version, :pledged, :pledged, :offer_number, :charity_id, :charity_name, :category, :pickup)
on conflict (id) do update set
    version = excluded.version, pledged = excluded.pledged, quantity = greatest(excluded.pledged, o.committed),
    offer_number = excluded.offer_number, charity_id = excluded.charity_id, charity_name = excluded.charity_name,
    category = excluded.category, pickup = excluded.pickup
where excluded.version > o.version;

-- name: end_offer!
insert into coordination.offer as o (id, charity_id, ended) values (:id, :charity_id, :version)
on conflict (id) do update set ended = greatest(o.ended, excluded.ended);

-- name: supersede_of_need!
-- Nothing that waits for this need may still be approved.
update coordination.proposal set status = 'superseded', version = version + 1
where need_id = :need_id and status = 'pending'
    and exists (select from coordination.need n where n.id = :need_id and not n.open);

-- name: supersede_of_offer!
update coordination.proposal set status = 'superseded', version = version + 1
where offer_id = :offer_id and status = 'pending'
    and exists (select from coordination.offer o where o.id = :offer_id and not o.open);

-- name: list_for_review!
-- A proposal for the board; when its end arrived before it, only its content is filled in.
insert into coordination.proposal as p (
    id, need_id, offer_id, area, quantity, score, factors, alternatives, proposed_by, version)
values (:id, :need_id, :offer_id, :area, :quantity, :score, :factors::jsonb, :alternatives::jsonb, :proposed_by, :version)
on conflict (id) do update set
    quantity = excluded.quantity, score = excluded.score, factors = excluded.factors, alternatives = excluded.alternatives,
    proposed_by = excluded.proposed_by
where p.quantity = 0;

-- name: supersede!
insert into coordination.proposal as p (id, need_id, offer_id, area, status, version)
values (:id, :need_id, :offer_id, :area, 'superseded', :version)
on conflict (id) do update set status = 'superseded', version = greatest(p.version + 1, excluded.version)
where p.status = 'pending';

-- name: parties_of
-- The offers and needs that these proposals speak of.
select id, need_id, offer_id from coordination.proposal where id = any (:ids::uuid[]);

-- name: needs_beside
-- The needs of these and of the bundles that they belong to.
select other.id from coordination.need n
join coordination.need other on other.id = n.id or other.bundle_id = n.bundle_id
where n.id = any (:ids::uuid[]);

-- name: bundles
-- What bundles still lack, need by need, with the proposals that wait for it.
select n.bundle_id, n.id as need_id, n.category, n.quantity - n.met as "left",
    array(select p.id from coordination.proposal p where p.need_id = n.id and p.status = 'pending' order by p.score desc, p.id) as proposal_ids
from coordination.need n
where n.bundle_id = any (:ids::uuid[]) and n.open and n.met < n.quantity
order by n.category, n.id;

-- name: lock_offers
-- First of the three locks that every change of quantities takes, always in this order and by id.
select id, open, quantity - committed as "left", category, charity_id, pickup
from coordination.offer where id = any (:ids::uuid[]) order by id for update;

-- name: lock_needs
select id, open, consent, quantity - met as "left", area, beneficiary_id, case_number, urgency, raised_by, whole, bundle_id
from coordination.need where id = any (:ids::uuid[]) order by id for update;

-- name: lock_proposals
select id, need_id, offer_id, area, quantity, status, version, proposed_by
from coordination.proposal where id = any (:ids::uuid[]) order by id for update;

-- name: promise_offers
-- Promise quantities of offers, each guarded; an offer that has not enough is left out.
update coordination.offer o set committed = o.committed + g.quantity
from (
    select offer_id, sum(quantity)::int as quantity
    from jsonb_to_recordset(:granted::jsonb) as r (offer_id uuid, quantity int) group by offer_id
) g
where o.id = g.offer_id and o.open and o.committed + g.quantity <= o.quantity
returning o.id;

-- name: promise_needs
update coordination.need n set met = n.met + g.quantity
from (
    select need_id, sum(quantity)::int as quantity
    from jsonb_to_recordset(:granted::jsonb) as r (need_id uuid, quantity int) group by need_id
) g
where n.id = g.need_id and n.open and n.consent and n.met + g.quantity <= n.quantity
returning n.id;

-- name: approve_proposals
update coordination.proposal p set
    status = case when g.quantity < p.quantity then 'partly_approved' else 'approved' end,
    approved_quantity = g.quantity, decided_by = :by, decided_at = now(), version = p.version + 1
from jsonb_to_recordset(:granted::jsonb) as g (proposal_id uuid, version int, quantity int)
where p.id = g.proposal_id and p.status = 'pending' and p.version = g.version
returning p.id, p.decided_at;

-- name: add_commitments!
insert into coordination.commitment (id, proposal_id, need_id, offer_id, area, quantity)
select g.commitment_id, g.proposal_id, g.need_id, g.offer_id, g.area, g.quantity
from jsonb_to_recordset(:granted::jsonb) as g (
    commitment_id uuid, proposal_id uuid, need_id uuid, offer_id uuid, area text, quantity int);

-- name: decline^
update coordination.proposal set
    status = 'declined', decline_reason = :reason, decided_by = :by, decided_at = now(), version = version + 1
where id = :id and status = 'pending' and version = coalesce(:version::int, version)
returning id, need_id, offer_id, area, version;

-- name: close_commitment^
-- End a promise once: what was not delivered is released, and goes back to the offer when the charity still has it.
update coordination.commitment set
    released = least(:released::int, quantity), returned_to_offer = :returned, status = :status
where id = :id and status = 'active'
returning id, proposal_id, need_id, offer_id, area, released;

-- name: give_back_need!
update coordination.need set met = met - :quantity::int, quantity = greatest(asked, met - :quantity::int) where id = :id;

-- name: give_back_offer!
update coordination.offer set committed = committed - :quantity::int, quantity = greatest(pledged, committed - :quantity::int)
where id = :id;

-- name: board
-- Proposals with what they are about, best first, after the cursor.
select p.id, p.need_id, p.offer_id, p.area, p.quantity, p.score, p.factors, p.alternatives, p.proposed_by, p.status, p.version,
    p.listed_at, p.decided_at, p.decline_reason, p.approved_quantity,
    n.case_number, n.category, n.urgency, n.needed_by, n.vulnerabilities, n.raised_by, n.whole, n.bundle_id, n.quantity - n.met as need_left,
    o.offer_number, o.charity_name, o.category as offer_category, o.pickup, o.quantity - o.committed as offer_left
from coordination.proposal p
join coordination.need n on n.id = p.need_id
join coordination.offer o on o.id = p.offer_id
where p.status = :status
    and (p.status <> 'pending' or (n.open and o.open))
    and p.area like :area
    and (:category::text is null or n.category = :category)
    and (:urgency::text is null or n.urgency = :urgency)
    and (:score::bigint is null or (p.score, p.id) < (:score::bigint, :after::uuid))
order by p.score desc, p.id desc limit :most;

-- name: proposals
-- Some proposals by id.
select p.id, p.need_id, p.offer_id, p.area, p.quantity, p.score, p.factors, p.alternatives, p.proposed_by, p.status, p.version,
    p.listed_at, p.decided_at, p.decline_reason, p.approved_quantity,
    n.case_number, n.category, n.urgency, n.needed_by, n.vulnerabilities, n.raised_by, n.whole, n.bundle_id, n.quantity - n.met as need_left,
    o.offer_number, o.charity_name, o.category as offer_category, o.pickup, o.quantity - o.committed as offer_left
from coordination.proposal p
join coordination.need n on n.id = p.need_id
join coordination.offer o on o.id = p.offer_id
where p.id = any (:ids::uuid[]);

-- name: decided
-- What was approved or declined, latest first, after the cursor.
select p.id, p.area, p.quantity, p.score, p.status, p.decided_at, p.decline_reason, p.approved_quantity,
    n.case_number, n.category, n.urgency, o.offer_number, o.charity_name, o.category as offer_category,
    k.status as commitment_status, k.released
from coordination.proposal p
join coordination.need n on n.id = p.need_id
join coordination.offer o on o.id = p.offer_id
left join coordination.commitment k on k.proposal_id = p.id
where p.decided_at is not null and (:at::timestamptz is null or (p.decided_at, p.id) < (:at::timestamptz, :after::uuid))
order by p.decided_at desc, p.id desc limit :most;

-- name: facets
-- What waits, by town and category.
select p.area, n.category, count(*)::int as waiting
from coordination.proposal p
join coordination.need n on n.id = p.need_id
join coordination.offer o on o.id = p.offer_id
where p.status = 'pending' and n.open and o.open
group by p.area, n.category order by p.area, n.category;

-- name: new_since$
select count(*)::int
from coordination.proposal p
join coordination.need n on n.id = p.need_id
join coordination.offer o on o.id = p.offer_id
where p.status = 'pending' and p.listed_at > :since and n.open and o.open
    and p.area like :area
    and (:category::text is null or n.category = :category)
    and (:urgency::text is null or n.urgency = :urgency);

-- name: clock$
select now();

-- name: offers_named
-- Alternatives by name, with what is left.
select id, offer_number, charity_name, category, quantity - committed as offer_left
from coordination.offer where id = any (:ids::uuid[]) and open;

-- name: commitments
select k.id, k.proposal_id, k.need_id, k.offer_id, k.area, k.quantity, k.released, k.returned_to_offer, k.status, k.committed_at
from coordination.commitment k
where (:after::uuid is null or k.id < :after::uuid) and (:status::text is null or k.status = :status)
order by k.id desc limit :most;
