-- name: whoami$
-- The person and roles behind the token that this transaction carries; null when there is no live session.
select access.whoami();

-- name: begin_once^
-- Claim an idempotency key; waits for another request that holds the same one. No row: it was used before.
insert into access.idempotency (person_id, route, key, body_hash) values (:person_id, :route, :key, :body_hash)
on conflict (person_id, route, key) do nothing
returning key;

-- name: first_answer^
select body_hash, response from access.idempotency where person_id = :person_id and route = :route and key = :key;

-- name: prune_answers!
-- A key is remembered for a week.
delete from access.idempotency where created_at < now() - interval '7 days';

-- name: store_answer!
update access.idempotency set response = :response where person_id = :person_id and route = :route and key = left(:key, 200);
