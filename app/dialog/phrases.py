"""Spoken lines: templates cut into the parts a voice pack can hold, and the closed vocabulary that fills their gaps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_GAP = re.compile(r"\{(\w*)\}")
_STOP = re.compile(r"\s*([,.;?!])")
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+(?=[A-Z])")
_HOURS = ("twelve", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven")
_MINUTES = {0: "", 15: " fifteen", 30: " thirty", 45: " forty five"}


def gaps(template: str) -> tuple[str, ...]:
    """The placeholders of a template, in order: "I have {first}." -> ("first",)."""
    return tuple(_GAP.findall(template))


def parts(template: str, fill: Mapping[str, tuple[str, ...]] | None = None) -> tuple[str, ...]:
    """What to say, in units that can be rendered ahead: one sentence each, or a stretch between two gaps.

    Raises KeyError for a gap that `fill` lacks; playbooks are checked for that when they are read.
    """
    found: list[str] = []
    for number, piece in enumerate(_GAP.split(template)):
        if number % 2:
            found.extend((fill or {})[piece])
            continue
        if found and (stop := _STOP.match(piece)):  # belongs to what fills the gap: "zero.", not ". Is that right?"
            found[-1] += stop[1]
        found.extend(_sentences(piece))
    return tuple(found)


def fill(template: str, values: Mapping[str, str]) -> str:
    """A written text with its gaps filled; values are taken as they are. Raises KeyError for a gap without one."""
    return _GAP.sub(lambda gap: values[gap[1]], template)


def constant_parts(template: str) -> tuple[str, ...]:
    """The parts of a template that do not depend on what fills its gaps."""
    return tuple(sentence for piece in _GAP.split(template)[::2] for sentence in _sentences(piece))


def _sentences(text: str) -> list[str]:
    """Commas and stops left over beside a gap are not spoken by themselves."""
    trimmed = re.sub(r"^[\s,.;?!]+", "", text).strip()
    return [sentence for sentence in _SENTENCE_END.split(trimmed) if sentence]


def spell(digits: str) -> tuple[str, ...]:
    """ "94107" -> ("nine", "four", "one", "zero", "seven")."""
    return tuple(DIGITS[int(digit)] for digit in digits)


def weekday(day: int) -> str:
    """0 -> "Monday"."""
    return WEEKDAYS[day].capitalize()


def clock(at: time) -> str:
    """10:00 -> "at ten in the morning". Only quarter hours are spoken, so that the vocabulary stays closed."""
    half = "in the morning" if at.hour < 12 else "in the afternoon" if at.hour < 18 else "in the evening"
    return f"at {_HOURS[at.hour % 12]}{_MINUTES[at.minute]} {half}"


def slot(at: datetime) -> tuple[str, ...]:
    """Tuesday the 24th, 10:00 -> ("Tuesday", "at ten in the morning")."""
    return weekday(at.weekday()), clock(at.time())


def slot_in_writing(at: datetime) -> str:
    """For a message: "Tuesday, November 24 at 10:00 AM"."""
    return f"{at:%A, %B} {at.day} at {at.hour % 12 or 12}:{at:%M} {'AM' if at.hour < 12 else 'PM'}"
