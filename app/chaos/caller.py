"""A caller who asks one thing after the other, and lets us know when."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from app.exchange.phones import Handset, Pickup
from app.exchange.sound import murmured


@dataclass(slots=True)
class Asking:
    """One question: set when it begins; the loop's times of its beginning and its end."""

    text: str
    began: asyncio.Event = field(default_factory=asyncio.Event)
    began_at: float = 0.0
    ended_at: float = 0.0

    @property
    def sound(self) -> bytes:
        return murmured(self.text)

    @property
    def seconds(self) -> float:
        return len(self.sound) / 8000


class Caller:
    """Asks, hears the answer out, asks on. `quiet_ms`: how long the agent must be quiet for that."""

    def __init__(self, lines: tuple[str, ...], quiet_ms: int) -> None:
        self.askings = tuple(Asking(line) for line in lines)
        self._quiet_ms = quiet_ms

    def ring(self, caller: str) -> Pickup:
        return Pickup()

    async def talk(self, handset: Handset) -> None:
        now = asyncio.get_running_loop().time
        since = -1
        for asking in self.askings:
            await self._heard_out(handset, since)
            asking.began_at = now()
            asking.began.set()
            await handset.say(asking.sound, asking.text)
            asking.ended_at = now()
            since = handset.now_ms
        await self._heard_out(handset, since)
        handset.hang_up()

    async def _heard_out(self, handset: Handset, since: int) -> None:
        await handset.until(lambda: handset.agent_spoke_since(since) and handset.agent_quiet_ms >= self._quiet_ms)
