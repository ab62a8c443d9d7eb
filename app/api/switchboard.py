"""Which calls this process holds, whether there is room for another, and when it may leave.

A call holds its seat from the ring, so that nobody is accepted and then dropped (P8), until its conversation is over.
It stays on the board a little longer: after our goodbye the carrier still asks what comes next, and must be answered.
All methods run on the event loop; `clock` is its time in seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from app import observe

RING_S = 75.0  # a media token lives 60 s; a seat nobody came to is free after that
FAREWELL_S = 5.0  # from the end of the conversation until the carrier has asked what comes next


class Stage(StrEnum):
    RINGING = "ringing"
    TALKING = "talking"
    LEAVING = "leaving"


@dataclass(slots=True)
class _Seat:
    stage: Stage
    since: float
    until: float | None
    end_reason: str | None = None
    end_now: Callable[[str], None] | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Switchboard:
    def __init__(self, seats: int, clock: Callable[[], float]) -> None:
        self._room = seats
        self._clock = clock
        self._calls: dict[str, _Seat] = {}
        self._draining = False

    def now(self) -> float:
        """Seconds on the event loop's clock."""
        return self._clock()

    @property
    def draining(self) -> bool:
        return self._draining

    def drain(self) -> None:
        """No new call from now on. Safe to call from a signal handler."""
        self._draining = True

    def live(self) -> int:
        """Calls that this process must still stay for."""
        self._sweep()
        return len(self._calls)

    def talking(self) -> tuple[str, ...]:
        return tuple(sid for sid, seat in self._calls.items() if seat.stage is Stage.TALKING)

    def why_not(self, call_sid: str) -> str | None:
        """None when this call may have a seat: "draining" or "full" otherwise. A call that has one keeps it."""
        self._sweep()
        if call_sid in self._calls:
            return None
        if self._draining:
            return "draining"
        taken = sum(seat.stage is not Stage.LEAVING for seat in self._calls.values())
        return "full" if taken >= self._room else None

    def reserve(self, call_sid: str) -> None:
        """The phone rings, or a lost stream is about to be opened again: keep a seat while the carrier connects."""
        seat = self._calls.get(call_sid)
        now = self._clock()
        if seat is None:
            self._calls[call_sid] = _Seat(Stage.RINGING, now, now + RING_S)
            observe.CALLS_ADMITTED.inc()
        elif seat.stage is not Stage.TALKING:
            seat.stage, seat.until, seat.end_reason = Stage.RINGING, now + RING_S, None
        self._report()

    def connected(self, call_sid: str, end_now: Callable[[str], None]) -> None:
        """The conversation begins. `end_now(reason)` asks it to say goodbye."""
        now = self._clock()
        before = self._calls.get(call_sid)
        if before is not None and before.stage is Stage.RINGING:
            observe.CALL_SETUP_SECONDS.observe(now - before.since)
        self._calls[call_sid] = _Seat(Stage.TALKING, now, None, end_now=end_now)
        self._report()

    def left(self, call_sid: str, reason: str) -> None:
        """The conversation is over; `reason` as in `CallEnded`."""
        now = self._clock()
        if before := self._calls.get(call_sid):
            before.over.set()
        self._calls[call_sid] = _Seat(Stage.LEAVING, now, now + FAREWELL_S, end_reason=reason)
        observe.CALLS_ENDED.labels(reason).inc()
        self._report()

    def gone(self, call_sid: str) -> None:
        """The carrier says the leg is over, or was told to hang up."""
        seat = self._calls.get(call_sid)
        if seat is not None and seat.stage is not Stage.TALKING:
            del self._calls[call_sid]
            self._report()

    def end_reason(self, call_sid: str) -> str | None:
        """How the conversation ended, if it was here and ended just now."""
        seat = self._calls.get(call_sid)
        return seat.end_reason if seat else None

    def is_talking(self, call_sid: str) -> bool:
        seat = self._calls.get(call_sid)
        return seat is not None and seat.stage is Stage.TALKING

    async def wait_over(self, call_sid: str, patience_s: float) -> bool:
        """True once no conversation of this call is going on. The carrier may ask what comes next before ours is
        wound up; one whose line is dead without our knowing is told so, and then waited for once more."""
        for last in (False, True):
            seat = self._calls.get(call_sid)
            if seat is None or seat.stage is not Stage.TALKING:
                return True
            if last and seat.end_now is not None:
                seat.end_now("media_lost")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await seat.over.wait()
        return not self.is_talking(call_sid)

    def end_all(self, reason: str) -> None:
        """Every conversation says goodbye now."""
        for seat in list(self._calls.values()):
            if seat.end_now is not None:
                seat.end_now(reason)

    def _sweep(self) -> None:
        now = self._clock()
        for call_sid in [sid for sid, seat in self._calls.items() if seat.until is not None and seat.until <= now]:
            del self._calls[call_sid]
        self._report()

    def _report(self) -> None:
        observe.CALLS_ACTIVE.set(sum(seat.stage is not Stage.LEAVING for seat in self._calls.values()))
        observe.DRAIN_REMAINING.set(len(self._calls) if self._draining else 0)
