"""What is installed is left alone; what is missing is named, or installed by one who may."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from deploy import debian
from deploy.errors import SetupError


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """A machine without chromium: the apt-get calls made on it are noted, and installing makes the program appear."""
    calls: list[Sequence[str]] = []
    program = tmp_path / "chromium"

    def run(command: Sequence[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        if "install" in command:
            assert (tmp_path / "policy").stat().st_mode & 0o111
            program.touch()
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(debian, "PROGRAMS", {"chromium": (str(program),)})
    monkeypatch.setattr(debian, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(debian, "POLICY", tmp_path / "policy")
    monkeypatch.setattr("deploy.debian.os.geteuid", lambda: 0)
    monkeypatch.setattr("deploy.debian.shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("deploy.debian.subprocess.run", run)
    return calls


def test_update_then_install_once_with_services_held_back(
    machine: list[Sequence[str]], tmp_path: Path
) -> None:
    debian.need("chromium")
    debian.need("chromium")
    assert [next(word for word in call if word in ("update", "install")) for call in machine] == [
        "update",
        "install",
    ]
    assert "--no-install-recommends" in machine[1]
    assert machine[1][-1] == "chromium"
    assert not (tmp_path / "policy").exists()


def test_a_machines_own_policy_stays(machine: list[Sequence[str]], tmp_path: Path) -> None:
    own = tmp_path / "policy"
    own.write_text("#!/bin/sh\nexit 0\n")
    own.chmod(0o755)
    debian.need("chromium")
    assert own.read_text() == "#!/bin/sh\nexit 0\n"


def test_one_who_may_not_install_is_told_what_to_run(
    machine: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("deploy.debian.os.geteuid", lambda: 1000)
    with pytest.raises(SetupError, match="apt-get install --no-install-recommends chromium"):
        debian.need("chromium")
    assert debian.main(["chromium"]) == 1
    assert "Run as administrator" in capsys.readouterr().err
    assert machine == []


def test_apts_own_words_reach_the_reader(
    machine: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = subprocess.CompletedProcess(["apt-get"], 100, "", "E: Unable to fetch some archives")
    monkeypatch.setattr("deploy.debian.subprocess.run", lambda *_, **__: failed)
    with pytest.raises(SetupError, match="Unable to fetch"):
        debian.need("chromium")
