"""The media socket as the bridge wants it, with the limits a stranger must not exceed (T02, F18)."""

from __future__ import annotations

from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from app.errors import BadFrame, Disconnected

MAX_FRAME = 64 * 1024  # characters; a frame of 20 ms has about 300
FRAMES_PER_S = 100.0  # the carrier sends 50
BURST = 500.0  # ten seconds held up in a network arrive at once
TOO_BIG, POLICY, UNSUPPORTED = 1009, 1008, 1003


class Wire:
    """Text frames in, text frames out. Raises Disconnected once the other end is gone, BadFrame for one who floods."""

    def __init__(self, socket: WebSocket, clock: Callable[[], float]) -> None:
        self._socket = socket
        self._clock = clock
        self._allowance, self._counted_at = BURST, clock()

    async def receive_text(self) -> str:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise Disconnected(f"the carrier closed the media socket ({message.get('code', 1005)})")
        text = message.get("text")
        if text is None:
            await self.close(UNSUPPORTED)
            raise BadFrame("a binary frame, which media streams do not have")
        if len(text) > MAX_FRAME:
            await self.close(TOO_BIG)
            raise BadFrame(f"a frame of {len(text)} characters")
        if not self._within_rate():
            await self.close(POLICY)
            raise BadFrame("more frames than a media stream has")
        return str(text)

    async def send_text(self, text: str) -> None:
        if self._socket.client_state is WebSocketState.DISCONNECTED:
            raise Disconnected("the media socket is gone")
        try:
            await self._socket.send_text(text)
        except (WebSocketDisconnect, RuntimeError) as error:
            raise Disconnected("the media socket is gone") from error

    async def close(self, code: int = 1000) -> None:
        """Closing twice, or after the other end did, is no error."""
        if self._socket.application_state is WebSocketState.DISCONNECTED:
            return
        if self._socket.client_state is WebSocketState.DISCONNECTED:
            return
        try:
            await self._socket.close(code)
        except (WebSocketDisconnect, RuntimeError):
            return  # it went away while we said so

    def _within_rate(self) -> bool:
        now = self._clock()
        self._allowance = min(BURST, self._allowance + (now - self._counted_at) * FRAMES_PER_S) - 1
        self._counted_at = now
        return self._allowance >= 0
