"""The caller's end of one call: sound in, audio out at the pace of speech, and what of it was heard."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from app.call.pacer import Pacer
from app.call.playout import Piece, Playout
from app.dialog.events import Keyed
from app.ports import AudioChunk, Played, Volume
from app.telephony import media_stream, mulaw
from app.telephony.echo import Echo, Whose
from app.telephony.media_stream import CallerAudio, Marked, MediaStream, Started, Stopped, StreamEvent

_SOUND_FRAMES = 500  # 10 s that nobody listened to; then the oldest goes
_TOGETHER_MS = 60  # of sound that came at once go on in one piece
_OUTBOX_FRAMES = 40  # 2 s the carrier has not taken; then audio waits here, where a `clear` is instant


class StreamLine:
    """A `Line` over a media stream. The bridge feeds it events and sends what `outbound` yields.

    `began` is the loop's time when the stream began (now, if not given), `origin_ms` how long the call had been going
    then: a second stream continues the first's time.
    """

    def __init__(self, stream: MediaStream, pacer: Pacer, *, began: float | None = None, origin_ms: int = 0) -> None:
        self._stream, self._pacer = stream, pacer
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time() if began is None else began
        self._origin_ms = origin_ms
        self._sound: deque[AudioChunk | Keyed] = deque()
        self._sound_came = asyncio.Event()
        self._playout = Playout()
        self._echo = Echo()
        self._news: asyncio.Future[None] = self._loop.create_future()
        self._told = 0
        self._outbox: deque[str] = deque()
        self._outbox_filled = asyncio.Event()
        self._gone = False
        self._closed = False
        self.lost = False
        self.dropped_frames = 0

    # --- the caller's side, called by the bridge ---

    def feed(self, event: StreamEvent) -> None:
        match event:
            case CallerAudio(at_ms, sound):
                self._echo.heard(sound, at_ms + self._origin_ms)
                self._hear(AudioChunk(sound, at_ms + self._origin_ms))
                self._pacer.nudge()
            case Marked(name):
                self._playout.marked(name, self._now())
                self._tell()
            case media_stream.Keyed(digit):
                self._hear(Keyed(digit, self.now_ms()))
            case Stopped():
                self.hang_up()
            case Started():
                pass

    def hang_up(self, *, lost: bool = False) -> None:
        """The caller is gone. Nothing more will be heard or said."""
        if not self._gone:
            self._gone, self.lost = True, lost
            self._sound_came.set()

    async def outbound(self) -> AsyncIterator[str]:
        """Frames for the carrier, until the line is closed."""
        while True:
            while self._outbox:
                yield self._outbox.popleft()
            if self._closed:
                return
            self._outbox_filled.clear()
            await self._outbox_filled.wait()

    def pump(self) -> bool:
        """Hand over what is due. A carrier that does not read gets no more: what waits here can still be taken back."""
        if len(self._outbox) < _OUTBOX_FRAMES:
            before = len(self._outbox)
            for part in self._playout.due(self._now()):
                if isinstance(part, Piece):
                    self._echo.played(part.mulaw, part.at_ms)
                    self._outbox.append(self._stream.speak(part.mulaw))
                else:
                    self._outbox.append(self._stream.mark(part.name))
            if len(self._outbox) > before:
                self._outbox_filled.set()
            self._tell()
        return not self._playout.idle

    # --- our side: the port ---

    def now_ms(self) -> int:
        return int(self._now())

    async def sound(self) -> AsyncIterator[AudioChunk | Keyed]:
        while True:
            while self._sound:
                yield self._next_sound()
            if self._gone:
                return
            self._sound_came.clear()
            await self._sound_came.wait()

    def _next_sound(self) -> AudioChunk | Keyed:
        """Frames that wait go on together: each step on their way costs by the piece."""
        first = self._sound.popleft()
        if isinstance(first, Keyed):
            return first
        parts, ends_ms = [first.mulaw], first.at_ms + mulaw.duration_ms(first.mulaw)
        while self._sound and ends_ms - first.at_ms < _TOGETHER_MS:
            more = self._sound[0]
            if isinstance(more, Keyed) or more.at_ms != ends_ms:
                break
            self._sound.popleft()
            parts.append(more.mulaw)
            ends_ms += mulaw.duration_ms(more.mulaw)
        return AudioChunk(b"".join(parts), first.at_ms)

    def play(self, utterance: int, mulaw: bytes) -> None:
        if not self._gone:
            self._playout.play(utterance, mulaw)
            self._pump_now()

    def end_utterance(self, utterance: int) -> None:
        self._playout.end(utterance)
        self._pump_now()

    async def played(self, utterance: int) -> Played:
        while (played := self._playout.played(utterance)) is None:
            await asyncio.shield(self._news)
        return played

    async def began(self, utterance: int) -> int:
        while (began_ms := self._playout.began_ms(utterance)) is None:
            if self._playout.played(utterance) is not None:
                return self.now_ms()
            await asyncio.shield(self._news)
        return int(began_ms)

    def runs_dry_ms(self) -> int:
        return int(self._playout.runs_dry_ms(self._now()))

    def turn(self, volume: Volume) -> None:
        if self._playout.turn(volume, self._now()) and not self._gone:
            self._forget_at_carrier()
        self._pump_now()

    def whose(self, from_ms: int, to_ms: int) -> Whose:
        return self._echo.whose(from_ms, to_ms)

    def held(self) -> Played | None:
        return self._playout.held()

    def go_back(self, utterance: int, to_ms: int) -> None:
        self._playout.go_back(utterance, to_ms, self._now())

    async def clear(self) -> tuple[Played, ...]:
        cut = self._playout.clear(self._now())
        if cut and not self._gone:
            self._forget_at_carrier()
        self._pacer.forget(self)
        self._tell()
        return cut

    async def close(self) -> None:
        self._closed = True
        self._pacer.forget(self)
        self._outbox_filled.set()
        self.hang_up()

    def _now(self) -> float:
        return (self._loop.time() - self._began) * 1000 + self._origin_ms

    def _hear(self, sound: AudioChunk | Keyed) -> None:
        if self._gone:
            return
        if len(self._sound) >= _SOUND_FRAMES:
            self._sound.popleft()
            self.dropped_frames += 1
        self._sound.append(sound)
        self._sound_came.set()

    def _forget_at_carrier(self) -> None:
        self._echo.silenced(self._now())
        self._outbox.clear()
        self._outbox.append(self._stream.clear())
        self._outbox_filled.set()

    def _pump_now(self) -> None:
        """The first audio does not wait for a tick."""
        if self.pump():
            self._pacer.wake(self)

    def _tell(self) -> None:
        """Wake whoever waits to know what was heard, if more is known."""
        if self._told == self._playout.known:
            return
        self._told = self._playout.known
        news, self._news = self._news, self._loop.create_future()
        news.set_result(None)
