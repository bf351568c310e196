"""How far a round is, for whoever waits, and the way to stop it: told beside the round's own transaction, about once a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID

from shared.db import AWAY, queries
from shared.errors import Unavailable
from shared.jobs import TRIES, CalledOff, LeaseLost
from shared.service import Job

SQL = queries(Path(__file__).parent, "progress.sql")
TICK = 1.0
"""Seconds between two times of telling."""
SHOWN_AFTER = 3.0
"""Seconds that a round which nobody asked for goes on unseen."""


class Cancelled(CalledOff):
    """Somebody cancelled the round: what it did so far is rolled back, what was marked stays marked."""


class Progress:
    """One run of a round. `round_id` is the round's own; one that nobody asked for goes by its job's."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.asked = "round_id" in job.payload
        self.round_id = UUID(job.payload["round_id"]) if self.asked else job.id
        self._at: tuple[str, float | None] = ("waits", None)
        self._stop: type[Exception] | None = None
        self._over = asyncio.Event()
        self._told = False

    def report(self, stage: str, value: float | None = None) -> None:
        """Note where the round is; from any thread, at no cost. Raises `Cancelled`, or `LeaseLost` when another worker has it now."""
        if self._stop is not None:
            raise self._stop
        self._at = stage, value

    async def start(self) -> None:
        """Show a round that a person asked for as running. Raises `Cancelled` when it was cancelled while it waited."""
        if not self.asked:
            return
        async with self._job.beside() as conn:
            if not await SQL.start_round(conn, round_id=self.round_id):
                raise Cancelled
        await self._tell()

    async def keep_telling(self) -> None:
        """Tell until `end`; a round that nobody asked for only once it takes long."""
        await self._pause(TICK if self.asked else SHOWN_AFTER)
        while not self._over.is_set():
            with suppress(Unavailable):  # the next time will do
                await self._tell()
            await self._pause(TICK)

    def end(self) -> None:
        """Nothing is told any more, and a thread that still plans ends at its next report."""
        self._stop = self._stop or Cancelled
        self._over.set()

    async def leave(self, error: BaseException | None) -> None:
        """Take the progress away, and say what became of a round that did not end well."""
        if not (self._told or self.asked):
            return
        async with self._job.beside() as conn:
            if self.asked and isinstance(error, Cancelled):
                await SQL.stopped(conn, round_id=self.round_id)
            elif self.asked and error is not None:
                await SQL.broke(conn, round_id=self.round_id, last=self._job.attempts >= TRIES)
            await SQL.stop_telling(conn, round_id=self.round_id, fence=self._job.fence)

    async def _tell(self) -> None:
        stage, value = self._at
        async with self._job.beside() as conn:
            stop = await SQL.tell(
                conn, round_id=self.round_id, fence=self._job.fence, stage=stage, value=value
            )
        self._told = True
        if stop or stop is None:
            self._stop = Cancelled if stop else LeaseLost

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)


@asynccontextmanager
async def progress_of(job: Job) -> AsyncIterator[Progress]:
    """Show how far a round is while the block runs, and what became of it when it does not end well; its end is the block's own to
    write.

    Raises `Cancelled` for a round that was cancelled while it waited.
    """
    progress = Progress(job)
    await progress.start()
    telling = asyncio.create_task(progress.keep_telling())
    error: BaseException | None = None
    try:
        yield progress
    except BaseException as raised:
        error = raised
        raise
    finally:
        progress.end()
        await asyncio.gather(telling, return_exceptions=True)
        if not isinstance(error, (*AWAY, LeaseLost, asyncio.CancelledError)):
            # What was cut off begins again by itself: to others it is still under way.
            with suppress(Unavailable):
                await progress.leave(error)
