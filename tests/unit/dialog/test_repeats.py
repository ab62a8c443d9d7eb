"""A caller that says the same over and over is a machine (T33); people repeat themselves less."""

from __future__ import annotations

import pytest

from app.dialog.repeats import ENOUGH, ENOUGH_SHORT, MEMORY, in_a_loop, remembered


def after(*texts: str) -> bool:
    sayings: tuple[str, ...] = ()
    for text in texts:
        sayings = remembered(sayings, text)
    return in_a_loop(sayings)


@pytest.mark.parametrize(("text", "enough"), [("How can I help you?", ENOUGH), ("Yes.", ENOUGH_SHORT)])
def test_T33_so_often_and_no_sooner(text: str, enough: int) -> None:
    assert not after(*[text] * (enough - 1))
    assert after(*[text] * enough)


def test_T33_spelling_and_what_lies_between_make_no_difference() -> None:
    assert after(*["please hold the line", "something else"] * (ENOUGH - 1), "Please hold the line!")


def test_what_was_said_long_ago_is_forgotten() -> None:
    others = [f"saying number {number}" for number in range(MEMORY)]
    assert not after(*["how much is it"] * (ENOUGH - 1), *others, "how much is it")
    assert not after()
