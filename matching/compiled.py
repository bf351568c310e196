"""Functions that are compiled for the machine: loops over millions of pairs, free of the interpreter's lock."""

import atexit
import re
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from os import W_OK, access
from pathlib import Path
from shutil import copytree, rmtree
from tempfile import mkdtemp
from typing import TypeVar, cast

from numba import config, njit

HERE = Path(__file__).parent
IMPORTED = re.compile(r"^from matching\.(\w+) import", re.MULTILINE)
Kernel = TypeVar("Kernel", bound=Callable[..., object])


def _folder() -> Path:
    """A folder for this very text of the compiled loops and of all that they import: numba looks at a function's own file alone,
    so that machine code with an older rule written into it would outlive the change.
    """
    texts = {file.stem: file.read_text("utf-8") for file in sorted(HERE.glob("*.py"))}
    waiting = [name for name, text in texts.items() if "@compiled\n" in text or "@inlined\n" in text]
    reached: set[str] = set()
    while waiting:
        if (name := waiting.pop()) not in reached:
            reached.add(name)
            waiting += [other for other in IMPORTED.findall(texts[name]) if other in texts]
    written = sha256("".join(texts[name] for name in sorted(reached)).encode())
    return HERE / "__pycache__" / f"compiled-{written.hexdigest()[:16]}"


def _writable(folder: Path) -> Path:
    """The folder itself, or where nothing may be written (a read-only image) a copy of this process's own: numba
    refuses to start without a folder to write to.
    """
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    if access(folder, W_OK):
        return folder
    own = Path(mkdtemp(prefix="nuanlian-compiled-"))
    atexit.register(rmtree, own, ignore_errors=True)
    if folder.is_dir():
        copytree(folder, own, dirs_exist_ok=True)
    return own


FOLDER = _writable(_folder())
setattr(config, "CACHE_DIR", str(FOLDER))  # noqa: B010  numba declares its settings at run time


def compiled(function: Kernel) -> Kernel:
    """`function` as machine code, made at its first call and kept for the next process."""
    return cast(Kernel, njit(nogil=True, cache=True)(function))


def inlined(function: Kernel) -> Kernel:
    """A step of a compiled function, written into it: a call with a dozen arrays costs more than the step."""
    return cast(Kernel, njit(nogil=True, inline="always")(function))
