"""Checking a plan from the command line, with nothing but its file."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deploy import planning
from deploy.errors import SetupError
from deploy.planning import SENTENCES, verify_file
from matching.planfile import PlanSheet, write
from matching.plansheet import FORM
from matching.verify import RULES
from shared.events import ProposalMade
from tests.house import House
from tests.matcher import facts
from tests.matcher.build import tell
from tests.matching.sheets import by_hand, changed


def stored(folder: Path, sheet: PlanSheet) -> Path:
    path = folder / "round.plan.npz"
    write(path, sheet)
    return path


async def test_what_is_exported_from_the_board_holds_and_changes_nothing(
    house: House, dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await tell(house, facts.need(), facts.need(area=facts.RONGGUI), facts.offer())
    before = len(await house.events(ProposalMade))
    file = tmp_path / "now.plan.npz"
    said = await asyncio.to_thread(planning.export, tmp_path, dsn, file)
    assert (said["needs"], said["offers"]) == (2, 1)
    assert said["objective"] > 0
    assert verify_file(file) == 0
    assert "2 needs" in capsys.readouterr().out
    assert len(await house.events(ProposalMade)) == before
    with pytest.raises(SetupError, match="Can't write"):
        await asyncio.to_thread(planning.export, tmp_path, dsn, tmp_path / "nowhere" / "now.plan.npz")


def test_a_plan_that_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify_file(stored(tmp_path, by_hand())) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines() == [
        "round.plan.npz：4 项需求、2 份资源、6 个可行配对，共安排数量 5。",
        "round.plan.npz: 4 needs, 2 offers, 6 possible pairs, 5 units given.",
        "文件称：总分 7.742，上界 7.743，差距 0.0129%。重新计算：总分 7.742，价格证明的上界 7.742。",
        "The file claims: total score 7.742, upper bound 7.743, gap 0.0129%. Worked out anew: total score 7.742, upper bound that the prices prove 7.742.",
        "2 个公平组中满足率最低的：此前 #0 甲镇，28.6%；按此方案 #1 乙镇，50.0%。",
        "The lowest share met among 2 fairness groups: before, #0 甲镇 with 28.6%; with this plan, #1 乙镇 with 50.0%.",
        '文件自述：{"created": "2024-08-20", "seed": 7}',
        'The file says of itself: {"created": "2024-08-20", "seed": 7}',
        "方案可行，总分属实；同样的可行配对，任何安排的总分都不会超过上界。",
        "The plan is feasible and worth what it claims; over the same possible pairs no plan scores more than the upper bound.",
    ]


def test_a_plan_that_does_not_hold_names_every_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = replace(changed(by_hand(), "units", 4, 1), upper_bound=7_000)
    assert verify_file(stored(tmp_path, wrong)) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[-2:] == [
        "核对不通过：发现 4 类错误。",
        "The plan doesn't hold: 4 kinds of faults were found.",
    ]
    assert err.splitlines()[:2] == [
        "成套需求 0 只能全部满足或者都不满足，其中需求 #3 N-4 得到 0，所缺为 1",
        "bundle 0 must be met in full or not at all; its need #3 N-4 gets 0 of 1 units",
    ]
    assert len(err.splitlines()) == 8


def test_many_places_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = by_hand()
    many = replace(
        sheet, group_limit=np.zeros(30, np.int64), group_price=np.zeros(30, np.int64),
        start=np.array([0, 30, 30, 30, 30]), offer=np.zeros(30, np.int64), score=np.full(30, 1), group=np.arange(30),
        units=np.ones(30, np.int64),
    )  # fmt: skip
    assert verify_file(stored(tmp_path, many)) == 1
    assert "同类错误还有 10 处。\nThere are 10 more places with the same fault." in capsys.readouterr().err


def test_json_for_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify_file(stored(tmp_path, replace(by_hand(), gap=0.0)), for_machines=True) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["claimed"] == {"objective": 7_742, "upper_bound": 7_743, "gap": 0.0}
    assert (report["ok"], report["objective"], report["upper_bound"]) == (False, 7_742, 7_742)
    assert report["lowest_after"] == {"group": "#1 乙镇", "before": 0.5, "after": 0.5}
    assert report["meta"]["seed"] == 7
    assert [(fault["rule"], fault["count"]) for fault in report["faults"]] == [("gap", 1)]
    assert report["faults"][0]["places"] == [{"claimed": 0.0, "found": 1 / 7_742}]


def test_what_is_no_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("你好")
    with pytest.raises(SetupError) as error:
        verify_file(letter)
    assert str(error.value).splitlines() == [
        f"{letter} 不是可以核对的方案文件，原因见上。",
        f"{letter} is no plan file that can be checked; the reasons stand above.",
    ]
    assert capsys.readouterr().err.splitlines() == [
        "这不是方案文件，或者文件不完整（File is not a zip file）",
        "this is no plan file, or it is cut off (File is not a zip file)",
    ]
    assert verify_file(letter, for_machines=True) == 2
    assert json.loads(capsys.readouterr().out)["faults"][0]["rule"] == "no_plan"


def test_names_from_the_file_do_not_steer_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verify_file(stored(tmp_path, replace(by_hand(), group_codes=np.array(["\x1b[2J甲", "\x9b乙"]))))
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x9b" not in out
    assert "�[2J甲" in out


def test_a_long_file_says_how_far_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "LONG", 1)
    assert verify_file(stored(tmp_path, by_hand())) == 0
    assert capsys.readouterr().err.splitlines() == [
        "正在核对，文件较大，请稍候。",
        "Checking; the file is large, please wait.",
        "100%",
    ]


def test_every_rule_has_its_chinese_with_the_same_numbers() -> None:
    english = dict(FORM) | RULES
    assert SENTENCES.keys() == english.keys()
    for rule, sentence in SENTENCES.items():
        assert set(re.findall(r"{(\w+)}", sentence)) == set(re.findall(r"{(\w+)}", english[rule])), rule


def test_the_command_and_its_exit_codes(tmp_path: Path) -> None:
    def ended(file: Path) -> int:
        return subprocess.run(
            [sys.executable, "-m", "services", "plan", "verify", str(file)], capture_output=True
        ).returncode

    right = stored(tmp_path, by_hand())
    cut = tmp_path / "cut"
    cut.write_bytes(right.read_bytes()[:3_000])
    assert ended(right) == 0
    assert ended(cut) == 2
    assert ended(tmp_path / "none") == 2
    assert ended(stored(tmp_path, replace(by_hand(), gap=0.0))) == 1
