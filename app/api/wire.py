"""The web framework's socket as the bridge wants it: text frames, and one error once the other end is gone.

Limits on size, pace and start are the bridge's; the server refuses frames above MAX_FRAME before they get here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from app.api.sockets import PAST_THE_QUEUE, Message, PastTheQueue
from app.errors import BadFrame, Disconnected

MAX_FRAME = 64 * 1024  # bytes; a frame of 20 ms has about 300
POLICY, UNSUPPORTED = 1008, 1003


class Wire:
    """Raises Disconnected once the other end is gone, BadFrame for a binary frame."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def receive_text(self) -> str:
        if self._gone:
            raise Disconnected("the media socket is gone")
        try:
            return _text(await self._socket.receive())
        except BadFrame:
            await self.close(UNSUPPORTED)
            raise

    async def hand_over(self, take: Callable[[str], bool]) -> None:
        """As the bridge's `HandsOver`."""
        past_the_queue: PastTheQueue | None = self._socket.scope.get("extensions", {}).get(PAST_THE_QUEUE)
        if past_the_queue is None:  # another server than ours
            while not take(await self.receive_text()):
                pass
            return
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def came(message: Message) -> None:
            if over.done():
                return
            try:
                if take(_text(message)):
                    over.set_result(None)
            except (Disconnected, BadFrame) as error:
                over.set_exception(error)

        past_the_queue(came)
        try:
            await over
        except BadFrame:
            await self.close(UNSUPPORTED)
            raise

    async def send_text(self, text: str) -> None:
        if self._gone:
            raise Disconnected("the media socket is gone")
        try:
            await self._socket.send_text(text)
        except (WebSocketDisconnect, RuntimeError) as error:
            raise Disconnected("the media socket is gone") from error

    async def close(self, code: int = 1000) -> None:
        """Closing twice, or after the other end did, is no error."""
        if self._gone:
            return
        try:
            await self._socket.close(code)
        except (WebSocketDisconnect, RuntimeError):
            return  # it went away while we said so

    @property
    def _gone(self) -> bool:
        return WebSocketState.DISCONNECTED in (self._socket.client_state, self._socket.application_state)


def _text(message: MutableMapping[str, Any]) -> str:
    if message["type"] == "websocket.disconnect":
        raise Disconnected(f"the carrier closed the media socket ({message.get('code', 1005)})")
    text = message.get("text")
    if text is None:
        raise BadFrame("a binary frame, which media streams do not have")
    return str(text)
