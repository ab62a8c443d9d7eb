"""Whole calls on the virtual clock: the exchange on one end, the bridge with scripted parts on the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest

from app.call.bridge import Admission, EndNow, Limits, bridge
from app.call.pacer import Pacer
from app.call.setup import CallSetup, CarrierNews, Parts, ReadyLine, StandIns
from app.dialog.events import CallBegan, CallEnded, Entry, Fact
from app.dialog.patience import Patience
from app.dialog.reception import HANG_UP, Strategy
from app.exchange.account import Number
from app.exchange.edges import Form
from app.exchange.exchange import CallRecord, Exchange
from app.exchange.faults import NONE, Faults
from app.exchange.memory import MemorySockets, MemoryWebhooks, ServerSocket
from app.exchange.personas import Persona, Step
from app.exchange.phones import Phone
from app.exchange.playout import Gap
from app.exchange.sound import is_loud, murmured
from app.exchange.virtual import run
from app.ports import Dialogue, Say, SpeechToText, TextToSpeech, VoiceActivity
from app.providers.scripted import (
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    ScriptedVoiceActivity,
    tone,
)
from app.sales.live import LiveModel
from app.telephony import mulaw
from app.telephony.media_stream import Started

F = TypeVar("F")

CALLER, BUSINESS = "+12025550111", "+12025550100"
TWIML = (
    '<Response><Connect><Stream url="wss://test.invalid/twilio/media/t0ken"/></Connect>'
    "<Redirect>https://test.invalid/after</Redirect></Response>"
)
BEGAN = CallBegan("CA1", "inbound", CALLER, BUSINESS, "test", 1, "", "", "")


@dataclass(slots=True)
class MemoryJournal:
    """`commit_s` is how long the database takes."""

    commit_s: float = 0.0
    entries: list[Entry] = field(default_factory=list)
    durable: list[Fact] = field(default_factory=list)

    def record(self, entry: Entry) -> None:
        self.entries.append(entry)

    async def commit(self, entry: Entry) -> None:
        self.entries.append(entry)
        await asyncio.sleep(self.commit_s)
        self.durable.append(entry.fact)

    async def settle(self) -> None:
        """Everything already is."""


@dataclass(slots=True)
class Held:
    """What is left of a call that was held."""

    record: CallRecord
    journal: MemoryJournal
    reason: str | None
    late_ms: float

    @property
    def entries(self) -> list[Entry]:
        return self.journal.entries

    def facts(self, kind: type[F]) -> list[F]:
        return [entry.fact for entry in self.entries if isinstance(entry.fact, kind)]

    @property
    def gaps(self) -> list[Gap]:
        """Silence the caller heard inside an utterance: after the mark at its beginning there is none yet."""
        return [gap for stream in self.record.streams for gap in stream.gaps if not gap.before.endswith("-0")]

    def heard_frames(self, until_ms: int) -> list[bytes]:
        return list(mulaw.frames(bytes(self.record.tape.heard)))[: until_ms // 20]

    def agent_silent_after(self, ms: int) -> int:
        """When, from `ms` on, the caller first heard 200 ms of silence; in ms of the exchange's tape."""
        frames = list(mulaw.frames(bytes(self.record.tape.heard)))
        for at in range(ms // 20, len(frames)):
            if all(not is_loud(frame) for frame in frames[at : at + 10]):
                return at * 20
        return len(frames) * 20


@dataclass(slots=True)
class Scene:
    """A call to be held. Everything but the dialogue and the person has a default that works."""

    dialogue: Dialogue
    stt: SpeechToText = field(default_factory=ScriptedSpeechToText)
    tts: TextToSpeech = field(default_factory=ScriptedTextToSpeech)
    voice: VoiceActivity = field(default_factory=ScriptedVoiceActivity)
    patience: Patience = field(default_factory=Patience)
    faults: Faults = NONE
    limits: Limits = field(default_factory=Limits)
    redact: Callable[[str], str] = str
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    stand_ins: StandIns = field(default_factory=lambda: STAND_INS)
    end_after_s: tuple[float, str] | None = None
    cancel_after_s: float | None = None
    direction: str = "inbound"
    machines: Strategy = HANG_UP
    carrier: CarrierNews = field(default_factory=CarrierNews)
    live: LiveModel | None = None

    def hold(self, *script: Step) -> Held:
        return self.hold_with(Persona("test the call", "murmur", murmured, script))

    def hold_with(self, phone: Phone) -> Held:
        return run(self._hold(phone))

    async def hold_in_real_time(self, phone: Phone) -> Held:
        """On the loop that runs: for parts that need real sockets."""
        return await self._hold(phone)

    async def _hold(self, phone: Phone) -> Held:
        pacer = Pacer()
        reasons: list[str | None] = []

        async def admit(started: Started, end_now: EndNow) -> Admission:
            if self.end_after_s is not None:
                asyncio.get_running_loop().call_later(self.end_after_s[0], end_now, self.end_after_s[1])
            began = replace(BEGAN, direction=self.direction)
            setup = CallSetup(
                began, self.redact, self.stand_ins, machines=self.machines, carrier=self.carrier, live=self.live
            )
            parts = Parts(self.dialogue, self.stt, self.tts, self.voice)
            return Admission(setup, parts, self.journal, self.patience)

        async def serve(url: str, headers: Mapping[str, str], socket: ServerSocket) -> None:
            try:
                async with asyncio.timeout(self.cancel_after_s):
                    reasons.append(await bridge(socket, admit, pacer, self.limits))
            except TimeoutError:
                reasons.append("cancelled")

        async def answer(url: str, form: Form, headers: Mapping[str, str]) -> tuple[int, str]:
            return 200, TWIML if url.endswith("/voice") else "<Response><Hangup/></Response>"

        async with MemorySockets(serve) as sockets, Exchange(MemoryWebhooks(answer), sockets) as exchange:
            exchange.add_number(Number(BUSINESS, voice_url="https://test.invalid/voice"))
            record = await exchange.dial_in(CALLER, BUSINESS, phone, self.faults)
        held = Held(record, self.journal, reasons[0] if reasons else None, pacer.late_ms)
        if held.reason is not None:
            check_log(self.journal.entries)
        return held


STAND_INS = StandIns(
    fillers=(ReadyLine(Say(("One moment.",), "filler"), tone(600)),),
    again=ReadyLine(Say(("Could you say that again?",), "stand_in"), tone(1000)),
    apology=ReadyLine(Say(("We will call you back. Goodbye.",), "stand_in"), tone(1500)),
)


def check_log(entries: list[Entry]) -> None:
    """What holds for the log of every call."""
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry.at_ms for entry in entries] == sorted(entry.at_ms for entry in entries)
    assert isinstance(entries[0].fact, CallBegan)
    assert isinstance(entries[-1].fact, CallEnded)
    assert sum(isinstance(entry.fact, CallEnded) for entry in entries) == 1


@pytest.fixture
def scene() -> type[Scene]:
    return Scene


@pytest.fixture
def journal_taking() -> type[MemoryJournal]:
    """A journal whose commits take so many seconds."""
    return MemoryJournal
