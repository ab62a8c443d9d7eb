"""How well this process runs: the lateness of its event loop, its share of a core, the descriptors it has left.

A thread beside the loop notices when the loop stands still, and logs where (F23): nothing on the loop could.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import FrameType

from app import observe
from app.api.room import Room
from app.rounds import next_round

log = observe.log(__name__)

LAG_SAMPLE_S = 0.1
ALONE_S = 0.25  # the same while there are few calls: the loop is seldom late then, and each sample wakes the process
FEW_CALLS = 4
SHARE_SAMPLE_S = 1.0
BLOCKED_S = 0.5  # standing still for so long is worth a line in the log
_FILES = Path("/proc/self/fd")
_STACK_LINES = 12


class Pulse:
    """`talking` counts the conversations of this process."""

    def __init__(self, room: Room, talking: Callable[[], int]) -> None:
        self._room, self._talking = room, talking
        self._beat = 0.0
        self._stop = threading.Event()

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        self._beat = time.monotonic()
        watcher = threading.Thread(target=self._watch, args=(threading.get_ident(),), name="pulse", daemon=True)
        async with asyncio.TaskGroup() as group:
            tasks = (group.create_task(self._lag(), name="loop lag"), group.create_task(self._share(), name="share"))
            watcher.start()
            try:
                yield
            finally:
                self._stop.set()
                for task in tasks:
                    task.cancel()

    async def _lag(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            every_s = LAG_SAMPLE_S if self._talking() > FEW_CALLS else ALONE_S
            due = await next_round(every_s)
            now = clock()
            self._beat = time.monotonic()
            self._room.lagged(max(0.0, now - due) * 1000, now)
            observe.LOOP_LAG_SECONDS.observe(max(0.0, now - due))

    async def _share(self) -> None:
        """Of the loop's own thread, which is one core's at most; of all threads, where they share few cores."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        before = (time.perf_counter(), time.thread_time(), time.process_time())
        while True:
            await next_round(SHARE_SAMPLE_S)
            now = (time.perf_counter(), time.thread_time(), time.process_time())
            wall, loop, process = (after - earlier for after, earlier in zip(now, before, strict=True))
            before = now
            self._room.measured(max(loop, process / cores) / wall, self._talking(), files_left())
            observe.LOOP_LAG_P99_SECONDS.set(self._room.lag_ms / 1000)
            observe.CALL_SHARE.set(self._room.call_share)

    def _watch(self, loop_thread: int) -> None:
        told_of = 0.0
        while not self._stop.wait(BLOCKED_S / 2):
            beat = self._beat
            stood_s = time.monotonic() - beat
            if stood_s > BLOCKED_S and beat != told_of and (frame := sys._current_frames().get(loop_thread)):
                told_of = beat
                observe.LOOP_BLOCKED.inc()
                log.error("the event loop stands still", for_s=round(stood_s, 2), stack=_stack(frame))


def allow_more_files() -> None:
    """Systems often grant a thousand descriptors, and many more to who asks."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(OSError, ValueError):  # macOS names a limit that it does not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def files_left() -> int:
    """Descriptors this process may still open; many where that cannot be known."""
    with suppress(OSError):
        return resource.getrlimit(resource.RLIMIT_NOFILE)[0] - sum(1 for _ in _FILES.iterdir())
    return 1_000_000


def _stack(frame: FrameType) -> list[str]:
    """Innermost last."""
    summary = traceback.extract_stack(frame)[-_STACK_LINES:]
    return [f"{Path(entry.filename).name}:{entry.lineno} {entry.name}" for entry in summary]
