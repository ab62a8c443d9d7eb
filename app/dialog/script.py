"""A playbook as values: what a business wants said on the phone. Read from YAML by `playbook.parse`.

Spoken lines are templates; `phrases.parts` turns one into what is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, time

from app.dialog import phrases, spelling
from app.dialog.reception import HANG_UP, Strategy
from app.dialog.voice import USUAL, Voice

FACT_TYPES = ("choice", "number", "digits", "name", "email")
GOALS = ("facts", "offer", "appointment", "whatsapp")
TARGETS = ("sales", "human", "opt_out", "goodbye")
DISCLOSURES = ("identity", "ai", "recording", "opt_out")
NEXT_ACTIONS = ("follow", "note")
OCCASIONS = ("booked", "human", "qualified")


@dataclass(frozen=True, slots=True)
class Business:
    """Telephone numbers are E.164; `toll_free` is where a voicemail sends people who want no more calls, `transfer` a
    person whom callers may be put through to during `hours`, if there is one."""

    name: str
    sells: str
    phone: str
    toll_free: str
    timezone: str
    transfer: str = ""


@dataclass(frozen=True, slots=True)
class OpeningLine:
    """A sentence of the greeting and the disclosures it makes; `again` is said when it was not heard to its end."""

    say: str
    again: str
    discloses: tuple[str, ...]

    @property
    def purpose(self) -> str:
        return "disclosure:" + "+".join(self.discloses) if self.discloses else "greeting"


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question put three ways: first, after an unclear answer, and with the keypad."""

    ask: str
    again: str
    keypad: str


NO_PROMPT = Prompt("", "", "")


@dataclass(frozen=True, slots=True)
class Choice:
    """One possible answer. `goes_to` is for menus, `reply` is said at once, `ends` leads to the closing."""

    name: str
    key: str
    examples: tuple[str, ...]
    reply: str = ""
    ends: bool = False
    goes_to: str = ""


@dataclass(frozen=True, slots=True)
class WantedFact:
    """Something to find out. `cues` are words that mark an unasked-for number or digits as this fact."""

    name: str
    type: str
    prompt: Prompt
    choices: tuple[Choice, ...] = ()
    cues: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    between: tuple[float, float] = (0, 1_000_000)
    length: int = 0
    confirm: str = ""

    @property
    def written(self) -> bool:
        """Easier written than said: no keypad helps, a message does."""
        return self.type in ("name", "email")

    @property
    def yes_no(self) -> bool:
        return {choice.name for choice in self.choices} == {"yes", "no"}


@dataclass(frozen=True, slots=True)
class Fit:
    """A condition on one fact; None does not bind. `below` is exclusive, `at_least` inclusive."""

    fact: str
    below: float | None = None
    at_least: float | None = None
    equal: str | None = None

    def holds(self, value: str | None) -> bool:
        """False while the fact is unknown."""
        if value is None:
            return False
        if self.equal is not None:
            return value == self.equal
        number = float(value)
        return (self.below is None or number < self.below) and (self.at_least is None or number >= self.at_least)


@dataclass(frozen=True, slots=True)
class Offer:
    """`price` in whole units of the business's currency."""

    name: str
    title: str
    price: float
    say: str
    fits: tuple[Fit, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What we say to a question or an objection. `means` lists the general intents that lead here too."""

    name: str
    kind: str  # "question" | "objection"
    say: str
    examples: tuple[str, ...]
    means: tuple[str, ...] = ()
    shows_interest: bool = True
    closes_when_repeated: bool = False

    @property
    def label(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class Appointment:
    """`slots` holds (weekday, time) pairs, Monday = 0; the first day offered is `days_ahead` days from today."""

    prompt: Prompt
    other: str
    none_fit: str
    confirm: str
    declined: str
    days_ahead: int
    slots: tuple[tuple[int, time], ...]


@dataclass(frozen=True, slots=True)
class Menu:
    prompt: Prompt
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Callback:
    """`prepare` are facts that the person who calls back should know: asked once, after the call is promised."""

    prompt: Prompt
    promise: str
    choices: tuple[Choice, ...]
    prepare: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WhatsApp:
    """The consent question and what follows yes and no."""

    prompt: Prompt
    yes: str
    no: str


@dataclass(frozen=True, slots=True)
class Closing:
    prompt: Prompt
    go_on: str
    goodbye: str


@dataclass(frozen=True, slots=True)
class Message:
    """A follow-up; `when` says after which kind of call it is sent."""

    name: str
    when: str
    text: str

    def render(self, values: Mapping[str, str]) -> str:
        """Gaps without a value are filled with "-": a message is never held back by a fact nobody learned."""
        return phrases.fill(self.text, {gap: values.get(gap) or "-" for gap in phrases.gaps(self.text)})


@dataclass(frozen=True, slots=True)
class Machines:
    """What is done when a machine answers our call, and what a call screener is told. The message for a mailbox is
    `Lines.voicemail`."""

    strategy: Strategy = HANG_UP
    screening: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """What every conversation may need."""

    acknowledge: tuple[str, ...]
    corrected: str
    unclear: tuple[str, ...]
    move_on: str
    silence: tuple[str, ...]
    robot: str
    opted_out: str
    recording_refused: str
    respect: str
    no_answer: str
    before_we_go_on: str
    voicemail: str
    wrong_number: str
    filler: tuple[str, ...]
    outage: str
    silence_goodbye: str
    limit_goodbye: str
    so_far: str
    in_writing: str
    opt_out_question: str = ""  # said where words may ask not to be called again; without it nothing is asked
    thinking: tuple[str, ...] = ()  # said before an answer that takes its time, so it must fit any answer
    transfer_offer: str = ""  # in place of `outage` where there is a person to put the caller through to
    transferring: str = ""
    transfer_failed: str = ""  # nobody answered there; said by the carrier


@dataclass(frozen=True, slots=True)
class Playbook:
    name: str
    language: str
    business: Business
    agent: str
    goals: tuple[str, ...]
    inbound: tuple[OpeningLine, ...]
    outbound: tuple[OpeningLine, ...]
    menu: Menu
    facts: tuple[WantedFact, ...]
    offers: tuple[Offer, ...]
    answers: tuple[Answer, ...]
    appointment: Appointment
    hours: tuple[tuple[int, time, time], ...]
    callback: Callback
    whatsapp: WhatsApp
    messages: tuple[Message, ...]
    closing: Closing
    lines: Lines
    machines: Machines = Machines()
    voice: Voice = USUAL
    next_action: str = "note"  # or "follow": whether the estimate's next action picks among what may be said

    def opening(self, direction: str) -> tuple[OpeningLine, ...]:
        return self.outbound if direction == "outbound" else self.inbound

    def is_open(self, at: datetime) -> bool:
        """`at` in the time of the business."""
        return any(day == at.weekday() and opens <= at.time() < shuts for day, opens, shuts in self.hours)

    def fact(self, name: str) -> WantedFact:
        """Raises KeyError."""
        return {fact.name: fact for fact in self.facts}[name]

    def answer(self, label: str) -> Answer | None:
        """By "question:NAME" or "objection:NAME"."""
        return next((answer for answer in self.answers if answer.label == label), None)

    def answer_meaning(self, intent: str) -> Answer | None:
        """What to say to a general intent, if the playbook has something."""
        return next((answer for answer in self.answers if intent in answer.means), None)

    def message(self, name: str) -> Message:
        """Raises KeyError."""
        return {message.name: message for message in self.messages}[name]

    def message_for(self, occasion: str) -> Message | None:
        return next((message for message in self.messages if message.when == occasion), None)

    def spoken_parts(self) -> frozenset[str]:
        """Every part any line of this playbook can be made of: all that a voice pack must hold."""
        said = {part for line in self._templates() for part in phrases.constant_parts(line)}
        said.update(phrases.weekday(day) for day, _ in self.appointment.slots)
        said.update(phrases.clock(at) for _, at in self.appointment.slots)
        if any(fact.type == "digits" for fact in self.facts):
            said.update(phrases.DIGITS)
        if any(fact.written and fact.confirm for fact in self.facts):
            said.update(spelling.VOCABULARY)
        return frozenset(said)

    def _templates(self) -> Iterator[str]:
        for opening in (*self.inbound, *self.outbound):
            yield from (opening.say, opening.again)
        for prompt in self._prompts():
            yield from (prompt.ask, prompt.again, prompt.keypad)
        for choice in (*self.menu.choices, *self.callback.choices, *(c for fact in self.facts for c in fact.choices)):
            yield choice.reply
        yield from (fact.confirm for fact in self.facts)
        yield from (offer.say for offer in self.offers)
        yield from (answer.say for answer in self.answers)
        visit = self.appointment
        yield from (visit.other, visit.none_fit, visit.confirm, visit.declined, self.callback.promise)
        yield self.machines.screening
        yield from (self.whatsapp.yes, self.whatsapp.no, self.closing.go_on, self.closing.goodbye)
        for field in fields(self.lines):
            line: str | tuple[str, ...] = getattr(self.lines, field.name)
            yield from (line,) if isinstance(line, str) else line

    def _prompts(self) -> Iterator[Prompt]:
        yield from (fact.prompt for fact in self.facts)
        for asking in (self.menu, self.appointment, self.callback, self.whatsapp, self.closing):
            yield asking.prompt
