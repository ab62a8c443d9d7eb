"""May a call start at this instant, in every zone and under every region that is plausible for the number?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

from app.compliance.holidays import Holiday, is_holiday
from app.compliance.rules import Hours, Region, Window

SATURDAY, SUNDAY = 5, 6
LOOK_AHEAD = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Local:
    """The hours of the called party, as far as they can be known."""

    zones: tuple[ZoneInfo, ...]
    regions: tuple[Region, ...]
    holidays: tuple[Holiday, ...]

    def closed_by(self, now: datetime) -> tuple[Region, ...]:
        """The regions that forbid this instant in at least one plausible zone; empty when a call may start."""
        return tuple(
            region for region in self.regions if not all(self._open(now, zone, region.hours) for zone in self.zones)
        )

    def next_opening(self, after: datetime) -> datetime | None:
        """The first instant from `after` on at which a call may start, or None within the next 14 days."""
        candidates = sorted({after, *(at for at in self._openings(after) if at > after)})
        return next((at for at in candidates if not self.closed_by(at)), None)

    def _open(self, now: datetime, zone: ZoneInfo, hours: Hours) -> bool:
        local = now.astimezone(zone)
        window = self._window(local, hours)
        return window is not None and window.opens <= local.time() < window.closes

    def _window(self, local: datetime, hours: Hours) -> Window | None:
        """The window of a local day; on a holiday the stricter of the holiday's and the weekday's."""
        weekday = local.weekday()
        usual = hours.sat if weekday == SATURDAY else hours.sun if weekday == SUNDAY else hours.mon_fri
        if not is_holiday(local.date(), self.holidays):
            return usual
        if usual is None or hours.holidays is None:
            return None
        opens, closes = max(usual.opens, hours.holidays.opens), min(usual.closes, hours.holidays.closes)
        return Window(opens, closes) if opens < closes else None

    def _openings(self, after: datetime) -> Iterator[datetime]:
        """Every instant at which some window opens: the only instants at which "closed" can turn into "open"."""
        days = LOOK_AHEAD.days + 2
        for zone, region in product(self.zones, self.regions):
            first = after.astimezone(zone).date() - timedelta(1)
            for offset in range(days):
                midnight = datetime.combine(first + timedelta(offset), datetime.min.time(), zone)
                if window := self._window(midnight, region.hours):
                    yield datetime.combine(midnight.date(), window.opens, zone).astimezone(UTC)


def zones_named(names: Iterable[str]) -> tuple[ZoneInfo, ...]:
    """Raises ZoneInfoNotFoundError or ValueError for a name that is no zone."""
    return tuple(ZoneInfo(name) for name in sorted(set(names)))
