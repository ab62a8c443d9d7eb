"""Sockets, with the library's own client on the other end and bytes cut anywhere."""

from __future__ import annotations

import asyncio
import socket
from itertools import pairwise
from typing import Any, cast

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn.server import ServerState
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from app.api.sockets import Sockets
from app.api.wire import Wire
from app.errors import BadFrame, Disconnected

MOST = 64 * 1024


class Transport(asyncio.Transport):
    """The server's end of a connection in memory."""

    def __init__(self, ours: socket.socket | None = None) -> None:
        super().__init__({"socket": ours, "sockname": ("127.0.0.1", 80), "peername": ("127.0.0.1", 81)})
        self.written: list[bytes] = []
        self.reading = True
        self._closing = False

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.written.append(data)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True


class Peer:
    """A client and what the application was told by it."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.ended: list[str] = []
        self.wire: Wire | None = None
        self.ready = asyncio.Event()
        self.transport = Transport()
        self.client = ClientProtocol(parse_uri("ws://127.0.0.1/media"), max_size=None)

    async def connected(self, *early: str) -> None:
        """`early` is sent before the application asks for messages past the queue."""
        config = uvicorn.Config(
            Starlette(routes=[WebSocketRoute("/media", self._serve)]), ws=Sockets, ws_max_size=MOST, lifespan="off"
        )
        config.load()
        self.server = Sockets(config, ServerState(), {})
        self.server.connection_made(self.transport)
        self.client.send_request(self.client.connect())
        self.server.data_received(b"".join(self.client.data_to_send()))
        await self.settled()
        self.client.receive_data(self.transport.written.pop(0))
        for text in early:
            self.server.data_received(self.said(text))
        self.ready.set()
        await self.settled()

    async def _serve(self, socket: WebSocket) -> None:
        await socket.accept()
        self.wire = Wire(socket)
        await self.ready.wait()
        try:
            await self.wire.hand_over(self._take)
            self.ended.append("enough")
        except (Disconnected, BadFrame) as error:
            self.ended.append(type(error).__name__)

    def _take(self, text: str) -> bool:
        self.heard.append(text)
        return text == "enough"

    def said(self, text: str) -> bytes:
        self.client.send_text(text.encode())
        return b"".join(self.client.data_to_send())

    async def settled(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)


TEXTS = st.lists(st.text(max_size=300), min_size=1, max_size=8)


@given(texts=TEXTS, cuts=st.lists(st.integers(1, 60), max_size=200), oddly=st.data())
def test_whatever_comes_is_read_in_order_however_it_is_cut(
    texts: list[str], cuts: list[int], oddly: st.DataObject
) -> None:
    """Control frames and messages in several frames among them, after which everything goes through the library."""
    texts = [text for text in texts if text != "enough"]

    async def main() -> None:
        peer = Peer()
        await peer.connected()
        stream = b""
        for text in texts:
            kind = oddly.draw(st.sampled_from(["whole", "whole", "whole", "ping", "parts"]))
            if kind == "ping":
                peer.client.send_ping(b"there?")
            if kind == "parts":
                half = text.encode()
                peer.client.send_text(half[: len(half) // 2], fin=False)
                peer.client.send_continuation(half[len(half) // 2 :], fin=True)
                stream += b"".join(peer.client.data_to_send())
            else:
                stream += peer.said(text)
        places = [0]
        for cut in cuts:
            places.append(min(places[-1] + cut, len(stream)))
        places.append(len(stream))
        for start, end in pairwise(places):
            if end > start:
                peer.server.data_received(stream[start:end])
        await peer.settled()
        assert peer.heard == texts
        assert peer.transport.reading
        assert not peer.ended

    asyncio.run(main())


def test_what_came_before_the_application_was_ready_comes_first() -> None:
    async def main() -> None:
        peer = Peer()
        await peer.connected("one", "two")
        peer.server.data_received(peer.said("three"))
        await peer.settled()
        assert peer.heard == ["one", "two", "three"]
        assert peer.transport.reading, "what the queue had stopped goes on"

    asyncio.run(main())


@pytest.mark.parametrize("how", ["close", "lost", "binary", "enough", "text in no code", "too big"])
def test_the_end_is_told_once_and_nothing_after_it(how: str) -> None:
    told = {"binary": "BadFrame", "enough": "enough"}.get(how, "Disconnected")

    async def main() -> None:
        peer = Peer()
        await peer.connected()
        peer.server.data_received(peer.said("one"))
        match how:
            case "close":
                peer.client.send_close(1000)
                peer.server.data_received(b"".join(peer.client.data_to_send()))
            case "lost":
                peer.server.connection_lost(None)
            case "binary":
                peer.client.send_binary(b"\x00")
                peer.server.data_received(b"".join(peer.client.data_to_send()))
            case "enough":
                peer.server.data_received(peer.said("enough"))
            case "text in no code":
                peer.server.data_received(Frame(Opcode.TEXT, b"\xff\xfe").serialize(mask=True))
            case "too big":
                peer.server.data_received(peer.said("x" * (MOST + 1)))
        await peer.settled()
        assert peer.ended == [told]
        if how == "enough":
            peer.server.data_received(peer.said("more"))
        else:
            assert peer.wire is not None
            written = list(peer.transport.written)
            with pytest.raises(Disconnected):
                await peer.wire.send_text("anybody?")
            await peer.wire.close()
            assert peer.transport.written == written
        if not peer.transport.is_closing():
            peer.server.connection_lost(None)
        assert peer.heard == ["one", *(["enough"] if how == "enough" else [])]

    asyncio.run(main())


def test_what_looks_like_a_message_inside_of_another_frame_is_none() -> None:
    async def main() -> None:
        peer = Peer()
        await peer.connected()
        inside = peer.said("not said")
        peer.server.data_received(bytes([0x89, 0x80 | len(inside), 0, 0, 0, 0]))  # a ping, its mask, and then ...
        peer.server.data_received(inside)
        peer.server.data_received(peer.said("said"))
        await peer.settled()
        assert peer.heard == ["said"]

    asyncio.run(main())


def test_the_kernel_is_asked_to_wait_once_nobody_waits_for_each_frame() -> None:
    async def main() -> None:
        peer = Peer()
        with socket.socket() as ours:
            peer.transport = Transport(ours)
            await peer.connected("early " * 50)
            assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT) == 1
            frame = peer.said("x" * 350)
            peer.server.data_received(frame)
            assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT) == int(2.5 * len(frame))

    asyncio.run(main())


def test_F18_a_frame_without_a_mask_is_the_librarys_to_refuse() -> None:
    async def main() -> None:
        peer = Peer()
        await peer.connected()
        peer.server.data_received(Frame(Opcode.TEXT, b"one").serialize(mask=False))
        await peer.settled()
        assert (peer.heard, peer.ended) == ([], ["Disconnected"])
        assert cast("Any", peer.server.conn.close_sent).code == 1002

    asyncio.run(main())
