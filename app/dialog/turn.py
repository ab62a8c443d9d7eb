"""The state of turn-taking and what it may want done, as values; turns.py has the rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from app.dialog.dictation import Stretch
from app.dialog.events import Aside, Heard
from app.dialog.interruption import SILENCE, InTheAir, Volume
from app.dialog.moves import CallerTurn, Said


class Phase(Enum):
    LISTENING = "listening"
    THINKING = "thinking"  # a reply was asked for; the caller hears nothing of it yet
    SPEAKING = "speaking"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Turn:
    """Everything turn-taking remembers. What the caller did and no reply has taken up yet is *open*."""

    phase: Phase = Phase.THINKING
    since_ms: int = 0  # when the phase began
    number: int = 0  # turns of the caller so far; the reply in the air answers this one
    asked_ms: int = 0  # when that reply was asked for
    protected: bool = False  # the line in the air may not be cut
    voice_ms: int | None = None  # the caller's voice is on, since then
    quiet_ms: int | None = None  # an open voice ended then
    stretches: tuple[Stretch, ...] = ()  # the open voice up to then; of no meaning without `quiet_ms`
    spoke_ms: int = 0  # when the last voice began
    heard: tuple[Heard, ...] = ()  # open words, final
    partial: str = ""  # open words that may still be revised
    partial_from_ms: int = 0  # where those begin ...
    partial_to_ms: int = 0  # ... and end
    repeats: int = 0  # how often they came since the last final ones
    mark: str = ""  # what speech to text says of the caller's turn: as in `Heard`
    draft: str | None = None  # what the answer in preparation is to, as `normal` has it
    drafts: int = 0  # begun since we took the last turn
    heard_to_ms: int = 0  # speech to text is done with the caller's voice up to here
    interims: bool = False  # speech to text tells words before they are final
    words_ms: int = 0  # when words came last
    keys: str = ""  # open keys
    keyed_ms: int = 0
    nudges: int = 0
    misses: int = 0
    sign_ms: int = 0  # the caller's last sign of life
    closing: str | None = None  # the call is to end, for this reason
    closing_ms: int = 0
    goodbye: bool = False  # the reply in the air says so
    air: InTheAir = SILENCE  # what the caller heard begin of it
    own_ms: tuple[int, int] | None = None  # from and to: our own voice came back
    volume: Volume = Volume.FULL
    ducked_ms: int | None = None  # this interruption made us softer then
    held_ms: int | None = None  # and silent then

    @property
    def replying(self) -> bool:
        return self.phase in (Phase.THINKING, Phase.SPEAKING)

    @property
    def text(self) -> str:
        return " ".join(word for word in (*(heard.text for heard in self.heard), self.partial) if word)

    @property
    def over_us(self) -> tuple[Heard, ...]:
        """Open final words said since the phase began; earlier ones are late words of the turn before."""
        return tuple(heard for heard in self.heard if heard.ended_ms > self.since_ms)

    @property
    def deaf(self) -> bool:
        """We cannot make out words any more: waiting for the caller would be in vain."""
        return self.closing == "provider_outage"

    @property
    def cuttable(self) -> bool:
        """A protected line is heard out. So is the goodbye of the deaf, and the opening is not given up before its
        first word because the caller said hello."""
        if self.protected or (self.goodbye and self.deaf):
            return False
        return self.phase is Phase.SPEAKING or self.number > 0 or self.closing is not None


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer the caller, who fell silent at `stopped_ms`. `heard` are the words the turn was made of. `drafted` when
    the draft in preparation is that answer."""

    to: CallerTurn
    stopped_ms: int
    heard: tuple[Heard, ...] = ()
    drafted: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """Prepare the answer to this, which the caller has probably said by now."""

    to: Said


@dataclass(frozen=True, slots=True)
class DropDraft:
    """Forget the answer in preparation."""


@dataclass(frozen=True, slots=True)
class CutReply:
    """Fall silent now: the caller took the turn at `voice_ms`, unless it is we who end the call or must. `quiet_ms` is
    when we were softened for it, `held_ms` when we were silenced."""

    voice_ms: int
    by_caller: bool = True
    quiet_ms: int | None = None
    held_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Duck:
    """Speak on, softly: a voice began at `voice_ms`, and what it wants is not known yet."""

    voice_ms: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Not a sound, but give nothing up."""

    voice_ms: int


@dataclass(frozen=True, slots=True)
class Restore:
    """At full volume again, from where the caller stopped hearing us."""


@dataclass(frozen=True, slots=True)
class PutAside:
    """Words that make no turn."""

    aside: Aside


@dataclass(frozen=True, slots=True)
class EndCall:
    reason: str


Action = Reply | Draft | DropDraft | Duck | Hold | Restore | CutReply | PutAside | EndCall
Actions = tuple[Action, ...]
Plan = Callable[[Turn, int], tuple[Turn, Actions]]
