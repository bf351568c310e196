"""Machine code is kept for the very text that it was made from, and done without where nothing may be written."""

import shutil
import subprocess
import sys
from pathlib import Path

import matching

SOURCE = Path(matching.__file__).parent
ASK = "from matching.compiled import FOLDER; print(FOLDER)"
RUN = "from matching.rules import haversine_m; print(round(haversine_m(112.0, 22.0, 112.0, 23.0)))"


def told(folder: Path, code: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def copy(to: Path) -> Path:
    shutil.copytree(SOURCE, to / "matching", ignore=shutil.ignore_patterns("__pycache__"))
    return to


def test_another_rule_is_another_folder(tmp_path: Path) -> None:
    here = copy(tmp_path)
    before = told(here, ASK)
    rules = here / "matching" / "rules.py"
    rules.write_text(rules.read_text() + "\n")
    after = told(here, ASK)
    assert before != after
    assert all(Path(one).is_relative_to(here) for one in (*before, *after))


def test_where_nothing_may_be_written_a_process_has_a_copy_of_its_own(tmp_path: Path) -> None:
    here = copy(tmp_path)
    (here / "matching" / "__pycache__").write_text("")  # not even root makes a folder in a file
    (own,) = told(here, ASK)
    assert not Path(own).is_relative_to(here)
    assert not Path(own).exists()  # it goes with its process
    assert told(here, RUN) == ["111195"]
