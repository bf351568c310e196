"""Work that the clock starts."""

from services.offers.handlers import SQL
from shared.db import Connection
from shared.service import Job


async def forget_refused(conn: Connection, job: Job) -> None:
    """Refused rows of imports are kept for seven days and no longer."""
    await SQL.forget_refused(conn)
