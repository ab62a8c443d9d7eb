"""What a service did while it was strained, and how long the machine kept it waiting: Linux's own count.

A loop that is late because other programs have its processor looks from outside like one that has too much to do. The
kernel knows the difference: a thread that could run and was not let is in its run queue, and the time there is counted
(/proc/PID/task/TID/schedstat, second field, nanoseconds).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

SAMPLE_S = 0.1


@dataclass(slots=True)
class Waits:
    """Of the thread of the event loop, which is a process's first: ms in the run queue, in all and the most between two
    looks. `cpu_s` is the whole process's. Zero where the system does not count."""

    total_ms: float = 0.0
    most_ms: float = 0.0
    cpu_s: float = 0.0
    _last_ms: float | None = field(default=None, repr=False)

    def saw(self, waited_ms: float | None) -> None:
        """The count so far; None where there is none."""
        if waited_ms is not None and self._last_ms is not None:
            self.total_ms += waited_ms - self._last_ms
            self.most_ms = max(self.most_ms, waited_ms - self._last_ms)
        self._last_ms = waited_ms

    def __str__(self) -> str:
        return (
            f"the service used {self.cpu_s:.1f} s of processor; its loop was kept waiting for one "
            f"{self.total_ms / 1000:.1f} s in all, {self.most_ms:.0f} ms at most"
        )


@contextlib.asynccontextmanager
async def waits(pid: int) -> AsyncIterator[Waits]:
    """Complete when the block is left."""
    found, process = Waits(), psutil.Process(pid)
    began_s = _cpu_s(process)

    async def look() -> None:
        while True:
            found.saw(waited_ms(pid))
            await asyncio.sleep(SAMPLE_S)

    async with asyncio.TaskGroup() as group:
        looking = group.create_task(look(), name="waits")
        try:
            yield found
        finally:
            looking.cancel()
    found.saw(waited_ms(pid))
    found.cpu_s = _cpu_s(process) - began_s


def waited_ms(pid: int) -> float | None:
    """None where the system does not count."""
    try:
        return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e6
    except (OSError, ValueError, IndexError):
        return None


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
