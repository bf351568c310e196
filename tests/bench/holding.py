"""Hold-back for urgent needs that are likely to come, on invented streams of needs: what each way of deciding is worth of what
somebody who had known all needs would have reached.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from matching.allocation import allocate
from matching.candidates import barred
from matching.forecast import PastNeed
from matching.graph import Problem, graph_of
from matching.history import History
from matching.model import Catalogue, Category, Need, Offer, Policy, Urgency
from matching.policy import PRIORITY
from matching.pool import pool
from matching.propose import propose
from matching.ranking import RULES, TERMS
from matching.rules import Setting
from matching.scoring import best_pairs
from tests.bench.province import NOW
from tests.bench.single import CATALOGUE as PROVINCE
from tests.bench.single import market

DAYS, SEEDS = 60, 4
DAY = timedelta(days=1)
URGENCIES: tuple[Urgency, ...] = ("critical", "high", "normal", "low")
PATIENCE: Mapping[Urgency, int] = {"critical": 7, "high": 14, "normal": 28, "low": 28}
"""Days after which a need that got nothing is met elsewhere or lost."""
CATALOGUE: Catalogue = {
    "BED": Category("BED", "A", "item", False, accepts=(("MATTRESS", 700),)),
    "MATTRESS": Category("MATTRESS", "A", "item", False),
    "CARE": Category("CARE", "B", "service", True),
}
PLAIN = Policy(waiting_points_per_day=0, fairness_points=0, class_fairness_points=0, stability_points=0)
"""Points that don't change while a need waits: only so can a plan made late be compared with one made at once."""
FORECAST = replace(PLAIN, forecast_samples=10, forecast_days=DAYS)
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Course:
    """How a stream goes. `supply`: units offered for each that the past would ask for, all `at_once` or over the whole time; `rate`,
    `critical`: needs a day and the part of them that is critical, before the first round and from then on; `every`: days between
    rounds; `after`: how much longer than the stream offers last.
    """

    supply: float
    at_once: bool = True
    rate: tuple[float, float] = (6.0, 6.0)
    critical: tuple[float, float] = (0.08, 0.08)
    every: int = 1
    after: int = 0


COURSES: Mapping[str, Course] = {
    "scarce": Course(0.5),
    "very-scarce": Course(0.25),
    "restocked": Course(0.5, at_once=False),
    "calmer": Course(0.5, rate=(6.0, 3.0), critical=(0.15, 0.03)),
    "rougher": Course(0.5, rate=(6.0, 9.0), critical=(0.04, 0.12)),
    "weekly": Course(0.5, every=7),
    "gone": Course(0.5, rate=(6.0, 2.0), critical=(0.15, 0.0)),
    "plenty": Course(1.5),
    "plenty-restocked": Course(1.5, at_once=False),
    "outlasting": Course(0.5, after=DAYS),
    "plenty-outlasting": Course(1.5, after=DAYS),
}


@dataclass(frozen=True)
class World:
    """A stream of needs by day, those before the first round, and the offers with the day on which each comes."""

    past: Sequence[Need]
    needs: Sequence[Need]
    offers: Sequence[Offer]
    value: Mapping[Pair, int]
    every: int


def world(course: Course, seed: int) -> World:
    """The same course and seed give the same world."""
    rng = np.random.default_rng(seed)
    towns = _towns(rng)
    past = list(_stream(rng, towns, course.rate[0], course.critical[0], -DAYS))
    needs = list(_stream(rng, towns, course.rate[1], course.critical[1], 0))
    expected = course.supply * course.rate[0] * DAYS * 1.6
    offers = list(_offers(rng, towns, expected, course))
    return World(past, needs, offers, _values(needs, offers), course.every)


def _towns(rng: np.random.Generator) -> list[tuple[str, tuple[float, float]]]:
    codes = [f"4453{county:02}{town:03}000" for county in (2, 3, 21) for town in (101, 102, 103, 104)]
    return [(code, (rng.uniform(111.3, 112.1), rng.uniform(22.5, 23.0))) for code in codes]


def _stream(rng: np.random.Generator, towns: Any, rate: float, critical: float, first: int) -> Iterator[Need]:
    rest = 1 - critical
    chances = [critical, 0.2 * rest, 0.55 * rest, 0.25 * rest]
    for day in range(first, first + DAYS):
        for number in range(rng.poisson(rate)):
            area, point = towns[rng.integers(len(towns))]
            name = f"n{day:+04}-{number}"
            yield Need(
                id=name, beneficiary_id=name, area=area, point=point, category=str(rng.choice(["BED", "MATTRESS", "CARE"])),
                quantity=int(rng.choice([1, 2, 3], p=[0.55, 0.3, 0.15])), urgency=URGENCIES[rng.choice(4, p=chances)],
                needed_by=None, raised_at=NOW + (day - rng.random()) * DAY,
                vulnerabilities=tuple(rng.choice(list(PRIORITY), rng.integers(1, 3), replace=False).tolist()),
            )  # fmt: skip


def _offers(rng: np.random.Generator, towns: Any, units: float, course: Course) -> Iterator[Offer]:
    number = 0
    while units > 0:
        size, day = int(rng.integers(3, 25)), 0 if course.at_once else int(rng.integers(0, DAYS))
        area, point = towns[rng.integers(len(towns))]
        ends = day + int(rng.integers(15, 45)) if rng.random() < 0.5 else DAYS + course.after
        yield Offer(
            id=f"o{number}", charity_id="c", category=str(rng.choice(["BED", "MATTRESS", "CARE"])), quantity=size,
            service_areas=("445300000000",), origin_area=area, point=point, available_from=NOW + day * DAY,
            available_until=NOW + min(ends, DAYS + course.after) * DAY,
        )  # fmt: skip
        units, number = units - size, number + 1


def _values(needs: Sequence[Need], offers: Sequence[Offer]) -> dict[Pair, int]:
    """What a unit of each pair is worth, whenever it is given: the score without what an offer's end adds."""
    setting = Setting(CATALOGUE, replace(PLAIN, edges_per_need=len(offers)), History.of((), ()), NOW)
    base = pool(needs, offers, setting)
    found, _ = best_pairs(base, barred(base.needs, setting), RULES, setting, {})
    score = found.score - found.parts(np.arange(found.score.size)).parts[:, TERMS.index("expiry")]
    pairs = zip(found.pairs.need.tolist(), found.pairs.offer.tolist(), score.tolist(), strict=True)
    return {(base.needs[need].id, base.offers[offer].id): points for need, offer, points in pairs}


Given = list[tuple[str, str, int]]
Way = Callable[[list[Need], list[Offer], World, datetime], Given]


@dataclass
class Outcome:
    """Milli-points reached; for each critical need the share met and the days until the last unit that it got."""

    value: int = 0
    met: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    waited: dict[str, int] = field(default_factory=dict)


def served(some: World, way: Way) -> Outcome:
    """The stream day by day: what is given is given for good."""
    out = Outcome()
    left = {offer.id: offer.quantity for offer in some.offers}
    for day in range(0, DAYS, some.every):
        now = NOW + day * DAY
        open_ = [
            replace(need, quantity=need.quantity - out.met[need.id])
            for need in some.needs
            if need.raised_at <= now < need.raised_at + PATIENCE[need.urgency] * DAY and out.met[need.id] < need.quantity
        ]  # fmt: skip
        there = [
            replace(offer, quantity=left[offer.id])
            for offer in some.offers
            if _from(offer) <= now <= _until(offer) and left[offer.id]
        ]
        raised = {need.id: need.raised_at for need in open_}
        for need_id, offer_id, units in way(open_, there, some, now):
            left[offer_id] -= units
            out.met[need_id] += units
            out.waited[need_id] = (now - raised[need_id]).days
            out.value += units * some.value[need_id, offer_id]
    return out


def _from(offer: Offer) -> datetime:
    assert offer.available_from is not None
    return offer.available_from


def _until(offer: Offer) -> datetime:
    assert offer.available_until is not None
    return offer.available_until


def first_come(needs: list[Need], offers: list[Offer], some: World, _: datetime) -> Given:
    """Each need in turn takes what is best for it of what is there."""
    left = {offer.id: offer.quantity for offer in offers}
    given: Given = []
    for need in sorted(needs, key=lambda need: need.raised_at):
        lacks = need.quantity
        for offer in sorted(left, key=lambda offer: -some.value.get((need.id, offer), 0)):
            units = min(lacks, left[offer]) if (need.id, offer) in some.value else 0
            if units:
                given.append((need.id, offer, units))
                left[offer] -= units
                lacks -= units
    return given


def planned(policy: Policy) -> Way:
    """The engine's plan of each day under this policy."""

    def way(needs: list[Need], offers: list[Offer], some: World, now: datetime) -> Given:
        seen = [*some.past, *some.needs] if policy.forecast_samples else []
        plan = propose(
            needs, offers, catalogue=CATALOGUE, policy=policy, model=RULES, now=now, seed=1,
            recent=[_past(need) for need in seen if need.raised_at <= now],
        )  # fmt: skip
        return [(a.need_id, a.offer_id, a.quantity) for a in plan.assignments]

    return way


def _past(need: Need) -> PastNeed:
    return PastNeed(
        need.category,
        need.area,
        need.point,
        need.quantity,
        need.urgency,
        need.raised_at,
        need.vulnerabilities,
    )


def fixed(some: World) -> Policy:
    """A price for each category that an office might have set: what its offers would have cost over the time before."""
    then = [replace(offer, available_until=None) for offer in some.offers]
    plan = propose(some.past, then, catalogue=CATALOGUE, policy=PLAIN, model=RULES, now=NOW, seed=1)
    by: dict[str, list[int]] = defaultdict(list)
    for offer in then:
        by[offer.category].append(plan.prices[offer.id] // 1_000)
    return replace(
        PLAIN, hold_back_points={category: round(fmean(prices)) for category, prices in by.items()}
    )


def hindsight(some: World) -> int:
    """The most that anybody could have reached who knew all needs: milli-points, within the gap of the proof."""
    needs = {need.id: number for number, need in enumerate(some.needs)}
    offers = {offer.id: number for number, offer in enumerate(some.offers)}
    rows = [
        (needs[n], offers[o], score)
        for (n, o), score in some.value.items()
        if _meets(some.needs[needs[n]], some.offers[offers[o]])
    ]
    need, offer, score = np.array(rows, dtype=np.int64).T
    problem = Problem(
        need, offer, score, np.full(need.size, -1),
        np.array([need.quantity for need in some.needs]), np.array([offer.quantity for offer in some.offers]), np.zeros(0, np.int64),
    )  # fmt: skip
    return allocate(graph_of(problem), seed=1).certificate.upper_bound


def _meets(need: Need, offer: Offer) -> bool:
    return need.raised_at <= _until(offer) and _from(offer) < need.raised_at + PATIENCE[need.urgency] * DAY


async def measure() -> list[dict[str, Any]]:
    """For each course of things and each way of deciding: the part of hindsight's worth, of critical needs met, and their days of
    waiting, over several seeds; then what a forecast costs a round of 10,000 needs.
    """
    figures = [figure for name, course in COURSES.items() for figure in _compared(name, course)]
    return [*figures, *_round()]


def _compared(name: str, course: Course) -> list[dict[str, Any]]:
    rows: dict[str, list[Row]] = defaultdict(list)
    for seed in range(SEEDS):
        some = world(course, seed)
        most = hindsight(some)
        for way, decide in _ways(some).items():
            rows[way].append(_row(some, served(some, decide), most))
    plain = [row.value for row in rows["myopic"]]
    return [_figure(name, way, found, plain) for way, found in rows.items()]


def _ways(some: World) -> dict[str, Way]:
    return {
        "greedy": first_come,
        "myopic": planned(PLAIN),
        "forecast": planned(FORECAST),
        "fixed": planned(fixed(some)),
    }


class Row(NamedTuple):
    """One stream: the part of hindsight's worth; of critical needs the part met in full, and the days they waited."""

    value: float
    critical: float | None
    waited: float | None


def _row(some: World, out: Outcome, most: int) -> Row:
    critical = [need for need in some.needs if need.urgency == "critical"]
    met = [out.met[need.id] >= need.quantity for need in critical]
    waited = [out.waited[need.id] for need in critical if need.id in out.waited]
    return Row(out.value / most, _mean(met), _mean(waited))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), 4) if known else None


def _figure(name: str, way: str, rows: Sequence[Row], plain: Sequence[float]) -> dict[str, Any]:
    value = fmean(row.value for row in rows)
    return {
        "name": f"hold-back-{name}-{way}", "value": round(value, 4), "unit": "of hindsight's worth",
        "against": f"the best plan of each round {fmean(plain):.4f}", "ratio": round(value / fmean(plain), 4), "bar": None, "met": None,
        "worst_ratio": round(min(row.value / other for row, other in zip(rows, plain, strict=True)), 4),
        "critical_met": _mean([row.critical for row in rows]), "critical_days": _mean([row.waited for row in rows]), "seeds": len(rows),
    }  # fmt: skip


def _round() -> list[dict[str, Any]]:
    """Seconds of a round of 10,000 needs and 1,000 offers with a forecast from as many needs of 90 days, against one without."""
    needs, offers = market(1_000, needs=10_000)
    rng = np.random.default_rng(1)
    raised = (NOW - timedelta(days=rng.uniform(0, 90)) for _ in needs)
    recent = [_past(replace(need, raised_at=at)) for need, at in zip(needs, raised, strict=True)]
    office = Policy()
    _timed(needs, offers, office, recent)  # compiled before the clock starts
    without = _timed(needs, offers, office, recent)
    took = _timed(needs, offers, replace(office, forecast_samples=FORECAST.forecast_samples), recent)
    return [
        {
            "name": "hold-back-round-10k", "value": round(took, 2), "unit": "s", "against": f"without a forecast {without:.2f} s",
            "ratio": round(took / without, 2), "bar": None, "met": None, "samples": FORECAST.forecast_samples,
        }
    ]  # fmt: skip


def _timed(needs: Sequence[Need], offers: Sequence[Offer], policy: Policy, recent: Sequence[PastNeed]) -> float:  # fmt: skip
    start = time.perf_counter()
    propose(
        needs, offers, catalogue=PROVINCE, policy=policy, model=RULES, now=NOW, seed=1, recent=recent,
    )  # fmt: skip
    return time.perf_counter() - start
