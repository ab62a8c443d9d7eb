"""Quiet hours: wall-clock times of a workspace in which nobody is to be disturbed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Quiet:
    """From `begin` up to `end` in `zone`; over midnight where `end` is the earlier one. Two equal times: never."""

    zone: ZoneInfo
    begin: time
    end: time

    def at(self, moment: datetime) -> bool:
        wall = moment.astimezone(self.zone).time()
        if self.begin <= self.end:
            return self.begin <= wall < self.end
        return wall >= self.begin or wall < self.end


def held_until(quiet: Quiet | None, now: datetime) -> datetime | None:
    """When the quiet hours that `now` falls into are over, in UTC; None when it falls into none."""
    if quiet is None or not quiet.at(now):
        return None
    local = now.astimezone(quiet.zone)
    day = local.date() if local.time() < quiet.end else local.date() + timedelta(days=1)
    # In the hour that comes twice in autumn, `fold` says which of the two it is now.
    fold = local.fold if day == local.date() else 0
    return datetime.combine(day, quiet.end, quiet.zone).replace(fold=fold).astimezone(UTC)
