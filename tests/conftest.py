"""What every test can ask for, and what the processes that tests start are told."""

from __future__ import annotations

import os
from pathlib import Path

pytest_plugins = ["tests.servers", "tests.house"]
BYTECODE = Path(__file__).parents[1] / ".venv" / ".test-bytecode"


def pytest_configure() -> None:
    """Where nothing may be written beside the source, the many processes that tests start keep their bytecode elsewhere:
    to translate every module anew takes each of them longer than what is tested.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ["PYTHONPYCACHEPREFIX"] = str(BYTECODE)
