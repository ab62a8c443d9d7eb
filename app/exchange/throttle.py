"""Frames taken no faster than a link carries them."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Throttle:
    """Open until it is told otherwise."""

    def __init__(self) -> None:
        self._bytes_per_s: float | None = None
        self._open = asyncio.Event()

    def at(self, bytes_per_s: float | None) -> None:
        """None opens it, at once for a frame that is on its way."""
        self._bytes_per_s = bytes_per_s
        if bytes_per_s is None:
            self._open.set()
        else:
            self._open.clear()

    async def take(self, size: int) -> None:
        if self._bytes_per_s is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(size / self._bytes_per_s):
                    await self._open.wait()
