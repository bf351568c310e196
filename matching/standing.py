"""The standing offers of a province, ready to be asked for one need at a time.

The offers of a category have their columns built once (`matching.shelf`). A need is looked at against its own category
and its substitutes alone: by the rules against each offer there, by the model against those that the rules leave.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from matching.candidates import barred, kind_of
from matching.columns import Ints, check, need_columns, seconds, vulnerability_bits
from matching.history import History
from matching.model import Catalogue, Edge, Need, Offer, PastAid, PendingAid, Policy
from matching.pool import sources
from matching.ranking import AdditiveModel
from matching.rules import Barred, Setting
from matching.shelf import Shelf, basis_of
from matching.sight import Refused, Sight, View

CODES = 64


@dataclass(frozen=True, slots=True)
class Ranked:
    """`edges`: the best possible offers, best first; `possible`: how many there are in all. `refused`: the others by rule,
    in the order of `matching.rules.PAIR_RULES`. `barred`: the rule that bars the need whole, or ''.
    """

    edges: tuple[Edge, ...]
    possible: int
    refused: tuple[Refused, ...]
    barred: str


class Standing:
    """Offers by category, each category with its columns. Not for two threads at once."""

    def __init__(self, offers: Iterable[Offer] = ()) -> None:
        """Of offers with the same id the last counts. Raises ValueError for a malformed area code or a time without a
        zone, `TooManyCodes` for more than 64 designation codes.
        """
        self._offers = {offer.id: offer for offer in offers}
        self._by_category: dict[str, dict[str, Offer]] = {}
        for offer in self._offers.values():
            check(offer)
            self._by_category.setdefault(offer.category, {})[offer.id] = offer
        self._codes = vulnerability_bits((), tuple(self._offers.values()))
        self._shelves: dict[str, Shelf] = {}

    def __len__(self) -> int:
        return len(self._offers)

    def ready(self, catalogue: Catalogue, policy: Policy) -> None:
        """Build every category's columns now, and not when its first need comes."""
        for code in self._by_category:
            self._shelf(code, catalogue, policy)

    def put(self, offer: Offer) -> None:
        """Add an offer, or replace the one with its id. Raises as the constructor does, and changes nothing then."""
        check(offer)
        self._number(offer)
        old = self._offers.get(offer.id)
        if old and (old.category, old.origin_area) != (offer.category, offer.origin_area):
            self.drop(old.id)
        self._offers[offer.id] = offer
        self._by_category.setdefault(offer.category, {})[offer.id] = offer
        if offer.category in self._shelves:
            self._shelves[offer.category].put(offer)

    def drop(self, offer_id: str) -> None:
        """Take an offer away. KeyError if it isn't there."""
        offer = self._offers.pop(offer_id)
        del self._by_category[offer.category][offer_id]
        if offer.category in self._shelves:
            self._shelves[offer.category].drop(offer)

    def judge(
        self,
        need: Need,
        *,
        catalogue: Catalogue,
        policy: Policy,
        model: AdditiveModel,
        now: datetime,
        past: Iterable[PastAid] = (),
        pending: Iterable[PendingAid] = (),
        shares: Mapping[str, int] | None = None,
        declined: frozenset[tuple[str, str]] = frozenset(),
        most: int | None = None,
    ) -> Ranked:
        """The `most` best offers for a need (None = `policy.edges_per_need`) with scores and reasons as `explain` gives
        them, and the refused ones by rule. Of `past`, `pending` and `declined` what concerns the need is enough.

        A category's columns are built anew when what they hold of the catalogue and the policy is not what it was (see
        `shelf.basis_of`). Raises ValueError for a malformed area code or a time without a zone.
        """
        seconds(now)
        wide = replace(policy, edges_per_need=max(1, policy.edges_per_need if most is None else most))
        setting = Setting(catalogue, wide, History.of(past, pending), now, declined)
        if whole := barred([need], setting).get(0, ""):
            return Ranked((), 0, (), whole)
        view = self.view(need, setting)
        return Ranked(view.edges(model, shares or {}), view.possible(), tuple(view.counted()), "")

    def view(self, need: Need, setting: Setting) -> View:
        """A need that isn't barred whole, with each offer of its category and substitutes as the rules see it."""
        wanted, columns = setting.catalogue[need.category], need_columns([need], self._codes)
        spent, declined = self._spent(need, setting), self._declined(need, setting)
        sights = []
        for given, factor in sources(wanted, setting):
            if self._by_category.get(given.code):
                shelf = self._shelf(given.code, setting.catalogue, setting.policy)
                gone = Barred(_keys(shelf, spent), _keys(shelf, declined))
                sights.append(Sight.of(shelf, columns, kind_of(wanted, given, factor, setting), gone))
        return View(need, columns, sorted(sights, key=lambda sight: sight.shelf.code), setting)

    def _shelf(self, code: str, catalogue: Catalogue, policy: Policy) -> Shelf:
        shelf = self._shelves.get(code)
        if shelf is None or shelf.basis != basis_of(code, catalogue, policy):
            offers = self._by_category[code].values()
            shelf = self._shelves[code] = Shelf(code, offers, self._codes, catalogue, policy)
        return shelf

    def _number(self, offer: Offer) -> None:
        """Number the offer's designation codes; when numbers run out, only the codes in use keep one."""
        fresh = [code for code in dict.fromkeys(offer.designated_vulnerabilities) if code not in self._codes]
        if len(self._codes) + len(fresh) <= CODES:
            self._codes |= {code: len(self._codes) + number for number, code in enumerate(fresh)}
            return
        others = (other for other in self._offers.values() if other.id != offer.id)
        self._codes = vulnerability_bits((), [*others, offer])
        self._shelves.clear()

    def _spent(self, need: Need, setting: Setting) -> list[Offer]:
        """Offers of which the household has had all that it may."""
        taken = {
            offer: units
            for (offer, who), units in setting.history.taken.items()
            if who == need.beneficiary_id
        }
        had = [(self._offers[offer], units) for offer, units in taken.items() if offer in self._offers]
        return [o for o, units in had if o.per_household_limit is not None and units >= o.per_household_limit]

    def _declined(self, need: Need, setting: Setting) -> list[Offer]:
        names = [offer for name, offer in setting.declined if name == need.id and offer in self._offers]
        return [self._offers[name] for name in names]


def _keys(shelf: Shelf, offers: Sequence[Offer]) -> Ints:
    """The shelf's rows among these offers, sorted: keys of pairs with a need of number 0."""
    return np.array(sorted(shelf.row_of(o) for o in offers if o.category == shelf.code), dtype=np.int64)
