"""What a process does now and then, it does together: to be woken costs more than most of it."""

from __future__ import annotations

import asyncio

_SOON = 0.1  # of a period: so short before a round, the next one is meant


def round_after(now: float, period_s: float) -> float:
    """The time of the next round on the same clock: a multiple of the period, at least a tenth of one away."""
    away_s = period_s - now % period_s
    return now + away_s + (period_s if away_s < _SOON * period_s else 0.0)


async def next_round(period_s: float) -> float:
    """Sleeps until then. Whoever sleeps for a period that divides another's, or is divided by it, wakes together with
    it. Returns the time of the loop at which the round was due."""
    now = asyncio.get_running_loop().time()
    due = round_after(now, period_s)
    await asyncio.sleep(due - now)
    return due
