"""Numbers as people write them and as they say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialog.figures import Figure, figures

SAYINGS = {
    "$9,900": {("9900", "dollar")},
    "nine thousand nine hundred dollars": {("9900", "dollar")},
    "twenty seven thousand nine hundred": {("27900", "")},
    "twenty-five year warranty": {("25", "year")},
    "between ten and twenty eight thousand dollars": {("10000", "dollar"), ("28000", "dollar")},
    "it takes one to three days, or six to ten weeks": {("1", "day"), ("3", "day"), ("6", "week"), ("10", "week")},
    "just a dollar": {("1", "dollar")},
    "a hundred and fifty": {("150", "")},
    "two fifty a month": {("250", "")},
    "10k": {("10000", "")},
    "1.5 million": {("1500000", "")},
    "90% off": {("90", "percent")},
    "ninety per cent": {("90", "percent")},
    "one percent": {("1", "percent")},
    "one hundred percent": {("100", "percent")},
    "at 10am": {("10", "clock")},
    "two oh two, five five five, oh one hundred": {("2025550100", "")},
    "+1 (900) 555-0199": {("19005550199", "")},
    "this one is for you": set(),
    "oh, that is good": set(),
    "no numbers here": set(),
    "": set(),
}


@pytest.mark.parametrize(("text", "found"), SAYINGS.items())
def test_numbers_are_found_with_what_they_count(text: str, found: set[tuple[str, str]]) -> None:
    assert figures(text) == {Figure(*one) for one in found}


@given(st.integers(2, 99_999))
def test_a_written_number_is_read_as_it_is_written(number: int) -> None:
    for text in (f"{number} dollars", f"${number}", f"about {number:,} dollars a month"):
        assert figures(text) == {Figure(str(number), "dollar")}


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    for figure in figures(text):
        assert figure.value
