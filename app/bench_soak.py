"""`strowger bench --soak`: many short calls, fifty at a time; does the service's memory grow?

Its memory is read whenever fifty calls are over and their books closed. The first hundred fill caches and pools and do
not count; through the readings after them goes a straight line, whose slope is printed with its interval. What a call
takes while it is on is the most that fifty at once took beyond the reading before them, the first fifty included.

Lines that were said are kept for being said again, up to a fixed size (`MOST_BYTES` in providers/phrase_store.py). What
that store holds is read with the memory and taken off before the line is drawn. Both slopes are printed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import uvloop
from rich.console import Console

from app.bench import Bench, Configuration, Watch, chosen, configurations, heard, opened
from app.exchange.bench_callers import Talker

AT_ONCE = 50
_WARMING = 2  # readings after the one before the first call that do not count
_FLAT_MB = 1.0  # a hundred calls may leave behind (P10): 10 kB a call, less than the allocator's own ups and downs
_CALL_MB = 3.0
_REST_S = 3.0
# Student's t, two-sided 95 %, by degrees of freedom.
_T95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23)


@dataclass(frozen=True, slots=True)
class Soak:
    """The service's memory in MB at the beginning and after each fifty calls, how much of it was lines kept for being
    said again, the most a call took while it was on, and what went wrong."""

    memory_mb: tuple[float, ...]
    phrases_mb: tuple[float, ...]
    call_mb: float
    missed: int

    @property
    def slope_mb(self) -> tuple[float, float]:
        """Per hundred calls, and half its 95 % interval, without the kept lines."""
        return slope([mb - kept for mb, kept in zip(self.memory_mb, self.phrases_mb, strict=True)])

    @property
    def good(self) -> bool:
        """Flat: the whole interval of the slope lies below what is allowed."""
        growth, half = self.slope_mb
        return growth + half <= _FLAT_MB and self.call_mb < _CALL_MB and not self.missed

    def as_dict(self) -> dict[str, object]:
        growth, half = self.slope_mb
        return {
            "memory_mb": [round(mb, 1) for mb in self.memory_mb],
            "phrases_mb": [round(mb, 1) for mb in self.phrases_mb],
            "mb_per_call": round(self.call_mb, 2),
            "slope_mb_per_100_calls": round(growth, 2),
            "slope_interval": [round(growth - half, 2), round(growth + half, 2)],
            "slope_with_phrases": round(slope(self.memory_mb)[0], 2),
            "good": self.good,
            "calls_without_a_reply": self.missed,
        }

    def sentence(self) -> str:
        growth, half = self.slope_mb
        return (
            f"{self.call_mb:.2f} MB a call while it is on (limit {_CALL_MB:g}); {growth:+.2f} MB per 100 calls, 95 % "
            f"interval {growth - half:+.2f} to {growth + half:+.2f} (flat: below {_FLAT_MB:g}), with the kept lines "
            f"{slope(self.memory_mb)[0]:+.2f}; {self.missed} calls without a reply: "
            f"{'held' if self.good else 'NOT HELD'}"
        )


def slope(readings: Sequence[float]) -> tuple[float, float]:
    """Of a straight line through all but the first readings, per hundred calls, and half its 95 % interval; (0, 0) for
    too few."""
    counted = np.array(readings[1 + _WARMING :])
    if len(counted) < 3:
        return 0.0, 0.0
    x = np.arange(len(counted)) * AT_ONCE / 100
    rise, cut = np.polyfit(x, counted, 1)
    freedom = len(counted) - 2
    spread = float(np.sum((counted - (rise * x + cut)) ** 2)) / freedom
    error = (spread / float(np.sum((x - x.mean()) ** 2))) ** 0.5
    return float(rise), error * _T95[min(freedom, len(_T95)) - 1]


async def soak(bench: Bench, what: Configuration, calls: int, console: Console) -> Soak:
    """Raises ServiceNotStarted."""
    async with bench.ready(what) as (line, service), asyncio.TaskGroup() as group:
        memory, phrases = [service.rss() / 1e6], [0.0]
        missed, call_mb, began = 0, 0.0, time.monotonic()
        console.print(f"before the first call: {memory[0]:.1f} MB")
        for batch in range(calls // AT_ONCE):
            watch = Watch(service)
            watching = group.create_task(watch.run(), name="watch")
            register = line.providers.register
            held = await line.hold([Talker(bench.numbers.take(), register, 0) for _ in range(AT_ONCE)])
            watching.cancel()
            missed += sum(ear.unanswered or ear.refused for ear in heard(held))
            line.providers.forget()
            await asyncio.sleep(_REST_S)
            call_mb = max(call_mb, (watch.most_bytes / 1e6 - memory[-1]) / AT_ONCE)
            memory.append(service.rss() / 1e6)
            phrases.append(await asyncio.to_thread(service.metric, "phrases_bytes") / 1e6)
            console.print(
                f"after {(batch + 1) * AT_ONCE} calls: {memory[-1]:.1f} MB, {phrases[-1]:.1f} of it kept lines; "
                f"{watch.most_bytes / 1e6:.1f} with {AT_ONCE} on, {time.monotonic() - began:.0f} s"
            )
        return Soak(tuple(memory), tuple(phrases), call_mb, missed)


def report(only: Sequence[str], calls: int, processes: int, *, as_json: bool) -> int:
    """The default configuration if none was chosen. The exit code is 0 when memory holds its limits."""
    console = Console(quiet=as_json)
    names = list(only) or list(configurations())[:1]
    good = True
    with opened(processes) as bench:
        for what in chosen(names):
            console.print(f"{what.name}: {calls} short calls, {AT_ONCE} at a time", style="bold")
            found = uvloop.run(soak(bench, what, calls, console))
            good = good and found.good
            console.print(found.sentence(), style="bold" if found.good else "bold red")
            if as_json:
                sys.stdout.write(json.dumps({"configuration": what.name, **found.as_dict()}, indent=2) + "\n")
    return 0 if good else 1
