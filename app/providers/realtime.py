"""Speech to speech by OpenAI's Realtime API: one socket a call that hears, thinks and speaks.

The session, the log and the ledger are the same as with three providers: whose turn it is, what is asked next and what
may be said is decided here, not there. So the server's own turn detection is off; our voice activity says when words
are due (`commit`), and a reply is asked for turn by turn. Nothing of a reply is heard before its words were checked.

Protocol: the GA form of `session.update`, `input_audio_buffer.*`, `conversation.item.*`, `response.*` over a socket.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from app.dialog.events import Heard, VoiceOff, VoiceOn
from app.errors import ProviderDown, ProviderError, ProviderRefused
from app.ports import AudioChunk, CallerSound, Expectation
from app.providers.realtime_answer import Answer
from app.telephony import mulaw

NAME = "realtime"
_BEFORE_MS = 400  # sound kept while nobody speaks: a voice is noticed a little after it began
_PIECE_BYTES = 480  # 60 ms a message
_LEAST_MS = 120  # the server refuses to commit less than 100 ms
_GOODBYE_S = 0.2
_CANCEL_S = 0.5


@dataclass(frozen=True, slots=True)
class Account:
    """`base_url` as for chat completions; the socket goes to the same host."""

    key: str
    base_url: str = "https://api.openai.com/v1"
    model: str = "gpt-realtime"
    voice: str = "marin"
    speed: float | None = None
    transcription: str = "gpt-4o-mini-transcribe"


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds. `silent_s`: from the end of a voice to its words. `first_s`, `gap_s`: a reply's first and next event."""

    connect_s: float = 2.0
    silent_s: float = 2.7
    first_s: float = 1.5
    gap_s: float = 1.0


@dataclass(slots=True)
class _Voice:
    """One stretch of the caller's voice on its way to the server."""

    on: bool = False
    from_ms: int = 0
    to_ms: int = 0
    sound_ms: int = 0
    waiting: bytearray = field(default_factory=bytearray)

    def add(self, piece: AudioChunk) -> None:
        self.waiting += piece.mulaw
        length_ms = mulaw.duration_ms(piece.mulaw)
        self.sound_ms += length_ms
        self.to_ms = piece.at_ms + length_ms


class RealtimeSocket:
    """One call's. Open while `listen` runs; replies can be asked for as long as it is."""

    name = NAME

    def __init__(self, account: Account, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.model = account.model
        self._account = account
        self._connection: Any = None
        self._answers: dict[str, Answer] = {}  # by the name we gave the request
        self._names = count(1)
        self._open: Answer | None = None  # the reply in the conversation that may still be spoken
        # Not bounded: a few results a minute, and whoever listens takes them at once.
        self._words: asyncio.Queue[Heard | ProviderError | None] = asyncio.Queue()
        self._unknown: deque[str] = deque(maxlen=16)  # lines of ours the server has not heard of
        self._due: deque[tuple[int, int, float]] = deque()  # of each commit: sound from, to (ms), and when it was sent

    # --- speech to text ---

    async def listen(
        self, sound: AsyncIterator[CallerSound], expecting: Callable[[], Expectation]
    ) -> AsyncIterator[Heard]:
        """The SpeechToText port. Raises ProviderRefused for a key or a model not to be had, ProviderDown otherwise."""
        del expecting
        ended: ProviderError | None = None
        try:
            async with asyncio.TaskGroup() as group:
                serving = group.create_task(self._serve(sound), name="realtime")
                while isinstance(heard := await self._words.get(), Heard):
                    yield heard
                ended = heard
                serving.cancel()
        except* GeneratorExit:  # whoever listened has had enough
            pass
        if ended is not None:
            raise ended

    async def _serve(self, sound: AsyncIterator[CallerSound]) -> None:
        """Puts words into the queue, and in the end None or what went wrong."""
        ended: ProviderError | None = None
        try:
            async with self._connected(), asyncio.TaskGroup() as group:
                receiving = group.create_task(self._receive(), name="realtime receive")
                watching = group.create_task(self._watch(), name="realtime watch")
                await self._send_sound(sound)
                if self._due:
                    await asyncio.wait([receiving], timeout=self.limits.silent_s)
                receiving.cancel()
                watching.cancel()
        except ProviderError as error:
            ended = error
        except ExceptionGroup as group_of_one:  # the first to fail ended the others
            first = group_of_one.exceptions[0]
            if not isinstance(first, ProviderError):
                raise
            ended = first
        self._words.put_nowait(ended)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[None]:
        import openai

        client = openai.AsyncOpenAI(api_key=self._account.key, base_url=self._account.base_url, max_retries=0)
        manager = client.realtime.connect(model=self._account.model, max_retries=0)
        try:
            with _translated():
                async with asyncio.timeout(self.limits.connect_s):
                    self._connection = await manager.enter()
                    await self._connection.send({"type": "session.update", "session": self._wishes()})
            yield
        finally:
            connection, self._connection = self._connection, None
            for answer in self._answers.values():
                answer.fail("the connection is gone")
            if connection is not None:
                with suppress(ProviderError), _translated():
                    async with asyncio.timeout(_GOODBYE_S):
                        await connection.close()
            await client.close()

    def _wishes(self) -> dict[str, Any]:
        """The voice cannot change once the server has spoken."""
        speed = {} if self._account.speed is None else {"speed": self._account.speed}
        return {
            "type": "realtime",
            "output_modalities": ["audio"],
            "audio": {
                "input": {
                    "format": {"type": "audio/pcmu"},
                    "transcription": {"model": self._account.transcription},
                    "turn_detection": None,
                },
                "output": {"format": {"type": "audio/pcmu"}, "voice": self._account.voice, **speed},
            },
        }

    async def _send_sound(self, sound: AsyncIterator[CallerSound]) -> None:
        """Only voice is sent, with a little before it: silence costs money and teaches nothing."""
        before: deque[AudioChunk] = deque()
        voice = _Voice()
        async for piece in sound:
            match piece:
                case AudioChunk() if voice.on:
                    voice.add(piece)
                    if len(voice.waiting) >= _PIECE_BYTES:
                        await self._append(voice)
                case AudioChunk(at_ms=at_ms):
                    before.append(piece)
                    while before[0].at_ms < at_ms - _BEFORE_MS:
                        before.popleft()
                case VoiceOn(at_ms):
                    voice = _Voice(on=True, from_ms=at_ms)
                    while before:
                        voice.add(before.popleft())
                case VoiceOff(at_ms):
                    voice.to_ms = at_ms
                    await self._commit(voice)
        await self._commit(voice)  # hung up in the middle of a word

    async def _append(self, voice: _Voice) -> None:
        audio = base64.b64encode(voice.waiting).decode("ascii")
        voice.waiting.clear()
        if self._connection is None:
            raise ProviderDown("not connected")
        with _translated():  # raw: the SDK's look at every field is for events, not for fifty pieces of sound a second
            await self._connection.send_raw(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))

    async def _commit(self, voice: _Voice) -> None:
        was_on, voice.on = voice.on, False
        if not was_on or voice.sound_ms < _LEAST_MS:
            return
        await self._append(voice)
        self._due.append((voice.from_ms, voice.to_ms, _now()))
        await self.send({"type": "input_audio_buffer.commit"})

    async def _watch(self) -> None:
        """Health is "voice, and its words", not the state of the socket."""
        while True:
            await asyncio.sleep(self.limits.silent_s / 8)
            if self._due and _now() - self._due[0][2] > self.limits.silent_s:
                raise ProviderDown(f"no words {self.limits.silent_s:g} s after a voice")

    # --- replies ---

    @property
    def connected(self) -> bool:
        return self._connection is not None

    async def ask(self, request: Mapping[str, Any], *, aside: bool = False) -> Answer:
        """Asks for a reply; `aside` keeps it out of the conversation. Raises ProviderDown."""
        if not aside:
            await self.close_answer()
            while self._unknown:
                await self._tell(self._unknown.popleft())
        answer = Answer(str(next(self._names)))
        self._answers[answer.name] = answer
        where = {"conversation": "none", "input": []} if aside else {}
        wanted = {**request, **where, "metadata": {"ask": answer.name}}
        await self.send({"type": "response.create", "event_id": answer.name, "response": wanted})
        if not aside:
            self._open = answer
        return answer

    async def cancel(self, answer: Answer) -> None:
        """The server makes no other reply in the conversation before it says that this one is over."""
        answer.fail("cancelled")
        if answer.over.is_set() or not self.connected:
            return
        which = {"response_id": answer.response_id} if answer.response_id else {}
        await self.send({"type": "response.cancel", **which})
        with suppress(TimeoutError):
            async with asyncio.timeout(_CANCEL_S):
                await answer.over.wait()

    async def close_answer(self) -> None:
        """The last reply is over: the server remembers of it what the caller heard."""
        answer, self._open = self._open, None
        if answer is None or not self.connected:
            return
        await self.cancel(answer)
        self._answers.pop(answer.name, None)
        if not answer.item_id:
            return
        if not answer.heard_ms:
            await self.send({"type": "conversation.item.delete", "item_id": answer.item_id})
        elif answer.heard_ms < answer.audio_ms:
            cut = {"item_id": answer.item_id, "content_index": 0, "audio_end_ms": answer.heard_ms}
            await self.send({"type": "conversation.item.truncate", **cut})

    def remember(self, text: str) -> None:
        """A line of ours that did not come from the conversation: the server is told before the next reply."""
        self._unknown.append(text)

    async def _tell(self, text: str) -> None:
        content = [{"type": "output_text", "text": text}]
        item = {"type": "message", "role": "assistant", "content": content}
        await self.send({"type": "conversation.item.create", "item": item})

    @property
    def answer(self) -> Answer | None:
        """The reply that is being spoken, or may be."""
        return self._open

    async def send(self, event: Mapping[str, Any]) -> None:
        """Raises ProviderDown."""
        if self._connection is None:
            raise ProviderDown("not connected")
        with _translated():
            await self._connection.send(dict(event))

    # --- what comes back ---

    async def _receive(self) -> None:
        with _translated():
            async for event in self._connection:
                self._take(event)
        raise ProviderDown("the server closed the connection")

    def _take(self, event: Any) -> None:
        """By `type` alone: the SDK gives unknown events the class of another."""
        kind = str(getattr(event, "type", ""))
        if kind.startswith("conversation.item.input_audio_transcription."):
            self._take_words(kind.rpartition(".")[2], event)
        elif kind == "response.created":
            metadata = getattr(event.response, "metadata", None) or {}
            if answer := self._answers.get(str(metadata.get("ask", ""))):
                answer.response_id = event.response.id
        elif kind.startswith("response."):
            response_id = getattr(event, "response_id", "") or getattr(getattr(event, "response", None), "id", "")
            for answer in tuple(self._answers.values()):
                if answer.response_id and answer.response_id == response_id:
                    answer.take(kind, event)
        elif kind == "error":
            self._take_error(event.error)

    def _take_words(self, what: str, event: Any) -> None:
        from_ms, to_ms, _ = self._due[0] if self._due else (0, 0, 0.0)
        match what:
            case "delta":
                return  # the words follow at once: the voice is over
            case "completed":
                text = str(getattr(event, "transcript", "") or "").strip()
            case _:
                text = ""
        if self._due:
            self._due.popleft()
        self._words.put_nowait(Heard(text, True, 0.9 if text else 0.0, from_ms, to_ms, NAME))

    def _take_error(self, error: Any) -> None:
        """The session stays open after most errors; one about us ends it."""
        code = str(getattr(error, "code", "") or "")
        if answer := self._answers.get(str(getattr(error, "event_id", "") or "")):
            answer.fail(code)
            answer.over.set()
        if code in ("session_expired", "invalid_api_key", "model_not_found", "insufficient_quota"):
            raise ProviderRefused(code)
        if code == "input_audio_buffer_commit_empty" and self._due:
            self._due.popleft()


def _now() -> float:
    return asyncio.get_running_loop().time()


@contextmanager
def _translated() -> Iterator[None]:
    """The SDK's and the network's errors as ours."""
    import openai
    from websockets.exceptions import InvalidStatus, WebSocketException

    try:
        yield
    except InvalidStatus as error:
        status = error.response.status_code
        kind = ProviderRefused if status in (400, 401, 403, 404) else ProviderDown
        raise kind(f"HTTP {status}", provider_code=status) from error
    except TimeoutError:
        raise ProviderDown("no connection in time") from None
    except (WebSocketException, openai.OpenAIError, OSError, ValueError) as error:
        raise ProviderDown(f"the connection broke: {type(error).__name__}") from error
