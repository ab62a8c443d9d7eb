"""People who phone in to the service while it is under strain, and what each of them heard."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.dialog.transcript import percentile
from app.exchange.bench_callers import Caller, Numbers, Talker
from app.exchange.bench_ear import Ear, listen
from app.exchange.caller_words import Register
from app.exchange.exchange import CallRecord, Exchange
from app.exchange.faults import NONE, Faults
from app.exchange.phones import Handset
from app.local import NUMBER

GAP_S = 0.1  # between two people's dialling
_LONG_S = 99.0
_STAYS_MS = 4_000


class Ringer(Talker):
    """A talker who knows when he was told that there is no seat; then he hangs up."""

    told_at = 0.0  # the loop's time

    def _told_off(self, text: str) -> None:
        self.told_at = self.told_at or asyncio.get_running_loop().time()
        super()._told_off(text)


class BreaksIn(Caller):
    """Asks over whatever is being said `at_ms` after he was connected, hears the answer out, and hangs up."""

    def __init__(self, number: int, register: Register, at_ms: int) -> None:
        super().__init__(number, register)
        self._at_ms = at_ms

    async def talk(self, handset: Handset) -> None:
        self.handset = handset
        await self._wait_until(self._at_ms)
        await self.converse()
        handset.hang_up()

    async def converse(self) -> None:
        await self.ask("break in")
        await self._wait_until(self._at_ms + _STAYS_MS)  # what he hears meanwhile may be from before
        await self.hear_out()

    async def _wait_until(self, ms: int) -> None:
        await self.handset.until(lambda: self.handset.now_ms >= ms)


@dataclass(frozen=True, slots=True)
class Heard:
    """One call that is over. Times are the loop's."""

    record: CallRecord
    ear: Ear
    dialled_at: float
    told_at: float

    @property
    def answered_s(self) -> float:
        """From dialling to the first word, whoever says it."""
        if self.ear.refused:
            return self.told_at - self.dialled_at
        heard = self.record.handset.heard
        return self.record.answered_at + heard[0].from_ms / 1000 - self.dialled_at if heard else _LONG_S

    @property
    def trouble(self) -> str:
        """What became of a call that was taken on, if it was not what its caller was owed; "" if it was."""
        if self.ear.refused:
            return ""
        ended = [stream.ended_by for stream in self.record.streams]
        if ended != ["carrier"]:
            return f"streams ended by {', '.join(ended) or 'nobody: there was none'}"
        if not self.ear.greeted:
            return "not greeted"
        return "a reply missed" if self.ear.unanswered else ""

    @property
    def piled_bytes(self) -> int:
        return max((stream.piled_bytes for stream in self.record.streams), default=0)

    @property
    def cleared_s(self) -> float:
        """From when a slow link was free again to the first `clear` after the caller spoke; 0 if it had come before."""
        spoke_at = self.record.answered_at + self.record.handset.spoken[0].from_ms / 1000
        found = [
            max(0.0, at - stream.freed_at)
            for stream in self.record.streams
            for at in stream.clears_at
            if at >= spoke_at
        ]
        return min(found, default=_LONG_S)


class Desk:
    """Dials for people."""

    def __init__(self, exchange: Exchange, register: Register, numbers: Numbers) -> None:
        self._exchange, self._register, self._numbers = exchange, register, numbers

    def talkers(self, people: int, seconds: float) -> list[Caller]:
        return [Ringer(self._numbers.take(), self._register, seconds) for _ in range(people)]

    def breaks_in(self, at_ms: int) -> Caller:
        return BreaksIn(self._numbers.take(), self._register, at_ms)

    async def hold(
        self, callers: Sequence[Caller], when_s: Sequence[float] = (), faults: Sequence[Faults] = ()
    ) -> list[Heard]:
        """To the end of the last call. `when_s`: when each dials, from now; a moment apart if not given."""

        async def call(place: int, caller: Caller) -> Heard:
            await asyncio.sleep(when_s[place] if when_s else GAP_S * place)
            clock = asyncio.get_running_loop().time
            dialled_at, number = clock(), f"+1202555{caller.number:04d}"
            record = await self._exchange.dial_in(number, NUMBER, caller, faults[place] if faults else NONE)
            self._exchange.forget(record.call.sid)
            told_at = caller.told_at if isinstance(caller, Ringer) else 0.0
            return Heard(record, listen(record, caller.said, refused=caller.refused), dialled_at, told_at)

        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(call(*each), name="caller") for each in enumerate(callers)]
        return [one.result() for one in calls]


def p95_ms(people: Iterable[Heard]) -> int:
    """Voice to voice, of all their turns."""
    replies = [spoke.reply_ms for one in people for spoke in one.ear.spoke if spoke.kind in ("ask", "break in")]
    return percentile([ms for ms in replies if ms is not None], 0.95) or round(_LONG_S * 1000)
