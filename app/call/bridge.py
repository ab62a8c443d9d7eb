"""WebSocket <-> media stream <-> conversation, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from app.call.line import StreamLine
from app.call.pacer import Pacer
from app.call.session import converse
from app.call.setup import CallSetup, Parts
from app.dialog.patience import Patience
from app.errors import BadFrame, Disconnected, StrowgerError
from app.ports import Journal
from app.telephony.media_stream import MediaStream, Started, Stopped, StreamEvent

NORMAL, BAD_DATA, POLICY, TOO_BIG = 1000, 1007, 1008, 1009
_FLUSH_S = 1.0


class Socket(Protocol):
    """Text frames. Both directions raise Disconnected once the other end is gone; closing twice is no error."""

    async def receive_text(self) -> str: ...

    async def send_text(self, text: str) -> None: ...

    async def close(self, code: int = NORMAL) -> None: ...


@runtime_checkable
class HandsOver(Protocol):
    """A socket that can do without a reader waiting for each frame."""

    async def hand_over(self, take: Callable[[str], bool]) -> None:
        """Calls `take` with every frame as it comes, until it says that it wants no more. Raises Disconnected once the
        other end is gone, BadFrame for what is no text."""
        ...


async def each_frame(socket: Socket, take: Callable[[str], bool]) -> None:
    """As HandsOver, with any socket."""
    if isinstance(socket, HandsOver):
        await socket.hand_over(take)
    else:
        while not take(await socket.receive_text()):
            pass


@dataclass(frozen=True, slots=True)
class Limits:
    """What a stranger may send (T02). The carrier sends 50 small frames a second and, after a stall, all at once."""

    frame_chars: int = 64 * 1024
    frames_per_s: float = 100.0
    burst: float = 500.0
    bad_frames: int = 20
    start_s: float = 5.0
    stall_s: float = 5.0  # frames come even when the caller is silent; without any the line is dead


@dataclass(frozen=True, slots=True)
class Admission:
    """Everything a conversation needs, made for one call."""

    setup: CallSetup
    parts: Parts
    journal: Journal
    patience: Patience = field(default_factory=Patience)


EndNow = Callable[[str], None]
Admit = Callable[[Started, EndNow], Awaitable[Admission]]


class _Violation(Exception):
    """The other end broke a limit; the socket is closed with this code."""

    def __init__(self, code: int) -> None:
        self.code = code


class _Reader:
    """Frames from the socket as events, within the limits."""

    def __init__(self, socket: Socket, stream: MediaStream, limits: Limits) -> None:
        self._socket, self._stream, self._limits = socket, stream, limits
        self._clock = asyncio.get_running_loop().time
        self._allowance, self._bad = limits.burst, 0
        self.heard_at = self._clock()

    def read(self, frame: str) -> StreamEvent | None:
        """None for a frame that carries no event. Raises _Violation."""
        now = self._clock()
        limits = self._limits
        self._allowance = min(limits.burst, self._allowance + (now - self.heard_at) * limits.frames_per_s) - 1
        self.heard_at = now
        if self._allowance < 0:
            raise _Violation(POLICY)
        if len(frame) > limits.frame_chars:
            raise _Violation(TOO_BIG)
        try:
            return self._stream.receive(frame)
        except BadFrame:
            self._bad += 1
            if self._bad > limits.bad_frames:
                raise _Violation(BAD_DATA) from None
            return None

    async def start(self) -> Started:
        """Raises Disconnected, BadFrame, and _Violation when the stream does not start in time."""
        try:
            async with asyncio.timeout(self._limits.start_s):
                while True:
                    event = self.read(await self._socket.receive_text())
                    if isinstance(event, Started):
                        return event
        except TimeoutError:
            raise _Violation(POLICY) from None


async def bridge(socket: Socket, admit: Admit, pacer: Pacer, limits: Limits | None = None) -> str | None:
    """Holds one call over an accepted socket and closes it. Returns the end reason, None for a stream never admitted.

    `admit` is asked once the stream has started and is handed a function by which the call can be ended politely. What
    it raises closes the socket with 1008 and is raised again. The journal is complete on return but not settled.
    Cancelling ends the call at once.
    """
    stream, code = MediaStream(), NORMAL
    reader = _Reader(socket, stream, limits or Limits())
    try:
        started = await reader.start()
        began = reader.heard_at
        ending: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        admission = await admit(started, lambda reason: None if ending.done() else ending.set_result(reason))
        resumed = admission.setup.resumed
        line = StreamLine(stream, pacer, began=began, origin_ms=resumed.origin_ms if resumed else 0)
        call = _Bridge(socket, reader, line, limits or Limits())
        reason = await call.hold(admission, ending)
        code = call.code
        return reason
    except Disconnected:
        return None
    except _Violation as violation:
        code = violation.code
        return None
    except StrowgerError:
        code = POLICY
        raise
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_S):
                await socket.close(code)


class _Bridge:
    def __init__(self, socket: Socket, reader: _Reader, line: StreamLine, limits: Limits) -> None:
        self._socket, self._reader, self._line, self._limits = socket, reader, line, limits
        self.code = NORMAL

    async def hold(self, admission: Admission, ending: asyncio.Future[str]) -> str:
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(self._write(), name="write")
            others = [
                group.create_task(self._read(), name="read"),
                group.create_task(self._watch_for_stall(), name="stall"),
            ]
            reason = await converse(
                admission.setup, self._line, admission.parts, admission.journal, admission.patience, ending
            )
            await asyncio.wait([writing], timeout=_FLUSH_S)
            for task in (writing, *others):
                task.cancel()
        return reason

    async def _read(self) -> None:
        with suppress(Disconnected, BadFrame):
            await each_frame(self._socket, self._take)
        self._line.hang_up(lost=True)  # unless it has been

    def _take(self, frame: str) -> bool:
        try:
            event = self._reader.read(frame)
        except _Violation as violation:
            self.code = violation.code
            return True
        if event is not None:
            self._line.feed(event)
        return isinstance(event, Stopped)

    async def _write(self) -> None:
        with suppress(Disconnected):  # whether the caller hung up or the line was lost is for the reader to see
            async for frame in self._line.outbound():
                await self._socket.send_text(frame)

    async def _watch_for_stall(self) -> None:
        """F16: a connection can die without a word."""
        loop = asyncio.get_running_loop()
        left = self._limits.stall_s
        while left > 0:
            await asyncio.sleep(left)
            left = self._reader.heard_at + self._limits.stall_s - loop.time()
        self._line.hang_up(lost=True)
