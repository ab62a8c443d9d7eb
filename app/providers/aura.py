"""Text to speech by Deepgram's Aura through its SDK: a line is spoken and flushed on a socket, HTTP when sockets fail.

An interruption clears the socket and keeps it: what was on its way is not heard in the next line. Sockets are lent to
one line at a time and kept open between lines, for all calls together.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass

import httpx
from deepgram import AsyncDeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.environment import DeepgramClientEnvironment
from websockets.exceptions import WebSocketException

from app.dialog.deadlines import DEADLINES
from app.dialog.voice import Voice as Wished
from app.errors import ProviderDown, ProviderLate
from app.ports import Say, Speech
from app.providers.aura_socket import AuraSocket, open_socket, refusal
from app.providers.deepgram_sockets import Account
from app.providers.rest_of_line import Spoken
from app.providers.voice_version import version_of
from app.settings import Settings
from app.telephony import mulaw

__all__ = ["Account", "AuraTextToSpeech", "Limits", "Voice", "make"]

NAME = "aura"
_GOODBYE_S = 0.2
_HTTP_PIECE = 800  # bytes: 100 ms


@dataclass(frozen=True, slots=True)
class Voice:
    """`model` is the voice. A speed of 1 is not sent: not every model takes one."""

    model: str = "aura-2-thalia-en"
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, but for `idle_sockets`. A socket nobody used for `idle_s` is not trusted any more."""

    connect_s: float = DEADLINES.connect_s
    stall_s: float = 2.0
    idle_s: float = 150.0
    idle_sockets: int = 16


class AuraTextToSpeech:
    """The TextToSpeech port. One instance serves every call of the process. Close it when the process ends."""

    name = NAME

    def __init__(self, account: Account, voice: Voice | None = None, limits: Limits | None = None) -> None:
        self._voice, self._limits = voice or Voice(), limits or Limits()
        self.model = self._voice.model
        self.voice_version = version_of(NAME, self._voice)
        base, rest = account.base_url, account.base_url.replace("ws", "http", 1)
        place = DeepgramClientEnvironment(base=rest, production=base, agent=base, agent_rest=rest)
        self._http = httpx.AsyncClient(timeout=5.0)
        self._sdk = AsyncDeepgramClient(api_key=account.key, environment=place, httpx_client=self._http)
        self._idle: list[AuraSocket] = []

    async def speak(self, line: Say) -> AsyncIterator[Speech]:
        """Without word times: this API has none. Raises ProviderRefused for a key or a voice, ProviderDown for anything
        else."""
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
        """Opens a socket for the first line. Raises what `speak` raises."""
        async with self._lent():
            pass

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().abandon()
        await self._http.aclose()

    # --- by socket ---

    async def _by_socket(self, text: str) -> AsyncGenerator[Speech, None]:
        async with self._lent() as socket:
            try:
                await socket.say(text)
                while (audio := await self._next(socket)) is not None:
                    yield Speech(audio)
            except (asyncio.CancelledError, GeneratorExit):
                with suppress(TimeoutError, OSError, WebSocketException):
                    async with asyncio.timeout(_GOODBYE_S):
                        await socket.clear()
                raise

    async def _next(self, socket: AuraSocket) -> bytes | None:
        """The next audio of this line, None after the last."""
        try:
            async with asyncio.timeout(self._limits.stall_s):
                return await socket.audio()
        except TimeoutError:
            raise ProviderLate(f"Aura sent nothing for {self._limits.stall_s:g} s") from None

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[AuraSocket]:
        """An open socket for one line. Whatever fails on it is ProviderDown, and the socket is not used again."""
        socket = await self._rested() or await self._connected()
        good = False
        try:
            yield socket
            good = True
        except (asyncio.CancelledError, GeneratorExit):
            good = True
            raise
        except (OSError, WebSocketException) as lost:
            raise ProviderDown(f"the connection to Aura was lost: {lost or type(lost).__name__}") from None
        finally:
            socket.used_at = asyncio.get_running_loop().time()
            if good and socket.usable and len(self._idle) < self._limits.idle_sockets:
                self._idle.append(socket)
            else:
                await socket.abandon()

    async def _rested(self) -> AuraSocket | None:
        """One that is still open and may be flushed. Those that may not yet wait on."""
        now = asyncio.get_running_loop().time()
        for socket in tuple(reversed(self._idle)):
            if not socket.usable or now - socket.used_at > self._limits.idle_s:
                self._idle.remove(socket)
                await socket.abandon()
            elif socket.may_flush(now):
                self._idle.remove(socket)
                return socket
        return None

    async def _connected(self) -> AuraSocket:
        speed = None if self._voice.speed == 1.0 else self._voice.speed
        try:
            async with asyncio.timeout(self._limits.connect_s):
                return await open_socket(self._sdk, self._voice.model, speed)
        except ApiError as error:
            raise refusal(error.status_code or 0) from None
        except TimeoutError:
            raise ProviderLate(f"Aura did not answer within {self._limits.connect_s:g} s") from None
        except (OSError, WebSocketException) as error:
            raise ProviderDown(f"Aura cannot be reached: {error or type(error).__name__}") from None

    # --- by HTTP ---

    async def _by_http(self, text: str) -> AsyncGenerator[Speech, None]:
        """`container` none: the audio would begin with the head of a WAV file otherwise."""
        stream = self._sdk.speak.v1.audio.generate(
            text=text,
            model=self._voice.model,
            encoding="mulaw",
            container="none",
            sample_rate=mulaw.RATE,
            speed=None if self._voice.speed == 1.0 else self._voice.speed,
            request_options={"max_retries": 0, "timeout_in_seconds": 5, "chunk_size": _HTTP_PIECE},
        )
        try:
            async for piece in stream:
                yield Speech(piece)
        except ApiError as error:
            raise refusal(error.status_code or 0) from None
        except httpx.HTTPError as error:
            raise ProviderDown(f"Aura cannot be reached: {error or type(error).__name__}") from None


def make(settings: Settings, wished: Wished) -> AuraTextToSpeech:
    """With Deepgram's key. What the playbook wishes comes before the settings."""
    key = settings.deepgram_api_key
    account = Account(key.get_secret_value() if key else "", settings.aura_base_url or settings.deepgram_base_url)
    voice = Voice(wished.id_for(NAME) or settings.aura_voice, 1.0 if wished.speed is None else wished.speed)
    return AuraTextToSpeech(account, voice)
