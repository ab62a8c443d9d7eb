"""One row for every fault: what it shows, and that nothing that failed or was not run can look as if it had held."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from app.chaos import report
from app.chaos.__main__ import PARTS
from app.chaos.figures import Figure
from app.chaos.rows import FAULTS, NOT_RUN, Finding, read, written
from app.chaos.tested import findings

FAST, SLOW = Figure("answer", 1.0, 2.5), Figure("answer", 3.0, 2.5)
DOUBLED = Figure("words heard twice", 2, 0, "")


def printed(found: list[Finding], missing: dict[str, str]) -> str:
    console = Console(file=io.StringIO(), width=200, record=True)
    report.summary(console, found, missing)
    return console.export_text()


def row(text: str, fault: str) -> str:
    return next(line for line in text.splitlines() if fault in line)


def test_every_fault_belongs_to_one_part_or_is_named_as_not_run():
    struck = [fault for part in PARTS for fault in part.faults]
    assert sorted([*struck, *NOT_RUN]) == list(FAULTS)


def test_a_row_shows_the_first_figure_while_all_hold_and_else_the_first_that_does_not():
    assert Finding("F07", "calls", 5, ((2, FAST), (3, Figure("x", 0, 0)))).shown == (2, FAST)
    finding = Finding("F07", "calls", 5, ((2, FAST), (4, DOUBLED), (1, SLOW)))
    assert finding.shown == (4, DOUBLED)
    assert not finding.met


def test_the_table_names_the_worst_seed_what_failed_and_what_was_not_run():
    text = printed(
        [
            Finding("F07", "calls", 5, ((2, FAST),)),
            Finding("F08", "calls", 5, ((3, SLOW),)),
            Finding("F14", "tests", 0),
        ],
        {"F09": "its part ended with code 1"},
    )
    assert row(text, "F07").split()[-2:] == ["yes", "│"]
    assert "answer: 3 s" in row(text, "F08")
    assert row(text, "F08").split()[-2:] == ["NO", "│"]
    assert "its part ended with code 1" in row(text, "F09")
    for fault in ("F09", "F14", "F24"):
        assert "not run" in row(text, fault)
    assert "1 of 2 faults met their criteria; 28 were not run." in text


def test_findings_come_back_as_they_were_written():
    found = [Finding("F07", "calls", 5, ((2, FAST), (4, DOUBLED))), Finding("F14", "tests", 0)]
    assert read(written(found)) == found
    with pytest.raises(ValueError, match="Expecting value"):
        read("Traceback ...")


def test_tests_are_counted_by_the_ids_in_their_names():
    cases = [
        ("test_F07_F12_a_reset_and_a_stall", True),
        ("test_F12_the_second_voice", False),
        ("test_F16_skipped_here", None),
        ("test_F1", True),
    ]
    f07, f12, f16 = findings(["F07", "F12", "F16"], cases)
    assert f07.figures == ((0, Figure("failed, of 1 tests", 0, 0, "")),)
    assert f12.figures == ((0, Figure("failed, of 2 tests", 1, 0, "")),)
    assert f16.figures == ()
    assert (f07.met, f12.met, f16.met) == (True, False, False)
