"""Speech to text by Deepgram: mu-law straight through, and no word lost when a connection is.

Our own voice activity notices the end of speech first; we then ask for the words at once. The SDK's sockets never
reconnect and its reads have no time limit: both are done here. Health is judged by "voice, and no word about it",
not by the state of the socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from app.dialog.deadlines import DEADLINES
from app.dialog.events import Heard, VoiceOff, VoiceOn
from app.dialog.script import Playbook
from app.errors import ProviderDown, ProviderError, ProviderLate, ProviderRefused
from app.ports import AudioChunk, CallerSound, Expectation
from app.providers.deepgram_early import EarlySocket, Lent
from app.providers.deepgram_results import NAME, Hearing
from app.providers.deepgram_sockets import Account, Dialect, Sockets, Wishes, messages
from app.providers.unanswered import Unanswered
from app.rounds import round_after
from app.settings import Settings
from app.telephony import mulaw

__all__ = ["Account", "DeepgramSpeechToText", "Limits", "Wishes", "make"]

_PIECE_BYTES = 480  # 60 ms a message; what came before the voice ended goes out with its end
_LAST_WORDS_S = 2.0
_PROBE_MS = 1000
_ROUND_S = 0.25  # that no sound comes is noticed about so much later at most
_AT_LEAST_S = 0.02  # between two looks, whatever the limits are


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds. `silent_s`: voice without a word about it; `words_s`: the same once it has ended. `keep_alive_s`:
    without audio; None leaves it to the model. `rest_s`: between signs of life while there is no call yet; Deepgram
    hangs up after 10. `attempts` in a row to connect before giving up."""

    connect_s: float = DEADLINES.connect_s
    silent_s: float = DEADLINES.voiced_s
    words_s: float = DEADLINES.words_s
    keep_alive_s: float | None = None
    rest_s: float = 4.0
    attempts: int = 2
    retry_s: float = 0.2


class DeepgramSpeechToText:
    """The SpeechToText port. One instance serves every call with one playbook; each `listen` has its own socket."""

    name = NAME

    def __init__(self, account: Account, wishes: Wishes | None = None, limits: Limits | None = None) -> None:
        wishes = wishes or Wishes()
        self.model = wishes.model
        self._limits = limits or Limits()
        self._sockets = Sockets(account, wishes, self._limits.connect_s)

    def early(self) -> EarlyEars:
        """For one call that is about to come."""
        return EarlyEars(self, EarlySocket(self._sockets, self._limits.rest_s))

    async def listen(
        self,
        sound: AsyncIterator[CallerSound],
        expecting: Callable[[], Expectation],
        early: EarlySocket | None = None,
    ) -> AsyncIterator[Heard]:
        """Begins on the connection that was opened `early`, if there is one. Raises ProviderRefused for a key or
        parameters Deepgram will not have, ProviderDown for anything else."""
        del expecting  # keyterms hold for the whole call, and no grammar is needed
        kept = Unanswered()
        out: asyncio.Queue[Heard | ProviderError | None] = asyncio.Queue()
        ended: ProviderError | None = None
        try:
            async with asyncio.TaskGroup() as group:
                tasks = (
                    group.create_task(kept.fill(sound), name="deepgram intake"),
                    group.create_task(self._stay_connected(kept, out, early), name="deepgram"),
                )
                while isinstance(heard := await out.get(), Heard):
                    yield heard
                ended = heard
                for task in tasks:
                    task.cancel()
        except* GeneratorExit:  # whoever listened has had enough
            pass
        if ended is not None:
            raise ended

    async def probe(self) -> None:
        """Listens to a second of silence. Raises ProviderError unless something is said about it."""
        async with self._sockets.opened() as socket:
            await socket.send_media(mulaw.silence(_PROBE_MS))
            await socket.send_close_stream()
            async for message in socket:
                if self._sockets.dialect.read(message) is not None:
                    return
            raise ProviderDown("Deepgram heard nothing at all")

    async def _stay_connected(
        self, kept: Unanswered, out: asyncio.Queue[Heard | ProviderError | None], early: EarlySocket | None
    ) -> None:
        """Puts words into `out`, and in the end None or what went wrong. That a connection opened early has gone
        meanwhile is not held against anybody; one still being opened is the call's own first try."""
        failures = 0
        while True:
            connection = _Connection(kept, out, self._sockets.dialect, self._limits)
            unharmed = early is not None and early.open
            try:
                async with self._borrowed(early) as lent:
                    await connection.hold(lent)
                out.put_nowait(None)
                return
            except ProviderRefused as refused:
                out.put_nowait(refused)
                return
            except ProviderDown as down:
                failures = 1 if connection.useful else failures + (not unharmed)
                if failures >= self._limits.attempts or connection.deaf:
                    out.put_nowait(down)
                    return
            early = None
            kept.rewind()
            await asyncio.sleep(self._limits.retry_s * max(0, failures - 1))

    @asynccontextmanager
    async def _borrowed(self, early: EarlySocket | None) -> AsyncIterator[Lent]:
        if early is not None:
            async with early.lent() as lent:
                yield lent
        else:
            async with self._sockets.opened() as socket:
                yield Lent(socket, 0)


class EarlyEars:
    """The SpeechToText port for one call, on a connection opened before it came; `warmth.Early`."""

    name = NAME

    def __init__(self, stt: DeepgramSpeechToText, socket: EarlySocket) -> None:
        self._stt, self._socket = stt, socket
        self.model = stt.model

    async def wait(self) -> None:
        await self._socket.wait()

    def listen(self, sound: AsyncIterator[CallerSound], expecting: Callable[[], Expectation]) -> AsyncIterator[Heard]:
        return self._stt.listen(sound, expecting, self._socket)


class _Connection:
    """One socket, from open to lost. `useful` once it brought results, `deaf` when it left voice unanswered."""

    def __init__(
        self,
        kept: Unanswered,
        out: asyncio.Queue[Heard | ProviderError | None],
        dialect: Dialect,
        limits: Limits,
    ) -> None:
        self._kept, self._out, self._dialect, self._limits = kept, out, dialect, limits
        self._hearing = Hearing(dialect.read)
        self._clock = asyncio.get_running_loop().time
        self._waiting = bytearray()  # not sent yet
        self._end_ms: int | None = None  # when a voice's words shall be asked for, in the time of the call
        self._sent_at = self._clock()
        self._finished = False
        self.useful = False
        self.deaf = False

    async def hold(self, lent: Lent) -> None:
        """Returns when the sound is over and its words have come. Raises ProviderDown, OSError, WebSocketException."""
        socket = lent.socket
        self._hearing.padded(lent.padded_ms)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._receive(socket), name="deepgram receive"),
                    group.create_task(self._watch(socket), name="deepgram watch"),
                ]
                await self._send(socket)
                self._finished = True
                await socket.send_close_stream()
                await asyncio.wait(tasks[:1], timeout=_LAST_WORDS_S)
                for task in tasks:
                    task.cancel()
        except ExceptionGroup as group_of_one:  # the first to fail ended the others
            raise group_of_one.exceptions[0] from None

    async def _send(self, socket: Any) -> None:
        async for piece in self._kept.pieces():
            match piece:
                case AudioChunk(data):
                    self._hearing.sent(piece)
                    self._waiting += data
                    if len(self._waiting) >= _PIECE_BYTES:
                        await self._flush(socket)
                    if (
                        self._end_ms is not None
                        and piece.at_ms + mulaw.duration_ms(data) >= self._end_ms + mulaw.FRAME_MS
                    ):
                        await self._end_voice(socket)
                case VoiceOn():
                    self._hearing.voice_on(self._clock())
                    self._end_ms = None  # not over after all
                case VoiceOff(at_ms):
                    self._hearing.voice_off(at_ms, self._clock())
                    await self._flush(socket)
                    self._end_ms = at_ms + self._dialect.end_ms
                    if not self._dialect.end_ms:
                        await self._end_voice(socket)
        await self._flush(socket)

    async def _end_voice(self, socket: Any) -> None:
        self._end_ms = None
        if self._hearing.owed:
            await self._flush(socket)
            await self._dialect.end_voice(socket)

    async def _flush(self, socket: Any) -> None:
        if self._waiting:  # an empty message could be taken for the end
            audio, self._waiting = bytes(self._waiting), bytearray()
            self._sent_at = self._clock()
            await socket.send_media(audio)

    async def _receive(self, socket: Any) -> None:
        async for message in messages(socket):
            heard = self._hearing.take(message, self._clock())
            if self._hearing.answered_ms is not None:
                self.useful = True
                self._kept.answered(self._hearing.answered_ms)
            if heard is not None:
                self._out.put_nowait(heard)
        if not self._finished:
            raise ProviderDown("Deepgram closed the connection")

    async def _watch(self, socket: Any) -> None:
        limits = self._limits
        idle_s = self._dialect.idle_s if limits.keep_alive_s is None else limits.keep_alive_s
        while True:
            now = self._clock()
            silent_s, unanswered_s = self._hearing.silent_s(now), self._hearing.unanswered_s(now)
            if silent_s >= limits.silent_s:
                self.deaf = True
                raise ProviderLate(f"Deepgram said nothing about {limits.silent_s:g} s of voice")
            if unanswered_s >= limits.words_s:
                self.deaf = True
                raise ProviderLate(f"Deepgram said nothing for {limits.words_s:g} s after a voice")
            if (quiet_s := now - self._sent_at) >= idle_s:
                await self._flush(socket)
                self._hearing.padded(mulaw.duration_ms(await self._dialect.keep_alive(socket, quiet_s)))
                self._sent_at, quiet_s = now, 0.0
            # Nothing can be due earlier: what begins to count after now has its whole limit before it.
            idle_at = round_after(now + idle_s - quiet_s, _ROUND_S)  # while sound comes this is all we wake up for
            left_s = (limits.silent_s - silent_s, limits.words_s - unanswered_s, idle_at - now)
            await asyncio.sleep(max(min(left_s), _AT_LEAST_S))


def make(settings: Settings, playbook: Playbook) -> DeepgramSpeechToText:
    key = settings.deepgram_api_key
    account = Account(key.get_secret_value() if key else "", settings.deepgram_base_url)
    return DeepgramSpeechToText(
        account,
        Wishes(settings.listening_model(playbook.language), language=playbook.language, keyterms=_keyterms(playbook)),
    )


def _keyterms(playbook: Playbook) -> tuple[str, ...]:
    """Names a general model cannot know, and the words that answers turn on."""
    cues = (cue for fact in playbook.facts for cue in fact.cues)
    names = (playbook.business.name, playbook.agent, *(offer.title for offer in playbook.offers), *cues)
    return tuple(dict.fromkeys(name for name in names if name))
