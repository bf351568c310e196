-- name: start_round$
-- A round that a person asked for begins, or begins again; nothing when it was cancelled meanwhile.
update matcher.round set state = 'running' where id = :round_id and state in ('queued', 'running') returning true;

-- name: tell$
-- How far a round is; returns whether somebody wants it stopped, or nothing when another worker took it over.
insert into matcher.running as w (round_id, fence, stage, value) values (:round_id, :fence, :stage, :value)
on conflict (round_id) do update set
    fence = excluded.fence, stage = excluded.stage, value = excluded.value, seen_at = excluded.seen_at,
    since = case when w.fence = excluded.fence then w.since else excluded.since end
where w.fence <= excluded.fence
returning w.cancelled_by is not null
    or exists (select from matcher.round r where r.id = w.round_id and r.state = 'cancelled');

-- name: stop_telling!
delete from matcher.running where round_id = :round_id and fence = :fence;

-- name: stopped!
-- A round that a person asked for was stopped, by whom is noted already or stands beside its progress.
update matcher.round r
set state = 'cancelled',
    cancelled_by = coalesce(r.cancelled_by, (select w.cancelled_by from matcher.running w where w.round_id = r.id))
where r.id = :round_id and r.state in ('queued', 'running');

-- name: broke!
-- A round that a person asked for failed: it waits for another try, or was the last.
update matcher.round set state = case when :last::boolean then 'failed' else 'queued' end
where id = :round_id and state = 'running';

-- name: forget_lost!
-- Progress that nobody renews any more. Who wanted such a round stopped gets that, should it begin again.
with lost as (
    delete from matcher.running where seen_at < clock_timestamp() - interval '1 minute' returning round_id, cancelled_by
)
update matcher.round r set state = 'cancelled', cancelled_by = lost.cancelled_by
from lost where r.id = lost.round_id and lost.cancelled_by is not null and r.state in ('queued', 'running');

-- name: want_stopped$
-- Say that a round under way is to stop; nothing when none is, or its worker is gone.
update matcher.running set cancelled_by = coalesce(cancelled_by, :by)
where round_id = :round_id and seen_at > clock_timestamp() - interval '15 seconds' returning true;

-- name: cancel_round$
-- A round that nobody works on is not to begin, or not again.
update matcher.round set state = 'cancelled', cancelled_by = :by
where id = :round_id and state in ('queued', 'running') returning true;

-- name: running
-- Rounds under way, those that nobody asked for too, the longest first.
select w.round_id, r.id is not null as asked, w.stage, w.value, w.since, w.cancelled_by is not null as cancelling,
    extract(epoch from clock_timestamp() - w.since)::double precision as seconds
from matcher.running w left join matcher.round r on r.id = w.round_id
where w.seen_at > clock_timestamp() - interval '15 seconds'
order by w.since, w.round_id;
