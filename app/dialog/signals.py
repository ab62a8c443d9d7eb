"""What reaches turn-taking as it happens, as frozen values. None of it is kept: the log has facts (`events`).

Times are `..._ms`: milliseconds since the media stream of the call started.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VoiceOn:
    """The caller's voice began at `at_ms` (not: was noticed)."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class VoiceOff:
    """The caller's voice ended at `at_ms`. `bursts`: how often it swelled, 0 where nobody counted."""

    at_ms: int
    bursts: int = 0


@dataclass(frozen=True, slots=True)
class OwnVoice:
    """What comes in since `from_ms` is our own voice, come back; None as `to_ms` while it goes on."""

    from_ms: int
    to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """Words from speech to text. A final one is never revised; `confidence` is 0..1.

    `mark` is what the provider says of the caller's turn, where it can: "began", "eager" (probably over), "resumed" (it
    was not), "ended".
    """

    text: str
    final: bool = True
    confidence: float = 1.0
    started_ms: int = 0
    ended_ms: int = 0
    provider: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Keyed:
    """One key: 0-9, * or #."""

    digit: str
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class HungUp:
    """The caller's side is gone. `lost` when the socket died without a stop."""

    lost: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed."""


@dataclass(frozen=True, slots=True)
class ReplyBegan:
    """The caller hears a line of the reply begin. Comes again for each further line; a `protected` one is never cut.
    `line` is its text."""

    protected: bool = False
    line: str = ""


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """All audio of the reply was played to the caller; `closes` when the call should end now, for `reason`."""

    closes: bool = False
    reason: str = "finished"


@dataclass(frozen=True, slots=True)
class MustEnd:
    """The call cannot go on (drain, a provider is gone): say so and end. `reason` as in `CallEnded`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Toned:
    """A single steady tone in the caller's sound, 350 to 2200 Hz, that has ended: a beep, or a network's whistle."""

    hertz: float
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class CarrierReport:
    """What the carrier's own detector says answered: human, machine_start, machine_end_beep, fax, unknown ..."""

    answered_by: str


@dataclass(frozen=True, slots=True)
class TakenOver:
    """A person of ours speaks with the caller now; `who` by the id of the member."""

    who: str


@dataclass(frozen=True, slots=True)
class HandedBack:
    """The agent's turn again."""

    who: str


@dataclass(frozen=True, slots=True)
class Whispered:
    """A person of ours suggests something to the agent, which the caller does not hear; `who` as in `TakenOver`."""

    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Overheard:
    """Words of a person of ours to the caller, as a recogniser heard them; `who` as in `TakenOver`."""

    who: str
    text: str


Signal = (
    VoiceOn
    | VoiceOff
    | OwnVoice
    | Heard
    | Keyed
    | HungUp
    | Tick
    | ReplyBegan
    | ReplyEnded
    | MustEnd
    | Toned
    | CarrierReport
    | TakenOver
    | HandedBack
    | Whispered
    | Overheard
)
