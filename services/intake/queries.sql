-- name: new_numbers
-- `many` running numbers; gaps are harmless.
select nextval('intake.number') as number from generate_series(1, :many::int);

-- name: add_households!
insert into intake.household (id, case_number, area, data_key, village_enc, address_enc, phone_enc, location_enc, phone_blind,
    vulnerabilities, consent, consent_on, consent_by_guardian, content_hash, imported_version, created_by)
select id, case_number, area, data_key, village_enc, address_enc, phone_enc, location_enc, phone_blind,
    vulnerabilities, consent, consent_on, consent_by_guardian, content_hash, imported_version, created_by
from jsonb_to_recordset(:rows) as r (id uuid, case_number text, area text, data_key bytea, village_enc bytea, address_enc bytea,
    phone_enc bytea, location_enc bytea, phone_blind bytea, vulnerabilities text[], consent boolean, consent_on date,
    consent_by_guardian boolean, content_hash bytea, imported_version int, created_by uuid);

-- name: replace_households!
-- Households as an import now states them; their data key and number stay.
update intake.household h
set village_enc = r.village_enc, address_enc = r.address_enc, phone_enc = r.phone_enc, phone_blind = r.phone_blind,
    vulnerabilities = r.vulnerabilities, consent = r.consent, consent_on = r.consent_on,
    consent_by_guardian = r.consent_by_guardian, content_hash = r.content_hash,
    consent_withdrawn_on = case when r.consent then null when h.consent then r.today else h.consent_withdrawn_on end,
    version = h.version + 1, imported_version = h.version + 1, updated_at = now()
from jsonb_to_recordset(:rows) as r (id uuid, village_enc bytea, address_enc bytea, phone_enc bytea, phone_blind bytea,
    vulnerabilities text[], consent boolean, consent_on date, consent_by_guardian boolean, content_hash bytea, today date)
where h.id = r.id;

-- name: add_members!
insert into intake.member (id, household_id, area, position, name_enc, id_number_enc, birth_date_enc, name_blind, id_blind, relation,
    sex, minor_until, vulnerabilities)
select id, household_id, area, position, name_enc, id_number_enc, birth_date_enc, name_blind, id_blind, relation,
    sex, minor_until, vulnerabilities
from jsonb_to_recordset(:rows) as r (id uuid, household_id uuid, area text, position int, name_enc bytea, id_number_enc bytea,
    birth_date_enc bytea, name_blind bytea, id_blind bytea, relation text, sex text, minor_until date, vulnerabilities text[]);

-- name: drop_members!
delete from intake.member where household_id = any (:household_ids::uuid[]);

-- name: drop_member$
delete from intake.member where id = :member_id and household_id = :household_id returning id;

-- name: change_member$
update intake.member set vulnerabilities = coalesce(:vulnerabilities::text[], vulnerabilities), relation = coalesce(:relation, relation)
where id = :member_id and household_id = :household_id returning id;

-- name: change_household$
-- Null leaves a field as it is. No row: the version is stale.
update intake.household
set vulnerabilities = coalesce(:vulnerabilities::text[], vulnerabilities),
    village_enc = coalesce(:village_enc::bytea, village_enc), address_enc = coalesce(:address_enc::bytea, address_enc),
    phone_enc = coalesce(:phone_enc::bytea, phone_enc), phone_blind = coalesce(:phone_blind::bytea, phone_blind),
    location_enc = coalesce(:location_enc::bytea, location_enc), version = version + 1, updated_at = now()
where id = :household_id and version = :version
returning version;

-- name: touch_household$
update intake.household set version = version + 1, updated_at = now() where id = :household_id and version = :version returning version;

-- name: set_consent$
update intake.household
set consent = :consent, consent_on = :consent_on, consent_by_guardian = :by_guardian,
    consent_withdrawn_on = :withdrawn_on::date, version = version + 1, updated_at = now()
where id = :household_id and version = :version
returning version;

-- name: household^
select * from intake.household where id = :household_id;

-- name: household_by_number^
select * from intake.household where case_number = :case_number;

-- name: members
select * from intake.member where household_id = any (:household_ids::uuid[]) order by household_id, position, id;

-- name: households_by_number
-- Held until the import ends, so that nobody edits them meanwhile.
select id, case_number, area, data_key, content_hash, consent, consent_withdrawn_on, version, imported_version from intake.household
where case_number = any (:numbers::text[]) order by id for update;

-- name: numbers_taken$
select intake.numbers_taken(:kind, :numbers::text[]);

-- name: find_households
-- Case numbers that start with the words, or an exact name, phone or ID number through its index; newest first.
select h.id, h.case_number, h.area, h.data_key, h.vulnerabilities, h.consent, h.version, h.phone_enc, h.created_at,
    head.id as member_id, head.name_enc, count_of.members
from intake.household h
left join lateral (select id, name_enc from intake.member where household_id = h.id order by position, id limit 1) head on true
left join lateral (select count(*) as members from intake.member where household_id = h.id) count_of on true
where h.id < coalesce(:cursor::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
  and (:case_like = '' or h.case_number ilike :case_like or h.phone_blind = :phone_blind or h.id in (
        select household_id from intake.member where name_blind = :name_blind or id_blind = :id_blind))
  and (:area_like = '%' or h.area like :area_like)
order by h.id desc limit :most;

-- name: add_site!
-- Two at once make one.
insert into intake.beneficiary_site (id, site_number, kind, name, area, minors, data_key, created_by)
values (:site_id, :site_number, :kind, :name, :area, :minors, :data_key, :created_by)
on conflict (area, kind, name) do nothing;

-- name: site^
select * from intake.beneficiary_site where id = :site_id;

-- name: site_by_name^
select * from intake.beneficiary_site where area = :area and kind = :kind and name = :name;

-- name: sites
select id, site_number, kind, name, area from intake.beneficiary_site order by name, id limit :most;

-- name: standings
-- What a need takes over from the households it is for; `minor` by the members' 18th birthdays.
select h.id, h.case_number, h.area, h.data_key, h.consent, h.vulnerabilities || coalesce(m.vulnerabilities, '{}') as vulnerabilities,
    coalesce(m.minor, false) as minor, coalesce(m.members, 0) as members, h.version,
    h.consent and not h.consent_by_guardian and coalesce(m.child, false) as guardian_needed
from intake.household h
left join lateral (
    select array_agg(v.code) filter (where v.code is not null) as vulnerabilities,
        bool_or(member.minor_until > current_date) as minor,
        bool_or(member.minor_until > current_date + interval '4 years') as child, count(distinct member.id) as members
    from intake.member left join unnest(member.vulnerabilities) as v (code) on true
    where member.household_id = h.id) m on true
where h.id = any (:ids::uuid[]);

-- name: lock_household^
select id, version, consent from intake.household where id = :household_id for update;

-- name: add_visits
-- Visits that are not there yet; returns the ids that were written.
insert into intake.visit (id, beneficiary_id, beneficiary_kind, area, visited_at, worker_id, note_enc, participants_enc, follow_up_id,
    client_ref, body_hash)
select id, beneficiary_id, beneficiary_kind, area, visited_at, worker_id, note_enc, participants_enc, follow_up_id, client_ref, body_hash
from jsonb_to_recordset(:rows) as r (id uuid, beneficiary_id uuid, beneficiary_kind text, area text, visited_at timestamptz,
    worker_id uuid, note_enc bytea, participants_enc bytea, follow_up_id uuid, client_ref text, body_hash bytea)
on conflict (id) do nothing
returning id;

-- name: visit_by_ref^
select v.id, v.beneficiary_id, v.beneficiary_kind, v.body_hash, coalesce(array_agg(n.id order by n.id) filter (where n.id is not null), '{}') as need_ids,
    coalesce(array_agg(n.id order by n.id) filter (where n.status = 'noted'), '{}') as noted
from intake.visit v left join intake.need n on n.visit_id = v.id
where v.worker_id = :worker_id and v.client_ref = :client_ref
group by v.id;

-- name: visits_of
select id, visited_at, worker_id, note_enc, participants_enc, follow_up_id from intake.visit
where beneficiary_id = :beneficiary_id order by visited_at desc limit 100;

-- name: add_needs!
insert into intake.need (id, need_number, beneficiary_id, beneficiary_kind, case_number, area, visit_id, text_enc, category, quantity,
    urgency, needed_by, whole, bundle_id, status, suggested_category, confidence_milli, content_hash, raised_by, raised_at)
select id, need_number, beneficiary_id, beneficiary_kind, case_number, area, visit_id, text_enc, category, quantity,
    urgency, needed_by, whole, bundle_id, status, suggested_category, confidence_milli, content_hash, raised_by, raised_at
from jsonb_to_recordset(:rows) as r (id uuid, need_number text, beneficiary_id uuid, beneficiary_kind text, case_number text, area text,
    visit_id uuid, text_enc bytea, category text, quantity int, urgency text, needed_by timestamptz, whole boolean, bundle_id uuid, status text,
    suggested_category text, confidence_milli int, content_hash bytea, raised_by uuid, raised_at timestamptz);

-- name: needs_by_number
select need_number, content_hash from intake.need where need_number = any (:numbers::text[]);

-- name: need^
select * from intake.need where id = :need_id;

-- name: bundled_with
-- The other needs of a need's bundle.
select other.id as need_id, other.category, other.quantity, other.status
from intake.need n join intake.need other on other.bundle_id = n.bundle_id and other.id <> n.id
where n.id = :need_id order by other.id;

-- name: lock_need^
select * from intake.need where id = :need_id for update;

-- name: confirm_category^
update intake.need
set category = :category, quantity = :quantity, urgency = :urgency, status = 'open', version = version + 1
where id = :need_id and version = :version and status = 'noted'
returning *;

-- name: change_need^
-- Never below what is promised already.
update intake.need
set quantity = coalesce(:quantity::int, quantity), urgency = coalesce(:urgency, urgency),
    needed_by = coalesce(:needed_by::timestamptz, needed_by), version = version + 1
where id = :need_id and version = :version and status not in ('closed', 'withdrawn')
  and coalesce(:quantity::int, quantity, 1) >= committed
returning *;

-- name: withdraw_need^
update intake.need set status = 'withdrawn', version = version + 1
where id = :need_id and version = :version and status in ('noted', 'open', 'partly_met', 'met')
returning *;

-- name: close_need^
update intake.need set status = 'closed', close_reason = :reason, version = version + 1
where id = :need_id and status = 'received' returning *;

-- name: lock_received_of!
-- So that of two answers at once the second sees the first.
select from intake.need where beneficiary_id = :beneficiary_id and status = 'received' order by id for update;

-- name: answered_needs
-- Needs that were received whole and whose every follow-up is answered, each with its last answer; all beneficiaries' without one.
select n.*, last.follow_up_id, last.outcome
from intake.need n
cross join lateral (
    select id as follow_up_id, outcome from intake.follow_up
    where need_id = n.id and answered_at is not null order by answered_at desc, id desc limit 1) last
where n.status = 'received'
  and (:beneficiary_id::uuid is null or n.beneficiary_id = :beneficiary_id)
  and not exists (select from intake.follow_up f where f.need_id = n.id and f.answered_at is null)
  and not exists (
    select from intake.commitment c where c.need_id = n.id and c.received > 0
      and not exists (select from intake.follow_up f where f.delivery_id = c.delivery_id and f.answered_at is not null))
order by n.id limit :most;

-- name: settle_need!
-- The state of a need follows from its commitments; what a person ended stays ended.
update intake.need n
set committed = c.committed, received = c.received,
    status = case
        when n.status in ('noted', 'closed', 'withdrawn') then n.status
        when c.received >= n.quantity then 'received'
        when c.committed >= n.quantity then 'met'
        when c.committed > 0 then 'partly_met'
        else 'open' end
from (
    select coalesce(sum(greatest(coalesce(quantity, received + short, 0) - released, 0)), 0)::int as committed,
        coalesce(sum(received), 0)::int as received
    from intake.commitment where need_id = :need_id) c
where n.id = :need_id;

-- name: note_approval!
insert into intake.commitment (commitment_id, need_id, area, offer_id, charity_id, quantity, approved_at)
values (:commitment_id, :need_id, :area, :offer_id, :charity_id, :quantity, :approved_at)
on conflict (commitment_id) do update
set quantity = excluded.quantity, approved_at = excluded.approved_at, charity_id = excluded.charity_id;

-- name: note_release!
insert into intake.commitment (commitment_id, need_id, area, offer_id, released)
values (:commitment_id, :need_id, :area, :offer_id, :released)
on conflict (commitment_id) do update set released = greatest(intake.commitment.released, excluded.released);

-- name: note_schedule!
insert into intake.commitment as c (commitment_id, need_id, area, offer_id, charity_id, delivery_id, delivery_version, scheduled_for)
values (:commitment_id, :need_id, :area, :offer_id, :charity_id, :delivery_id, :delivery_version, :scheduled_for)
on conflict (commitment_id) do update
set delivery_id = excluded.delivery_id, delivery_version = excluded.delivery_version, scheduled_for = excluded.scheduled_for
where c.delivery_version < excluded.delivery_version;

-- name: note_receipt!
insert into intake.commitment as c (commitment_id, need_id, area, offer_id, charity_id, delivery_id, received, short, received_at)
values (:commitment_id, :need_id, :area, :offer_id, :charity_id, :delivery_id, :received, :short, :received_at)
on conflict (commitment_id) do update
set delivery_id = excluded.delivery_id, received = excluded.received, short = excluded.short, received_at = excluded.received_at;

-- name: commitments_of
select * from intake.commitment where need_id = :need_id order by approved_at, commitment_id;

-- name: add_follow_up!
insert into intake.follow_up as f (id, kind, need_id, beneficiary_id, delivery_id, area, due_at)
values (:follow_up_id, :kind, :need_id, :beneficiary_id, :delivery_id, :area, :due_at)
on conflict (id) do update set kind = excluded.kind, delivery_id = excluded.delivery_id where f.kind is null;

-- name: flag_overdue!
insert into intake.follow_up (id, need_id, beneficiary_id, area, due_at, overdue)
values (:follow_up_id, :need_id, :beneficiary_id, :area, :due_at, true)
on conflict (id) do update set overdue = true;

-- name: follow_up^
select f.*, (select max(c.received_at) from intake.commitment c where c.delivery_id = f.delivery_id) as received_at
from intake.follow_up f where f.id = :follow_up_id;

-- name: answer_follow_up^
update intake.follow_up set answered_at = :answered_at, outcome = :outcome, visit_id = :visit_id
where id = :follow_up_id and answered_at is null and delivery_id is not null
returning *;

-- name: follow_ups_of
select * from intake.follow_up where need_id = :need_id order by due_at;

-- name: list_follow_ups
-- Unanswered ones, overdue first; with the need they ask about.
select f.id, f.kind, f.need_id, f.beneficiary_id, f.area, f.due_at, f.overdue or f.due_at < now() as overdue, f.answered_at, f.outcome,
    n.category, n.quantity, n.case_number, n.beneficiary_kind
from intake.follow_up f join intake.need n on n.id = f.need_id
where (:state = 'all' or (:state = 'answered') = (f.answered_at is not null))
  and (:state <> 'overdue' or f.overdue or f.due_at < now())
  and (f.due_at, f.id) > (coalesce(:after_due::timestamptz, '-infinity'), coalesce(:after_id::uuid, '00000000-0000-0000-0000-000000000000'))
order by f.due_at, f.id limit :most;

-- name: list_needs
select * from intake.need
where id < coalesce(:cursor::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
  and (:status = '' or status = :status) and (:category = '' or category = :category)
  and (:area_like = '%' or area like :area_like)
  and (:beneficiary_id::uuid is null or beneficiary_id = :beneficiary_id)
order by id desc limit :most;

-- name: told_lately
-- The latest needs that still lack something or wait for a category: what is looked through for needs told twice.
select * from intake.need
where status in ('noted', 'open', 'partly_met', 'met') and (:area_like = '%' or area like :area_like)
order by id desc limit :most;

-- name: told_beside
-- A need, and the unfinished ones that may be the same told again: of its beneficiary, or of its area and category, within 28 days.
select other.* from intake.need n join intake.need other on other.id = n.id or (
    other.status in ('noted', 'open', 'partly_met', 'met')
    and other.raised_at between n.raised_at - interval '29 days' and n.raised_at + interval '29 days'
    and (other.beneficiary_id = n.beneficiary_id or (other.area = n.area
        and coalesce(other.category, other.suggested_category, '') = coalesce(n.category, n.suggested_category, ''))))
where n.id = :need_id and n.status in ('noted', 'open', 'partly_met', 'met')
order by other.id = n.id desc, other.id desc limit :most;

-- name: told_apart
-- The pairs among these needs that a person said are two.
select one, other from intake.told_apart where one = any (:ids::uuid[]) and other = any (:ids::uuid[]);

-- name: tell_apart!
insert into intake.told_apart (one, other, area, said_by) values (:one, :other, :area, :said_by) on conflict (one, other) do nothing;

-- name: contact^
select * from intake.contact(:commitment_id::uuid);

-- name: log_access!
insert into intake.access_log (id, what, about, person_id) values (:id, :what, :about, :person_id);

-- name: add_import_run!
insert into intake.import_run (id, kind, file_sha256, mode, rows, written, unchanged, refused, by_person, data_key, refused_file_enc)
values (:run_id, :kind, :file_sha256, :mode, :rows, :written, :unchanged, :refused, :by_person, :data_key, :refused_file_enc);

-- name: refused_file^
select id, kind, data_key, refused_file_enc from intake.import_run
where id = :run_id and refused_file_enc is not null and expires_at > now();

-- name: forget_refused_files!
update intake.import_run set refused_file_enc = null, data_key = null where refused_file_enc is not null and expires_at <= now();

-- name: data_keys
-- The wrapped keys of beneficiaries, to read what a list shows of their needs.
select id, data_key from intake.household where id = any (:ids::uuid[])
union all
select id, data_key from intake.beneficiary_site where id = any (:ids::uuid[]);

-- name: renew_needs_of
-- The unfinished needs of households, after what they take over from them changed.
update intake.need set version = version + 1
where beneficiary_id = any (:beneficiary_ids::uuid[]) and status in ('open', 'partly_met', 'met')
returning *;

-- name: add_upload!
insert into intake.upload (id, kind, by_person, data_key, file_enc) values (:upload_id, :kind, :by_person, :data_key, :file_enc);

-- name: upload^
select kind, data_key, file_enc from intake.upload where id = :upload_id and expires_at > now();

-- name: forget_uploads!
delete from intake.upload where expires_at <= now();

-- name: lock_imports!
-- One import at a time until its transaction ends: two of the same file at once then are one and an unchanged one.
select pg_advisory_xact_lock(hashtext('intake.import'));
