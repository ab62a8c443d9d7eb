"""WebRTC with a browser, through aiortc: its microphone to a line, the line's sound to its loudspeaker."""

from __future__ import annotations

import asyncio
import fractions
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from app import observe
from app.errors import BadInput
from app.phone.earpiece import FRAME_BYTES, FRAME_MS
from app.phone.line import BrowserLine
from app.phone.takeover import PatchedLine
from app.telephony import mulaw

log = observe.log(__name__)

Line: TypeAlias = BrowserLine | PatchedLine

RATE = 8000
LINGER_S = 8.0  # for our last words to be played out
_FRAME_S = FRAME_MS / 1000


@dataclass(frozen=True, slots=True)
class Offer:
    sdp: str
    type: str


class _Loudspeaker(MediaStreamTrack):
    """Asked for a frame whenever the last one was sent; keeps the pace itself."""

    kind = "audio"

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line
        self._began: float | None = None
        self._sent = 0

    async def recv(self) -> av.AudioFrame:
        loop = asyncio.get_running_loop()
        self._began = self._began or loop.time()
        due = self._began + self._sent * _FRAME_S
        await asyncio.sleep(max(0.0, due - loop.time()))
        samples = mulaw.decode(self._line.heard()).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        frame.pts = self._sent * len(samples)
        frame.time_base = fractions.Fraction(1, RATE)
        self._sent += 1
        return frame


async def _listen(track: MediaStreamTrack, line: Line) -> None:
    """The microphone's frames as 20 ms of mu-law each, until it is gone."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    waiting = bytearray()
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        if not isinstance(frame, av.AudioFrame):
            continue
        for piece in resampler.resample(frame):
            waiting += mulaw.encode(piece.to_ndarray().reshape(-1).astype(np.int16))
        while len(waiting) >= FRAME_BYTES:
            line.said(bytes(waiting[:FRAME_BYTES]))
            del waiting[:FRAME_BYTES]


class Browser:
    """One connection. `answer` first; then `talk` until either side hangs up."""

    def __init__(self, line: Line, ice_servers: Sequence[str] = ()) -> None:
        self._line = line
        servers = [RTCIceServer(urls=url) for url in ice_servers]
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=servers))  # none unless configured: no strangers
        self._microphone: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
        self._peer.on("track", self._tracked)
        self._peer.on("datachannel", self._channel)
        self._peer.on("connectionstatechange", self._changed)

    async def answer(self, offer: Offer) -> Offer:
        """Raises BadInput for an offer that is none."""
        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(sdp=offer.sdp, type=offer.type))
            self._peer.addTrack(_Loudspeaker(self._line))
            await self._peer.setLocalDescription(await self._peer.createAnswer())
        except (ValueError, KeyError, IndexError, AttributeError, AssertionError) as error:
            await self._peer.close()
            raise BadInput("This is not an offer of a browser's telephone.") from error
        local = self._peer.localDescription
        return Offer(local.sdp, local.type)

    async def talk(self, conversation: Callable[[], Awaitable[str]]) -> str:
        """Returns the end reason once the last words were played or the browser is gone."""
        try:
            async with asyncio.TaskGroup() as group:
                listening = group.create_task(self._hear())
                reason = await conversation()
                await self._play_out()
                listening.cancel()
            return reason
        finally:
            await self._peer.close()

    async def _hear(self) -> None:
        await _listen(await self._microphone, self._line)

    async def _play_out(self) -> None:
        for _ in range(int(LINGER_S / _FRAME_S)):
            if not self._line.playing or self._peer.connectionState != "connected":
                return
            await asyncio.sleep(_FRAME_S)

    def _tracked(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio" and not self._microphone.done():
            self._microphone.set_result(track)

    def _channel(self, channel: RTCDataChannel) -> None:
        channel.on("message", lambda digit: self._line.keyed(str(digit)[:1]))

    def _changed(self) -> None:
        if self._peer.connectionState in ("failed", "closed", "disconnected"):
            self._line.hung_up()
