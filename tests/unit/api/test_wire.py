"""Limits on the media socket, with a socket made of messages."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket

from app.api.wire import BURST, MAX_FRAME, Wire
from app.errors import BadFrame, Disconnected


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def opened(messages: Iterable[Message], clock: Clock) -> tuple[Wire, list[Message]]:
    waiting = iter([{"type": "websocket.connect"}, *messages])
    sent: list[Message] = []

    async def receive() -> Message:
        return next(waiting)

    async def send(message: Message) -> None:
        sent.append(message)

    socket = WebSocket({"type": "websocket", "headers": [], "path": "/"}, receive, send)
    await socket.accept()
    return Wire(socket, clock), sent


def text(content: str) -> Message:
    return {"type": "websocket.receive", "text": content}


def test_text_goes_both_ways_and_the_end_is_told() -> None:
    async def scenario() -> None:
        wire, sent = await opened([text("hello"), {"type": "websocket.disconnect", "code": 1006}], Clock())
        assert await wire.receive_text() == "hello"
        await wire.send_text("bye")
        assert sent[-1] == {"type": "websocket.send", "text": "bye"}
        with pytest.raises(Disconnected):
            await wire.receive_text()
        with pytest.raises(Disconnected):
            await wire.send_text("anybody?")
        await wire.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "websocket.receive", "bytes": b"\x00"}, 1003),
        ({"type": "websocket.receive", "text": "x" * (MAX_FRAME + 1)}, 1009),
    ],
)
def test_F18_what_no_media_stream_sends_closes_that_socket(message: Message, code: int) -> None:
    async def scenario() -> None:
        wire, sent = await opened([message], Clock())
        with pytest.raises(BadFrame):
            await wire.receive_text()
        assert (sent[-1]["type"], sent[-1]["code"]) == ("websocket.close", code)
        await wire.close()
        assert sent[-1]["code"] == code

    asyncio.run(scenario())


def test_T02_a_flood_is_cut_off_but_ten_seconds_held_up_are_not() -> None:
    async def scenario() -> None:
        clock = Clock()
        frames = int(BURST) * 3
        wire, sent = await opened([text("x")] * frames, clock)
        for _ in range(int(BURST)):
            await wire.receive_text()
        clock.now += 1.0
        for _ in range(100):
            await wire.receive_text()
        with pytest.raises(BadFrame):
            await wire.receive_text()
        assert sent[-1]["code"] == 1008

    asyncio.run(scenario())


def test_a_stream_at_its_normal_pace_is_never_cut_off() -> None:
    async def scenario() -> None:
        clock = Clock()
        wire, _ = await opened([text("x")] * 3000, clock)
        for _ in range(3000):
            clock.now += 0.02
            await wire.receive_text()

    asyncio.run(scenario())
