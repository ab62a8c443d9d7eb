"""The socket of a speech-to-speech call, with the SDK's and the network's errors as ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from app.errors import ProviderDown, ProviderError, ProviderRefused

_GOODBYE_S = 0.2


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


class Wire:
    """One call's connection. Raises ProviderRefused for a key or a model not to be had, else ProviderDown."""

    def __init__(self, account: Account, limits: Limits) -> None:
        self._account, self._limits = account, limits
        self._connection: Any = None

    @property
    def connected(self) -> bool:
        return self._connection is not None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        import openai

        client = openai.AsyncOpenAI(api_key=self._account.key, base_url=self._account.base_url, max_retries=0)
        manager = client.realtime.connect(model=self._account.model, max_retries=0)
        try:
            with _translated():
                async with asyncio.timeout(self._limits.connect_s):
                    self._connection = await manager.enter()
                    await self._connection.send({"type": "session.update", "session": self._wishes()})
            yield
        finally:
            connection, self._connection = self._connection, None
            if connection is not None:
                with suppress(ProviderError), _translated():
                    async with asyncio.timeout(_GOODBYE_S):
                        await connection.close()
            await client.close()

    async def send(self, event: Mapping[str, Any]) -> None:
        if self._connection is None:
            raise ProviderDown("not connected")
        with _translated():
            await self._connection.send(dict(event))

    async def send_sound(self, base64_audio: str) -> None:
        """Raw: the SDK's look at every field is for events, not for many pieces of sound a second."""
        if self._connection is None:
            raise ProviderDown("not connected")
        with _translated():
            await self._connection.send_raw(json.dumps({"type": "input_audio_buffer.append", "audio": base64_audio}))

    async def events(self) -> AsyncIterator[Any]:
        """Never ends by itself."""
        with _translated():
            async for event in self._connection:
                yield event
        raise ProviderDown("the server closed the connection")

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
