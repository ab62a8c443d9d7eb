"""Record: the caller's voice until silence, a key, the limit or the end of the call."""

from __future__ import annotations

import asyncio
from urllib.parse import urljoin

from app.exchange import sound
from app.exchange.leg import Leg
from app.exchange.office import Instruction
from app.exchange.sound import FRAME_MS, is_loud
from app.exchange.verbs import Record


class _Take:
    """Listens to a leg until `over` is set with the key that ended it, "" for silence or the limit."""

    def __init__(self, leg: Leg, verb: Record) -> None:
        self._leg, self._verb = leg, verb
        self.audio = bytearray()
        self._quiet_ms = 0
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def hear(self, said: bytes) -> None:
        self.audio += said
        self._quiet_ms = 0 if is_loud(said) else self._quiet_ms + FRAME_MS
        if self._quiet_ms >= self._verb.timeout_s * 1000 or len(self.audio) >= self._verb.max_length_s * sound.RATE:
            self._end("")

    def key(self, digit: str) -> None:
        if digit in self._verb.finish_on_key:
            self._end(digit)

    def _end(self, digit: str) -> None:
        if not self.over.done():
            self.over.set_result(digit)


async def record(leg: Leg, verb: Record, base_url: str) -> Instruction | None:
    """Goes to the action when something was recorded; falls through when there was only silence."""
    if verb.play_beep:
        await leg.play(sound.tone(1000, ms=500))
    take = _Take(leg, verb)
    leg.listeners.append(take.hear)
    leg.key_listeners.append(take.key)
    started = leg.office.clock.now()
    action = urljoin(base_url, verb.action) or base_url
    ended_by = "hangup"
    try:
        ended_by = await take.over
    finally:
        leg.listeners.remove(take.hear)
        leg.key_listeners.remove(take.key)
        recording = leg.keep("RecordVerb", (bytes(take.audio),), started, verb.status_callback)
        extra = (
            ("RecordingUrl", leg.office.config.base_url + recording.uri),
            ("RecordingSid", recording.sid),
            ("RecordingDuration", str(recording.seconds)),
            ("Digits", ended_by),
        )
        if leg.hung_up:  # the action still learns of it, but its answer no longer matters
            leg.notices.post(action, leg.call.form() + extra, verb.method)
    return Instruction(action, verb.method, extra=extra) if any(map(is_loud, _frames(take.audio))) else None


def _frames(audio: bytearray) -> list[bytes]:
    return [bytes(audio[at : at + sound.FRAME_BYTES]) for at in range(0, len(audio), sound.FRAME_BYTES)]
