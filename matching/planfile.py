"""A plan in a file of its own, with the proof of its quality: `.plan.npz`, a plain numpy zip without pickles.

Who gets such a file can check it with `matching.verify` and needs neither the solver nor a database.
"""

import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from matching.plansheet import EVERY, MOST, VERSION, Arrays, Fault, PlanSheet, fault, faults_in, faults_of

__all__ = ["VERSION", "Fault", "NotAPlan", "PlanSheet", "read", "write"]


class NotAPlan(ValueError):
    """A file that is no plan of this version, refused whole. `faults`: everything that is wrong with it."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("; ".join(line for fault in faults for line in fault.lines))


def write(path: Path, sheet: PlanSheet) -> None:
    """Write `sheet` whole or not at all. Raises `NotAPlan` when it is not of the form, OSError when it can't be written."""
    if faults := faults_of(sheet):
        raise NotAPlan(faults)
    arrays = {name: _narrow(np.asarray(getattr(sheet, name))) for name in EVERY}
    draft = path.with_name(f".{path.name}.part")
    try:
        with draft.open("wb") as file:
            np.savez(file, allow_pickle=False, version=np.asarray(VERSION), **arrays)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _narrow(values: NDArray[Any]) -> NDArray[Any]:
    """Half the file where 32 bits are enough."""
    fits = values.dtype.kind == "i" and values.min(initial=0) >= -MOST and values.max(initial=0) <= MOST
    return values.astype(np.int32, copy=False) if fits and values.ndim else values


def read(path: Path) -> PlanSheet:
    """The plan in `path`. Raises `NotAPlan` with every fault, OSError when there is no such file."""
    with path.open("rb") as file:
        found, faults = _opened(file)
    if faults := (*faults, *faults_in(found)):
        raise NotAPlan(faults)
    return PlanSheet(**{name: _plain(values) for name, values in found.items()})


# What a cut, damaged, locked or crafted archive makes numpy and zipfile raise.
UNREADABLE = (
    ValueError, OSError, EOFError, KeyError, NotImplementedError, RuntimeError, MemoryError, struct.error,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def _opened(file: BinaryIO) -> tuple[Arrays, tuple[Fault, ...]]:
    try:
        names = [name.removesuffix(".npy") for name in zipfile.ZipFile(file).namelist()]
        file.seek(0)
        with np.load(file, allow_pickle=False) as archive:
            return _loaded(archive, names)
    except UNREADABLE as error:
        return {}, (fault("no_plan", reason=_reason(error)),)


def _loaded(archive: Arrays, names: list[str]) -> tuple[Arrays, tuple[Fault, ...]]:
    """The arrays that can be read, and what is wrong with the others."""
    version = str(archive["version"]) if "version" in names else "?"
    if version != VERSION:
        return {}, (fault("version", version=version[:80], known=VERSION),)
    found: dict[str, NDArray[Any]] = {}
    faults = [fault("missing", name=name) for name in EVERY if name not in names]
    faults += [fault("unknown", name=name[:80]) for name in names if name not in (*EVERY, "version")]
    for name in EVERY:
        try:
            if name in names:
                found[name] = np.asarray(archive[name])
        except UNREADABLE as error:
            faults.append(fault("unreadable", name=name, reason=_reason(error)))
    return found, tuple(faults)


def _reason(error: BaseException) -> str:
    return (str(error).partition("\n")[0] or type(error).__name__)[:200]


def _plain(values: NDArray[Any]) -> Any:
    """As the sheet has it: arrays as they are, single values as Python's own."""
    return values if values.ndim else values.item()
