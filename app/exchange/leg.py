"""One telephone on one call: its sound, its states, its instructions."""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.exchange.account import rfc2822
from app.exchange.callbacks import Notices
from app.exchange.calls import EVENT_OF, SIP, TERMINAL, Call, Status
from app.exchange.edges import Form
from app.exchange.faults import NONE, Faults
from app.exchange.office import Instruction, Office
from app.exchange.phones import Handset, Phone
from app.exchange.playout import Gap
from app.exchange.recording import Recording, Tape
from app.exchange.sound import FRAME_BYTES, FRAME_MS, QUIET, mix
from app.telephony.volume import gain, played_at


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who wants to know how the call goes on: initiated, ringing, answered, completed."""

    url: str = ""
    method: str = "POST"
    events: tuple[str, ...] = ("completed",)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The whole call is to be recorded."""

    dual: bool = False
    callback: str = ""


@dataclass(slots=True)
class StreamLog:
    """What became of one media stream, for those who measure. `..._at` are times of the event loop.

    `freed_at` is when a socket that had been read slowly was read as usual again, `piled_bytes` what then came at once.
    `spurts_at` are the moments audio came in while nothing waited to be played, `clears_at` those of each `clear`.
    """

    sid: str
    url: str
    gaps: list[Gap] = field(default_factory=list)
    marks: int = 0
    audio_bytes: int = 0
    spurts_at: list[float] = field(default_factory=list)
    clears_at: list[float] = field(default_factory=list)
    freed_at: float = 0.0
    piled_bytes: int = 0
    ended_by: str = ""


Perform = Callable[["Leg", Instruction], Coroutine[Any, Any, None]]


class Leg:
    """`tick` moves it on by 20 ms; `source` is what the person hears, `said` what the person said last.

    Life: `async with leg.opened()` makes the task group everything about the call runs in; inside it `live` runs from
    answer to hang-up. Leaving waits for the last status callback.
    """

    def __init__(self, office: Office, call: Call, phone: Phone, *, faults: Faults = NONE) -> None:
        self.office, self.call, self.phone, self.faults = office, call, phone, faults
        self.dice = random.Random(f"{faults.seed} {call.sid}")
        self.handset = Handset(self._keyed, self.hang_up)
        self.tape = Tape()
        self.said = QUIET
        self.source: Callable[[], bytes] = _nothing
        self.listeners: list[Callable[[bytes], None]] = []
        self._echo: deque[bytes] = deque()  # what was heard and has not come back yet
        self.key_listeners: list[Callable[[str], None]] = []
        self.subscription = Subscription()
        self.time_limit_s = 14_400.0
        self.streams: list[StreamLog] = []
        self.answered_at: float | None = None  # loop time of the first 20 ms
        self.given_up = asyncio.Event()
        self.refused = False  # its TwiML ended in <Hangup> or <Reject>
        self.nature = "human"  # what a machine detector would find
        self.recorded: Recorded | None = None
        self.final_extra: Form = ()  # told with the last status callback
        self._program: asyncio.Task[None] | None = None
        self._next: Instruction | None = None
        self._sequence = 0

    # life

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        self.office.calls[self.call.sid] = self.call
        self.office.legs[self.call.sid] = self
        try:
            async with asyncio.TaskGroup() as self.group:
                self.notices = Notices(self.office.courier, self.group, self.faults, self.dice)
                yield
        finally:
            self.office.legs.pop(self.call.sid, None)

    async def live(self, first: Coroutine[Any, Any, None], perform: Perform) -> None:
        """The person talks while `first`, and then whatever `redirect` brought, runs; ends with the call completed."""
        self.office.ticker.add(self)
        try:
            async with asyncio.TaskGroup() as group:
                person = group.create_task(self.phone.talk(self.handset), name=f"person {self.call.to}")
                try:
                    async with asyncio.timeout(self.time_limit_s):
                        await self._follow(group, first, perform)
                except TimeoutError:
                    self.given_up.set()
                person.cancel()
        finally:
            self.office.ticker.remove(self)
            self.given_up.set()
            if self.recorded is not None:
                self._keep_whole_call(self.recorded)
            self.progress(Status.COMPLETED)

    def _keep_whole_call(self, wish: Recorded) -> None:
        """Channel 1 is the side that was called, channel 2 the other."""
        tracks = bytes(self.tape.said), bytes(self.tape.heard)
        started = self.call.started_at or self.office.clock.now()
        kept = self.keep("OutboundAPI", tracks if wish.dual else (mix(tracks),), started, wish.callback)
        self.final_extra = (
            ("RecordingUrl", self.office.config.base_url + kept.uri),
            ("RecordingSid", kept.sid),
            ("RecordingDuration", str(kept.seconds)),
        )

    async def _follow(self, group: asyncio.TaskGroup, program: Coroutine[Any, Any, None], perform: Perform) -> None:
        while True:
            self._program = group.create_task(program, name=f"program {self.call.sid}")
            if self.hung_up:
                self._program.cancel()
            try:
                await asyncio.wait({self._program})
            finally:
                self._program.cancel()
            instruction, self._next = self._next, None
            if instruction is None or self.hung_up:
                return
            program = perform(self, instruction)

    def redirect(self, instruction: Instruction) -> None:
        """Replaces what the call does now: a stream or a gather ends."""
        self._next = instruction
        if self._program is not None:
            self._program.cancel()

    def hang_up(self) -> None:
        """Ends the call, whoever asks for it. While it still rings, `ringing` sees it."""
        self.given_up.set()
        if self._program is not None:
            self._program.cancel()

    @property
    def hung_up(self) -> bool:
        return self.given_up.is_set()

    # states

    def progress(self, status: Status, extra: Form = ()) -> None:
        """Moves the call on and tells who subscribed. Raises CarrierFault 21220 for an impossible move."""
        now = self.office.clock.now()
        self.call.move(status, now)
        event = EVENT_OF.get(status, "completed")
        if not self.subscription.url or event not in self.subscription.events:
            return
        form = self.call.form() + extra
        if status in TERMINAL:
            seconds = self.call.seconds if status is Status.COMPLETED else 0
            form += (("CallDuration", str(seconds)), ("Duration", str(math.ceil(seconds / 60))))
            form += self.final_extra
            if not any(name == "SipResponseCode" for name, _ in extra) and status in SIP:
                form += (("SipResponseCode", SIP[status]),)
        form += (
            ("Timestamp", rfc2822(now) or ""),
            ("CallbackSource", "call-progress-events"),
            ("SequenceNumber", str(self._sequence)),
        )
        self._sequence += 1
        self.notices.post(self.subscription.url, form, self.subscription.method)

    def keep(self, source: str, tracks: tuple[bytes, ...], started: datetime, callback: str = "") -> Recording:
        """Stores a finished recording and tells who asked for it."""
        office = self.office
        sid = office.sids.new("RE")
        recording = Recording(sid, self.call.account_sid, self.call.sid, source, started, "completed", tracks)
        office.recordings[sid] = recording
        self.notices.post(callback, recording.form(office.config.base_url))
        return recording

    # sound

    def tick(self) -> None:
        if self.answered_at is None:
            self.answered_at = asyncio.get_running_loop().time()
        heard = self.source()
        self.said = said = self._echoed(self.handset.tick(heard), heard)
        for listen in tuple(self.listeners):
            listen(said)
        self.tape.add(said, heard)

    def _echoed(self, said: bytes, heard: bytes) -> bytes:
        if not self.faults.echo_ms:
            return said
        self._echo.append(played_at(heard, *[gain(self.faults.echo_db)] * 2))
        return mix([said, self._echo.popleft()]) if len(self._echo) > self.faults.echo_ms // FRAME_MS else said

    async def play(self, mulaw: bytes) -> None:
        """Plays to the person, to the end."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        at = 0

        def pull() -> bytes:
            nonlocal at
            frame = mulaw[at : at + FRAME_BYTES]
            at += FRAME_BYTES
            if not frame and not done.done():
                done.set_result(None)
            return frame.ljust(FRAME_BYTES, b"\xff")

        with self.hearing(pull):
            await done

    def hearing(self, source: Callable[[], bytes]) -> _Hearing:
        """For as long as the `with` block lasts the person hears `source`."""
        return _Hearing(self, source)

    def _keyed(self, digit: str) -> None:
        for listen in tuple(self.key_listeners):
            listen(digit)


class _Hearing:
    def __init__(self, leg: Leg, source: Callable[[], bytes]) -> None:
        self._leg, self._source, self._before = leg, source, leg.source

    def __enter__(self) -> None:
        self._leg.source = self._source

    def __exit__(self, *error: object) -> None:
        self._leg.source = self._before


def _nothing() -> bytes:
    return QUIET
