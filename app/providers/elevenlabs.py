"""Text to speech by ElevenLabs: a socket that holds several contexts, one context a line, HTTP when sockets fail.

An interruption closes the line's context and keeps the socket. Sockets are lent to one line at a time and kept open
between lines, for all calls together. The SDK has no client for this socket; its types are used to write messages.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from elevenlabs.client import AsyncElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.types import (
    CloseContext,
    FlushContext,
    InitializeConnectionMulti,
    KeepContextAlive,
    RealtimeVoiceSettings,
    SendTextMulti,
    VoiceSettings,
)
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException
from websockets.protocol import State

from app.dialog import voice as playbook
from app.dialog.deadlines import DEADLINES
from app.errors import ProviderDown, ProviderError, ProviderLate, ProviderRefused
from app.ports import Say, Speech
from app.providers.elevenlabs_speech import Ended, Sound, Spelling, Trouble, read
from app.providers.rest_of_line import Spoken
from app.providers.voice_version import version_of
from app.settings import Settings

NAME = "elevenlabs"
_REFUSALS = {400, 401, 402, 403, 404, 422}
_FINAL_NO = ("quota", "api_key", "voice_not_found", "permission", "character_limit")
_GOODBYE_S = 0.2
_HTTP_PIECE = 800  # bytes: 100 ms


@dataclass(frozen=True, slots=True)
class Account:
    """`base_url` is where sockets go, wss:// or ws://; HTTP goes to the same host."""

    key: str
    base_url: str = "wss://api.elevenlabs.io"


@dataclass(frozen=True, slots=True)
class Voice:
    voice_id: str
    model: str = "eleven_flash_v2_5"
    stability: float = 0.5
    similarity: float = 0.75
    speed: float = 1.0
    style: float = 0.0
    language: str = ""

    def for_line(self) -> dict[str, Any]:
        return {
            "stability": self.stability,
            "similarity_boost": self.similarity,
            "style": self.style,
            "use_speaker_boost": False,
            "speed": self.speed,
        }

    def language_code(self) -> str | None:
        """The other models refuse to be told a language."""
        return self.language if self.language and "v2_5" in self.model else None


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, but for `idle_sockets`. `final_s`: all words have come, so the end is due. A socket nobody used for
    `idle_s` is not trusted any more: the server closes it after `inactivity_s`, at most 180."""

    connect_s: float = DEADLINES.connect_s
    stall_s: float = 2.0
    final_s: float = 0.5
    keep_alive_s: float = 10.0
    inactivity_s: int = 180
    idle_s: float = 150.0
    idle_sockets: int = 16


class ElevenLabsTextToSpeech:
    """The TextToSpeech port. One instance serves every call of the process. Close it when the process ends."""

    name = NAME

    def __init__(self, account: Account, voice: Voice, limits: Limits | None = None) -> None:
        self.model = voice.model
        self._account, self._voice, self._limits = account, voice, limits or Limits()
        self._tls = ssl.create_default_context() if account.base_url.startswith("wss") else None
        self._http = httpx.AsyncClient(timeout=5.0)
        rest = account.base_url.replace("ws", "http", 1)
        self._sdk = AsyncElevenLabs(api_key=account.key, base_url=rest, httpx_client=self._http)
        self._idle: list[tuple[ClientConnection, float]] = []
        self._contexts = count(1)
        self.voice_version = version_of(NAME, voice)

    async def speak(self, line: Say) -> AsyncIterator[Speech]:
        """Raises ProviderRefused for a key, a voice or a format, ProviderDown for anything else."""
        spoken = Spoken(line)
        try:
            async with aclosing(self._by_socket(line.text)) as pieces:
                async for speech in pieces:
                    spoken.add(speech)
                    yield speech
            return
        except ProviderDown as down:
            if down.provider_code is not None:  # they are there and cannot: HTTP would hear the same
                raise
        if left := spoken.text_left():
            async with aclosing(self._by_http(left)) as pieces:
                async for speech in pieces:
                    yield speech

    async def warm(self) -> None:
        """A socket is open for the next line afterwards. Raises what `speak` raises."""
        now = asyncio.get_running_loop().time()
        fresh = (socket.state is State.OPEN and now - since < self._limits.idle_s / 2 for socket, since in self._idle)
        if not any(fresh):
            self._put_back(await self._connected())

    async def close(self) -> None:
        while self._idle:
            self._idle.pop()[0].transport.abort()
        await self._http.aclose()

    # --- by socket ---

    async def _by_socket(self, text: str) -> AsyncGenerator[Speech, None]:
        context = f"line-{next(self._contexts)}"
        spelling = Spelling(text)
        async with self._lent() as socket:
            try:
                for message in self._line(context, text):
                    await socket.send(message)
                while (sound := await self._next(socket, context, spelling)) is not None:
                    yield spelling.speech(sound)
            except (asyncio.CancelledError, GeneratorExit):
                with suppress(TimeoutError, WebSocketException):
                    async with asyncio.timeout(_GOODBYE_S):
                        await socket.send(written(CloseContext(context_id=context, close_context=True)))
                raise

    def _line(self, context: str, text: str) -> tuple[str, ...]:
        """Settings hold only in the message that opens the context. Closing lets it finish what it has."""
        settings = RealtimeVoiceSettings(**self._voice.for_line())
        return (
            written(InitializeConnectionMulti(text=" ", voice_settings=settings, context_id=context)),
            written(SendTextMulti(text=f"{text} ", context_id=context)),
            written(FlushContext(context_id=context, flush=True)),
            written(CloseContext(context_id=context, close_context=True)),
        )

    async def _next(self, socket: ClientConnection, context: str, spelling: Spelling) -> Sound | None:
        """The next audio of this context, None after the last. What comes for others was given up by them."""
        limits = self._limits
        limit_s = limits.final_s if spelling.complete else limits.stall_s
        try:
            async with asyncio.timeout(limit_s):
                while True:
                    match read(await self._receive(socket, context)):
                        case Sound() as sound if sound.context == context:
                            return sound
                        case Ended(ended) if ended == context:
                            return None
                        case Trouble(kind, text):
                            final = any(no in kind for no in _FINAL_NO)
                            raise (ProviderRefused if final else ProviderDown)(f"ElevenLabs reports {text}")
        except TimeoutError:
            if spelling.complete:
                return None
            raise ProviderLate(f"ElevenLabs sent nothing for {limit_s:g} s") from None

    async def _receive(self, socket: ClientConnection, context: str) -> str | bytes:
        while True:
            try:
                async with asyncio.timeout(self._limits.keep_alive_s):
                    return await socket.recv()
            except TimeoutError:
                await socket.send(written(KeepContextAlive(text="", context_id=context)))

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[ClientConnection]:
        """An open socket for one line. Whatever fails on it is ProviderDown, and the socket is not used again."""
        socket = self._rested() or await self._connected()
        try:
            yield socket
        except (OSError, WebSocketException) as lost:
            socket.transport.abort()
            raise ProviderDown(f"the connection to ElevenLabs was lost: {lost or type(lost).__name__}") from None
        except ProviderError:
            socket.transport.abort()
            raise
        finally:
            if socket.state is State.OPEN and not socket.transport.is_closing():
                self._put_back(socket)

    def _put_back(self, socket: ClientConnection) -> None:
        self._idle.append((socket, asyncio.get_running_loop().time()))
        if len(self._idle) > self._limits.idle_sockets:
            self._idle.pop(0)[0].transport.abort()

    def _rested(self) -> ClientConnection | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            socket, since = self._idle.pop()
            if socket.state is State.OPEN and now - since < self._limits.idle_s:
                return socket
            socket.transport.abort()
        return None

    async def _connected(self) -> ClientConnection:
        query = {
            "model_id": self._voice.model,
            "output_format": "ulaw_8000",
            "inactivity_timeout": self._limits.inactivity_s,
            "sync_alignment": "true",
            "auto_mode": "true",
        }
        if language := self._voice.language_code():
            query["language_code"] = language
        voice = quote(self._voice.voice_id, safe="")
        url = f"{self._account.base_url}/v1/text-to-speech/{voice}/multi-stream-input?{urlencode(query)}"
        headers = {"xi-api-key": self._account.key}
        try:
            return await connect(
                url,
                additional_headers=headers,
                ssl=self._tls,
                open_timeout=self._limits.connect_s,
                max_size=None,
                compression=None,  # sound in base64 shrinks little, and a deflater takes its memory for each socket
            )
        except InvalidStatus as answer:
            raise _refusal(answer.response.status_code) from None
        except (OSError, InvalidHandshake, WebSocketException) as error:
            raise ProviderDown(f"ElevenLabs cannot be reached: {error or type(error).__name__}") from None

    # --- by HTTP ---

    async def _by_http(self, text: str) -> AsyncGenerator[Speech, None]:
        """Without word times."""
        voice = self._voice
        stream = self._sdk.text_to_speech.stream(
            voice.voice_id,
            text=text,
            model_id=voice.model,
            output_format="ulaw_8000",
            language_code=voice.language_code(),
            voice_settings=VoiceSettings(**voice.for_line()),
            request_options={"max_retries": 0, "timeout_in_seconds": 5, "chunk_size": _HTTP_PIECE},
        )
        try:
            async for piece in stream:
                yield Speech(piece)
        except ApiError as error:
            raise _refusal(error.status_code or 0) from None
        except httpx.HTTPError as error:
            raise ProviderDown(f"ElevenLabs cannot be reached: {error or type(error).__name__}") from None


def make(settings: Settings, wished: playbook.Voice) -> ElevenLabsTextToSpeech:
    """Needs a key and a voice: there is no voice everybody has. What the playbook wishes comes before the settings."""
    key = settings.elevenlabs_api_key
    account = Account(key.get_secret_value() if key else "", settings.elevenlabs_base_url)
    usual = Voice(settings.elevenlabs_voice_id or "", settings.elevenlabs_model)
    numbers = {name: getattr(wished, name) for name in ("speed", "stability", "similarity", "style")}
    voice = replace(
        usual,
        voice_id=wished.id_for(NAME) or usual.voice_id,
        model=wished.model or usual.model,
        language=wished.language,
        **{name: value for name, value in numbers.items() if value is not None},
    )
    return ElevenLabsTextToSpeech(account, voice)


def _refusal(status: int) -> ProviderError:
    kind = ProviderRefused if status in _REFUSALS else ProviderDown
    return kind(f"ElevenLabs answered {status}", provider_code=status)


def written(message: Any) -> str:
    """Past the SDK's own way, which asks for the types of every field again and takes fifteen times as long."""
    return json.dumps(_fields(message), default=_fields)


def _fields(message: Any) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message.model_fields_set}
