"""Which pairs are possible at all, and why the others are not: category by category, a block of pairs at a
time.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from matching.columns import Ints, NeedColumns, OfferColumns, need_columns, offer_columns, rows
from matching.history import Key, lasts
from matching.model import Category, Need, Offer, Refusal
from matching.rules import NEED_RULES, PAIR_RULES, Block, Setting

CELLS = 1_000_000
NOTHING_OPEN, DUPLICATE_OPEN, NO_OFFER = "nothing_open", "duplicate_open", "no_offer_of_category"


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Needs and offers in order of their ids, with their columns and the numbers of each category's offers."""

    needs: tuple[Need, ...]
    offers: tuple[Offer, ...]
    need_columns: NeedColumns
    offer_columns: OfferColumns
    by_category: Mapping[str, Ints]
    spent: Ints
    declined: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Possible pairs: numbers of need and offer, and the factor of the category in thousandths (1,000 = the
    category itself).
    """

    need: Ints
    offer: Ints
    factor: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """For each need: candidate offers, and for each pair rule how many it refused and the first of them (-1
    if none).
    """

    candidates: Ints
    refused: Ints
    example: Ints


def pool(needs: Sequence[Need], offers: Sequence[Offer], setting: Setting) -> Pool:
    """Everything that blocks are cut from; both sequences sorted by id."""
    wanted = sorted({code for offer in offers for code in offer.designated_vulnerabilities})
    codes = {code: number for number, code in enumerate(wanted)}
    groups: dict[str, list[int]] = defaultdict(list)
    for number, offer in enumerate(offers):
        groups[offer.category].append(number)
    return Pool(
        tuple(needs),
        tuple(offers),
        need_columns(needs, codes),
        offer_columns(offers, codes, setting.catalogue, setting.policy),
        {category: np.array(numbers, dtype=np.int64) for category, numbers in groups.items()},
        _spent(needs, offers, setting.history.taken),
        _declined(needs, offers, setting.declined),
    )


def barred(needs: Sequence[Need], setting: Setting) -> dict[int, str]:
    """The needs that no offer may serve for now, with the rule that says so."""
    found: dict[int, str] = {}
    for number, need in enumerate(needs):
        rule = next((code for code, bars in NEED_RULES if bars(need, setting)), "")
        if rule or need.quantity <= 0:
            found[number] = rule or NOTHING_OPEN
    return found | dict.fromkeys(_repeated(needs, setting, found), DUPLICATE_OPEN)


def search(pool: Pool, setting: Setting, out: Mapping[int, str], tally: Tally) -> Iterator[Pairs]:
    """The possible pairs, block by block; the refused ones are counted in `tally`. Needs in `out` are left
    aside.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for number, need in enumerate(pool.needs):
        if number not in out:
            groups[need.category].append(number)
    for code, numbers in sorted(groups.items()):
        wanted = setting.catalogue[code]
        for given, factor in sources(wanted, setting):
            if given.code in pool.by_category:
                yield from _blocks(
                    pool, setting, np.array(numbers, dtype=np.int64), (wanted, given, factor), tally
                )


def sources(wanted: Category, setting: Setting) -> list[tuple[Category, int]]:
    """The category itself, then its accepted substitutes, each with its factor in thousandths."""
    scale = setting.policy.substitute_milli
    accepted = [
        (setting.catalogue[c], f * scale // 1000) for c, f in wanted.accepts if c in setting.catalogue
    ]
    return [(wanted, 1000)] + [
        (given, factor) for given, factor in accepted if factor > 0 and given != wanted
    ]


def new_tally(needs: int) -> Tally:
    """A tally of nothing yet."""
    shape = (needs, len(PAIR_RULES))
    return Tally(np.zeros(needs, np.int64), np.zeros(shape, np.int64), np.full(shape, -1, np.int64))


def refusals(pool: Pool, setting: Setting, out: Mapping[int, str], tally: Tally) -> list[Refusal]:
    """What the rules refused, in order of the needs and of the table."""
    found = [_barred_refusal(pool, setting, number, rule) for number, rule in sorted(out.items())]
    alone = np.flatnonzero(tally.candidates == 0).tolist()
    found += [Refusal(pool.needs[number].id, NO_OFFER, 0, None) for number in alone if number not in out]
    need, rule = np.nonzero(tally.refused)
    columns = (need, rule, tally.refused[need, rule], tally.example[need, rule])
    cells = zip(*(column.tolist() for column in columns), strict=True)
    found += [
        Refusal(pool.needs[n].id, PAIR_RULES[r][0], count, pool.offers[e].id) for n, r, count, e in cells
    ]
    return found


def _blocks(
    pool: Pool, setting: Setting, needs: Ints, kind: tuple[Category, Category, int], tally: Tally
) -> Iterator[Pairs]:
    wanted, given, factor = kind
    offers = pool.by_category[given.code]
    height = max(1, CELLS // offers.size)
    for start in range(0, needs.size, height):
        part = needs[start : start + height]
        block = block_of(pool, setting, part, offers, (wanted, given))
        refused_by = judge(block)
        _count(tally, part, offers, refused_by)
        row, column = np.nonzero(refused_by < 0)
        yield Pairs(part[row], offers[column], np.full(row.size, factor, dtype=np.int64))


def block_of(
    pool: Pool, setting: Setting, needs: Ints, offers: Ints, kind: tuple[Category, Category]
) -> Block:
    """Some needs of one category against some offers of another, by their numbers in the pool."""
    keys = needs[:, None] * len(pool.offers) + offers[None, :]
    columns = (rows(pool.need_columns, needs), rows(pool.offer_columns, offers))
    return Block(*columns, *kind, setting, keys, pool.spent, pool.declined)


def judge(block: Block) -> Ints:
    """For each pair of the block the number of the first rule that bars it, or -1."""
    verdict = np.full(block.keys.shape, -1, dtype=np.int64)
    for number, (_, bars) in enumerate(PAIR_RULES):
        hit = bars(block)
        if hit.any():
            verdict[(verdict < 0) & hit] = number
    return verdict


def _count(tally: Tally, needs: Ints, offers: Ints, verdict: Ints) -> None:
    tally.candidates[needs] += offers.size
    row, column = np.nonzero(verdict >= 0)
    shape = (needs.size, len(PAIR_RULES))
    cell = row * len(PAIR_RULES) + verdict[row, column]
    tally.refused[needs] += np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    first = np.full(shape[0] * shape[1], -1, dtype=np.int64)
    first[cell[::-1]] = offers[column[::-1]]
    known = tally.example[needs]
    tally.example[needs] = np.where(known < 0, first.reshape(shape), known)


def _barred_refusal(pool: Pool, setting: Setting, number: int, rule: str) -> Refusal:
    need = pool.needs[number]
    kinds = sources(setting.catalogue[need.category], setting) if need.category in setting.catalogue else []
    offers = [pool.by_category[given.code] for given, _ in kinds if given.code in pool.by_category]
    example = pool.offers[int(offers[0][0])].id if offers else None
    return Refusal(need.id, rule, sum(numbers.size for numbers in offers), example)


def _repeated(needs: Sequence[Need], setting: Setting, out: Mapping[int, str]) -> list[int]:
    # A household that asks twice for a thing that lasts gets it once: the earliest need is served.
    first: dict[Key, int] = {}
    repeated = []
    order = sorted(
        (number for number in range(len(needs)) if number not in out), key=lambda n: (needs[n].raised_at, n)
    )
    for number in order:
        need = needs[number]
        if need.beneficiary_kind != "household" or not lasts(setting.catalogue[need.category]):
            continue
        if first.setdefault((need.beneficiary_id, need.category), number) != number:
            repeated.append(number)
    return repeated


def _spent(needs: Sequence[Need], offers: Sequence[Offer], taken: Mapping[Key, int]) -> Ints:
    homes: dict[str, list[int]] = defaultdict(list)
    for number, need in enumerate(needs):
        homes[need.beneficiary_id].append(number)
    numbers = {offer.id: number for number, offer in enumerate(offers)}
    limits = {
        offer.id: offer.per_household_limit for offer in offers if offer.per_household_limit is not None
    }
    used = [(o, b) for (o, b), units in taken.items() if o in limits and units >= limits[o]]
    keys = [need * len(offers) + numbers[o] for o, b in used for need in homes.get(b, ())]
    return np.array(sorted(keys), dtype=np.int64)


def _declined(needs: Sequence[Need], offers: Sequence[Offer], pairs: frozenset[tuple[str, str]]) -> Ints:
    need_numbers = {need.id: number for number, need in enumerate(needs)} if pairs else {}
    offer_numbers = {offer.id: number for number, offer in enumerate(offers)} if pairs else {}
    known = [(n, o) for n, o in pairs if n in need_numbers and o in offer_numbers]
    return np.array(
        sorted(need_numbers[n] * len(offers) + offer_numbers[o] for n, o in known), dtype=np.int64
    )
