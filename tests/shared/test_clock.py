"""Today is the office's day, whatever zone the machine keeps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter

from services.intake.schemas import Consent
from shared.clock import today


@pytest.fixture(params=["Etc/GMT+12", "UTC", "Etc/GMT-14"])
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine of another zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("machine")
def test_the_day_is_the_offices() -> None:
    assert today() == (datetime.now(UTC) + timedelta(hours=8)).date()


@pytest.mark.usefixtures("machine")
def test_a_consent_of_today_is_taken() -> None:
    TypeAdapter(Consent).validate_python({"given": True, "on": today().isoformat()})
