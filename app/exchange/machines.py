"""What answers a telephone when nobody does: mailboxes, menus, call screeners, the network's announcements."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.exchange.phones import Handset, Pickup
from app.exchange.sound import FRAME_MS, murmured, tone
from app.telephony import mulaw

Clip = bytes | int  # sound, or so many milliseconds of silence


@dataclass(slots=True)
class Mailbox:
    """Plays its greeting, beeps (or does not), and records from then on until so much silence."""

    greeting: Sequence[Clip]
    beep_hertz: float | None = 1000.0
    beep_ms: int = 400
    pause_ms: int = 700  # between greeting and beep
    record_s: float = 60.0
    silence_s: float = 5.0
    pickup: Pickup = field(default_factory=lambda: Pickup(nature="machine_start"))
    recording_from_ms: int | None = None

    def ring(self, caller: str) -> Pickup:
        return self.pickup

    async def talk(self, handset: Handset) -> None:
        await play(handset, self.greeting)
        await asyncio.sleep(self.pause_ms / 1000)
        if self.beep_hertz is not None:
            await handset.say(tone(self.beep_hertz, ms=self.beep_ms))
        self.recording_from_ms = began_ms = handset.now_ms
        await handset.until(lambda: self._done(handset, began_ms))
        handset.hang_up()

    def _done(self, handset: Handset, began_ms: int) -> bool:
        recorded_ms = handset.now_ms - began_ms
        quiet_ms = min(recorded_ms, handset.agent_quiet_ms)
        return quiet_ms >= self.silence_s * 1000 or recorded_ms >= self.record_s * 1000


@dataclass(slots=True)
class Announcer:
    """Says something, and again after `again_s` for as long as the line is open; then whoever it was is `then`."""

    says: Sequence[Clip]
    again_s: float = 8.0
    times: int = 2
    pickup: Pickup = field(default_factory=lambda: Pickup(nature="machine_start"))

    def ring(self, caller: str) -> Pickup:
        return self.pickup

    async def talk(self, handset: Handset) -> None:
        for _ in range(self.times):
            await play(handset, self.says)
            await asyncio.sleep(self.again_s)
        handset.hang_up()


@dataclass(slots=True)
class Screener:
    """Asks who is calling and why; once it has been told, the person comes on and says hello, or does not."""

    asks: Sequence[Clip] = (murmured("Hi, please say your name and why you are calling."),)
    hello: bytes = murmured("Hello?")
    takes: bool = True
    pickup: Pickup = field(default_factory=lambda: Pickup(nature="machine_start"))
    told_ms: int = 0  # how much it was told

    def ring(self, caller: str) -> Pickup:
        return self.pickup

    async def talk(self, handset: Handset) -> None:
        await play(handset, self.asks)
        asked_ms = handset.now_ms
        await handset.until(lambda: handset.agent_spoke_since(asked_ms) and handset.agent_quiet_ms >= 1500)
        self.told_ms = sum(stretch.to_ms - max(stretch.from_ms, asked_ms) for stretch in handset.heard[-1:])
        await asyncio.sleep(2)
        if not self.takes:
            handset.hang_up()
            return
        await handset.say(self.hello)


async def play(handset: Handset, clips: Sequence[Clip]) -> None:
    for clip in clips:
        sound = mulaw.silence(clip // FRAME_MS * FRAME_MS) if isinstance(clip, int) else clip
        await handset.say(sound)
