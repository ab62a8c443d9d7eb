"""LowWater over a real connection: how much is read at a time, and that nothing is left lying."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

import pytest
import uvloop

from app.api.low_water import STILL_S, LowWater

FRAME = b"f" * 380
LATE_S = 5.0


class Reads(asyncio.Protocol):
    """How many bytes were read at a time. `of` is what a message is taken for."""

    def __init__(self, of: int, still_s: float) -> None:
        self._of, self._still_s = of, still_s
        self.sizes: list[int] = []
        self.lost, self._more = asyncio.Event(), asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = transport.get_extra_info("socket")
        self._low_water = LowWater(cast(asyncio.Transport, transport), self._still_s)

    def data_received(self, data: bytes) -> None:
        self.sizes.append(len(data))
        self._low_water.read(self._of)
        self._more.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.lost.set()

    def waits_for(self) -> int:
        return int(self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT))

    async def has(self, size: int) -> None:
        async with asyncio.timeout(LATE_S):
            while sum(self.sizes) < size:
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def line(of: int = len(FRAME), still_s: float = STILL_S) -> AsyncIterator[tuple[Reads, asyncio.StreamWriter]]:
    reads = Reads(of, still_s)
    server = await asyncio.get_running_loop().create_server(lambda: reads, "127.0.0.1", 0)
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            yield reads, writer
        finally:
            writer.close()
            async with asyncio.timeout(LATE_S):
                await reads.lost.wait()


async def three_at_a_time() -> None:
    async with line(still_s=LATE_S) as (reads, writer):
        writer.write(FRAME)
        await reads.has(len(FRAME))
        for number in (1, 2):
            writer.write(2 * FRAME)
            await asyncio.sleep(0.01)
            assert len(reads.sizes) == number, "two frames do not wake us"
            writer.write(FRAME)
            await reads.has((1 + 3 * number) * len(FRAME))
        assert reads.sizes == [len(FRAME), 3 * len(FRAME), 3 * len(FRAME)]


async def what_is_left_is_read() -> None:
    """A last message, after which nothing comes: `stop`, or what a client says before it closes."""
    async with line() as (reads, writer):
        writer.write(FRAME)
        await reads.has(len(FRAME))
        writer.write(b"stop")
        await reads.has(len(FRAME) + 4)
        assert reads.sizes == [len(FRAME), 4]


async def long_frames_wait_for_none() -> None:
    async with line(of=800) as (reads, writer):
        writer.write(FRAME)
        await reads.has(len(FRAME))
        assert reads.waits_for() == 1


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("behaves", [three_at_a_time, what_is_left_is_read, long_frames_wait_for_none])
def test_the_kernel_keeps_frames_together(
    behaves: Callable[[], Awaitable[None]], runner: Callable[[Awaitable[None]], None]
) -> None:
    runner(behaves())
