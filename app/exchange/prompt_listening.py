"""The local Deepgram in real time: results at fixed delays after the sound, for whoever measures.

Who speaks is known from the mark in his silence, what he says from the register; words are told when their sound has
arrived, and nothing is known of sentences. Whoever is silent for so long has ended his turn, wherever he is in it.
Silence is judged by the audio that has come: a client that sends it in large pieces is told late.

    interim results   every 250 ms of audio
    EagerEndOfTurn    120 ms after the last sound (Flux, when asked for); TurnResumed if he goes on
    final transcript  200 ms after the last sound, asked for or not: speech_final (Nova), EndOfTurn (Flux)
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from websockets.exceptions import ConnectionClosed

from app.exchange import marks
from app.exchange.caller_words import Register, Saying, Speaker
from app.exchange.hearing import Span, Word
from app.exchange.listening import Flux, Listening, Message, Nova, metadata, result
from app.exchange.sound import FRAME_BYTES, FRAME_MS, LOUD
from app.telephony.mulaw import levels

INTERIM_MS = 250
EAGER_MS = 120
FINAL_MS = 200
_CHECK_MS = 500  # how often a silent frame is looked at for marks of others
_OWN_SOUND_MS = 1000  # after a saying has ended, its sound may still be on its way


@dataclass(slots=True)
class _Turn:
    """A saying on its way in: it began at `onset_ms` of the connection, `told` of its words are final."""

    saying: Saying
    onset_ms: int
    told: int = 0

    def words(self, heard_to_ms: int) -> tuple[Word, ...]:
        """Not final yet, of those whose sound has come."""
        new = self.saying.words[self.told :]
        at = self.onset_ms
        return tuple(
            Word(word.text, at + word.from_ms, at + word.to_ms) for word in new if at + word.to_ms <= heard_to_ms
        )


class PromptListening(Listening):
    """`loud_to_ms` is where the last sound ended, counted in audio received; timers run on the loop's clock."""

    register: Register  # of the bench; set on a subclass
    keeps_audio = False

    _rest = b""
    _speaker: Speaker | None = None
    _turn_now: _Turn | None = None
    _taken = 0  # sayings of the speaker that were taken up
    _received_ms = 0
    _loud_to_ms = 0
    _final_ms = 0
    _voice = False
    _eager_told = False
    _interim_ms = 0
    _checked_ms = 0
    _timer: asyncio.TimerHandle | None = None
    _awaited_ms = 0  # of silence that is due by the clock and has not come as audio
    _forced = False  # the client asked for the end: then the clock is enough

    async def run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loud_at = 0.0
        self._out: asyncio.Queue[Message] = asyncio.Queue()
        try:
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(self._write(), name="deepgram emulator")
                with suppress(ConnectionClosed):
                    await super().run()
                writing.cancel()
        finally:
            if self._timer is not None:
                self._timer.cancel()

    async def _write(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                await self._send(await self._out.get())

    async def _hear(self, mulaw: bytes) -> bool:
        self._seen_audio(mulaw)
        return False

    def _seen_audio(self, mulaw: bytes) -> None:
        data = self._rest + mulaw
        whole = len(data) // FRAME_BYTES * FRAME_BYTES
        data, self._rest = data[:whole], data[whole:]
        if not data:
            return
        loud = levels(data) >= LOUD
        if self._speaker is None and not loud[0]:
            self._speaker = self.register.by_frame(data[:FRAME_BYTES])
        if loud.any():
            self._voiced([int(place) for place in loud.nonzero()[0]], len(loud))
        self._received_ms += len(loud) * FRAME_MS
        if self._awaited_ms and self._silent_ms >= self._awaited_ms:
            awaited, self._awaited_ms = self._awaited_ms, 0
            self._due(awaited, self._loud_at)
        if self._speaker is not None and self._received_ms - max(self._checked_ms, self._loud_to_ms) >= _CHECK_MS:
            self._checked_ms = self._received_ms
            self._check(data[-FRAME_BYTES:])
        if self._received_ms - self._interim_ms >= INTERIM_MS:
            self._interim_ms = self._received_ms // INTERIM_MS * INTERIM_MS
            self._put(self.interim())

    def _voiced(self, places: list[int], frames: int) -> None:
        """Frames in which there is sound, counted from what was received before."""
        begun = self._received_ms + places[0] * FRAME_MS
        self._loud_to_ms = self._received_ms + (places[-1] + 1) * FRAME_MS
        self._loud_at = self._loop.time() - (frames - places[-1] - 1) * FRAME_MS / 1000
        speaker = self._speaker
        if speaker is None:
            return
        if speaker.said > self._taken and speaker.saying is not None:
            self._taken = speaker.said
            self._turn_now = _Turn(speaker.saying, begun)
        elif self._turn_now is None or begun > self._turn_now.onset_ms + self._turn_now.saying.ms + _OWN_SOUND_MS:
            speaker.strange_frames += len(places)
        self._forced = False
        if not self._voice or self._awaited_ms:
            self._voice, self._awaited_ms = True, 0
            self._arm(EAGER_MS)
        if self._eager_told:
            self._eager_told = False
            self._put(self.resumed())

    def _check(self, frame: bytes) -> None:
        assert self._speaker is not None
        if marks.is_only_marked(frame):
            found = set(marks.CALLERS.bins(frame)[0].nonzero()[0].tolist())
            self._speaker.checked_frames += 1
            self._speaker.strange_frames += bool(found - set(marks.CALLERS.own_bins(self._speaker.number)))

    # --- the clock ---

    def _arm(self, quiet_ms: int) -> None:
        self._timer = self._loop.call_at(self._loud_at + quiet_ms / 1000, self._due, quiet_ms, self._loud_at)

    def _due(self, quiet_ms: int, since: float) -> None:
        if self._loud_at > since:  # he has spoken meanwhile
            self._arm(EAGER_MS)
        elif self._silent_ms < quiet_ms and not self._forced:
            self._awaited_ms = quiet_ms
        elif quiet_ms == EAGER_MS:
            self._arm(FINAL_MS)
            message = self.eager()
            self._eager_told = message is not None
            self._put(message)
        else:
            self._voice = self._eager_told = self._forced = False
            self._put(self.final())

    @property
    def _silent_ms(self) -> int:
        return self._received_ms - self._loud_to_ms

    def force(self) -> None:
        """What was said is wanted now: it comes when it is due by the clock, whether more audio comes or not."""
        if self._voice:
            self._forced = True
            awaited, self._awaited_ms = self._awaited_ms, 0
            if awaited:
                self._due(awaited, self._loud_at)

    def _put(self, message: Message | None) -> None:
        if message is not None:
            self._out.put_nowait(message)

    # --- what is told ---

    def _so_far(self) -> Span:
        turn = self._turn_now
        return Span(self._final_ms, self._received_ms, turn.words(self._received_ms) if turn else ())

    def _freeze(self) -> Span:
        span = self._so_far()
        if self._turn_now is not None:
            self._turn_now.told += len(span.words)
        self._final_ms = self._received_ms
        return span

    def interim(self) -> Message | None:
        raise NotImplementedError

    def eager(self) -> Message | None:
        raise NotImplementedError

    def resumed(self) -> Message | None:
        raise NotImplementedError

    def final(self) -> Message:
        raise NotImplementedError


class PromptNova(PromptListening, Nova):
    """`Finalize` is answered with the final transcript when that is due; at once when nothing is being said."""

    def interim(self) -> Message | None:
        return result(self._so_far(), final=False) if self._interims else None

    def eager(self) -> None:
        return None

    def resumed(self) -> None:
        return None

    def final(self) -> Message:
        return result(self._freeze(), final=True, speech_final=True)

    def obey(self, kind: str) -> Iterator[Message]:
        if kind == "Finalize" and self._voice:
            self.force()
        elif kind == "Finalize":
            yield result(self._freeze(), final=True, speech_final=True, from_finalize=True)
        if kind == "CloseStream":
            if self._voice:
                yield self.final()
            yield metadata(self._received_ms)


class PromptFlux(PromptListening, Flux):
    """A turn ends by its silence; `ForceEndTurn` brings it no earlier."""

    _open = False

    def interim(self) -> Message:
        span = self._so_far()
        if span.words and not self._open:
            self._open = True
            return self._info("StartOfTurn", span)
        return self._info("Update", span)

    def eager(self) -> Message | None:
        span = self._so_far()
        if not span.words or "eager_eot_threshold" not in self._seen.query:
            return None
        return self._info("EagerEndOfTurn", span)

    def resumed(self) -> Message:
        return self._info("TurnResumed", self._so_far())

    def final(self) -> Message:
        message = self._info("EndOfTurn", self._freeze()) | {"trigger": "model"}
        self._turn += 1
        self._open = False
        return message

    def obey(self, kind: str) -> Iterator[Message]:
        if kind == "ForceEndTurn":
            self.force()
        if kind == "CloseStream" and self._voice:
            yield self.final()
