"""What became of leads, taken in from a CRM's export."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import BadTable
from app.lead_results import read


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_words_and_days_are_read_and_what_cannot_be_is_named_by_its_line(tmp_path: Path) -> None:
    table = write(
        tmp_path / "crm.csv",
        "Phone Number,Status,Closed at\n"
        "(202) 555-0111,won,2026-11-03\n"
        "+12025550112,lost,\n"
        "hello,won,\n"
        "+12025550113,,\n"
        "+12025550114,perhaps,\n"
        "+12025550115,yes,soon\n",
    )
    words, faults = read(table)
    assert [(w.phone, w.won) for w in words] == [("+12025550111", True), ("+12025550112", False)]
    assert words[0].at is not None
    assert words[0].at.isoformat() == "2026-11-03T00:00:00+00:00"
    assert [(f.line, f.reason.split(":")[0]) for f in faults] == [
        (4, "not a telephone number"),
        (5, "no result"),
        (6, "the column 'won' holds 'perhaps'"),
        (7, "the day is no date, such as 2026-11-21"),
    ]


@pytest.mark.parametrize(("header", "says"), [("name,won", "phone"), ("phone,name", "'won'")])
def test_a_file_without_phone_or_result_is_one_sentence(tmp_path: Path, header: str, says: str) -> None:
    with pytest.raises(BadTable, match=says):
        read(write(tmp_path / "crm.csv", f"{header}\n+12025550111,yes\n"))


def test_another_target_is_read_from_the_column_of_its_name(tmp_path: Path) -> None:
    table = write(tmp_path / "crm.csv", "phone,won,churned\n+12025550111,yes,no\n+12025550112,no,yes\n")
    words, faults = read(table, target="churned")
    assert ([w.won for w in words], faults) == ([False, True], ())
    with pytest.raises(BadTable, match="'bought_again'"):
        read(table, target="bought_again")
