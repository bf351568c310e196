"""Reasons are codes with parameters, in a fixed order."""

from datetime import date, timedelta

from matching.model import Policy, Reason
from matching.reasons import need_reasons, reasons
from tests.matching.build import NOW, OTHER_TOWN, need, offer


def test_what_the_need_has_for_it() -> None:
    asked = need(
        vulnerabilities=("DIBAO", "ORPHAN"), urgency="high", raised_at=NOW - timedelta(days=3, hours=5)
    )
    assert need_reasons(asked, Policy(), NOW) == (
        Reason("priority", (("vulnerability", "ORPHAN"),)),
        Reason("urgency", (("level", "high"),)),
        Reason("waiting", (("days", 3),)),
    )


def test_a_need_of_today_has_not_waited() -> None:
    assert [r.code for r in need_reasons(need(vulnerabilities=(), raised_at=NOW), Policy(), NOW)] == [
        "urgency"
    ]


def test_what_the_pair_has_for_it() -> None:
    given = offer(
        category="CEILFAN",
        quantity=1,
        expires_on=date(2024, 9, 1),
        designated_vulnerabilities=("ORPHAN", "DIBAO"),
    )
    assert reasons(need(quantity=2), given, 500, 5_129.4) == (
        Reason("substitute", (("category", "CEILFAN"), ("factor", 500))),
        Reason("designated", (("vulnerability", "DIBAO"),)),
        Reason("expires", (("date", "2024-09-01"),)),
        Reason("part", (("offered", 1), ("asked", 2))),
        Reason("distance", (("metres", 5_129),)),
        Reason("same_town", (("area", "445381100000"),)),
    )


def test_unknown_points_give_no_distance() -> None:
    assert reasons(need(area=OTHER_TOWN), offer(), 1000, float("nan")) == ()
