"""Which pairs are possible at all, and why the others are not."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from typing import TypeVar

import numpy as np

from matching.columns import day, seconds
from matching.history import Key, lasts
from matching.market import Small
from matching.model import Category, Need, Refusal
from matching.pool import Pool, sources
from matching.rules import GOVERNMENT, NEED_RULES, PAIR_RULES, Kind, Setting
from matching.search import Best, Points, Tally, by_place_order, new_best, new_tally, search
from matching.worth import Worth

Item = TypeVar("Item")
NOTHING_OPEN, DUPLICATE_OPEN, NO_OFFER = "nothing_open", "duplicate_open", "no_offer_of_category"


def barred(needs: Sequence[Need], setting: Setting) -> dict[int, str]:
    """The needs that no offer may serve for now, with the rule that says so."""
    found: dict[int, str] = {}
    for number, need in enumerate(needs):
        rule = next((code for code, bars in NEED_RULES if bars(need, setting)), "")
        if rule or need.quantity <= 0:
            found[number] = rule or NOTHING_OPEN
    return found | dict.fromkeys(_repeated(needs, setting, found), DUPLICATE_OPEN)


def look(
    pool: Pool,
    setting: Setting,
    out: Mapping[int, str],
    points: Points,
    w: Worth,
    done: Callable[[float], None],
) -> tuple[Best, Tally]:
    """Each need's best offers, and the refused ones counted. Needs in `out` are left aside. `done` is told after each category
    which part of the needs has been looked at, 0 to 1, from any thread; what it raises ends the search.
    """
    best, tally = new_best(len(pool.needs), setting.policy.edges_per_need), new_tally(len(pool.needs))
    groups = _by_category(pool, out)
    looked: list[int] = []

    def one(code: str) -> None:
        wanted = setting.catalogue[code]
        for given, factor in sources(wanted, setting):
            if given.code in pool.by_category:
                some = pool.by_category[given.code].astype(np.int32)
                kind, columns = (
                    kind_of(wanted, given, factor, setting),
                    (pool.need_columns, pool.offer_columns),
                )
                search(groups[code], *columns, some, kind, pool.barred, w, points, best, tally)
        looked.append(groups[code].size)
        done(sum(looked) / len(pool.needs))

    side_by_side(one, groups)
    return best, tally


def side_by_side(work: Callable[[Item], None], items: Iterable[Item]) -> None:
    """Do this for each, on all cores: categories are looked at apart, each need in one of them alone."""
    with ThreadPoolExecutor(cpu_count() or 1) as threads:
        list(threads.map(work, items))


def kind_of(wanted: Category, given: Category, factor: int, setting: Setting) -> Kind:
    """What the pair rules look at of two categories and the day."""
    return Kind(
        procedure=given.safety_class == GOVERNMENT,
        incompatible=given.code in wanted.incompatible,
        service=given.kind == "service",
        factor=factor,
        now=seconds(setting.now),
        today=day(setting.now),
    )


def _by_category(pool: Pool, out: Mapping[int, str]) -> dict[str, Small]:
    groups: dict[str, list[int]] = defaultdict(list)
    for number, need in enumerate(pool.needs):
        if number not in out:
            groups[need.category].append(number)
    return {
        code: by_place_order(pool.need_columns, np.array(groups[code], dtype=np.int32))
        for code in sorted(groups)
    }


def refusals(pool: Pool, setting: Setting, out: Mapping[int, str], tally: Tally) -> list[Refusal]:
    """What the rules refused, in order of the needs and of the table."""
    found = [_barred_refusal(pool, setting, number, rule) for number, rule in sorted(out.items())]
    alone = np.flatnonzero(tally.candidates == 0).tolist()
    found += [Refusal(pool.needs[number].id, NO_OFFER, 0, None) for number in alone if number not in out]
    need, rule = np.nonzero(tally.refused)
    columns = (need, rule, tally.refused[need, rule], tally.example[need, rule])
    cells = zip(*(column.tolist() for column in columns), strict=True)
    found += [Refusal(pool.needs[n].id, PAIR_RULES[r], count, pool.offers[e].id) for n, r, count, e in cells]
    return found


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
