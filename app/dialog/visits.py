"""Appointments: which times to offer, and which one the caller chose. All times are the business's local times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.dialog import phrases, words
from app.dialog.script import Appointment

DAYS_ON_OFFER = 7

_FIRST = re.compile(r"\b(?:first|former|earlier|earliest|sooner|either|any|both|whichever|one)\b(?! of the)")
_SECOND = re.compile(r"\b(?:second|latter|later|last|other one|two)\b")
_OTHERS = re.compile(
    r"\b(?:neither|none|another|other|different|else|more times|next week|not good|do not work|does not work|can not)\b"
)
_DECLINES = re.compile(
    r"\b(?:no|not|without)\b.*\b(?:appointment|visits?|anyone|anybody|somebody|come|coming|meeting|yet|now)\b"
)
_HOUR = {word: number for word, number in words.UNITS.items() if 1 <= number <= 12}


@dataclass(frozen=True, slots=True)
class Chosen:
    at: datetime


@dataclass(frozen=True, slots=True)
class Others:
    """Other times are wanted; `near` are those that match what was asked for, possibly none."""

    near: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Declined:
    """No visit at all."""


def available(visit: Appointment, today: date) -> tuple[datetime, ...]:
    """Every time on offer, soonest first."""
    found = []
    for ahead in range(visit.days_ahead, visit.days_ahead + DAYS_ON_OFFER):
        day = today + timedelta(days=ahead)
        found += [datetime.combine(day, at) for weekday, at in visit.slots if weekday == day.weekday()]
    return tuple(sorted(found))


def two_of(times: tuple[datetime, ...]) -> tuple[datetime, ...]:
    """Two to choose from: the soonest, and the next that differs in both day and half of the day if there is one."""
    if len(times) < 2:
        return ()
    first = times[0]
    apart = [at for at in times[1:] if at.date() != first.date() and (at.hour < 12) != (first.hour < 12)]
    return first, (apart or list(times[1:]))[0]


def choose(
    text: str, offered: tuple[datetime, ...], times: tuple[datetime, ...], today: date, *, asked: bool
) -> Chosen | Others | Declined | None:
    """What the caller made of the offer.

    A day or an hour counts even if the offer was not `asked` in the caller's hearing; "the first one" does not.
    """
    said = words.normal(text)
    day, hour, half = _day(said, today), _hour(said), _half(said)
    if day is not None or hour is not None or half is not None:
        if re.search(r"\b(?:not|no|can not|except|neither)\b", said) and not re.search(
            r"\bbut\b|^no how|^no what", said
        ):
            return Others() if asked else None
        return _by_time(offered, times, day, hour, half)
    if not asked:
        return None
    if _DECLINES.search(said):
        return Declined()
    if _OTHERS.search(said) and not re.search(r"\bother one\b", said):
        return Others()
    if _SECOND.search(said):
        return Chosen(offered[-1])
    if _FIRST.search(said) and words.yes_or_no(text) is not False:
        return Chosen(offered[0])
    return Others() if words.yes_or_no(text) is False else None


def _by_time(
    offered: tuple[datetime, ...], times: tuple[datetime, ...], day: int | None, hour: int | None, half: str | None
) -> Chosen | Others:
    def fits(at: datetime) -> bool:
        return (
            (day is None or at.weekday() == day)
            and (hour is None or at.hour % 12 == hour % 12)
            and (half is None or (at.hour < 12) == (half == "morning"))
        )

    for candidates in ([at for at in offered if fits(at)], [at for at in times if fits(at)]):
        if len(candidates) == 1:
            return Chosen(candidates[0])
        if candidates:
            return Others(tuple(candidates))
    return Others(tuple(at for at in times if day is not None and at.weekday() == day))


def _day(said: str, today: date) -> int | None:
    for day, name in enumerate(phrases.WEEKDAYS):
        if words.holds(said, name) >= 0 or words.holds(said, f"{name}s") >= 0:
            return day
    if words.holds(said, "tomorrow") >= 0:
        return (today.weekday() + 1) % 7
    return None


def _hour(said: str) -> int | None:
    written = re.search(r"\b(\d{1,2})(?::\d\d)?(?: ?(?:am|pm|o'clock))?\b", said)
    if written and 1 <= int(written[1]) <= 12:
        return int(written[1])
    if words.holds_any(said, ("noon", "midday")):
        return 12
    spoken = [word for word in said.split() if word in _HOUR]
    if not spoken or re.search(r"\b(?:this|that|first|second|other|which|either|last|earlier|later) one\b", said):
        return None
    alone = len(said.split()) == 1 and spoken[0] in ("one", "two")
    return None if alone else _HOUR[spoken[0]]


def _half(said: str) -> str | None:
    if words.holds(said, "morning") >= 0 and not said.startswith("good morning"):
        return "morning"
    return "afternoon" if words.holds_any(said, ("afternoon", "evening")) else None
