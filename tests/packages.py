"""What tests borrow from npm: the Compose and AsyncAPI schemas and the accessibility rules, pinned by `tests/npm/package-lock.json`."""

from __future__ import annotations

import hashlib
import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

from deploy.assets.fetch import npm

HERE = Path(__file__).parent / "npm"
KEPT = Path(__file__).parents[1] / ".venv" / ".test-packages"


@cache
def packages() -> Path:
    """The folder `node_modules` with everything of the lock file, fetched once for each lock file."""
    folder = KEPT / hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        npm(folder, "ci")
        (folder / "complete").touch()
    return folder / "node_modules"


def schema(path: str) -> Any:
    """A JSON document out of the packages."""
    return json.loads((packages() / path).read_text(encoding="utf-8"))
