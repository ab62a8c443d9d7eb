"""Gather: keys, or words, while a prompt plays."""

from __future__ import annotations

import asyncio
from urllib.parse import urljoin

from app.exchange.edges import Form
from app.exchange.leg import Leg
from app.exchange.office import Instruction
from app.exchange.prompts import prompt
from app.exchange.verbs import Gather

_SPEECH_END_S = 1.0  # what "auto" waits after the last word
CONFIDENCE = "0.9"


async def gather(leg: Leg, verb: Gather, base_url: str) -> Instruction | None:
    """Where to go with what was entered; None falls through to the next verb.

    Speech is not recognised here: a phone knows what it said, and that is the result.
    """
    entered: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def on_key(digit: str) -> None:
        entered.put_nowait(("key", digit))

    def on_words(text: str) -> None:
        entered.put_nowait(("words", text))

    if "dtmf" in verb.input:
        leg.key_listeners.append(on_key)
    if "speech" in verb.input:
        leg.handset.on_words = on_words
    try:
        first = await _prompted(leg, verb, base_url, entered)
        result = await _collect(verb, first, entered) if first else ()
    finally:
        leg.handset.on_words = None
        if on_key in leg.key_listeners:
            leg.key_listeners.remove(on_key)
    if not result and not verb.action_on_empty:
        return None
    return Instruction(urljoin(base_url, verb.action) or base_url, verb.method, extra=result or (("Digits", ""),))


async def _prompted(
    leg: Leg, verb: Gather, base_url: str, entered: asyncio.Queue[tuple[str, str]]
) -> tuple[str, str] | None:
    """The first thing entered: it ends the prompts. None when nothing came within the timeout after them."""

    async def speak() -> None:
        for line in verb.prompts:
            await prompt(leg, line, base_url)

    async with asyncio.TaskGroup() as group:
        speaking = group.create_task(speak(), name="prompts")
        first = group.create_task(entered.get(), name="first key")
        await asyncio.wait({speaking, first}, return_when=asyncio.FIRST_COMPLETED)
        if not first.done():
            await asyncio.wait({first}, timeout=verb.timeout_s)
        speaking.cancel()
        first.cancel()
    return None if first.cancelled() else first.result()


async def _collect(verb: Gather, first: tuple[str, str], entered: asyncio.Queue[tuple[str, str]]) -> Form:
    kind, value = first
    if kind == "words":
        return await _words(verb, value, entered)
    digits = ""
    while kind == "key":
        if value == verb.finish_on_key:
            break
        digits += value
        if len(digits) == verb.num_digits:
            break
        try:
            async with asyncio.timeout(verb.timeout_s):
                kind, value = await entered.get()
        except TimeoutError:
            break
    return (("Digits", digits),) if digits else ()


async def _words(verb: Gather, text: str, entered: asyncio.Queue[tuple[str, str]]) -> Form:
    said = [text]
    while True:
        try:
            async with asyncio.timeout(verb.speech_timeout_s or _SPEECH_END_S):
                kind, value = await entered.get()
        except TimeoutError:
            return (("SpeechResult", " ".join(said)), ("Confidence", CONFIDENCE))
        if kind == "words":
            said.append(value)
