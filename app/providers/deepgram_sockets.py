"""Deepgram's two ways to listen, through its SDK: Nova models on `/v1/listen`, Flux models on `/v2/listen`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Protocol

from deepgram import AsyncDeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.environment import DeepgramClientEnvironment
from deepgram.listen.v1.client import AsyncV1Client
from deepgram.listen.v2.client import AsyncV2Client
from websockets.exceptions import WebSocketException

from app.errors import ProviderDown, ProviderLate, ProviderRefused
from app.providers.deepgram_results import Result, read_results, read_turn
from app.telephony import mulaw

_REFUSALS = {400, 401, 402, 403, 404}
_EAGER = 0.4  # how sure Flux must be that the caller is through for a draft: "eager" costs tokens, not manners
_KEYTERMS = 50  # far below the 500 tokens Deepgram allows


@dataclass(frozen=True, slots=True)
class Account:
    """`base_url` is where sockets go, wss:// or ws://."""

    key: str
    base_url: str = "wss://api.deepgram.com"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What we listen for. `endpointing_ms` of silence make a Nova close an utterance without being asked."""

    model: str = "nova-3"
    language: str = "en-US"
    keyterms: tuple[str, ...] = ()
    endpointing_ms: int = 300


class Dialect(Protocol):
    """What differs between the two. `idle_s` without audio call for a `keep_alive`; `end_ms` after the voice ended its
    words are asked for, if they have not come."""

    idle_s: float
    end_ms: int

    def connect(self, wishes: Wishes) -> AbstractAsyncContextManager[Any]: ...

    def read(self, message: Any) -> Result | None: ...

    async def end_voice(self, socket: Any) -> None:
        """Our caller stopped speaking: the words, please."""
        ...

    async def keep_alive(self, socket: Any, quiet_s: float) -> bytes:
        """The audio that was made up for it, if any."""
        ...


class Nova:
    """The server hangs up after 10 s with neither audio nor KeepAlive."""

    idle_s = 4.0
    end_ms = 0

    def __init__(self, client: AsyncDeepgramClient) -> None:
        self._listen: AsyncV1Client = client.listen.v1  # imported now, not in a call

    def connect(self, wishes: Wishes) -> AbstractAsyncContextManager[Any]:
        """Keyterms are for Nova-3 alone: an older model refuses them."""
        boosted = wishes.keyterms[:_KEYTERMS] if wishes.model.startswith("nova-3") else ()
        return self._listen.connect(
            model=wishes.model,
            language=wishes.language,
            encoding="mulaw",
            sample_rate=mulaw.RATE,
            channels=1,
            interim_results=True,
            endpointing=wishes.endpointing_ms,
            utterance_end_ms=1000,
            punctuate=True,
            keyterm=list(boosted) or None,
        )

    def read(self, message: Any) -> Result | None:
        return read_results(message)

    async def end_voice(self, socket: Any) -> None:
        await socket.send_finalize()

    async def keep_alive(self, socket: Any, quiet_s: float) -> bytes:
        await socket.send_keep_alive()
        return b""


class Flux:
    """The model moves on with audio alone: without any, silence is sent in its place. It knows by itself when a turn is
    over; we press it only when it hesitates."""

    idle_s = 0.5
    end_ms = 500

    def __init__(self, client: AsyncDeepgramClient) -> None:
        self._listen: AsyncV2Client = client.listen.v2

    def connect(self, wishes: Wishes) -> AbstractAsyncContextManager[Any]:
        """Only the multilingual model takes a language."""
        hint = wishes.language.partition("-")[0]
        multi = wishes.model.endswith("multi") and hint != "multi"
        return self._listen.connect(
            model=wishes.model,
            encoding="mulaw",
            sample_rate=mulaw.RATE,
            eager_eot_threshold=_EAGER,
            keyterm=list(wishes.keyterms[:_KEYTERMS]) or None,
            language_hint=hint if multi else None,
        )

    def read(self, message: Any) -> Result | None:
        return read_turn(message)

    async def end_voice(self, socket: Any) -> None:
        await socket.send_force_end_turn()

    async def keep_alive(self, socket: Any, quiet_s: float) -> bytes:
        silence = mulaw.silence(round(quiet_s * 1000 / mulaw.FRAME_MS) * mulaw.FRAME_MS)
        await socket.send_media(silence)
        return silence


class Sockets:
    """Opens connections for one set of wishes. The SDK's client is made once: it loads certificates."""

    def __init__(self, account: Account, wishes: Wishes, connect_s: float) -> None:
        self._wishes, self._connect_s = wishes, connect_s
        base = account.base_url
        rest = base.replace("ws", "http", 1)
        place = DeepgramClientEnvironment(base=rest, production=base, agent=base, agent_rest=rest)
        client = AsyncDeepgramClient(api_key=account.key, environment=place)
        self.dialect: Dialect = Flux(client) if wishes.model.startswith("flux-") else Nova(client)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Any]:
        """Raises ProviderRefused, and ProviderDown for whatever else happens to it inside or out."""
        with named_errors():
            try:
                async with asyncio.timeout(self._connect_s) as opening:
                    async with self.dialect.connect(self._wishes) as socket:
                        opening.reschedule(None)
                        try:
                            yield socket
                        finally:
                            await _let_go(socket)
            except TimeoutError:
                raise ProviderLate(f"Deepgram did not answer within {self._connect_s:g} s") from None


@contextmanager
def named_errors() -> Iterator[None]:
    """What may happen to a socket of the SDK's, as ProviderError."""
    try:
        yield
    except ApiError as error:
        kind = ProviderRefused if error.status_code in _REFUSALS else ProviderDown
        raise kind(f"Deepgram answered {error.status_code} to the handshake", provider_code=error.status_code) from None
    except (OSError, WebSocketException) as error:
        raise ProviderDown(f"the connection to Deepgram was lost: {error or type(error).__name__}") from None


class _Message(SimpleNamespace):
    """An object of JSON, with what may be left out. Unknown kinds pass as they are.

    Reading an interim result, of which every talking caller brings four a second, takes 20 us instead of the 100 of the
    SDK's models.
    """

    words = transcript = confidence = None


async def messages(socket: Any) -> AsyncIterator[Any]:
    """What the server sends, with the SDK's names. What is no JSON object is left out, as the SDK does."""
    connection = getattr(socket, "_websocket", None)
    if connection is None:  # the SDK has changed: its own way, then
        async for message in socket:
            yield message
        return
    async for frame in connection:
        try:
            message = json.loads(frame, object_hook=lambda fields: _Message(**fields))
        except (ValueError, RecursionError):
            continue
        if isinstance(message, _Message):
            yield message


async def _let_go(socket: Any) -> None:
    """Without the closing handshake, for which the SDK's socket would wait half a minute when nobody answers.

    Once the connection is gone its own closing has nothing to do, and no error that would take a cancellation's place.
    The SDK offers no way to do this: `_websocket` is its own.
    """
    with suppress(AttributeError):
        connection = socket._websocket
        connection.transport.abort()
        await connection.wait_closed()
