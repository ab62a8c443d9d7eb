"""Runs TwiML on a leg: verb after verb, document after document."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urljoin

from app.errors import CarrierFault
from app.exchange import media
from app.exchange.dial import dial
from app.exchange.gather import gather
from app.exchange.leg import Leg
from app.exchange.office import Instruction
from app.exchange.prompts import prompt
from app.exchange.record import record
from app.exchange.twiml import Document, parse
from app.exchange.verbs import Connect, Dial, Gather, Hangup, Message, Pause, Play, Record, Redirect, Reject, Say, Verb

SORRY = "We are sorry, an application error has occurred. Goodbye."
_MOST_DOCUMENTS = 1000  # a document that redirects to itself must not spin for ever


class _HangUp(Exception):
    """A verb ended the call."""


async def perform(leg: Leg, instruction: Instruction) -> None:
    """Returns when there is nothing more to do; the call then ends. What is wrong is told to the caller and ends it."""
    await _guarded(leg, _perform(leg, instruction))


async def proceed(leg: Leg, document: Document, url: str) -> None:
    """As `perform`, with a document that is here already."""

    async def both() -> None:
        step = await run(leg, document, url)
        if step is not None:
            await _perform(leg, step)

    await _guarded(leg, both())


async def apologise(leg: Leg) -> None:
    await prompt(leg, Say(SORRY), "")


async def _perform(leg: Leg, instruction: Instruction) -> None:
    step: Instruction | None = instruction
    for _ in range(_MOST_DOCUMENTS):
        if step is None:
            return
        document, url = await load(leg, step)
        step = await run(leg, document, url)
    raise CarrierFault(11215, "too many redirects")


async def _guarded(leg: Leg, program: Coroutine[Any, Any, None]) -> None:
    try:
        await program
    except _HangUp:
        leg.refused = True
    except CarrierFault as fault:
        leg.office.alert(fault.number, str(fault), leg.call.sid)
        await apologise(leg)


async def load(leg: Leg, instruction: Instruction) -> tuple[Document, str]:
    """Raises CarrierFault: 11200, 11205, 12300 for what cannot be had, 12100 for what cannot be read."""
    if instruction.twiml:
        text, url = instruction.twiml, ""
    else:
        form = leg.call.form() + instruction.extra
        text, url = await leg.office.courier.document(instruction.url, form, instruction.method, instruction.fallback)
    document = parse(text)
    for warning in document.warnings:
        leg.office.alert(12200, warning, leg.call.sid)
    return document, url


async def run(leg: Leg, document: Document, url: str) -> Instruction | None:
    for verb in document.verbs:
        step = await _do(leg, verb, url)
        if step is not None:
            return step
    return None


async def _do(leg: Leg, verb: Verb, url: str) -> Instruction | None:
    match verb:
        case Say() | Play() | Pause():
            await prompt(leg, verb, url)
        case Gather():
            return await gather(leg, verb, url)
        case Record():
            return await record(leg, verb, url)
        case Dial():
            return await dial(leg, verb, url, perform)
        case Connect():
            await media.converse(leg, verb.stream)
        case Redirect():
            await asyncio.sleep(0)  # a chain of redirects must not hold the loop
            return Instruction(urljoin(url, verb.url), verb.method)
        case Hangup() | Reject():
            raise _HangUp
        case Message():
            leg.office.alert(12200, "<Message> is not known on a call", leg.call.sid)
    return None
