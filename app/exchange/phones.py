"""A telephone and the person who holds it.

The person hears the other side as audio only. Whether "the agent" is speaking is judged by loudness, as an ear would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.exchange.sound import FRAME_BYTES, FRAME_MS, QUIET, is_loud

BREATH_MS = 300  # a pause shorter than this does not end what somebody is saying
KEY_GAP_S = 0.25


@dataclass(frozen=True, slots=True)
class Pickup:
    """What happens when the phone rings: answer | busy | decline | ignore, after so many seconds of ringing.

    `nature` is what a machine detector would say: human, machine_start, machine_end_beep, fax, unknown ...
    """

    answer: str = "answer"
    after_s: float = 2.0
    nature: str = "human"


class Phone(Protocol):
    def ring(self, caller: str) -> Pickup: ...

    async def talk(self, handset: Handset) -> None:
        """From answer on. Returning does not hang up; the person just listens. Cancelled when the call ends."""
        ...


class Nobody:
    """At a number that is not registered."""

    def ring(self, caller: str) -> Pickup:
        return Pickup("ignore")

    async def talk(self, handset: Handset) -> None:
        """Never reached."""


@dataclass(slots=True)
class Stretch:
    """Voice without a longer pause, in ms of this call's time; `to_ms` grows while it lasts."""

    from_ms: int
    to_ms: int
    text: str = ""


class Handset:
    """What a person does with a phone, and what they notice. `tick` belongs to the line; the rest to the person."""

    def __init__(self, on_key: Callable[[str], None], on_hang_up: Callable[[], None]) -> None:
        self._on_key, self._on_hang_up = on_key, on_hang_up
        self._speech = b""
        self._at = 0
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self.now_ms = 0
        self.room = QUIET  # what the other side gets while this person says nothing
        self.spoken: list[Stretch] = []  # what this person said
        self.heard: list[Stretch] = []  # when the other side was heard
        self.on_words: Callable[[str], None] | None = None  # told what was said when it has been said
        self.on_text: Callable[[str], None] | None = None  # told what a <Say> says
        self.keyed: list[tuple[int, str]] = []

    # the person

    async def say(self, mulaw: bytes, text: str = "") -> None:
        """Speaks, over whatever was being said, and returns when done or cut short by `stop`."""
        self._speech, self._at = mulaw, 0
        stretch = Stretch(self.now_ms, self.now_ms, text)
        self.spoken.append(stretch)
        await self.until(lambda: self._speech is not mulaw or self._at >= len(mulaw))
        stretch.to_ms = self.now_ms
        if self.on_words is not None and text:
            self.on_words(text)

    def stop(self) -> None:
        """Falls silent, in the middle of a word if need be."""
        self._speech = b""

    async def press(self, keys: str) -> None:
        for digit in keys:
            self.keyed.append((self.now_ms, digit))
            self._on_key(digit)
            await asyncio.sleep(KEY_GAP_S)

    def hang_up(self) -> None:
        self._on_hang_up()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Waits for something this person can notice; looked at every 20 ms."""
        if not holds():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((holds, future))
            await future

    @property
    def agent_quiet_ms(self) -> int:
        """Since the other side was last heard; since answer when it never was."""
        return self.now_ms - (self.heard[-1].to_ms if self.heard else 0)

    @property
    def agent_speaking_ms(self) -> int:
        """How long the other side has been talking now; 0 when it is quiet."""
        if not self.heard or self.agent_quiet_ms >= BREATH_MS:
            return 0
        return self.now_ms - self.heard[-1].from_ms

    def agent_spoke_since(self, ms: int) -> bool:
        return bool(self.heard) and self.heard[-1].to_ms > ms

    # the line

    def tick(self, heard: bytes) -> bytes:
        """20 ms pass: hears `heard`, returns what is said meanwhile."""
        if is_loud(heard):
            if self.heard and self.now_ms - self.heard[-1].to_ms < BREATH_MS:
                self.heard[-1].to_ms = self.now_ms + FRAME_MS
            else:
                self.heard.append(Stretch(self.now_ms, self.now_ms + FRAME_MS))
        said = self.room
        if self._at < len(self._speech):
            said = self._speech[self._at : self._at + FRAME_BYTES].ljust(FRAME_BYTES, b"\xff")
            self._at += FRAME_BYTES
        self.now_ms += FRAME_MS
        if self._waiting:
            self._notice()
        return said

    def _notice(self) -> None:
        waiting, self._waiting = self._waiting, []
        for holds, future in waiting:
            if future.done():
                continue
            if holds():
                future.set_result(None)
            else:
                self._waiting.append((holds, future))
