"""What a voice pack holds besides a playbook's own lines, so that an edited playbook still finds its small words.

Numbers, digits, ordinals, days, months, times of day and amounts, as they are spoken.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time

from app.dialog import phrases, spelling, words

_UNITS = tuple(words.UNITS)
_TENS = tuple(words.TENS)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
             "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth",
             "nineteenth", "twentieth")  # fmt: skip
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip
_SMALL = ("oh", "a m", "p m", "o'clock", "noon", "midnight", "and", "or", "to", "the", "at", "on", "in the morning",
          "in the afternoon", "in the evening", "today", "tomorrow", "dollars", "cents", "percent", "a month",
          "years", "weeks", "days", "hours", "minutes", "hundred", "thousand", "million", "point", "yes", "no",
          "for", "press", "pound", "star")  # fmt: skip


def number(value: int) -> str:
    """0 to 100 in words: 42 -> "forty two"."""
    if value == 100:
        return "one hundred"
    if value < 20:
        return _UNITS[value]
    tens, unit = divmod(value, 10)
    return _TENS[tens - 2] + (f" {_UNITS[unit]}" if unit else "")


def ordinal(day: int) -> str:
    """1 to 31 in words: 22 -> "twenty second"."""
    if day <= 20:
        return _ORDINALS[day - 1]
    if day == 30:
        return "thirtieth"
    return f"{'twenty' if day < 30 else 'thirty'} {_ORDINALS[day % 10 - 1]}"


def fragments() -> Iterator[str]:
    yield from (number(value) for value in range(101))
    yield from (f"{number(count)} hundred" for count in range(1, 10))
    yield from (f"{number(count)} thousand" for count in range(1, 100))
    yield from (ordinal(day) for day in range(1, 32))
    yield from (f"the {ordinal(day)}" for day in range(1, 32))
    yield from (phrases.weekday(day) for day in range(7))
    yield from _MONTHS
    yield from (phrases.clock(time(hour, minute)) for hour in range(8, 20) for minute in (0, 15, 30, 45))
    yield from _SMALL
    yield from spelling.VOCABULARY
