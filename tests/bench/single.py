"""One new need at a time against a province's 100,000 standing offers, with reasons, in process."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from matching.columns import CHINA, NEVER, NeedColumns, OfferColumns
from matching.model import Catalogue, Category, Need, Offer, Policy
from matching.policy import PRIORITY
from matching.ranking import RULES
from matching.standing import Standing
from tests.bench.province import CATEGORIES, NOW, Ints, province

NEEDS = 2_000
BAR = 5
HELD = tuple(PRIORITY)[:8]
EARTH_M = 6_371_008.8
URGENCIES = ("critical", "high", "normal", "low")


async def measure() -> list[dict[str, Any]]:
    """The 99th percentile of judging one need, and milliseconds of one `put`."""
    needs, offers = market(100_000)
    standing = Standing(offers)
    standing.ready(CATALOGUE, Policy())
    _judge(standing, needs[0])  # compiled before the clock starts
    gc.freeze()
    kept, took, busy = _timed(needs, lambda need: len(_judge(standing, need).edges))
    _, put, _ = _timed(_changed(offers), standing.put)
    p50, p99 = np.percentile(took, [50, 99]).tolist()
    return [
        {
            "name": "single-need", "value": round(p99, 3), "unit": "ms", "against": f"bar {BAR} ms", "ratio": round(BAR / p99, 1),
            "bar": BAR, "met": p99 <= BAR, "p50": round(p50, 3), "max": round(max(took), 3),
            "p99_cpu": round(float(np.percentile(busy, 99)), 3), "kept": round(float(np.mean(kept)), 1), "offers": len(standing), "needs": len(needs),
            "put_p50": round(float(np.median(put)), 3), "put_max": round(max(put), 3),
        }
    ]  # fmt: skip


def _judge(standing: Standing, need: Need) -> Any:
    return standing.judge(need, catalogue=CATALOGUE, policy=Policy(), model=RULES, now=NOW)


def _timed(items: Sequence[Any], work: Callable[[Any], Any]) -> tuple[list[Any], list[float], list[float]]:
    """What `work` gives for each item, its milliseconds, and those of them that it had a core for."""
    given, took, busy = [], [], []
    for item in items:
        start, begin = time.perf_counter(), time.thread_time()
        given.append(work(item))
        took.append(1_000 * (time.perf_counter() - start))
        busy.append(1_000 * (time.thread_time() - begin))
    return given, took, busy


def _changed(offers: Sequence[Offer]) -> list[Offer]:
    """500 new offers and 500 of which a unit went, in turn."""
    some = offers[:: len(offers) // 1_000][:1_000]
    return [
        replace(offer, id=f"new-{offer.id}") if n % 2 else replace(offer, quantity=offer.quantity - 1)
        for n, offer in enumerate(some)
    ]


def _category(number: int) -> Category:
    """As in the province, with a licence to hold; every other category may be served by the next one as well."""
    other = ((f"C{number + 1:02}", 700),) if number % 2 == 0 else ()
    kind = "service" if number % 5 == 0 else "item"
    return Category(f"C{number:02}", "C", kind, False, "permit", "S3", 3, other)  # type: ignore[arg-type]


CATALOGUE: Catalogue = {f"C{number:02}": _category(number) for number in range(CATEGORIES)}


def market(offers: int, seed: int = 20240820, needs: int = NEEDS) -> tuple[list[Need], list[Offer]]:
    """Needs to judge one after another, and the standing offers: the invented province's, as values."""
    some, rng = province(10 * offers, seed), np.random.default_rng(seed)
    asked = rng.permutation(some.need_category.size)[:needs]
    return (
        [_need(rng, number, some.needs, some.need_category) for number in asked.tolist()],
        [_offer(number, some.offers, some.offer_category) for number in range(offers)],
    )


def _need(rng: np.random.Generator, number: int, of: NeedColumns, category: Ints) -> Need:
    due, holds = float(of.needed_by[number]), int(of.holds[number])
    return Need(
        f"n{number}", f"home{number}", str(of.area[number]), _point(of.position[number]), f"C{category[number]:02}",
        int(of.quantity[number]), rng.choice(URGENCIES, p=[0.05, 0.2, 0.5, 0.25]),
        None if np.isinf(due) else datetime.fromtimestamp(due, CHINA), NOW - timedelta(days=rng.exponential(15)),
        tuple(code for bit, code in enumerate(HELD) if holds >> bit & 1), bool(of.minor[number]),
    )  # fmt: skip


def _offer(number: int, of: OfferColumns, category: Ints) -> Offer:
    cosine, expires, wants = float(of.nearest[number]), int(of.expires[number]), int(of.wants[number])
    return Offer(
        f"o{number}", f"charity{number % 500}", f"C{category[number]:02}", int(of.quantity[number]),
        (str(of.first[number, 0]),), str(of.origin[number]), _point(of.position[number]),
        None if cosine == -2.0 else round(float(np.arccos(cosine)) * EARTH_M),
        "self_pickup" if of.self_pickup[number] else "delivery", None,
        datetime.fromtimestamp(float(of.end[number]), CHINA),
        None if expires == NEVER else datetime.fromordinal(expires).date(),
        tuple(code for bit, code in enumerate(HELD) if wants >> bit & 1),
        ("permit",) if of.licensed[number] else (), bool(of.vetted[number]), None, "used" if of.used[number] else "new",
    )  # fmt: skip


def _point(position: Any) -> tuple[float, float]:
    return float(position[0]), float(position[1])
