"""Legal holidays as data: a fixed date, the n-th weekday of a month, or a distance from Easter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

SATURDAY, SUNDAY = 5, 6


@dataclass(frozen=True, slots=True)
class Holiday:
    """Exactly one of the three is set. `nth` is (month, weekday with 0 = Monday, which one; -1 is the last)."""

    name: str
    fixed: tuple[int, int] | None = None
    nth: tuple[int, int, int] | None = None
    easter: int | None = None


def parse_holiday(entry: Mapping[str, Any]) -> Holiday:
    """Raises KeyError, TypeError or ValueError for an entry that is not exactly one kind of holiday."""
    fixed, nth, easter = entry.get("fixed"), entry.get("nth"), entry.get("easter")
    if sum(kind is not None for kind in (fixed, nth, easter)) != 1:
        raise ValueError(f"{entry['name']}: needs one of fixed, nth, easter")
    if fixed is not None:
        month, day = fixed
        return Holiday(entry["name"], fixed=(int(month), int(day)))
    if nth is not None:
        month, weekday, which = nth
        return Holiday(entry["name"], nth=(int(month), int(weekday), int(which)))
    return Holiday(entry["name"], easter=int(entry["easter"]))


def is_holiday(day: date, holidays: Iterable[Holiday]) -> bool:
    """Fixed dates also count on the weekday they are observed on: Friday for a Saturday, Monday for a Sunday."""
    return day in _dates(day.year, tuple(holidays))


@lru_cache(maxsize=16)
def _dates(year: int, holidays: tuple[Holiday, ...]) -> frozenset[date]:
    found: set[date] = set()
    for around in (year - 1, year, year + 1):  # 1 January on a Saturday is observed in the year before
        for holiday in holidays:
            found |= _dates_of(around, holiday)
    return frozenset(day for day in found if day.year == year)


def _dates_of(year: int, holiday: Holiday) -> set[date]:
    if holiday.fixed is not None:
        day = date(year, *holiday.fixed)
        observed = {SATURDAY: day - timedelta(1), SUNDAY: day + timedelta(1)}.get(day.weekday(), day)
        return {day, observed}
    if holiday.nth is not None:
        return {_nth_weekday(year, *holiday.nth)}
    return {_easter(year) + timedelta(holiday.easter or 0)}


def _nth_weekday(year: int, month: int, weekday: int, which: int) -> date:
    if which > 0:
        first = date(year, month, 1)
        return first + timedelta((weekday - first.weekday()) % 7 + 7 * (which - 1))
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(1)
    return last - timedelta((last.weekday() - weekday) % 7 + 7 * (-which - 1))


def _easter(year: int) -> date:
    """Gregorian computus (Meeus, Jones and Butcher)."""
    golden, century = year % 19, year // 100
    correction = (century - century // 4 - (8 * century + 13) // 25 + 19 * golden + 15) % 30
    moon = correction - (correction // 28) * (1 - (29 // (correction + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + moon + 2 - century + century // 4) % 7
    offset = moon - weekday
    month = 3 + (offset + 40) // 44
    return date(year, month, offset + 28 - 31 * (month // 4))
