"""PostgreSQL refuses to run as root: who runs it then, and where that user can reach its files."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import SetupError, bilingual
from deploy.processes import make_folder, write_private

ELSEWHERE = Path("/var/lib/nuanlian")
"""Where files go that the unprivileged user couldn't reach below a closed folder such as /root."""
NAMES = ("nuanlian", "nobody", "daemon")


@dataclass(frozen=True, slots=True)
class Account:
    """A system user other than root."""

    uid: int
    gid: int

    def may_search(self, folder: Path) -> bool:
        """Whether the mode bits let this user pass through the folder."""
        seen = folder.stat()
        bit = (
            stat.S_IXUSR
            if seen.st_uid == self.uid
            else stat.S_IXGRP
            if seen.st_gid == self.gid
            else stat.S_IXOTH
        )
        return bool(seen.st_mode & bit)

    def closed_parent(self, path: Path) -> Path | None:
        """The first folder on the way to `path` that this user can't pass."""
        return next(
            (folder for folder in reversed(path.resolve().parents) if not self.may_search(folder)), None
        )

    def own(self, folder: Path) -> None:
        """Give the folder itself to this user."""
        os.chown(folder, self.uid, self.gid)


def account_for(existing: Path) -> Account | None:
    """Who must run the server: None for ourselves, else the owner of the `existing` files, else the least system user there is."""
    if os.geteuid() != 0:
        return None
    if existing.exists() and (seen := existing.stat()).st_uid != 0:
        return Account(seen.st_uid, seen.st_gid)
    for name in NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise SetupError(
        "PostgreSQL 不能以 root 身份运行，而本机没有 nobody 用户。请用普通用户运行，或执行 useradd --system nuanlian。"
    )


def run_as(
    account: Account | None, command: Sequence[str | Path], cwd: Path, text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command as the account with a bare environment and `text` as its input; its output comes back as text."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    try:
        return subprocess.run(
            [str(part) for part in command],
            input=text,
            capture_output=True,
            check=False,
            text=True,
            cwd=cwd,
            env=environment,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=() if account else None,
        )
    except PermissionError as error:
        uid = account.uid if account else os.geteuid()
        raise SetupError(
            "不能以用户 {uid} 的身份运行 {program}。请用普通用户运行。", uid=uid, program=command[0]
        ) from error


def home_for(base: Path) -> tuple[Path, Account | None]:
    """The folder that the server owns, made if need be, and who runs it.

    `base` is ours. The home lies in it, or, when the account can't pass one of its parents, below `ELSEWHERE`; the file
    `base/elsewhere` then says where, so that the data are found again after the data folder was moved.
    """
    pointer = base / "elsewhere"
    home = Path(pointer.read_text().strip()) if pointer.exists() else base / "server"
    account = account_for(home)
    if account and (closed := account.closed_parent(home)):
        home = _elsewhere(pointer, closed, account)
    make_folder(home, 0o700)
    if account:
        account.own(home)
    return home, account


def _elsewhere(pointer: Path, closed: Path, account: Account) -> Path:
    """A home outside, noted in `pointer`. Only a home that holds no data yet may be given up for it."""
    if pointer.exists() or (pointer.parent / "server").exists():
        raise SetupError(
            "用户 {uid} 不能进入 {closed}，因此打不开其中的数据库。请执行 chmod o+x {closed}。",
            uid=account.uid,
            closed=closed,
        )
    make_folder(ELSEWHERE, 0o755)
    home = Path(tempfile.mkdtemp(prefix="postgres-", dir=ELSEWHERE))
    write_private(pointer, f"{home}\n")
    sys.stderr.write(
        bilingual("PostgreSQL 的用户不能进入 {closed}，数据库改放在 {home}。", closed=closed, home=home)
        + "\n"
    )
    return home


def programs_for(account: Account | None, package: Path, libraries: Path, label: str) -> Path:
    """`package`, or a copy of it below `ELSEWHERE` when the account can't reach it; `label` names its version."""
    if account is None or account.closed_parent(package / "bin") is None:
        return package
    make_folder(ELSEWHERE, 0o755)
    target = ELSEWHERE / label
    if not target.exists():
        fresh = Path(tempfile.mkdtemp(prefix=f".{label}-", dir=ELSEWHERE))
        shutil.copytree(package, fresh / package.parent.name / package.name, symlinks=True)
        shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        fresh.chmod(0o755)
        fresh.rename(target)
    return target / package.parent.name / package.name
