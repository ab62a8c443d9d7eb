"""The socket as the bridge wants it, with a socket made of messages."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket

from app.api.wire import UNSUPPORTED, Wire
from app.errors import BadFrame, Disconnected


async def opened(*messages: Message) -> tuple[Wire, list[Message]]:
    waiting: Iterable[Message] = iter([{"type": "websocket.connect"}, *messages])
    sent: list[Message] = []

    async def receive() -> Message:
        return next(iter(waiting))

    async def send(message: Message) -> None:
        sent.append(message)

    socket = WebSocket({"type": "websocket", "headers": [], "path": "/"}, receive, send)
    await socket.accept()
    return Wire(socket), sent


def test_text_goes_both_ways_and_the_end_is_told() -> None:
    async def scenario() -> None:
        hello, gone = {"type": "websocket.receive", "text": "hello"}, {"type": "websocket.disconnect", "code": 1006}
        wire, sent = await opened(hello, gone)
        assert await wire.receive_text() == "hello"
        await wire.send_text("bye")
        assert sent[-1] == {"type": "websocket.send", "text": "bye"}
        for use in (wire.receive_text, lambda: wire.send_text("anybody?"), wire.receive_text):
            with pytest.raises(Disconnected):
                await use()
        await wire.close()
        assert sent[-1]["type"] == "websocket.send"

    asyncio.run(scenario())


def test_F18_a_binary_frame_closes_that_socket() -> None:
    async def scenario() -> None:
        wire, sent = await opened({"type": "websocket.receive", "bytes": b"\x00"})
        with pytest.raises(BadFrame):
            await wire.receive_text()
        assert sent[-1]["code"] == UNSUPPORTED
        await wire.close()
        assert len(sent) == 2

    asyncio.run(scenario())
