"""The patch panel of one call: its media socket, with a place for people of ours to listen and to speak.

While nobody is patched in, frames pass as they are, unread.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np

from app.call.bridge import Socket, each_frame
from app.errors import Disconnected
from app.phone.earpiece import SILENCE, Earpiece
from app.ports import SpeechToText, VoiceActivity
from app.telephony import mulaw

_WAITING = 100  # pieces of 20 ms for one listener; the oldest go first


class Listener:
    """Hears both sides of a call, or the caller alone: `pieces` are 20 ms of mu-law each, None is the end."""

    def __init__(self, *, agent_too: bool) -> None:
        self._agent_too = agent_too
        self._ear = Earpiece()
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue()

    def caller(self, sound: bytes) -> None:
        """The caller's sound is the clock: with every 20 ms of it, 20 ms of ours have been played."""
        ours, _ = self._ear.frame()
        self._put(_mixed(sound, ours) if self._agent_too else sound)

    def agent(self, sound: bytes) -> None:
        if self._agent_too:
            self._ear.speak(sound)

    def cleared(self) -> None:
        self._ear.clear()

    def mixed(self, sound: bytes) -> None:
        """20 ms of both sides, from the process that hears them."""
        self._put(sound)

    def over(self) -> None:
        self._put(None)

    def _put(self, piece: bytes | None) -> None:
        while self.pieces.qsize() >= _WAITING:
            self.pieces.get_nowait()
        self.pieces.put_nowait(piece)


def _mixed(one: bytes, other: bytes) -> bytes:
    if other == SILENCE:
        return one
    both = mulaw.decode(one).astype(np.int32) + mulaw.decode(other[: len(one)].ljust(len(one), SILENCE[:1]))
    return mulaw.encode(np.clip(both, -32768, 32767).astype(np.int16))


Ears: TypeAlias = Callable[[], tuple[VoiceActivity, SpeechToText]]


class Patch:
    """Implements the bridge's Socket around the carrier's. `ears`, where there are some, understand a person of ours
    who speaks here, for an agent that is to know what was said."""

    def __init__(self, wire: Socket) -> None:
        self.ears: Ears | None = None
        self._wire = wire
        self._sid: str | None = None
        self._listeners: set[Listener] = set()

    async def receive_text(self) -> str:
        try:
            frame = await self._wire.receive_text()
        except Disconnected:
            self._over()
            raise
        self._pass(frame)
        return frame

    async def hand_over(self, take: Callable[[str], bool]) -> None:
        """As the bridge's `HandsOver`."""

        def passed(frame: str) -> bool:
            self._pass(frame)
            return take(frame)

        try:
            await each_frame(self._wire, passed)
        except Disconnected:
            self._over()
            raise

    def _pass(self, frame: str) -> None:
        if self._sid is None and '"start"' in frame:
            with contextlib.suppress(ValueError, TypeError, AttributeError):
                self._sid = json.loads(frame).get("streamSid")
        if self._listeners and '"media"' in frame:
            for listener in self._listeners:
                listener.caller(_sound(frame))

    async def send_text(self, text: str) -> None:
        if self._listeners:
            for listener in self._listeners:
                if '"event":"media"' in text:
                    listener.agent(_sound(text))
                elif '"event":"clear"' in text:
                    listener.cleared()
        await self._wire.send_text(text)

    async def close(self, code: int = 1000) -> None:
        self._over()
        await self._wire.close(code)

    @contextlib.contextmanager
    def listening(self, *, agent_too: bool = True) -> Iterator[Listener]:
        listener = Listener(agent_too=agent_too)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def speak(self, sound: bytes) -> None:
        """To the caller's ear, past the agent, who must have stepped aside. Raises Disconnected."""
        media = {"payload": b64encode(sound).decode()}
        await self._wire.send_text(json.dumps({"event": "media", "streamSid": self._sid, "media": media}))

    def _over(self) -> None:
        for listener in self._listeners:
            listener.over()


def _sound(frame: str) -> bytes:
    """Silence for a frame that is not what it looks like: the bridge judges it, nobody here."""
    try:
        return b64decode(json.loads(frame)["media"]["payload"])
    except (ValueError, KeyError, TypeError):
        return SILENCE
