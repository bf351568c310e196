"""Needs and offers of one scope with their columns, and which of them speak of the same things."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from matching.columns import Ints, NeedColumns, OfferColumns, need_columns, offer_columns, vulnerability_bits
from matching.history import Key
from matching.model import Category, Need, Offer
from matching.rules import Barred, Setting


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Needs and offers in order of category, area and id, with their columns and the numbers of each category's offers."""

    needs: tuple[Need, ...]
    offers: tuple[Offer, ...]
    need_columns: NeedColumns
    offer_columns: OfferColumns
    by_category: Mapping[str, Ints]
    barred: Barred


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Possible pairs: numbers of need and offer, and the factor of the category in thousandths (1,000 = the
    category itself).
    """

    need: Ints
    offer: Ints
    factor: Ints


def pool(needs: Sequence[Need], offers: Sequence[Offer], setting: Setting) -> Pool:
    """Everything that a round looks at, in any order.

    They are numbered by category, area and id: what is looked at together lies together in memory, which halves the time of
    a province's round.
    """
    needs = sorted(needs, key=lambda need: (need.category, need.area, need.id))
    offers = sorted(offers, key=lambda offer: (offer.category, offer.origin_area, offer.id))
    codes = vulnerability_bits(needs, offers)
    groups: dict[str, list[int]] = defaultdict(list)
    for number, offer in enumerate(offers):
        groups[offer.category].append(number)
    return Pool(
        tuple(needs),
        tuple(offers),
        need_columns(needs, codes),
        offer_columns(offers, codes, setting.catalogue, setting.policy),
        {category: np.array(numbers, dtype=np.int64) for category, numbers in groups.items()},
        Barred(_spent(needs, offers, setting.history.taken), keys_of(needs, offers, setting.declined)),
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


def keys_of(needs: Sequence[Need], offers: Sequence[Offer], pairs: frozenset[tuple[str, str]]) -> Ints:
    """Pairs of ids as one number each, need × offers + offer, in order; those not in sight are left out."""
    need_numbers = {need.id: number for number, need in enumerate(needs)} if pairs else {}
    offer_numbers = {offer.id: number for number, offer in enumerate(offers)} if pairs else {}
    known = [(n, o) for n, o in pairs if n in need_numbers and o in offer_numbers]
    return np.array(
        sorted(need_numbers[n] * len(offers) + offer_numbers[o] for n, o in known), dtype=np.int64
    )
