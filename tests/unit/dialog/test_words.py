"""Yes, no, amounts and digits in the words of callers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialog import phrases, words


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("yes", True), ("yeah sure", True), ("uh yeah", True), ("why not", True), ("no problem", True), ("i do", True),
        ("that's right", True), ("please do", True), ("sure thing", True), ("sí claro", True), ("sounds good", True),
        ("no", False), ("nope", False), ("no thanks", False), ("not really", False), ("please don't", False),
        ("absolutely not", False), ("i'd rather not", False), ("that is wrong", False), ("okay no", False),
        ("", None), ("tile", None), ("it's tile", None), ("yes but no", None), ("yeah no", None), ("maybe", None),
    ],
)  # fmt: skip
def test_yes_or_no(said: str, meant: bool | None) -> None:
    assert words.yes_or_no(said) is meant


@pytest.mark.parametrize(
    ("said", "amount"),
    [
        ("about two hundred dollars", 200), ("one twenty", 120), ("two fifty", 250), ("twelve fifty", 1250),
        ("a hundred and fifty", 150), ("hundred fifty", 150), ("a couple hundred bucks", 200), ("ninety five", 95),
        ("twenty five hundred", 2500), ("one thousand two hundred", 1200), ("one five zero", 150), ("$1,250", 1250),
        ("$180.50", 180.5), ("about 200.", 200), ("2 hundred", 200), ("two hundred and fifty a month", 250),
        ("between one fifty and two hundred", 175), ("two hundred to three hundred", 250), ("eighty no ninety", 90),
        ("no idea", None), ("", None),
    ],
)  # fmt: skip
def test_amounts(said: str, amount: float | None) -> None:
    assert words.number(said) == amount


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("nine four one oh seven", "94107"), ("ninety four one oh seven", "94107"), ("94107", "94107"),
        ("9 4 1 0 7.", "94107"), ("it is nine four one double oh", "94100"), ("one triple zero one please", "10001"),
        ("uh one zero zero um zero one", "10001"), ("my number is two", "2"), ("no digits", ""),
    ],
)  # fmt: skip
def test_digits(said: str, digits: str) -> None:
    assert words.digits(said) == digits


@given(st.text(alphabet="0123456789", min_size=1, max_size=12))
def test_digits_read_back_are_the_digits(digits: str) -> None:
    assert words.digits(" ".join(phrases.spell(digits))) == digits


@given(st.text(max_size=80))
def test_any_text_is_read_without_error_and_normal_text_stays(text: str) -> None:
    words.number(text), words.digits(text), words.yes_or_no(text)
    once = words.normal(text)
    assert words.normal(once) == once


@pytest.mark.parametrize(
    ("template", "parts"),
    [
        ("One. Two? Three", ("One.", "Two?", "Three")),
        ("The A.I. assistant. Yes.", ("The A.I. assistant.", "Yes.")),
        ("I heard {digits}. Is that right?", ("I heard", "nine", "oh.", "Is that right?")),
        ("{digits}", ("nine", "oh")),
        ("", ()),
    ],
)
def test_a_line_is_cut_into_parts_a_voice_pack_can_hold(template: str, parts: tuple[str, ...]) -> None:
    assert phrases.parts(template, {"digits": ("nine", "oh")}) == parts
