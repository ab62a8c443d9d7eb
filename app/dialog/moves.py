"""What is said to a dialogue and what it wants done: the caller's turns in, moves out, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass

from app.dialog.events import Fact


@dataclass(frozen=True, slots=True)
class Expectation:
    """What we listen for now. `topic` names the dialogue state ("menu", "ask:roof", "open"); `kind` is the type of the
    answer ("open", "yes_no", "number", "digits", "choice", "day", "time", "name", "email").

    `phrases` are likely sayings.
    `digits` is how many digits or keys complete the answer, 0 when that does not apply; of them `had` were said before.
    """

    topic: str = "open"
    kind: str = "open"
    phrases: tuple[str, ...] = ()
    digits: int = 0
    had: int = 0


@dataclass(frozen=True, slots=True)
class Say:
    """Speak this. `parts` joined by spaces is the text; parts are the units a voice pack may hold ready.

    `purpose` goes to the log. A `protected` line is not cut by the caller's voice (legal disclosures stay interruptible
    and are re-queued instead; this is for the goodbye of an opt-out).
    """

    parts: tuple[str, ...]
    purpose: str
    protected: bool = False

    @property
    def text(self) -> str:
        return " ".join(self.parts)


@dataclass(frozen=True, slots=True)
class Note:
    """Write this fact to the log."""

    fact: Fact


@dataclass(frozen=True, slots=True)
class Commit:
    """Write this fact to the log and make it durable before the next move (opt-out, consent)."""

    fact: Fact


@dataclass(frozen=True, slots=True)
class Finish:
    """End the call once everything said before has been heard. `reason` as in `CallEnded`."""

    reason: str


Move = Say | Note | Commit | Finish


@dataclass(frozen=True, slots=True)
class Said:
    """The caller's turn in words; empty `text` when there was voice but nothing understood."""

    turn: int
    text: str
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Pressed:
    """The caller's turn by keypad."""

    turn: int
    digits: str


@dataclass(frozen=True, slots=True)
class Silent:
    """The caller said nothing; `nudge` counts from 1. After the last nudge the session ends the call itself."""

    turn: int
    nudge: int


@dataclass(frozen=True, slots=True)
class Closing:
    """The session must end the call: say goodbye. `reason` as in `CallEnded`."""

    turn: int
    reason: str


@dataclass(frozen=True, slots=True)
class MachineListens:
    """A machine answered our call and it is time to speak to it: say what is meant for its `kind`, "voicemail" or
    "screening"."""

    turn: int
    kind: str


CallerTurn = Said | Pressed | Silent | Closing | MachineListens


@dataclass(frozen=True, slots=True)
class HeardLine:
    """What became of one `Say`: how much of it the caller heard. Only `heard_text` may be remembered as said."""

    line: Say
    heard_text: str
    complete: bool
