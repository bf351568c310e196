"""Functions that are compiled for the machine: loops over millions of pairs, free of the interpreter's lock."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TypeVar, cast

from numba import config, njit

HERE = Path(__file__).parent
Kernel = TypeVar("Kernel", bound=Callable[..., object])


def _kept_in() -> str:
    """A folder for this very text of the engine: numba looks at a function's own file alone, so that machine code
    with an older rule written into it would outlive the change.
    """
    text = sha256()
    for file in sorted(HERE.glob("*.py")):
        text.update(file.read_bytes())
    return str(HERE / "__pycache__" / f"compiled-{text.hexdigest()[:16]}")


setattr(config, "CACHE_DIR", _kept_in())  # noqa: B010  numba declares its settings at run time


def compiled(function: Kernel) -> Kernel:
    """`function` as machine code, made at its first call and kept for the next process."""
    return cast(Kernel, njit(nogil=True, cache=True)(function))


def inlined(function: Kernel) -> Kernel:
    """A step of a compiled function, written into it: a call with a dozen arrays costs more than the step."""
    return cast(Kernel, njit(nogil=True, inline="always")(function))
