"""What the repository may hold: locks with hashes and no addresses, nothing of others, nothing of one machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted(ROOT.glob("requirements*.lock"))
# Written in pieces, so that this file doesn't find itself.
HOSTS = re.compile(
    "|".join(
        re.escape(f"{name}.{end}")
        for name, end in [("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmmirror", "com")]
    )
)
HOMES = re.compile(
    "|".join(
        (
            "/ro" + r"ot/[\w.]",
            "/ho" + r"me/[a-z]",
            "/Us" + r"ers/[A-Za-z]",
            "/wo" + r"rk/[a-z]",
            "/o" + r"pt/py",
        )
    )
)
# The folder of which a message or a test speaks, not a path on anyone's machine.
BINARY = (".png", ".joblib", ".ico", ".xlsx", ".woff2")


def tracked() -> list[Path]:
    """Files that git holds or would take at the next `git add`."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def texts() -> list[tuple[Path, str]]:
    return [(path, path.read_text(errors="replace")) for path in tracked() if path.suffix not in BINARY]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_requirement_is_exact_and_hashed(lock: Path) -> None:
    requirements = re.split(r"\n(?=\S)", lock.read_text().strip())
    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9.-]+==\S+", requirement)
        assert "--hash=sha256:" in requirement


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_no_lock_names_an_address(lock: Path) -> None:
    assert not re.search(r"://|--(extra-)?index-url|--find-links|^-[if] ", lock.read_text(), re.MULTILINE)


def test_both_locks_agree() -> None:
    run, dev = (
        dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert run.items() <= dev.items()


def test_no_tracked_file_names_a_registry_or_a_developers_machine() -> None:
    found = [
        (path.relative_to(ROOT), hit[0])
        for path, text in texts()
        for hit in (HOSTS.search(text), HOMES.search(text))
        if hit
    ]
    assert found == []


def test_nothing_of_others_is_tracked() -> None:
    inside = [path.relative_to(ROOT) for path in tracked()]
    assert [
        path
        for path in inside
        if "vendor" in path.parts
        or "node_modules" in path.parts
        or path.name.endswith((".min.js", ".min.css"))
    ] == []


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_ci_runs_what_a_developer_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert [line for line in script.read_text().splitlines() if line.startswith("make ")] == [
        "make check",
        "make test",
    ]


@pytest.mark.parametrize(
    "target", ["setup", "setup-dev", "assets", "demo", "test", "check", "bench", "lock", "clean", "help"]
)
def test_make_knows_and_explains_every_target(target: str) -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.search(rf"^  make {target} ", shown, re.MULTILINE)
    assert (
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, check=False).returncode
        == 0
    )


def test_an_old_python_is_refused_with_a_way_out(tmp_path: Path) -> None:
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    arguments = [f"PYTHON={old}", f"VENV={tmp_path / 'venv'}"]
    refused = subprocess.run(
        ["make", "setup", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert refused.returncode != 0
    assert "Python 3.11" in refused.stderr
