"""An invented sample of any size: households, needs and offers in the layouts that are imported. The same seed gives the same bytes.

    python -m services sample --households 10000 --seed 2

writes three workbooks; `deploy/sample/data` holds those of 300 households. Every person, number and organisation in them is made up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from deploy.sample.dice import Dice
from deploy.sample.households import households as make_households
from deploy.sample.needs import Wanted
from deploy.sample.needs import needs as make_needs
from deploy.sample.offers import offers as make_offers
from services.intake.layouts import HOUSEHOLDS, NEEDS
from services.offers.layouts import OFFERS
from shared.sheets import write as write_sheet

__all__ = ["NOTICE", "REFERENCE", "Sample", "files", "generate", "write"]

NOTICE = "虚构数据，不涉及任何真实人员或机构 · Invented data: no real person or organisation"
REFERENCE = date(2026, 3, 2)
KEEPS = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows as the layouts take them; `meant` is each need as it is meant, also where its row has words alone."""

    households: Sequence[Mapping[str, Any]]
    needs: Sequence[Mapping[str, Any]]
    offers: Sequence[Mapping[str, Any]]
    meant: Sequence[Wanted]


def generate(households: int, seed: int, day: date, grace: timedelta = timedelta()) -> Sample:
    """`households` households with a third more needs and a fifth as many offers, as of `day`.

    Visits lie in the weeks before `day`; `grace` puts off every last day (needed by, available until, expires on), for files that are kept.
    """
    if households < 1:
        raise ValueError("households must be at least 1")
    dice = Dice("nuanlian", seed)
    homes = make_households(households, dice, day)
    wanted = make_needs(max(1, households * 4 // 3), homes, dice, day, grace)
    given = make_offers(max(1, households // 5), wanted, dice, day, grace)
    rows = [row for home in homes for row in home.rows]
    return Sample(rows, [need.row for need in wanted], given, wanted)


def files(households: int, seed: int, day: date, grace: timedelta = timedelta()) -> dict[str, bytes]:
    """The three workbooks by name: households, needs, offers."""
    sample = generate(households, seed, day, grace)
    return {
        "households": write_sheet(HOUSEHOLDS, sample.households, notice=NOTICE),
        "needs": write_sheet(NEEDS, sample.needs, notice=NOTICE),
        "offers": write_sheet(OFFERS, sample.offers, notice=NOTICE),
    }


def write(households: int, seed: int, folder: Path, day: date = REFERENCE, grace: timedelta = KEEPS) -> None:
    """Write households.xlsx, needs.xlsx and offers.xlsx to `folder`. Without a day they are as of a fixed one, with last days years ahead,
    so that the files can be kept and always be imported.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files(households, seed, day, grace).items():
        (folder / f"{name}.xlsx").write_bytes(content)
