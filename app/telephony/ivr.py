"""The keypad menu for a caller whose media stream cannot be kept: one table, and one step through it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Wish(StrEnum):
    """What a key asks for."""

    CALL_BACK = "call_back"
    OPT_OUT = "opt_out"
    REPEAT = "repeat"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Choice:
    """One key: what it asks for, how it is offered, and what is said once it was pressed (empty: the menu again)."""

    key: str
    wish: Wish
    offered: str
    confirmed: str


MENU: tuple[Choice, ...] = (
    Choice("1", Wish.CALL_BACK, "To have a person call you back, press 1.", "Thank you. A person will call you back."),
    Choice("9", Wish.OPT_OUT, "To be taken off our list, press 9.", "You are off our list. We will not call again."),
    Choice("*", Wish.REPEAT, "To hear this again, press star.", ""),
)

WRONG_KEY = Choice("", Wish.REPEAT, "", "")
SILENCE = Choice("", Wish.NOTHING, "", "Thank you for calling. Goodbye.")
APOLOGY = "I am sorry, the line to our assistant keeps failing."
MAX_ROUNDS = 3


def offer() -> tuple[str, ...]:
    """The menu as it is spoken."""
    return tuple(choice.offered for choice in MENU)


def step(digits: str, round_: int) -> Choice:
    """The choice a key makes in the `round_`-th reading of the menu, counted from 1.

    An unknown key reads the menu again; after MAX_ROUNDS readings the call ends politely instead of going in circles.
    """
    chosen = next((choice for choice in MENU if choice.key == digits[:1]), WRONG_KEY) if digits else SILENCE
    if chosen.wish is Wish.REPEAT and round_ >= MAX_ROUNDS:
        return SILENCE
    return chosen
