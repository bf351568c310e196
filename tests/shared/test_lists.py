"""Every list that can be narrowed to an area refuses one that does not exist, instead of showing all."""

from __future__ import annotations

import pytest

from tests.house import House

LISTS = (
    "/api/intake/v1/needs",
    "/api/intake/v1/households",
    "/api/delivery/v1/deliveries",
    "/api/matcher/v1/unserved",
    "/api/coordination/v1/proposals",
)


@pytest.mark.parametrize("path", LISTS)
async def test_an_area_that_does_not_exist_is_refused(house: House, path: str) -> None:
    client = await house.person("coordinator")
    for area, status in (("999999999999", 422), ("4453", 422), ("445381100000", 200)):
        assert (await client.get(path, params={"area": area})).status_code == status, area
