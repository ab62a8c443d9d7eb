"""One socket to Aura, opened by Deepgram's SDK: text in, audio out, one line at a time.

The SDK makes `Cleared` and even errors instances of its class for `Flushed`: only their `type` counts.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import AsyncExitStack, suppress
from typing import Any

from deepgram import AsyncDeepgramClient
from deepgram.speak.v1.types import SpeakV1Text
from websockets.exceptions import WebSocketException

from app.errors import ProviderDown, ProviderError, ProviderRefused
from app.telephony import mulaw

MOST_FLUSHES, FLUSHES_S = 20, 60.0  # in any minute, on one socket: more are not served
_REFUSALS = {400, 401, 402, 403, 404, 413, 422}
_GOODBYE_S = 0.2


class AuraSocket:
    """`used_at` is for whoever keeps it."""

    def __init__(self, sdk: Any, held: AsyncExitStack) -> None:
        self._sdk, self._held = sdk, held
        self._flushed_at: deque[float] = deque(maxlen=MOST_FLUSHES)
        self._clearing = 0  # not confirmed yet
        self.used_at = 0.0

    @property
    def usable(self) -> bool:
        return bool(self._sdk._websocket.open)  # the SDK does not tell

    def may_flush(self, now: float) -> bool:
        return len(self._flushed_at) < MOST_FLUSHES or now - self._flushed_at[0] > FLUSHES_S

    async def say(self, text: str) -> None:
        self._flushed_at.append(asyncio.get_running_loop().time())
        await self._sdk.send_text(SpeakV1Text(text=text))
        await self._sdk.send_flush()

    async def clear(self) -> None:
        """What comes until they confirm it belongs to a line that was given up."""
        self._clearing += 1
        await self._sdk.send_clear()

    async def audio(self) -> bytes | None:
        """The next piece of the line, None after the last. Raises ProviderDown for an error of theirs, OSError and
        WebSocketException when the socket is gone."""
        while True:
            try:
                message = await self._sdk.recv()
            except ValueError:  # no JSON
                continue
            if isinstance(message, bytes):
                if message and not self._clearing:
                    return message
                continue
            match getattr(message, "type", ""):
                case "Cleared":
                    self._clearing = max(0, self._clearing - 1)
                case "Flushed" if not self._clearing:
                    return None
                case "Error":
                    raise ProviderDown(f"Aura reports {_reason(message)}")

    async def abandon(self) -> None:
        """Without the closing handshake, for which the SDK's socket would wait long when nobody answers."""
        with suppress(AttributeError, WebSocketException, OSError, TimeoutError):
            connection = self._sdk._websocket
            connection.transport.abort()
            async with asyncio.timeout(_GOODBYE_S):
                await connection.wait_closed()
                await self._held.aclose()


async def open_socket(client: AsyncDeepgramClient, model: str, speed: float | None) -> AuraSocket:
    """Raises the SDK's ApiError, OSError and WebSocketException."""
    held = AsyncExitStack()
    opening = client.speak.v1.connect(model=model, encoding="mulaw", sample_rate=str(mulaw.RATE), speed=speed)
    return AuraSocket(await held.enter_async_context(opening), held)


def refusal(status: int) -> ProviderError:
    kind = ProviderRefused if status in _REFUSALS else ProviderDown
    return kind(f"Aura answered {status}", provider_code=status)


def _reason(message: Any) -> str:
    """Their code for it, or their words."""
    return str(getattr(message, "code", None) or getattr(message, "description", None) or "an error")
