-- name: last_prices
-- The prices that the last round over each family ended with.
select family, fingerprint, scale, offers, groups from matcher.last_prices where family = any (:families::text[]) order by family;

-- name: keep_prices!
insert into matcher.last_prices (family, fingerprint, scale, offers, groups)
select p.family, :fingerprint, :scale, p.offers, p.groups
from jsonb_to_recordset(:rows::jsonb) as p (family text, offers jsonb, groups jsonb)
on conflict (family) do update set
    fingerprint = excluded.fingerprint, scale = excluded.scale, offers = excluded.offers, groups = excluded.groups;
