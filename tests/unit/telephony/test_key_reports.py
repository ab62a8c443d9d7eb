from __future__ import annotations

import pytest

from app.telephony.key_reports import KeyReports


def counted(*reports: tuple[str, str, int]) -> str:
    """The keys that count, of reports (who, digit, at_ms); who is C, the carrier, or B, in-band."""
    keys = KeyReports()
    return "".join(
        digit
        for who, digit, at_ms in reports
        if (keys.from_carrier(digit, at_ms) if who == "C" else keys.in_band(digit, at_ms))
    )


@pytest.mark.parametrize(
    ("reports", "keys"),
    [
        ([("C", "5", 0)], "5"),
        ([("B", "5", 0)], "5"),
        ([("C", "5", 0), ("B", "5", 120)], "5"),
        ([("B", "5", 0), ("C", "5", 300)], "5"),
        ([("B", "5", 0), ("B", "5", 250), ("C", "5", 300), ("C", "5", 550)], "55"),
        ([("C", "5", 0), ("C", "5", 250), ("B", "5", 300), ("B", "5", 550)], "55"),
        ([("B", "1", 0), ("B", "2", 200), ("C", "1", 250), ("C", "2", 450), ("C", "3", 700)], "123"),
        ([("C", "5", 0), ("B", "5", 1500)], "55"),
        ([("C", "5", 0), ("B", "6", 100)], "56"),
    ],
)
def test_a_key_told_of_twice_counts_once(reports: list[tuple[str, str, int]], keys: str) -> None:
    assert counted(*reports) == keys
