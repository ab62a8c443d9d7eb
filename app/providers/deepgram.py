"""Speech to text by Deepgram's `/v1/listen`: mu-law straight through, and no word lost when a connection is.

Our own voice activity notices the end of speech first; a Finalize then brings the words at once. The SDK's sockets
never reconnect and its reads have no time limit: both are done here. Health is judged by "voice, and no word about it",
not by the state of the socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from deepgram import AsyncDeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.environment import DeepgramClientEnvironment
from deepgram.listen.v1.client import AsyncV1Client
from deepgram.listen.v1.socket_client import AsyncV1SocketClient
from websockets.exceptions import WebSocketException

from app.dialog.events import Heard, VoiceOff, VoiceOn
from app.dialog.script import Playbook
from app.errors import ProviderDown, ProviderError, ProviderRefused
from app.ports import AudioChunk, CallerSound, Expectation
from app.providers.deepgram_results import NAME, Hearing
from app.providers.unanswered import Unanswered
from app.settings import Settings

_PIECE_BYTES = 480  # 60 ms a message; what came before the voice ended goes out with its end
_REFUSALS = {400, 401, 402, 403, 404}
_LAST_WORDS_S = 2.0
_KEYTERMS = 50  # far below the 500 tokens Deepgram allows


@dataclass(frozen=True, slots=True)
class Account:
    """`base_url` is where sockets go, wss:// or ws://."""

    key: str
    base_url: str = "wss://api.deepgram.com"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What we listen for. `endpointing_ms` of silence make Deepgram close an utterance without being asked."""

    model: str = "nova-3"
    language: str = "en-US"
    keyterms: tuple[str, ...] = ()
    endpointing_ms: int = 300

    def query(self) -> dict[str, Any]:
        """Keyterms are for Nova-3 alone: an older model refuses them."""
        query: dict[str, Any] = {
            "model": self.model,
            "language": self.language,
            "encoding": "mulaw",
            "sample_rate": 8000,
            "channels": 1,
            "interim_results": True,
            "endpointing": self.endpointing_ms,
            "utterance_end_ms": 1000,
            "punctuate": True,
        }
        if self.keyterms and self.model.startswith("nova-3"):
            query["keyterm"] = list(self.keyterms[:_KEYTERMS])
        return query


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds. `silent_s`: voice without a word about it. The server hangs up after 10 s with neither audio nor
    KeepAlive. `attempts` in a row to connect before giving up."""

    connect_s: float = 2.0
    silent_s: float = 2.7
    keep_alive_s: float = 4.0
    attempts: int = 2
    retry_s: float = 0.2


class DeepgramSpeechToText:
    """The SpeechToText port. One instance serves every call with one playbook; each `listen` has its own socket."""

    name = NAME

    def __init__(self, account: Account, wishes: Wishes | None = None, limits: Limits | None = None) -> None:
        self._listen = _client(account)
        self._wishes, self._limits = wishes or Wishes(), limits or Limits()

    async def listen(
        self, sound: AsyncIterator[CallerSound], expecting: Callable[[], Expectation]
    ) -> AsyncIterator[Heard]:
        """Raises ProviderRefused for a key or parameters Deepgram will not have, ProviderDown for anything else."""
        del expecting  # keyterms hold for the whole call, and no grammar is needed
        kept = Unanswered()
        out: asyncio.Queue[Heard | ProviderError | None] = asyncio.Queue()
        ended: ProviderError | None = None
        try:
            async with asyncio.TaskGroup() as group:
                tasks = (
                    group.create_task(kept.fill(sound), name="deepgram intake"),
                    group.create_task(self._stay_connected(kept, out), name="deepgram"),
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

    async def _stay_connected(self, kept: Unanswered, out: asyncio.Queue[Heard | ProviderError | None]) -> None:
        """Puts words into `out`, and in the end None or what went wrong."""
        failures = 0
        while True:
            connection = _Connection(kept, out, self._limits)
            try:
                async with self._socket() as socket:
                    await connection.hold(socket)
                out.put_nowait(None)
                return
            except ProviderRefused as refused:
                out.put_nowait(refused)
                return
            except ProviderDown as down:
                failures = 1 if connection.useful else failures + 1
                if failures >= self._limits.attempts or connection.deaf:
                    out.put_nowait(down)
                    return
            kept.rewind()
            await asyncio.sleep(self._limits.retry_s * (failures - 1))

    @asynccontextmanager
    async def _socket(self) -> AsyncIterator[AsyncV1SocketClient]:
        """Raises ProviderRefused, and ProviderDown for whatever else happens to it inside or out."""
        try:
            async with asyncio.timeout(self._limits.connect_s) as opening:
                async with self._listen.connect(**self._wishes.query()) as socket:
                    opening.reschedule(None)
                    try:
                        yield socket
                    finally:
                        await _let_go(socket)
        except ApiError as error:
            kind = ProviderRefused if error.status_code in _REFUSALS else ProviderDown
            raise kind(
                f"Deepgram answered {error.status_code} to the handshake", provider_code=error.status_code
            ) from None
        except TimeoutError:
            raise ProviderDown(f"Deepgram did not answer within {self._limits.connect_s:g} s") from None
        except (OSError, WebSocketException) as error:
            raise ProviderDown(f"the connection to Deepgram was lost: {error or type(error).__name__}") from None


class _Connection:
    """One socket, from open to lost. `useful` once it brought results, `deaf` when it left voice unanswered."""

    def __init__(self, kept: Unanswered, out: asyncio.Queue[Heard | ProviderError | None], limits: Limits) -> None:
        self._kept, self._out, self._limits = kept, out, limits
        self._hearing = Hearing()
        self._clock = asyncio.get_running_loop().time
        self._sent_at = self._clock()
        self._finished = False
        self.useful = False
        self.deaf = False

    async def hold(self, socket: AsyncV1SocketClient) -> None:
        """Returns when the sound is over and its words have come. Raises ProviderDown, OSError, WebSocketException."""
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

    async def _send(self, socket: AsyncV1SocketClient) -> None:
        waiting = bytearray()

        async def send_waiting() -> None:
            if waiting:  # an empty message could be taken for the end
                self._sent_at = self._clock()
                await socket.send_media(bytes(waiting))
                waiting.clear()

        async for piece in self._kept.pieces():
            match piece:
                case AudioChunk(data):
                    self._hearing.sent(piece)
                    waiting += data
                    if len(waiting) >= _PIECE_BYTES:
                        await send_waiting()
                case VoiceOn():
                    self._hearing.voice_on(self._clock())
                case VoiceOff(at_ms):
                    self._hearing.voice_off(at_ms)
                    await send_waiting()
                    await socket.send_finalize()
        await send_waiting()

    async def _receive(self, socket: AsyncV1SocketClient) -> None:
        async for message in socket:
            heard = self._hearing.take(message, self._clock())
            if self._hearing.answered_ms is not None:
                self.useful = True
                self._kept.answered(self._hearing.answered_ms)
            if heard is not None:
                self._out.put_nowait(heard)
        if not self._finished:
            raise ProviderDown("Deepgram closed the connection")

    async def _watch(self, socket: AsyncV1SocketClient) -> None:
        limits = self._limits
        while True:
            await asyncio.sleep(min(limits.keep_alive_s, limits.silent_s) / 8)
            if self._hearing.silent_s(self._clock()) > limits.silent_s:
                self.deaf = True
                raise ProviderDown(f"Deepgram said nothing about {limits.silent_s:g} s of voice")
            if self._clock() - self._sent_at > limits.keep_alive_s:
                self._sent_at = self._clock()
                await socket.send_keep_alive()


def make(settings: Settings, playbook: Playbook) -> DeepgramSpeechToText:
    key = settings.deepgram_api_key
    account = Account(key.get_secret_value() if key else "", settings.deepgram_base_url)
    return DeepgramSpeechToText(
        account, Wishes(settings.deepgram_model, language=playbook.language, keyterms=_keyterms(playbook))
    )


def _keyterms(playbook: Playbook) -> tuple[str, ...]:
    """Names a general model cannot know, and the words that answers turn on."""
    cues = (cue for fact in playbook.facts for cue in fact.cues)
    names = (playbook.business.name, playbook.agent, *(offer.title for offer in playbook.offers), *cues)
    return tuple(dict.fromkeys(name for name in names if name))


def _client(account: Account) -> AsyncV1Client:
    base = account.base_url
    rest = base.replace("ws", "http", 1)
    place = DeepgramClientEnvironment(base=rest, production=base, agent=base, agent_rest=rest)
    listen: AsyncV1Client = AsyncDeepgramClient(api_key=account.key, environment=place).listen.v1
    return listen


async def _let_go(socket: AsyncV1SocketClient) -> None:
    """Without the closing handshake, for which the SDK's socket would wait half a minute when nobody answers.

    Once the connection is gone its own closing has nothing to do, and no error that would take a cancellation's place.
    The SDK offers no way to do this: `_websocket` is its own.
    """
    with suppress(AttributeError):
        connection = socket._websocket
        connection.transport.abort()
        await connection.wait_closed()
