"""The people who phone in during the demo, and what must come of their calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from app.exchange import voices
from app.exchange.personas import Persona, Press, ReactivePersona, Rule, Speak, Step, Temper, WaitForAgent
from app.sales.outcome import Result

Person = ReactivePersona | Persona


@dataclass(frozen=True, slots=True)
class Caller:
    """`wants` is the result the call must have; `follow_up` whether a message must arrive, `interrupts` whether the
    agent must have been cut off, and `suppressed` whether the number must be on the list afterwards."""

    name: str
    phone: str
    wants: Result
    person: Callable[[], Person]
    follow_up: bool = True
    interrupts: bool = False
    suppressed: bool = False


def callers(count: int) -> tuple[Caller, ...]:
    """The three of the demo, and the same again on other numbers when more are asked for."""
    cast = (_buyer, _keypad, _refuser)
    return tuple(cast[i % len(cast)](f"+1202555{110 + i % 90:04d}") for i in range(count))


def _buyer(phone: str) -> Caller:
    return Caller("interested, interrupts, books", phone, Result.BOOKED, _interested, interrupts=True)


def _keypad(phone: str) -> Caller:
    return Caller("by keypad, wants a person", phone, Result.HUMAN_REQUESTED, _by_keypad)


def _refuser(phone: str) -> Caller:
    return Caller("take me off your list", phone, Result.OPTED_OUT, _off_the_list, follow_up=False, suppressed=True)


def _interested() -> ReactivePersona:
    breaks_in = Rule(
        "kind of roof", (Speak("sorry before you go on how much does it cost"),), interrupt_ms=900, times=1
    )
    answers = (
        _answer("hear about solar|sales, or say support", "i would like to hear about solar"),
        _answer("own your home|house yours", "yes i own the house"),
        breaks_in,
        _answer("roof do you have|roof shingle", "it is a tile roof"),
        _answer("many dollars", "about two hundred dollars"),
        _answer("full sun, some shade", "full sun all day"),
        _answer("soon, this year", "as soon as possible"),
        _answer("is that right", "yes that is right"),
        _answer("zip code", "nine four one one zero"),
        _answer("which is better|does one of those|please say [a-z]+day", "the first one"),
        _answer("whatsapp message", "yes please"),
        _answer("anything else|another question", "no that is all"),
    )
    return ReactivePersona(
        goal="a visit at home",
        voice="rms",
        clips=partial(voices.clip, "rms"),
        rules=answers,
        otherwise=(Speak("sorry what was that"),),
        temper=Temper(reply_ms=450, patience_s=20.0),
    )


def _by_keypad() -> Persona:
    script: tuple[Step, ...] = (
        WaitForAgent(600),
        Press("0"),
        WaitForAgent(900),
        Press("2"),
        WaitForAgent(900),
        Press("1"),
        WaitForAgent(900),
        Press("2"),
    )
    return Persona("a person, without talking to a machine", "kal16", partial(voices.clip, "kal16"), script)


def _off_the_list() -> Persona:
    script: tuple[Step, ...] = (WaitForAgent(500), Speak("please take me off your list"))
    return Persona("never to be called again", "awb", partial(voices.clip, "awb"), script)


def _answer(pattern: str, text: str) -> Rule:
    return Rule(pattern, (Speak(text),))
