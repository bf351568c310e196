"""Debian packages that a part needs and that don't come with Python: the broker, a browser for the tests."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.errors import SetupError, bilingual

PROGRAMS = {
    "rabbitmq-server": ("/usr/lib/rabbitmq/bin/rabbitmq-server",),
    "chromium": ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"),
}
"""Package -> files of which one is there once the package is."""
SERVICES = {"rabbitmq-server": "rabbitmq-server"}
"""Package -> the system service that it would start; ours are private, so that one isn't wanted."""
LOCK = Path("/run/nuanlian-apt.lock")
POLICY = Path("/usr/sbin/policy-rc.d")
FORBID = "#!/bin/sh\n# Left by nuanlian while it installs packages; remove it if none is being installed.\nexit 101\n"
WAIT = ("-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3")


def program(package: str) -> Path | None:
    """The package's main program, if it is installed."""
    return next((path for name in PROGRAMS[package] if (path := Path(name)).exists()), None)


def missing(packages: Sequence[str]) -> list[str]:
    """Those of the packages that aren't installed."""
    return [package for package in packages if program(package) is None]


def need(*packages: str) -> None:
    """Have these packages, installing what is missing when we may.

    Raises SetupError that names the packages when we may not, or when apt fails.
    """
    if not missing(packages):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        names = " ".join(missing(packages))
        raise SetupError(
            "缺少系统软件包 {names}。请以管理员身份执行：apt-get install --no-install-recommends {names}",
            names=names,
        )
    with LOCK.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if wanted := missing(packages):
            _install(wanted)


def _install(packages: Sequence[str]) -> None:
    """One update, one install. A policy file keeps the packages' own services from starting, unless the machine has its own policy."""
    sys.stderr.write(bilingual("正在安装系统软件包：{names}", names=" ".join(packages)) + "\n")
    forbid = not POLICY.exists() or POLICY.read_text() == FORBID
    if forbid:
        POLICY.write_text(FORBID)
        POLICY.chmod(0o755)
    try:
        _apt("update", packages)
        _apt("install", packages, "-y", "--no-install-recommends", *packages)
    finally:
        if forbid:
            POLICY.unlink()
    for service in (SERVICES[package] for package in packages if package in SERVICES):
        _silence(service)


def _apt(verb: str, packages: Sequence[str], *arguments: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["apt-get", "-q", *WAIT, verb, *arguments],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        reason = "\n".join(done.stderr.strip().splitlines()[-6:])
        raise SetupError(
            "系统软件包 {names} 装不上：{reason}\n请检查网络与软件源后再试。",
            names=" ".join(packages),
            reason=reason,
        )


def _silence(service: str) -> None:
    """Keep the service from coming up at the next boot, where an init system is there to ask."""
    if shutil.which("systemctl") and Path("/run/systemd/system").exists():
        subprocess.run(["systemctl", "disable", "--now", service], check=False, capture_output=True)


def main(packages: Sequence[str]) -> int:
    """`python -m deploy.debian PACKAGE...`: install, or say why not."""
    try:
        need(*packages)
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
