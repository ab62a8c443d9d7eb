"""An event loop on which time costs nothing.

When nothing is ready to run, its clock jumps to the next timer, so a two-minute call runs in milliseconds and always
the same way. It has no sockets, pipes, signals or threads: what a call needs from outside is connected in memory, and
work handed to an executor runs at once, on the loop's own thread.

    result = run(whole_call())
"""

from __future__ import annotations

import asyncio
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

STARTED_AT = 1000.0  # not 0, so that code which takes a time of 0 for "none" shows


class _Jump:
    """Stands where a loop keeps its selector: instead of waiting for time to pass, it moves the clock."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise RuntimeError(self._loop.deadlock())
        self._loop.advance(timeout)
        return []

    def close(self) -> None:
        """Nothing to close."""


class VirtualLoop(BaseEventLoop):
    """Time in seconds from 1000.0. Raises RuntimeError when tasks wait but nothing could ever wake them."""

    def __init__(self) -> None:
        super().__init__()
        self._now = STARTED_AT
        self._selector = _Jump(self)
        # A timer must be due once the clock has jumped to it, whatever the float sum lost on the way.
        self._clock_resolution = 1e-7

    def time(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds

    def deadlock(self) -> str:
        """One sentence naming every task and the line it waits at."""
        waiting = []
        for task in asyncio.all_tasks(self):
            frames = task.get_stack(limit=1)
            where = f"{frames[0].f_code.co_filename}:{frames[0].f_lineno}" if frames else "nowhere"
            waiting.append(f"{task.get_name()} at {where}")
        return f"deadlock: no timer is set and nothing is ready; waiting: {', '.join(sorted(waiting)) or 'no task'}"

    def run_in_executor(self, executor: Any, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Runs `func` now. The result arrives one turn of the loop later, as it would from a thread."""
        future: asyncio.Future[T] = self.create_future()

        def settle(result: T) -> None:
            if not future.done():
                future.set_result(result)

        try:
            self.call_soon(settle, func(*args))
        except Exception as error:  # whatever it raised belongs to the one who waits for it
            future.set_exception(error)
        return future

    # What BaseEventLoop leaves to its subclasses: there is nothing to watch and no other thread to be woken by.

    def _process_events(self, event_list: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs `main` to its end on a VirtualLoop of its own, as `asyncio.run` would."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
