"""The people who phone in during a bench. Each speaks recorded sentences, with a mark of his own under everything.

What they did is in `handset.spoken`, whose texts begin with the kind of the saying: `ask`, `break in`, `pause`,
`mm-hm`, `slow`.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import count, cycle
from random import Random

from app.exchange import marks, voices
from app.exchange.caller_words import Register, Saying, marked, saying
from app.exchange.phones import Handset, Pickup

QUESTIONS = (
    "how much does it cost",
    "how long does the installation take",
    "is there a warranty",
    "does it work in winter",
    "are there any tax credits",
    "do i need a battery",
    "do i have to clean the panels",
    "will it damage my roof",
)
SLOW = "do you offer financing"  # holds the word the emulated model is slow at
_QUIET_MS = 900  # after so much silence the agent is done
_OPENING_QUIET_MS = 1500
_GIVE_UP_MS = 8000  # without an answer; then the caller goes on
_BREAK_IN_MS = (1000, 1400)  # of our reply are heard before
_BREAK_INS = 2  # after every question
_LISTENING_MS = 800  # into our speech


class Caller(ABC):
    """The `number`-th of the bench; its voice, its mark and its chances follow from that."""

    def __init__(self, number: int, register: Register) -> None:
        self.number = number
        self.said: list[Saying] = []
        self.refused = False  # he was asked to wait or to call again, and hung up
        self.turned_away = 0  # how often
        self.voice = voices.voices()[number % len(voices.voices())]
        self.dice = Random(number)
        self._speaker = register.add(number)
        self._questions = cycle(QUESTIONS[number % len(QUESTIONS) :] + QUESTIONS[: number % len(QUESTIONS)])

    def ring(self, caller: str) -> Pickup:
        return Pickup()

    async def talk(self, handset: Handset) -> None:
        self.handset = handset
        handset.room = marks.CALLERS.frame(self.number)
        handset.on_text = self._told_off
        await handset.until(lambda: bool(handset.heard) and handset.agent_quiet_ms >= _OPENING_QUIET_MS)
        await self.converse()
        handset.hang_up()

    def _told_off(self, text: str) -> None:
        """The carrier's own voice speaks only when our service has no seat for him."""
        self.refused = True
        self.handset.hang_up()

    @abstractmethod
    async def converse(self) -> None:
        """After the opening; then he hangs up."""

    async def say(self, kind: str, spoken: Saying) -> None:
        self.said.append(spoken)
        self._speaker.begin(spoken)
        await self.handset.say(marked(spoken, self.number), f"{kind}: {spoken.text}")
        self._speaker.speaking = False

    async def ask(self, kind: str = "ask", text: str = "") -> None:
        await self.say(kind, saying(self.voice, text or next(self._questions)))

    async def answered(self) -> bool:
        """Waits for the agent to speak; False when it does not."""
        since, handset = self.handset.now_ms, self.handset
        await handset.until(lambda: handset.agent_spoke_since(since) or handset.now_ms - since >= _GIVE_UP_MS)
        return handset.agent_spoke_since(since)

    async def hear_out(self) -> None:
        if await self.answered():
            await self.handset.until(lambda: self.handset.agent_quiet_ms >= _QUIET_MS)


class Talker(Caller):
    """Asks and hears the answer out, asks and breaks into the answer with the next question, until the time is over."""

    def __init__(self, number: int, register: Register, seconds: float) -> None:
        super().__init__(number, register)
        self._seconds = seconds

    async def converse(self) -> None:
        until_ms = self.handset.now_ms + self._seconds * 1000
        await self.ask(text="i would like a quote please")
        await self.hear_out()
        while self.handset.now_ms < until_ms:
            await self.ask()
            for _ in range(_BREAK_INS):
                if await self.answered():
                    await self._listen_for(self.dice.uniform(*_BREAK_IN_MS))
                    if self.handset.agent_speaking_ms:
                        await self.ask("break in")
            await self.hear_out()

    async def _listen_for(self, ms: float) -> None:
        until_ms = self.handset.now_ms + ms
        await self.handset.until(lambda: self.handset.now_ms >= until_ms)


class Pauser(Caller):
    """Stops for 0.7 s in the middle of a sentence."""

    async def converse(self) -> None:
        halves = voices.halves()
        place = 2 * self.number % len(halves)
        await self.say("pause", saying(self.voice, *halves[place : place + 2]))
        await self.hear_out()


class Listener(Caller):
    """Says "mm-hm" while he listens to an answer."""

    async def converse(self) -> None:
        await self.ask()
        handset = self.handset
        if await self.answered():
            since = handset.now_ms
            await handset.until(lambda: handset.now_ms - since >= _LISTENING_MS)
            await self.say("mm-hm", saying(self.voice, voices.listening()[0]))
            await handset.until(lambda: handset.agent_quiet_ms >= 2 * _QUIET_MS)


class Patient(Caller):
    """Asks what the model is slow to answer, once `may` is set."""

    def __init__(self, number: int, register: Register, may: asyncio.Event) -> None:
        super().__init__(number, register)
        self._may = may

    async def converse(self) -> None:
        await self._may.wait()
        await self.ask("slow", SLOW)
        await self.answered()


class Numbers:
    """Marks for callers, each used once in so many."""

    def __init__(self) -> None:
        self._next: Iterator[int] = count()

    def take(self) -> int:
        return next(self._next) % len(marks.CALLERS)
