"""The web framework's socket as the bridge wants it: text frames, and one error once the other end is gone.

Limits on size, pace and start are the bridge's; the server refuses frames above MAX_FRAME before they get here.
"""

from __future__ import annotations

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

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
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise Disconnected(f"the carrier closed the media socket ({message.get('code', 1005)})")
        text = message.get("text")
        if text is None:
            await self.close(UNSUPPORTED)
            raise BadFrame("a binary frame, which media streams do not have")
        return str(text)

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
