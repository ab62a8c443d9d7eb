"""People for the phones: each with a goal, a temper, a voice, and a way through a call.

A `Persona` follows a script of steps. A `ReactivePersona` answers what it is asked: it still notices *when* to speak by
listening, but is told by its `Ears` *what* the agent says, as text, by whoever runs the phone.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from app.exchange.phones import Handset, Pickup

Clips = Callable[[str], bytes]  # what is said -> mu-law, in this person's voice

# --- steps -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Speak:
    text: str


@dataclass(frozen=True, slots=True)
class WaitForAgent:
    """Until the agent has spoken since this person last did anything, and has then been quiet for so long."""

    quiet_ms: int = 700


@dataclass(frozen=True, slots=True)
class InterruptAfter:
    """Speaks once the agent has been talking for so long."""

    ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Press:
    keys: str


@dataclass(frozen=True, slots=True)
class Silence:
    ms: int


@dataclass(frozen=True, slots=True)
class HangUp:
    pass


@dataclass(frozen=True, slots=True)
class HangUpMidWord:
    """Begins to say something and puts the phone down so far into it."""

    text: str
    after_ms: int = 300


Step = Speak | WaitForAgent | InterruptAfter | Press | Silence | HangUp | HangUpMidWord


@dataclass(frozen=True, slots=True)
class Temper:
    """`reply_ms`: how long the agent must be quiet before this person takes the turn. `pickup` is for being called."""

    reply_ms: int = 700
    patience_s: float = 60.0  # of hearing nothing at all, before putting the phone down
    pickup: Pickup = field(default_factory=Pickup)


class _Person:
    """Carries out steps; keeps since when it last acted, so that it waits for what the agent says after that."""

    def __init__(self, clips: Clips) -> None:
        self._clips = clips
        self._acted_ms = -1

    async def do(self, handset: Handset, step: Step) -> None:
        match step:
            case WaitForAgent(quiet_ms):
                since = self._acted_ms
                await handset.until(lambda: handset.agent_spoke_since(since) and handset.agent_quiet_ms >= quiet_ms)
            case Speak(text):
                await handset.say(self._clips(text), text)
            case InterruptAfter(ms, text):
                await handset.until(lambda: handset.agent_speaking_ms >= ms)
                await handset.say(self._clips(text), text)
            case Press(keys):
                await handset.press(keys)
            case Silence(ms):
                await asyncio.sleep(ms / 1000)
            case HangUp():
                handset.hang_up()
            case HangUpMidWord(text, after_ms):
                spoken = self._clips(text)[: after_ms * 8]
                await handset.say(spoken, text)
                handset.hang_up()
        self._acted_ms = handset.now_ms


@dataclass(frozen=True, slots=True)
class Persona:
    """Follows its script whatever it hears; after that the person stays on the line, silent, until the call ends."""

    goal: str
    voice: str
    clips: Clips
    script: Sequence[Step]
    temper: Temper = field(default_factory=Temper)

    def ring(self, caller: str) -> Pickup:
        return self.temper.pickup

    async def talk(self, handset: Handset) -> None:
        person = _Person(self.clips)
        for step in self.script:
            await person.do(handset, step)


# --- reactive --------------------------------------------------------------------------------------------------------


class Ears:
    """What the agent says, as text, as it is said. `hear` is for whoever runs the phone."""

    def __init__(self) -> None:
        self._new: list[str] = []

    def hear(self, text: str) -> None:
        self._new.append(text)

    @property
    def unanswered(self) -> str:
        return " ".join(self._new)

    def forget(self) -> None:
        self._new.clear()


@dataclass(frozen=True, slots=True)
class Rule:
    """When what the agent said matches `pattern`: do `steps`. `interrupt_ms`: do not wait for its end, break in so far
    into it. `times` limits how often the rule answers; after that later rules get their turn.
    """

    pattern: str
    steps: tuple[Step, ...]
    interrupt_ms: int | None = None
    times: int = 1_000

    def matches(self, text: str) -> bool:
        return re.search(self.pattern, text, re.IGNORECASE) is not None


@dataclass(frozen=True, slots=True)
class ReactivePersona:
    """Answers by the first rule that matches; by `otherwise` when none does."""

    goal: str
    voice: str
    clips: Clips
    rules: Sequence[Rule]
    otherwise: tuple[Step, ...] = ()
    temper: Temper = field(default_factory=Temper)
    ears: Ears = field(default_factory=Ears)

    def ring(self, caller: str) -> Pickup:
        return self.temper.pickup

    async def talk(self, handset: Handset) -> None:
        person, used = _Person(self.clips), [0] * len(self.rules)
        handset.on_text = self.ears.hear
        while True:
            since = handset.now_ms
            await handset.until(lambda since=since: self._has_turn(handset, since, used))  # type: ignore[misc]
            if not self.ears.unanswered and handset.agent_quiet_ms >= self.temper.patience_s * 1000:
                handset.hang_up()
                return
            steps = self._answer(used)
            self.ears.forget()
            for step in steps:
                await person.do(handset, step)

    def _has_turn(self, handset: Handset, since_ms: int, used: list[int]) -> bool:
        text = self.ears.unanswered
        if not text:
            return handset.agent_quiet_ms >= self.temper.patience_s * 1000
        rule = self._rule(text, used)
        if rule is not None and self.rules[rule].interrupt_ms is not None:
            return handset.agent_speaking_ms >= (self.rules[rule].interrupt_ms or 0)
        return handset.agent_spoke_since(since_ms) and handset.agent_quiet_ms >= self.temper.reply_ms

    def _rule(self, text: str, used: list[int]) -> int | None:
        for index, rule in enumerate(self.rules):
            if used[index] < rule.times and rule.matches(text):
                return index
        return None

    def _answer(self, used: list[int]) -> tuple[Step, ...]:
        index = self._rule(self.ears.unanswered, used)
        if index is None:
            return self.otherwise
        used[index] += 1
        return self.rules[index].steps
