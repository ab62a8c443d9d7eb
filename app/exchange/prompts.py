"""Say, Play and Pause."""

from __future__ import annotations

import asyncio
from itertools import count
from urllib.parse import urljoin

from app.exchange import sound
from app.exchange.leg import Leg
from app.exchange.recording import read_wav
from app.exchange.verbs import Pause, Play, Prompt, Say


async def prompt(leg: Leg, verb: Prompt, base_url: str) -> None:
    """Returns when it has been played; `base_url` is what a relative address is relative to."""
    match verb:
        case Say():
            if leg.handset.on_text is not None:
                leg.handset.on_text(verb.text)
            spoken = await asyncio.to_thread(leg.office.config.voice, verb.text)
            await _repeat(leg, spoken, verb.loop)
        case Play(digits=""):
            await _repeat(leg, await _file(leg, urljoin(base_url, verb.url)), verb.loop)
        case Play():
            await leg.play(keys(verb.digits))
        case Pause():
            await asyncio.sleep(verb.seconds)


def keys(digits: str) -> bytes:
    """Key tones: `w` is half a second, `W` a whole one."""
    waits = {"w": b"\xff" * 4000, "W": b"\xff" * 8000}
    return b"".join(waits.get(digit) or sound.key(digit) + b"\xff" * 800 for digit in digits)


async def _repeat(leg: Leg, mulaw: bytes, loop: int) -> None:
    """`loop` 0 repeats until the call ends."""
    for _ in range(loop) if loop else count():
        await leg.play(mulaw)


async def _file(leg: Leg, url: str) -> bytes:
    """A file that cannot be had or played is reported and left out, as the carrier does."""
    reply = await leg.office.courier.fetch(url)
    if reply.failure or reply.status != 200:
        leg.office.alert(11200, f"{url} answered {reply.status or 'nothing'}", leg.call.sid)
        return b""
    if reply.kind in {"audio/basic", "audio/x-mulaw"}:
        return reply.body
    try:
        return await asyncio.to_thread(read_wav, reply.body)
    except ValueError as error:
        leg.office.alert(12400, f"{url}: {error}", leg.call.sid)
        return b""
