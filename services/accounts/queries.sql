-- name: begin_try$
-- Count a try from one address before it is checked, so that tries made at once are counted too; no row while it has to wait.
-- The clock is read after the row is locked: a try that waited for another must not seem older than it.
insert into accounts.attempt as a (login_hash, address_hash, failures, last_at, locked_until)
values (:login_hash, :address_hash, 1, now(), clock_timestamp() + (:delays::int[])[1] * interval '1 second')
on conflict (login_hash, address_hash) do update
set failures = case when a.last_at < now() - interval '1 day' then 1 else a.failures + 1 end,
    last_at = now(),
    locked_until = clock_timestamp() + interval '1 second' * (:delays::int[])[
        case when a.last_at < now() - interval '1 day' then 1
        else least(a.failures + 1, array_length(:delays::int[], 1)) end]
where a.locked_until <= clock_timestamp()
returning a.failures;

-- name: begin_guess$
-- Count a try of a login from anywhere in the same way, for a day from its first; no row while the login as a whole has to wait.
insert into accounts.guessed as g (login_hash, tries, since, locked_until)
values (:login_hash, 1, now(), clock_timestamp() + (:delays::int[])[1] * interval '1 second')
on conflict (login_hash) do update
set tries = case when g.since < now() - interval '1 day' then 1 else g.tries + 1 end,
    since = case when g.since < now() - interval '1 day' then now() else g.since end,
    locked_until = clock_timestamp() + interval '1 second' * (:delays::int[])[
        case when g.since < now() - interval '1 day' then 1
        else least(g.tries + 1, array_length(:delays::int[], 1)) end]
where g.locked_until <= clock_timestamp()
returning g.tries;

-- name: wait_seconds$
-- How long a login still has to wait at one address.
select greatest(1, ceil(extract(epoch from max(locked_until) - clock_timestamp())))::int
from (
    select locked_until from accounts.attempt where login_hash = :login_hash and address_hash = :address_hash
    union all
    select locked_until from accounts.guessed where login_hash = :login_hash
) as waits;

-- name: forget_tries!
-- The right password was given: earlier failures at this address no longer count, nor does this try against the login as a whole.
with here as (
    delete from accounts.attempt where login_hash = :login_hash and address_hash = :address_hash
)
update accounts.guessed set tries = greatest(0, tries - 1) where login_hash = :login_hash;

-- name: forget_old_tries!
with addresses as (
    delete from accounts.attempt where last_at < now() - interval '1 day'
)
delete from accounts.guessed where since < now() - interval '1 day';

-- name: credentials^
-- What signing in compares with.
select id, password_hash, disabled_at is not null as disabled from accounts.person where login = :login;

-- name: own_credentials^
select login, password_hash from accounts.person where id = :person_id;

-- name: add_session^
-- No row for a person who was disabled meanwhile; the lock keeps a disabling under way from missing the new session.
with person as (
    select id from accounts.person where id = :person_id and disabled_at is null for share
)
insert into access.session (id, token_hash, person_id, kind, label, expires_at)
select :id::uuid, :token_hash, person.id, :kind, :label, now() + :hours::int * interval '1 hour' from person
returning id, expires_at;

-- name: sessions
-- The live sessions and tokens of a person, newest first.
select id, kind, label, created_at, expires_at from access.session
where person_id = :person_id and revoked_at is null and expires_at > now()
order by created_at desc, id;

-- name: end_session$
-- End one session or token of a person; ending it again finds nothing.
update access.session set revoked_at = now()
where id = :id and person_id = :person_id and kind = any (:kinds::text[]) and revoked_at is null
returning id;

-- name: end_sessions!
-- End every session and token of a person, except one.
update access.session set revoked_at = now()
where person_id = :person_id and revoked_at is null and id <> :but;

-- name: add_person$
-- No row when the login is taken.
insert into accounts.person (id, login, data_key, name_enc, password_hash)
values (:id, :login, :data_key, :name_enc, :password_hash)
on conflict (login) do nothing
returning id;

-- name: person^
-- One person with the roles they hold now.
select p.id, p.login, p.data_key, p.name_enc, p.disabled_at, p.version,
    coalesce((
        select jsonb_agg(jsonb_build_object('id', g.id, 'role', g.role, 'area', g.area, 'charity_id', g.charity_id)
            order by g.role, g.area)
        from access.role_grant g
        where g.person_id = p.id and (g.valid_until is null or g.valid_until > now())), '[]') as grants
from accounts.person p where p.id = :person_id;

-- name: lock_person^
-- One person that an administrator may manage, locked against others; their roles are read by `grants` after that.
select p.id, p.version, p.disabled_at from accounts.person p
where p.id = :person_id and accounts.managed_from(p.id, (select access.areas('admin')))
for update;

-- name: grants
-- The roles that a person holds now.
select id, role, area, charity_id from access.role_grant
where person_id = :person_id and (valid_until is null or valid_until > now()) order by role, area;

-- name: people
-- People who hold a role in the areas of the administrator who asks, or held their last one there, by login.
select p.id, p.login, p.data_key, p.name_enc, p.disabled_at, p.version,
    coalesce((
        select jsonb_agg(jsonb_build_object('id', g.id, 'role', g.role, 'area', g.area, 'charity_id', g.charity_id)
            order by g.role, g.area)
        from access.role_grant g
        where g.person_id = p.id and (g.valid_until is null or g.valid_until > now())), '[]') as grants
from accounts.person p
where p.login > :after and accounts.managed_from(p.id, (select access.areas('admin')))
order by p.login limit :most;

-- name: add_grant!
insert into access.role_grant (id, person_id, role, area, charity_id)
values (:id, :person_id, :role, :area, :charity_id);

-- name: add_grants!
-- Several roles of one person at once.
insert into access.role_grant (id, person_id, role, area, charity_id)
select g.id, :person_id, g.role, g.area, g.charity_id
from unnest(:ids::uuid[], :roles::text[], :areas::text[], :charity_ids::uuid[]) as g (id, role, area, charity_id);

-- name: end_grant^
-- End a role now. It stays on record.
update access.role_grant set valid_until = now()
where id = :id and person_id = :person_id and (valid_until is null or valid_until > now())
returning id;

-- name: touch_person$
update accounts.person set version = version + 1 where id = :person_id returning version;

-- name: disable_person$
update accounts.person set disabled_at = coalesce(disabled_at, now()), version = version + 1
where id = :person_id and version = :version returning version;

-- name: set_password$
update accounts.person set password_hash = :password_hash, version = version + 1 where id = :person_id returning version;

-- name: copy_charity!
insert into accounts.organisation as o (id, name, kind, area, version) values (:id, :name, :kind, :area, :version)
on conflict (id) do update
set name = excluded.name, kind = excluded.kind, area = excluded.area, version = excluded.version
where excluded.version > o.version;

-- name: organisation^
select id, name, kind, area from accounts.organisation where id = :id;

-- name: organisations
select id, name, kind, area from accounts.organisation
where (name, id) > (:after_name, :after_id::uuid) order by name, id limit :most;

-- name: organisation_named$
select id from accounts.organisation where name = :name;
