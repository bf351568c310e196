"""Models from the command line, by the operator of the machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from deploy import modelling
from shared.errors import Invalid, Missing
from tests.house import House
from tests.matcher.history import favouring_no_orphans, plant


async def test_the_operator_learns_promotes_and_goes_back(house: House, dsn: str, tmp_path: Path) -> None:
    await plant(house.db, favouring_no_orphans())

    def walk() -> None:
        made = modelling.train(tmp_path, dsn)
        assert (made["number"], made["state"], made["worse_for"]) == (1, "challenger", ["ORPHAN"])
        with pytest.raises(Invalid) as refused:
            modelling.promote(tmp_path, dsn, 1, "")
        assert refused.value.faults[0].rule == "serves_group_worse"
        with pytest.raises(Invalid):
            modelling.promote(tmp_path, dsn, 1, "好")
        with pytest.raises(Missing):
            modelling.promote(tmp_path, dsn, 9, "")
        put = modelling.promote(tmp_path, dsn, 1, "操作员按市级协调员的书面意见启用。")
        assert put["number"] == 1
        assert [model["state"] for model in modelling.listed(tmp_path, dsn)] == ["champion"]
        assert modelling.rules(tmp_path, dsn) == {"model_id": None, "number": None}
        assert [model["state"] for model in modelling.listed(tmp_path, dsn)] == ["retired"]

    await asyncio.to_thread(walk)
