"""What every import of a sheet answers."""

from __future__ import annotations

import io
from uuid import UUID

import pytest
from starlette.datastructures import FormData, UploadFile

from shared.errors import Invalid
from shared.imports import (
    CellFault,
    ImportAnswer,
    ImportReport,
    Mode,
    NoFile,
    batches,
    chosen_file,
    unless_refused,
)
from shared.sheets import Fault

RUN = UUID("018f0000-0000-7000-8000-000000000001")


def answer(mode: Mode, run_id: UUID | None, faults: int = 1) -> ImportAnswer:
    found = tuple(
        CellFault(row=n, column="数量", rule="too_small", message=str(n)) for n in range(2, 2 + faults)
    )
    return ImportAnswer(run_id=run_id, mode=mode, rows=faults, refused=faults, faults=found, warnings=())


def test_a_report_is_the_same_after_it_was_stored() -> None:
    fault = Fault(2, "quantity", "too_small", "不能小于 {least}", {"least": 1})
    report = ImportReport(
        run_id=RUN, mode="right_rows", rows=2, added=1, refused=1, written=1, faults=(fault,)
    )
    again = ImportReport.model_validate(report.model_dump(mode="json"))
    assert again == report
    assert (again.applied, again.right, again.faults[0].params) == (True, 1, {"least": 1})


@pytest.mark.parametrize(("mode", "run_id"), [("preview", None), ("right_rows", RUN), ("whole", RUN)])
def test_a_preview_and_what_was_written_are_answers(mode: Mode, run_id: UUID | None) -> None:
    assert unless_refused(answer(mode, run_id)) == answer(mode, run_id)


@pytest.mark.parametrize("mode", ["whole", "right_rows"])
def test_what_was_to_be_written_and_was_not_is_a_problem_with_the_report_beside_it(mode: Mode) -> None:
    with pytest.raises(Invalid) as caught:
        unless_refused(answer(mode, None, 501))
    problem = caught.value.problem(lambda message, params: message.format_map(params or {}))
    assert (problem["status"], problem["refused"], len(problem["faults"]), len(problem["errors"])) == (
        422,
        501,
        501,
        500,
    )
    assert problem["errors"][0] == {"field": "2 数量", "rule": "too_small", "message": "2"}


async def test_a_form_brings_a_file_or_says_what_to_choose() -> None:
    file = UploadFile(io.BytesIO(b"a,b"), filename="x.csv")
    assert await chosen_file(FormData({"file": file})) == (b"a,b", "x.csv")
    for form in (FormData(), FormData({"file": "x"}), FormData({"file": UploadFile(io.BytesIO(b""))})):
        with pytest.raises(NoFile):
            await chosen_file(form)


def test_batches_leave_nothing_out() -> None:
    assert [list(some) for some in batches(range(5), 2)] == [[0, 1], [2, 3], [4]]
    assert list(batches(range(0))) == []
