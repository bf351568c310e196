-- name: needs_called
-- Open needs by id or by case number; a household's number is that of all its needs.
select id, case_number as number from matcher.need
where open and (id::text = any (:words::text[]) or case_number = any (:words::text[]))
order by id;

-- name: offers_called
-- Open offers by id or by number.
select id, offer_number as number from matcher.offer
where open and (id::text = any (:words::text[]) or offer_number = any (:words::text[]))
order by id;
