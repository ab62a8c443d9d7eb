"""What comes from the caller: sound is watched for voice, voice becomes words, keys pass by both.

Voice activity and speech to text run apart: a recogniser that hangs must not make us deaf to an interruption.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from app.call.gate import Gate
from app.call.log import CallLog
from app.call.setup import Parts
from app.call.tones import ToneEar
from app.dialog.events import CallerVoice, HungUp, Keyed, MustEnd, ProviderFailed, Signal, VoiceOff, VoiceOn
from app.errors import ProviderError
from app.ports import AudioChunk, CallerSound, Line
from app.telephony import mulaw

_WAITING_MS = 10_000  # of sound the recogniser has not taken; then the oldest goes
# Frames are handed on in pieces, for each step on their way costs by the piece: small ones while it matters how soon
# they arrive, large ones of the silence while we speak. A voice ends a piece at once.
_VOICED_MS, _QUIET_MS = 60, 200
_LINGERS_MS = 1000  # after a voice, for the end of its turn is heard in the silence


class Ear:
    """Tells what it notices by `post`, which never waits. `watch` and `listen` run beside each other to the end."""

    def __init__(
        self,
        line: Line,
        parts: Parts,
        log: CallLog,
        post: Callable[[Signal], None],
        wants_beeps: Callable[[], bool] = lambda: False,
    ) -> None:
        self._line, self._parts, self._log, self._post = line, parts, log, post
        self._tones = ToneEar(post, wants_beeps)
        self._waiting: deque[CallerSound] = deque()
        self._waiting_ms = 0
        self._more = asyncio.Event()
        self._piece = bytearray()  # without a gap
        self._piece_ms = 0  # when it begins
        self._voice = False
        self._quiet_ms = 0  # when it is quiet enough for large pieces
        self._over = False  # no more sound will be passed on

    async def watch(self) -> None:
        gate, voice_ms = Gate(self._line), 0
        try:
            async for sound in self._parts.voice.watch(self._audio()):
                for noticed in gate.pass_through(sound):
                    match noticed:
                        case VoiceOn(at_ms):
                            voice_ms = at_ms
                        case VoiceOff(at_ms, bursts):
                            self._log.write(CallerVoice(voice_ms, at_ms, bursts))
                    self._post(noticed)
                self._pass_on(sound)
        except ProviderError as error:
            self._failed("vad", "", error)
            self._end_of_sound()
            async for _ in self._audio():  # keys and hanging up are still noticed
                pass
        self._end_of_sound()

    async def listen(self) -> None:
        stt = self._parts.stt
        try:
            async for heard in stt.listen(self._sound(), lambda: self._parts.dialogue.expecting()):
                self._post(heard)
        except ProviderError as error:
            self._failed("stt", stt.name, error)
        else:
            if not self._over:
                self._failed("stt", stt.name, "stopped listening")

    async def _audio(self) -> AsyncIterator[AudioChunk]:
        async for sound in self._line.sound():
            if isinstance(sound, Keyed):
                self._tones.keyed(sound)
            else:
                self._tones.hear(sound)
                yield sound
        self._post(HungUp(self._line.lost))

    async def _sound(self) -> AsyncIterator[CallerSound]:
        while True:
            while self._waiting:
                sound = self._waiting.popleft()
                if isinstance(sound, AudioChunk):
                    self._waiting_ms -= mulaw.duration_ms(sound.mulaw)
                yield sound
            if self._over:
                return
            self._more.clear()
            await self._more.wait()

    def _pass_on(self, sound: CallerSound) -> None:
        if not isinstance(sound, AudioChunk):
            self._voice = isinstance(sound, VoiceOn)
            self._quiet_ms = sound.at_ms + _LINGERS_MS
            self._end_piece()
            self._give(sound)
            return
        piece = self._piece
        if sound.at_ms != self._piece_ms + len(piece) // mulaw.BYTES_PER_MS:
            self._end_piece()
        if not piece:
            self._piece_ms = sound.at_ms
        piece += sound.mulaw
        quiet = not self._voice and sound.at_ms >= self._quiet_ms
        if len(piece) >= (_QUIET_MS if quiet else _VOICED_MS) * mulaw.BYTES_PER_MS:
            self._end_piece()

    def _end_piece(self) -> None:
        if self._piece:
            self._give(AudioChunk(bytes(self._piece), self._piece_ms))
            self._piece.clear()

    def _give(self, sound: CallerSound) -> None:
        if isinstance(sound, AudioChunk):
            self._waiting_ms += mulaw.duration_ms(sound.mulaw)
            while self._waiting and self._waiting_ms > _WAITING_MS:
                oldest = self._waiting.popleft()
                if isinstance(oldest, AudioChunk):
                    self._waiting_ms -= mulaw.duration_ms(oldest.mulaw)
        self._waiting.append(sound)
        self._more.set()

    def _end_of_sound(self) -> None:
        self._end_piece()
        self._over = True
        self._more.set()

    def _failed(self, stage: str, provider: str, reason: ProviderError | str) -> None:
        """Without ears there is no conversation: apologise and end it."""
        kind = reason.kind if isinstance(reason, ProviderError) else ""
        self._log.write(ProviderFailed(stage, provider, str(reason), fallback="apology", kind=kind))
        self._post(MustEnd("provider_outage"))
