"""`strowger bench --soak`: many short calls, one after the other and some at a time; does the service's memory grow?

Its memory is read whenever a hundred calls are over and their books closed. The first hundred fill caches and pools and
do not count; through the others goes a straight line, whose slope is printed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import uvloop
from rich.console import Console

from app.bench import Bench, Configuration, chosen, configurations, heard, opened
from app.exchange.bench_callers import Talker

_HUNDRED = 100
_AT_ONCE = 50
_FLAT_MB = 1.0  # a hundred calls may leave behind: 10 kB a call, less than the allocator's own ups and downs
_REST_S = 3.0


@dataclass(frozen=True, slots=True)
class Soak:
    """The service's memory in MB at the beginning and after each hundred calls, and what went wrong."""

    memory_mb: tuple[float, ...]
    missed: int

    @property
    def slope_mb(self) -> float:
        """Per hundred calls, over all hundreds but the first."""
        counted = self.memory_mb[1:]
        return float(np.polyfit(range(len(counted)), counted, 1)[0]) if len(counted) > 1 else 0.0

    @property
    def flat(self) -> bool:
        return self.slope_mb <= _FLAT_MB and not self.missed

    def as_dict(self) -> dict[str, object]:
        return {
            "memory_mb": [round(mb, 1) for mb in self.memory_mb],
            "slope_mb_per_100_calls": round(self.slope_mb, 2),
            "flat": self.flat,
            "calls_without_a_reply": self.missed,
        }


async def soak(bench: Bench, what: Configuration, calls: int, console: Console) -> Soak:
    """Raises ServiceNotStarted."""
    async with bench.ready(what) as (line, service):
        memory, missed = [service.rss() / 1e6], 0
        console.print(f"before the first call: {memory[0]:.1f} MB")
        for hundred in range(calls // _HUNDRED):
            for _ in range(_HUNDRED // _AT_ONCE):
                held = await line.hold(
                    [Talker(bench.numbers.take(), line.providers.register, 0) for _ in range(_AT_ONCE)]
                )
                missed += sum(ear.unanswered for ear in heard(held))
            line.providers.forget()
            await asyncio.sleep(_REST_S)
            memory.append(service.rss() / 1e6)
            console.print(f"after {(hundred + 1) * _HUNDRED} calls: {memory[-1]:.1f} MB")
        return Soak(tuple(memory), missed)


def report(only: Sequence[str], calls: int, processes: int, *, as_json: bool) -> int:
    """The default configuration if none was chosen. The exit code is 0 when the memory is flat."""
    console = Console(quiet=as_json)
    names = list(only) or list(configurations())[:1]
    flat = True
    with opened(processes) as bench:
        for what in chosen(names):
            console.print(f"{what.name}: {calls} short calls, {_AT_ONCE} at a time", style="bold")
            found = uvloop.run(soak(bench, what, calls, console))
            flat = flat and found.flat
            console.print(
                f"{found.slope_mb:+.2f} MB per 100 calls, flat is {_FLAT_MB:g} or less: "
                f"{'flat' if found.flat else 'NOT FLAT'}; {found.missed} calls without a reply",
                style="bold" if found.flat else "bold red",
            )
            if as_json:
                sys.stdout.write(json.dumps({"configuration": what.name, **found.as_dict()}, indent=2) + "\n")
    return 0 if flat else 1
