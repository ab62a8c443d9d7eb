"""What a call needs from outside. `call/` knows only these; `providers/` and `store/` implement them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable
from uuid import UUID

from app.dialog.events import Entry, Heard, Keyed, ProviderFailed, TokensUsed, VoiceOff, VoiceOn
from app.dialog.interruption import Volume as Volume
from app.dialog.moves import CallerTurn as CallerTurn
from app.dialog.moves import Closing as Closing
from app.dialog.moves import Commit as Commit
from app.dialog.moves import Expectation as Expectation
from app.dialog.moves import Finish as Finish
from app.dialog.moves import HeardLine as HeardLine
from app.dialog.moves import MachineListens as MachineListens
from app.dialog.moves import Move as Move
from app.dialog.moves import Note as Note
from app.dialog.moves import Pressed as Pressed
from app.dialog.moves import Said as Said
from app.dialog.moves import Say as Say
from app.dialog.moves import Silent as Silent
from app.telephony.echo import Whose as Whose


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """Caller audio: G.711 mu-law, 8000 Hz, mono. `at_ms` is the stream time of its first sample."""

    mulaw: bytes
    at_ms: int


CallerSound = AudioChunk | VoiceOn | VoiceOff


class VoiceActivity(Protocol):
    """Passes audio through unchanged and adds VoiceOn / VoiceOff. Inference runs off the event loop."""

    def watch(self, audio: AsyncIterator[AudioChunk]) -> AsyncIterator[CallerSound]: ...


class SpeechToText(Protocol):
    """Caller sound in, words out. Ends when the sound ends; raises ProviderError, nothing else.

    A final `Heard` with empty text means "there was voice but no words I would stand for": the dialogue asks again.
    """

    @property
    def name(self) -> str: ...

    def listen(
        self, sound: AsyncIterator[CallerSound], expecting: Callable[[], Expectation]
    ) -> AsyncIterator[Heard]: ...


@dataclass(frozen=True, slots=True)
class WordAt:
    """A word and where it lies in the audio of its phrase."""

    text: str
    started_ms: int
    ended_ms: int


@dataclass(frozen=True, slots=True)
class Speech:
    """A piece of agent audio: mu-law 8000 Hz mono, any length. `words` lie within this piece; may be empty."""

    mulaw: bytes
    words: tuple[WordAt, ...] = ()


class Dialogue(Protocol):
    """One conversation. Not shared between calls.

    The session calls `begin` once, then alternates `heard` (for every Say of the last reply, in order) and `answer`.
    A reply may be cancelled at any await: state must change only through `heard` and the arguments of `answer`.
    """

    @property
    def name(self) -> str: ...

    def expecting(self) -> Expectation: ...

    def begin(self) -> AsyncIterator[Move]: ...

    def answer(self, turn: CallerTurn) -> AsyncIterator[Move]: ...

    def heard(self, line: HeardLine) -> None: ...

    def fork(self) -> Dialogue | None:
        """Another one that stands where this one stands; what either does from now on the other never learns. Cheap:
        an answer that may not be wanted is asked of a fork, which takes this one's place if it is. None where there can
        be no other: then nothing is drafted."""
        ...


@runtime_checkable
class Metered(Protocol):
    """A dialogue on a model that is paid for."""

    def unreported(self) -> tuple[TokensUsed, ...]:
        """What was used for answers that were cancelled, which no move told of; each once."""
        ...


@runtime_checkable
class TakesAdvice(Protocol):
    """A dialogue that may let the estimate after a turn pick what comes next. Never waits."""

    def advise(self, action: str) -> None:
        """`action` as in `events.Estimated`, for the caller's next turn."""
        ...


@runtime_checkable
class HearsColleagues(Protocol):
    """A dialogue that people of ours can tell something while it goes on. Neither waits, and neither is answered."""

    def hint(self, text: str) -> str:
        """A suggestion, never to be spoken as it is. What will be made of it, as `events.Hinted` has it."""
        ...

    def overheard(self, text: str, by: Literal["caller", "colleague"] = "caller") -> None:
        """What the caller and a colleague who had taken the call over said to each other."""
        ...


class TextToSpeech(Protocol):
    """A line in, audio out, in pieces. Raises ProviderError, nothing else."""

    @property
    def name(self) -> str: ...

    def speak(self, line: Say) -> AsyncIterator[Speech]: ...


@runtime_checkable
class HasVoiceVersion(Protocol):
    """A voice that can tell what it sounds like. Audio kept from one line may be played again as long as this stays
    the same: it changes with provider, voice, model and settings. A chain answers for the voice in use, "" when that
    one does not tell."""

    @property
    def voice_version(self) -> str: ...


@runtime_checkable
class TellsItsPace(Protocol):
    """A dialogue that knows how long its answers usually take to begin."""

    def late_in_s(self) -> float | None:
        """Seconds until the answer it was asked for last will be later than usual: 0 or less when it is, or when all
        are late these days. None when it has begun, or nobody knows what is usual."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """A voice that has some lines ready."""

    def holds(self, line: Say) -> bool:
        """Nobody else is needed to say it."""
        ...


@runtime_checkable
class HasStandIns(Protocol):
    """A part of one call that goes on with another provider when one fails, and tells the call's log so."""

    def report_to(self, write: Callable[[ProviderFailed], None]) -> None: ...


@dataclass(frozen=True, slots=True)
class Played:
    """How much of an utterance reached the caller's ear. `gap_ms` is silence inside it because audio came too late."""

    utterance: int
    heard_ms: int
    audio_ms: int
    gap_ms: int = 0

    @property
    def complete(self) -> bool:
        return self.heard_ms >= self.audio_ms


class Line(Protocol):
    """The caller's end of the call. Times are milliseconds since the stream started."""

    @property
    def lost(self) -> bool:
        """True once the sound ended because the connection died, not because the caller hung up."""
        ...

    def now_ms(self) -> int: ...

    def sound(self) -> AsyncIterator[AudioChunk | Keyed]:
        """Ends when the caller is gone."""
        ...

    def play(self, utterance: int, mulaw: bytes) -> None:
        """Queue audio; never waits."""
        ...

    def end_utterance(self, utterance: int) -> None:
        """No more audio will come for it."""
        ...

    async def played(self, utterance: int) -> Played:
        """Waits until the utterance has been played or cut."""
        ...

    async def began(self, utterance: int) -> int:
        """Waits until the caller hears its first audio (or it is cut) and returns when that was."""
        ...

    def turn(self, volume: Volume) -> None:
        """How loud we speak from now on, in the middle of a word. Never waits; no audio is lost or said twice."""
        ...

    def whose(self, from_ms: int, to_ms: int) -> Whose:
        """Whether the caller's sound between these times is our own come back."""
        ...

    def held(self) -> Played | None:
        """The utterance that HELD stopped in its middle, with how much of it was heard; None when none was."""
        ...

    def go_back(self, utterance: int, to_ms: int) -> None:
        """While it is held: it shall go on from there, which the caller has heard already."""
        ...

    async def clear(self) -> tuple[Played, ...]:
        """Silence now: forget what waits here and at the carrier. Returns what was cut, with how much was heard."""
        ...

    async def close(self) -> None: ...


class Journal(Protocol):
    """Where a call's log goes. `record` never waits and never fails; `settle` returns once all of it is durable."""

    def record(self, entry: Entry) -> None: ...

    async def commit(self, entry: Entry) -> None:
        """Record, and return when the entry and what it promises (suppression, consent) are durable."""
        ...

    async def settle(self) -> None: ...


class Messenger(Protocol):
    """Sends one WhatsApp message; returns the provider's id. Raises only the ProviderError family.

    With a `template` (the name it was approved under) `variables` fill its placeholders in order and `text` is only
    what the person will read; without one `text` is sent as it is. `reference` comes back with delivery reports.
    """

    def send(
        self,
        *,
        to: str,
        sender: str,
        text: str,
        template: str | None,
        reference: str,
        variables: tuple[str, ...] = (),
    ) -> str: ...


class Carrier(Protocol):
    """Places and ends calls at the telephone company. Raises ProviderDown, ProviderUncertain or ProviderRefused."""

    def place(self, *, to: str, sender: str, reference: str) -> str: ...

    def hang_up(self, call_sid: str) -> None: ...


class Seats(Protocol):
    """Seats for calls that are about to be placed: nobody's phone rings without one (C09)."""

    def keep(self, attempt: UUID) -> None:
        """One under this attempt, for as long as a phone may ring. Raises Busy when there is none, ProviderDown when
        it is not known whether there is one."""
        ...

    def free(self, attempt: UUID) -> None:
        """It is not needed after all. Never fails."""
        ...
