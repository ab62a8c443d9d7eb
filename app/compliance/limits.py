"""How much of a workspace's calls and messages may go out: caps on speed and money, against fraud and mistakes (T06).

Pure: what was used is given. The gate is told the objections and decides with them as with any other rule's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from app.compliance.gate import Finding

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """`reach`: what a number must begin with, as in "+1"."""

    calls_per_minute: int
    calls_per_hour: int
    calls_per_day: int
    messages_per_day: int
    spend_per_day_usd: Decimal
    reach: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Used:
    """`minute`, `hour` and `day` count attempts; `minute_since` and `hour_since` are the oldest of those. `spent_usd`
    is what the day's calls cost, those that go on as estimated. The day ends at `day_ends`."""

    minute: int
    hour: int
    day: int
    messages: int
    spent_usd: Decimal
    day_ends: datetime
    minute_since: datetime | None = None
    hour_since: datetime | None = None


def calls_over(limits: Limits, used: Used, now: datetime) -> tuple[Finding, ...]:
    """What speaks against one more call. All of it passes by waiting."""
    found = []
    if used.minute >= limits.calls_per_minute:
        free_at = (used.minute_since or now) + MINUTE
        found.append(_finding("minute", f"{used.minute} calls were placed within a minute", free_at, now))
    if used.hour >= limits.calls_per_hour:
        free_at = (used.hour_since or now) + HOUR
        found.append(_finding("hour", f"{used.hour} calls were placed within an hour", free_at, now))
    if used.day >= limits.calls_per_day:
        found.append(_finding("day", f"{used.day} calls were placed today", used.day_ends, now))
    return (*found, *_spend(limits, used, now))


def messages_over(limits: Limits, used: Used, now: datetime) -> tuple[Finding, ...]:
    """What speaks against one more message."""
    found: tuple[Finding, ...] = ()
    if used.messages >= limits.messages_per_day:
        found = (_finding("messages", f"{used.messages} messages were sent today", used.day_ends, now),)
    return (*found, *_spend(limits, used, now))


def _spend(limits: Limits, used: Used, now: datetime) -> tuple[Finding, ...]:
    if used.spent_usd < limits.spend_per_day_usd:
        return ()
    return (_finding("spend", f"Today's calls have cost {used.spent_usd:.2f} USD", used.day_ends, now),)


def _finding(cap: str, what: str, free_at: datetime, now: datetime) -> Finding:
    return Finding(
        f"T06.{cap}", f"{what}: this workspace's limit is reached.", max(free_at, now + timedelta(seconds=1))
    )
