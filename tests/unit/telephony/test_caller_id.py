"""Withheld and odd callers are nobody; numbers are numbers."""

from __future__ import annotations

import pytest

from app.telephony.caller_id import number_of


@pytest.mark.parametrize(
    ("caller", "number"),
    [
        ("+12025550111", "+12025550111"),
        ("whatsapp:+12025550111", "+12025550111"),
        ("+266696687", None),
        ("anonymous", None),
        ("Restricted", None),
        ("", None),
        ("client:desk", None),
        ("sip:anonymous@anonymous.invalid", None),
        ("2025550111", None),
        ("+0123456789", None),
    ],
)
def test_number_of(caller: str, number: str | None) -> None:
    assert number_of(caller) == number
