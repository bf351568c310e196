"""An invented province for the benches: towns of like number and spread as Guangdong's 1,610, needs and offers among them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from matching.candidates import kind_of, side_by_side
from matching.columns import CHINA, NEVER, NeedColumns, OfferColumns, day, directions, seconds
from matching.features import NeedPoints, offer_points
from matching.graph import Graph
from matching.history import History
from matching.model import Category, Policy
from matching.ranking import RULES
from matching.rules import Barred, Setting
from matching.scoring import terms
from matching.search import Best, Points, Tally, by_place_order, edges_of, new_best, new_tally, search
from matching.worth import worth_of

NOW = datetime(2024, 8, 20, 9, 0, tzinfo=CHINA)
CATEGORIES = 20
COUNTIES, TOWNS = 122, 1_610
CODES = 36
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Province:
    """Needs and offers as columns, with the category of each."""

    needs: NeedColumns
    offers: OfferColumns
    need_category: Ints
    offer_category: Ints
    points: NeedPoints


def province(size: int, seed: int = 20240820) -> Province:
    """`size` needs and a tenth as many offers; demand is one and a half times supply, some offers are designated,
    some go a few kilometres, some serve a county or everywhere."""
    rng = np.random.default_rng(seed)
    codes, position = _towns(rng)
    weight = rng.lognormal(0, 1.0, TOWNS)
    shares = 1 / np.arange(1, CATEGORIES + 1) ** 0.7
    town = rng.choice(TOWNS, size, p=weight / weight.sum())
    home = rng.choice(TOWNS, size // 10, p=weight**1.15 / (weight**1.15).sum())
    wanted, given = (rng.choice(CATEGORIES, count, p=shares / shares.sum()) for count in (size, size // 10))
    # Numbered by category and area, as the engine's pool does.
    town, wanted = _in_order(town, wanted)
    home, given = _in_order(home, given)
    return Province(
        _needs(rng, codes[town], position[town]),
        _offers(rng, codes[home], position[home]),
        wanted,
        given,
        _need_points(rng, size),
    )


def _in_order(town: Ints, category: Ints) -> tuple[Ints, Ints]:
    order = np.lexsort((town, category))
    return town[order], category[order]


def _towns(rng: np.random.Generator) -> tuple[Ints, NDArray[np.float64]]:
    """Codes by city, county and town; 60 % spread over 180,000 km², the others around eight cores."""
    county = np.sort(rng.integers(0, COUNTIES, TOWNS))
    within = np.arange(TOWNS) - np.searchsorted(county, county)
    codes = 440_000_000_000 + (county // 6 + 1) * 10**8 + (county % 6 + 1) * 10**6 + (within + 100) * 10**3
    centre = np.column_stack([rng.uniform(111.0, 116.87, COUNTIES), rng.uniform(22.0, 24.7, COUNTIES)])
    return codes, np.round(centre[county] + rng.normal(0, 0.15, (TOWNS, 2)), 2)


def _needs(rng: np.random.Generator, area: Ints, position: NDArray[np.float64]) -> NeedColumns:
    size = area.size
    held = rng.random((size, 8)) < np.array([0.35, 0.25, 0.15, 0.4, 0.12, 0.5, 0.05, 0.02])
    due = seconds(NOW) + 86_400 * rng.integers(1, 60, size)
    return NeedColumns(
        area=area,
        position=position,
        direction=directions(position),
        quantity=rng.choice([1, 2, 3], size, p=[0.55, 0.3, 0.15]),
        needed_by=np.where(rng.random(size) < 0.3, due, np.inf),
        minor=rng.random(size) < 0.2,
        holds=(held @ (1 << np.arange(8))).astype(np.uint64),
        whole=np.zeros(size, np.bool_),
    )


def _offers(rng: np.random.Generator, origin: Ints, position: NDArray[np.float64]) -> OfferColumns:
    size = origin.size
    wide = rng.choice(4, size, p=[0.15, 0.6, 0.22, 0.03])
    span = np.array([10**3, 10**6, 10**8, 10**10])[wide]
    radius = np.where(
        rng.random(size) < 0.5, np.clip(rng.lognormal(np.log(25), 0.8, size), 2, 100) * 1_000, np.nan
    )
    stock = np.arange(1, 201) ** -1.5
    day_now = day(NOW)
    return OfferColumns(
        origin=origin,
        first=(origin // span * span)[:, None],
        last=(origin // span * span + span - 1)[:, None],
        position=position,
        direction=directions(position),
        nearest=np.where(np.isnan(radius), -2.0, np.cos(radius / 6_371_008.8)),
        fetched=np.where(rng.random(size) < 0.2, np.cos(15_000 / 6_371_008.8), -2.0),
        self_pickup=rng.random(size) < 0.2,
        start=np.full(size, -np.inf),
        end=(seconds(NOW) + 86_400.0 * rng.integers(1, 200, size)).astype(np.float64),
        start_day=np.zeros(size, np.int64),
        expires=np.where(rng.random(size) < 0.3, day_now + rng.integers(0, 200, size), NEVER),
        margin=np.full(size, 3),
        wants=np.where(rng.random(size) < 0.55, 0, 1 << rng.integers(0, 8, size)).astype(np.uint64),
        licensed=rng.random(size) < 0.95,
        vetted=rng.random(size) < 0.7,
        limit=np.full(size, NEVER),
        used=rng.random(size) < 0.1,
        quantity=rng.choice(np.arange(1, 201), size, p=stock / stock.sum()),
    )


def _need_points(rng: np.random.Generator, size: int) -> NeedPoints:
    vulnerability = rng.choice([15, 35, 50, 55, 60, 65, 70, 75, 80, 90], size) + 3 * rng.integers(0, 5, size)
    urgency = rng.choice([40, 20, 5, 0], size, p=[0.05, 0.2, 0.5, 0.25])
    waiting = np.minimum(20, rng.exponential(15, size).astype(np.int64))
    due = np.where(rng.random(size) < 0.3, rng.random(size), 0.0)
    return NeedPoints(np.column_stack([vulnerability, urgency, waiting, due, 10 * rng.random(size)]))


def setting() -> Setting:
    """The rules of an office with nothing received, promised or declined yet."""
    return Setting({}, Policy(), History.of((), ()), NOW)


def points_of(some: Province) -> Points:
    """What needs and offers are worth alone, by the rules' weights."""
    return terms(RULES, some.points, offer_points(some.offers, setting()), setting())


def look(some: Province, points: Points, width: int = 20) -> tuple[Best, Tally]:
    """The best edges of each need, category by category."""
    size = some.need_category.size
    best, tally = new_best(size, width), new_tally(size)
    none = np.zeros(0, np.int64)

    def one(number: int) -> None:
        wanted = Category(f"C{number:02}", "C", "service" if number % 5 == 0 else "item", False)
        order = np.flatnonzero(some.need_category == number).astype(np.int32)
        offers = np.flatnonzero(some.offer_category == number).astype(np.int32)
        search(
            by_place_order(some.needs, order), some.needs, some.offers, offers, kind_of(wanted, wanted, 1000, setting()),
            Barred(none, none), worth_of(RULES), points, best, tally,
        )  # fmt: skip

    side_by_side(one, range(CATEGORIES))
    return best, tally


def graph_of(some: Province, best: Best) -> Graph:
    """The edges with the quantities."""
    start, offer, score = edges_of(best)
    none = np.zeros(0, np.int32)
    quantities = (some.needs.quantity.astype(np.int32), some.offers.quantity.astype(np.int32))
    return Graph(start, offer, score, none, *quantities, none, np.zeros(0, np.int64))
