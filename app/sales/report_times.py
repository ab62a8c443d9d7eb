"""When a scheduled report is due, and what time it is about. Pure: in the workspace's time zone, clocks that change
included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Times:
    """Every day at `hour`, or every week on `weekday` (1 Monday .. 7 Sunday) at that hour."""

    hour: int
    weekday: int | None = None

    @property
    def days(self) -> int:
        """How many days each report is about."""
        return 1 if self.weekday is None else 7


def next_at(times: Times, after: datetime, zone: ZoneInfo) -> datetime:
    """The first time later than `after`, in UTC. Where the hour is left out in spring, it is the hour that comes
    instead; where it comes twice in autumn, the first."""
    day = after.astimezone(zone).date()
    while True:
        if times.weekday is None or day.isoweekday() == times.weekday:
            at = datetime.combine(day, time(times.hour), zone).astimezone(UTC)
            if at > after:
                return at
        day += timedelta(days=1)


def span(times: Times, due: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The whole days before the day of `due`, from midnight to midnight there."""
    last = due.astimezone(zone).date()
    return _midnight(last - timedelta(days=times.days), zone), _midnight(last, zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
