"""What a conversation is given when it begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from app.dialog.events import (
    AgentSaid,
    CallBegan,
    CarrierReport,
    DisclosureHeard,
    Entry,
    HandedBack,
    Overheard,
    ProviderFailed,
    RecordingRefused,
    TakenOver,
    UnitsUsed,
    Whispered,
)
from app.dialog.reception import HANG_UP, Strategy
from app.ports import Dialogue, HasStandIns, Say, SpeechToText, TextToSpeech, VoiceActivity
from app.sales.live import LiveModel

CallNews: TypeAlias = CarrierReport | TakenOver | HandedBack | Whispered | Overheard


@dataclass(slots=True)
class Parts:
    """One call's own, but for what they share behind the port. `dialogue` is replaced when a draft of its is adopted:
    ask for it, do not keep it."""

    dialogue: Dialogue
    stt: SpeechToText
    tts: TextToSpeech
    voice: VoiceActivity
    used: Callable[[], tuple[UnitsUsed, ...]] = tuple  # what the providers did so far and will charge for

    def report_to(self, write: Callable[[ProviderFailed], None]) -> None:
        for part in (self.stt, self.tts):
            if isinstance(part, HasStandIns):
                part.report_to(write)


@dataclass(frozen=True, slots=True)
class ReadyLine:
    """A line with its audio (mu-law) at hand, so that it can be spoken while everything else is down.

    Without audio it goes through text to speech like any other line.
    """

    line: Say
    mulaw: bytes = b""


@dataclass(frozen=True, slots=True)
class PutThrough:
    """That a person can take over a call which cannot go on: how that is offered, and what is said when it is taken."""

    offer: ReadyLine
    taken: ReadyLine


@dataclass(frozen=True, slots=True)
class StandIns:
    """What we say when there is nothing to say: before an answer that takes its time; while it takes longer; for one
    that failed, asking the caller to say it again; and at the end of a call that cannot go on.

    Acknowledgements and fillers are taken in turn, so that none is heard twice in a row. There may be no
    acknowledgements."""

    acknowledgements: tuple[ReadyLine, ...] = ()
    fillers: tuple[ReadyLine, ...] = (ReadyLine(Say(("One moment, please.",), "filler")),)
    again: ReadyLine = ReadyLine(Say(("I am sorry, I did not get that. Could you say it again?",), "stand_in"))
    apology: ReadyLine = ReadyLine(
        Say(("I am sorry, we have technical difficulties. One of us will call you back. Goodbye.",), "stand_in")
    )
    put_through: PutThrough | None = None  # offered in place of the apology, which then follows if it is not taken


@dataclass(frozen=True, slots=True)
class Resumed:
    """A second stream for a call that lost its first: where its log, its time and its counters go on."""

    stream_sid: str
    next_seq: int
    origin_ms: int
    turns: int
    utterances: int
    may_store: bool

    @classmethod
    def after(cls, entries: Iterable[Entry], stream_sid: str, origin_ms: int = 0) -> Resumed:
        """`origin_ms`: how long ago the call began; never before the last entry of its log."""
        seq = at_ms = turns = utterances = 0
        told = refused = False
        for entry in entries:
            seq, at_ms = max(seq, entry.seq), max(at_ms, entry.at_ms)
            turns = max(turns, getattr(entry.fact, "turn", 0))
            match entry.fact:
                case AgentSaid(utterance=utterance):
                    utterances = max(utterances, utterance)
                case DisclosureHeard("recording"):
                    told = True
                case RecordingRefused():
                    refused = True
        return cls(stream_sid, seq + 1, max(origin_ms, at_ms), turns, utterances, told and not refused)


class CarrierNews:
    """What the carrier reports of a call while it goes on, and what people of ours do, on its way to whoever holds the
    call."""

    def __init__(self) -> None:
        self._waiting: list[CallNews] = []
        self._post: Callable[[CallNews], None] | None = None

    def tell(self, report: CallNews) -> None:
        if self._post is None:
            self._waiting.append(report)
        else:
            self._post(report)

    def listen(self, post: Callable[[CallNews], None]) -> None:
        self._post = post
        for report in self._waiting:
            post(report)
        self._waiting.clear()


@dataclass(frozen=True, slots=True)
class CallSetup:
    """`began` is logged as it is, but for the names of the parts, which are asked for theirs.

    `redact` takes out what must never be kept (card numbers); it is applied to the caller's words before they go
    anywhere: to the dialogue, to the log, to a provider.
    """

    began: CallBegan
    redact: Callable[[str], str]
    stand_ins: StandIns = StandIns()
    resumed: Resumed | None = None
    machines: Strategy = HANG_UP  # what to do when one answers a call we placed
    carrier: CarrierNews | None = None
    live: LiveModel | None = None  # what the chance of a sale is estimated with after every turn
