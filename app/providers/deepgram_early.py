"""A connection to Deepgram that is there before its call.

It stays with the task that opened it, from the handshake to the end; the call borrows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from app.errors import ProviderDown, ProviderError
from app.providers.deepgram_sockets import Sockets, named_errors
from app.telephony import mulaw

_SIGN_S = mulaw.FRAME_MS / 1000  # of silence, to a model that knows no other sign; it is billed


@dataclass(frozen=True, slots=True)
class Lent:
    """`padded_ms` of silence were sent to keep it open."""

    socket: Any
    padded_ms: int


class EarlySocket:
    """One, for one call. `open` once the handshake was answered; `rest_s` between signs of life."""

    def __init__(self, sockets: Sockets, rest_s: float) -> None:
        self._sockets, self._rest_s = sockets, rest_s
        self._wanted, self._over = asyncio.Event(), asyncio.Event()
        self._lent: asyncio.Future[Lent] = asyncio.get_running_loop().create_future()
        self.open = False

    async def wait(self) -> None:
        """Returns when the call is through with it. Raises ProviderError when there is none, or none any more."""
        try:
            async with self._sockets.opened() as socket:
                self.open = True
                padded_ms = await self._stay(socket)
                if not self._lent.done():
                    self._lent.set_result(Lent(socket, padded_ms))
                await self._over.wait()
        except ProviderError as error:
            self._fail(error)
            raise
        finally:
            self._fail(ProviderDown("the early connection to Deepgram was given up"))

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[Lent]:
        """Waits for the handshake if need be. Raises what `Sockets.opened` raises."""
        self._wanted.set()
        try:
            with named_errors():
                yield await self._lent
        finally:
            self._over.set()

    async def _stay(self, socket: Any) -> int:
        """Until somebody wants it. Returns how much silence was sent, in ms."""
        padded_ms = 0
        while not self._wanted.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._rest_s):
                    await self._wanted.wait()
            if not self._wanted.is_set():
                padded_ms += mulaw.duration_ms(await self._sockets.dialect.keep_alive(socket, _SIGN_S))
        return padded_ms

    def _fail(self, error: ProviderError) -> None:
        if not self._lent.done():
            self._lent.set_exception(error)
            self._lent.exception()  # nobody may ever ask for it
