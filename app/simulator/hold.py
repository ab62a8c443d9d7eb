"""One call between a made-up person and a playbook: exchange, bridge and dialogue as they are, on the virtual clock.

Speech to text is perfect here: it hears what the person meant to say once a stretch of voice has ended. What is
measured is the conversation, not the recogniser.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from app.call.bridge import Admission, EndNow, bridge
from app.call.pacer import Pacer
from app.call.setup import CallSetup, Parts
from app.dialog.events import AgentSaid, CallBegan, Entry, Heard, VoiceOff, VoiceOn
from app.dialog.patience import Patience
from app.dialog.redaction import redact
from app.dialog.script import Playbook
from app.exchange.account import Number
from app.exchange.edges import Form
from app.exchange.exchange import Exchange
from app.exchange.memory import MemorySockets, MemoryWebhooks, ServerSocket
from app.exchange.personas import ReactivePersona
from app.exchange.phones import Handset, Pickup
from app.exchange.recording import Tape
from app.exchange.virtual import run
from app.ports import AudioChunk, CallerSound, Expectation, TextToSpeech
from app.providers.offline.dialogue import PlaybookDialogue
from app.providers.offline.intents import Intents
from app.providers.scripted import ScriptedVoiceActivity
from app.sales.live import shipped
from app.telephony.media_stream import Started

CALLER, BUSINESS = "+12025550111", "+12025550100"
TWIML = '<Response><Connect><Stream url="wss://simulated.invalid/media"/></Connect></Response>'


@dataclass(frozen=True, slots=True)
class Business:
    """What every simulated call shares."""

    book: Playbook
    intents: Intents
    tts: TextToSpeech
    today: date


@dataclass(slots=True)
class _Mind:
    """The SpeechToText port as mind reading: what was said since the last stretch of voice ended."""

    name = "simulated"
    said: list[str] = field(default_factory=list)

    async def listen(
        self, sound: AsyncIterator[CallerSound], expecting: Callable[[], Expectation]
    ) -> AsyncIterator[Heard]:
        began_ms = 0
        async for piece in sound:
            match piece:
                case VoiceOn(at_ms):
                    began_ms = at_ms
                case VoiceOff(at_ms):
                    text = " ".join(self.said)
                    self.said.clear()
                    yield Heard(text, True, 1.0 if text else 0.0, began_ms, at_ms, self.name)
                case AudioChunk():
                    pass


@dataclass(frozen=True, slots=True)
class _Phone:
    """The person's phone, with their words known."""

    person: ReactivePersona
    mind: _Mind

    def ring(self, caller: str) -> Pickup:
        return self.person.ring(caller)

    async def talk(self, handset: Handset) -> None:
        handset.on_words = self.mind.said.append
        await self.person.talk(handset)


@dataclass(slots=True)
class _Journal:
    """Keeps the log, and tells the person what each line is for."""

    person: ReactivePersona
    hears: Callable[[AgentSaid], str]
    entries: list[Entry] = field(default_factory=list)

    def record(self, entry: Entry) -> None:
        self.entries.append(entry)
        if isinstance(entry.fact, AgentSaid):
            self.person.ears.hear(self.hears(entry.fact))

    async def commit(self, entry: Entry) -> None:
        self.record(entry)

    async def settle(self) -> None:
        """Everything already is."""


@dataclass(frozen=True, slots=True)
class Call:
    """A held call: its log, and both sides of its sound."""

    entries: tuple[Entry, ...]
    tape: Tape


def hold(business: Business, person: ReactivePersona) -> tuple[Entry, ...]:
    """The log of the whole call. Takes a fraction of a second, however long the call is."""
    return held(business, person, lambda said: said.purpose).entries


def held(business: Business, person: ReactivePersona, hears: Callable[[AgentSaid], str]) -> Call:
    """`hears` is what the person's rules look at: what a line of ours is for, or its text."""
    return run(_hold(business, person, hears))


async def _hold(business: Business, person: ReactivePersona, hears: Callable[[AgentSaid], str]) -> Call:
    journal, mind, pacer = _Journal(person, hears), _Mind(), Pacer()
    dialogue = PlaybookDialogue(business.book, business.intents.understand, today=business.today, direction="inbound")
    parts = Parts(dialogue, mind, business.tts, ScriptedVoiceActivity())

    async def admit(started: Started, end_now: EndNow) -> Admission:
        began = CallBegan(started.call_sid, "inbound", CALLER, BUSINESS, business.book.name, 1, "", "", "")
        return Admission(CallSetup(began, redact, live=shipped()), parts, journal, Patience())

    async def serve(url: str, headers: Mapping[str, str], socket: ServerSocket) -> None:
        await bridge(socket, admit, pacer)

    async def answer(url: str, form: Form, headers: Mapping[str, str]) -> tuple[int, str]:
        return 200, TWIML

    async with MemorySockets(serve) as sockets, Exchange(MemoryWebhooks(answer), sockets) as exchange:
        exchange.add_number(Number(BUSINESS, voice_url="https://simulated.invalid/voice"))
        record = await exchange.dial_in(CALLER, BUSINESS, _Phone(person, mind))
    return Call(tuple(journal.entries), record.tape)
