"""Everything that can happen in a conversation, as frozen values.

Two families. *Signals* (`signals`, named here too) reach turn-taking as they happen and are not kept. *Facts* are the
call's log: each is written once with a sequence number and a time, and transcript, latency, cost, outcome and replay
are derived from them.

Times are `..._ms`: milliseconds since the media stream of the call started.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from app.dialog.signals import CarrierReport as CarrierReport
from app.dialog.signals import HandedBack as HandedBack
from app.dialog.signals import Heard as Heard
from app.dialog.signals import HungUp as HungUp
from app.dialog.signals import Keyed as Keyed
from app.dialog.signals import MustEnd as MustEnd
from app.dialog.signals import Overheard as Overheard
from app.dialog.signals import OwnVoice as OwnVoice
from app.dialog.signals import ReplyBegan as ReplyBegan
from app.dialog.signals import ReplyEnded as ReplyEnded
from app.dialog.signals import Signal as Signal
from app.dialog.signals import TakenOver as TakenOver
from app.dialog.signals import Tick as Tick
from app.dialog.signals import Toned as Toned
from app.dialog.signals import VoiceOff as VoiceOff
from app.dialog.signals import VoiceOn as VoiceOn
from app.dialog.signals import Whispered as Whispered

# --- facts: the log of a call ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallBegan:
    call_sid: str
    direction: str  # "inbound" | "outbound"
    caller: str
    called: str
    playbook: str
    playbook_version: int
    stt: str
    dialogue: str
    tts: str


@dataclass(frozen=True, slots=True)
class CallResumed:
    """A second media stream for a call that lost its first one."""

    stream_sid: str


@dataclass(frozen=True, slots=True)
class CallerVoice:
    """One stretch of the caller's voice. `bursts` as in `VoiceOff`."""

    started_ms: int
    ended_ms: int
    bursts: int = 0


@dataclass(frozen=True, slots=True)
class CallerSaid:
    """What the caller said in turn `turn`, redacted before it gets here."""

    turn: int
    text: str
    confidence: float
    started_ms: int
    ended_ms: int
    provider: str


@dataclass(frozen=True, slots=True)
class CallerKeyed:
    turn: int
    digits: str


@dataclass(frozen=True, slots=True)
class CallerSilent:
    """The caller said nothing for the patience of this state; `nudge` counts from 1."""

    nudge: int


@dataclass(frozen=True, slots=True)
class Understood:
    turn: int
    intent: str
    confidence: float


@dataclass(frozen=True, slots=True)
class AgentSaid:
    """An utterance was handed to text to speech; `purpose` says why (greeting, ask:NAME, answer:NAME, goodbye ...)."""

    utterance: int
    turn: int
    text: str
    purpose: str


@dataclass(frozen=True, slots=True)
class AgentHeard:
    """The ledger's last word on an utterance: how much of it the caller heard."""

    utterance: int
    heard_text: str
    heard_ms: int
    audio_ms: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The caller took the turn: voice began at `voice_ms`, our audio was cleared at `cleared_ms`. At `quiet_ms` already
    it had become soft enough to be spoken over; None where it was silenced at once."""

    utterance: int
    voice_ms: int
    cleared_ms: int
    quiet_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Aside:
    """Words over our speech that made no turn. `kind`: "backchannel", or "echo" for our own coming back."""

    kind: str
    text: str
    started_ms: int
    ended_ms: int


@dataclass(frozen=True, slots=True)
class TurnTimed:
    """The waterfall of one turn. None where a stage did not happen (a keypress has no transcript)."""

    turn: int
    caller_stopped_ms: int
    decided_ms: int
    transcript_ms: int | None
    first_phrase_ms: int | None
    first_audio_ms: int | None
    first_sent_ms: int | None
    first_played_ms: int | None
    drafted_ms: int | None = None  # when the answer was begun, if that was before we took the turn


@dataclass(frozen=True, slots=True)
class FactLearned:
    name: str
    value: str
    said: str


@dataclass(frozen=True, slots=True)
class QuestionAnswered:
    """The caller asked something the playbook knows."""

    name: str


@dataclass(frozen=True, slots=True)
class ObjectionMet:
    name: str


@dataclass(frozen=True, slots=True)
class DisclosureHeard:
    """Heard to its end: "ai", "recording", "identity" or "opt_out"."""

    kind: str


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    kind: str  # "whatsapp" | "recording" | ...
    wording: str


@dataclass(frozen=True, slots=True)
class RecordingRefused:
    words: str


@dataclass(frozen=True, slots=True)
class OptedOut:
    words: str


@dataclass(frozen=True, slots=True)
class HumanRequested:
    """A person should take over or call back; `when` as the caller put it, possibly empty."""

    when: str = ""


@dataclass(frozen=True, slots=True)
class AppointmentRequested:
    """`slot` is local ISO 8601 to the minute."""

    slot: str
    said: str


@dataclass(frozen=True, slots=True)
class FollowUpPromised:
    """The template's name in the playbook."""

    template: str


@dataclass(frozen=True, slots=True)
class ProviderFailed:
    """`kind` is the reason in one word, as `ProviderError.kind` has it; "" where nobody can say."""

    stage: str  # "stt" | "dialogue" | "tts"
    provider: str
    reason: str
    fallback: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class TokensUsed:
    """One answer of a language model, as its server counted it; `estimated` from its letters where that did not come.
    `cancelled` when it was broken off: a draft the caller spoke on after, or a reply that was interrupted."""

    turn: int
    provider: str
    model: str
    prompt: int
    completion: int
    cancelled: bool = False
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class TurnsBegan:
    """Turn-taking starts, with `number` turns behind it, by `settings`: JSON of those of `Patience` that are not
    usual."""

    since_ms: int
    number: int
    settings: str


@dataclass(frozen=True, slots=True)
class Signalled:
    """What turn-taking was told at `now_ms`, to take the same turns again (rerun.py): the name of the signal, its
    fields, and what was expected of the caller where that is news, both as JSON. Of time passing only what led to
    something."""

    now_ms: int
    signal: str
    told: str
    expected: str = ""


@dataclass(frozen=True, slots=True)
class DraftDropped:
    """An answer begun before the caller was through, and not given. `letters` of it had gone to text to speech."""

    turn: int
    begun_ms: int
    letters: int


@dataclass(frozen=True, slots=True)
class UnitsUsed:
    """What one provider did in this call and will charge for: `unit` is "ms" of the caller's sound or "characters" to
    speak. Tokens of language models are told answer by answer, in `TokensUsed`."""

    stage: str  # "stt" | "tts"
    provider: str
    model: str
    unit: str
    amount: int


@dataclass(frozen=True, slots=True)
class Underrun:
    """The line ran dry in the middle of an utterance."""

    utterance: int
    gap_ms: int


@dataclass(frozen=True, slots=True)
class AgentKeyed:
    """We pressed keys, in somebody's menu."""

    digits: str


@dataclass(frozen=True, slots=True)
class AnsweredBy:
    """Who answered a call we placed, as far as is known at `at_ms`; a later one corrects it. `kind`: human, voicemail,
    ivr, screening, unavailable, fax or not_sure."""

    kind: str
    confidence: float
    at_ms: int


@dataclass(frozen=True, slots=True)
class Estimated:
    """How likely a sale was after `turn`, by which model, and what would help most next: ask, handle, offer, close or
    hand_over. Advice."""

    turn: int
    probability: float
    next_action: str
    because: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class AdviceTaken:
    """The playbook did at a choice of its own what the estimate after the last turn had advised (`next_action`)."""

    action: str


@dataclass(frozen=True, slots=True)
class SteppedAside:
    """A person of ours took the call over: the agent says nothing until it is handed back, but goes on listening."""

    who: str


@dataclass(frozen=True, slots=True)
class CameBack:
    """The person handed the call back to the agent."""

    who: str


@dataclass(frozen=True, slots=True)
class ColleagueSaid:
    """A person of ours who has taken the call over said this to the caller. Only where there is somebody to tell."""

    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Hinted:
    """A person of ours whispered to the agent. `use` is what that leads to at the caller's next turn: "told" for a
    language model that knows of it, a name as `hints.meant` gives it for the playbook, "" where it is not used."""

    who: str
    text: str
    use: str = ""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """`reason`: caller_hung_up, finished, opted_out, silence, too_long, transferred, provider_outage, media_lost,
    drained or error; for a machine that answered voicemail, message_left, ivr, unavailable or fax."""

    reason: str


Fact = (
    CallBegan
    | CallResumed
    | CallerVoice
    | CallerSaid
    | CallerKeyed
    | CallerSilent
    | Understood
    | AgentSaid
    | AgentHeard
    | Interrupted
    | Aside
    | TurnTimed
    | FactLearned
    | QuestionAnswered
    | ObjectionMet
    | DisclosureHeard
    | ConsentGiven
    | RecordingRefused
    | OptedOut
    | HumanRequested
    | AppointmentRequested
    | FollowUpPromised
    | ProviderFailed
    | TokensUsed
    | UnitsUsed
    | DraftDropped
    | TurnsBegan
    | Signalled
    | Underrun
    | AgentKeyed
    | AnsweredBy
    | Estimated
    | AdviceTaken
    | SteppedAside
    | CameBack
    | ColleagueSaid
    | Hinted
    | CallEnded
)

KINDS: Mapping[str, type[Fact]] = {kind.__name__: kind for kind in get_args(Fact)}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a call's log. `seq` counts from 1 without gaps."""

    seq: int
    at_ms: int
    fact: Fact


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact written by a newer version: kept, never guessed at."""

    kind: str
    body: Mapping[str, Any] = field(default_factory=dict)


def to_record(fact: Fact) -> tuple[str, dict[str, Any]]:
    """The kind's name and a JSON-ready body."""
    return type(fact).__name__, dataclasses.asdict(fact)


def from_record(kind: str, body: Mapping[str, Any]) -> Fact | Unknown:
    """The inverse of `to_record`. Unknown fields are dropped, an unknown kind becomes `Unknown`."""
    known = KINDS.get(kind)
    if known is None:
        return Unknown(kind, dict(body))
    names = {f.name for f in dataclasses.fields(known)}
    return known(**{name: value for name, value in body.items() if name in names})
