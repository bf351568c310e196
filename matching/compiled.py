"""Functions that are compiled for the machine: loops over millions of pairs, free of the interpreter's lock."""

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

Kernel = TypeVar("Kernel", bound=Callable[..., object])


def compiled(function: Kernel) -> Kernel:
    """`function` as machine code, made at its first call and kept beside its file for the next process."""
    return cast(Kernel, njit(nogil=True, cache=True)(function))


def inlined(function: Kernel) -> Kernel:
    """A step of a compiled function, written into it: a call with a dozen arrays costs more than the step."""
    return cast(Kernel, njit(nogil=True, inline="always")(function))
