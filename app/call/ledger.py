"""What we meant to say in one reply and what of it the caller heard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from app.call.log import CallLog
from app.dialog.events import AgentHeard, AgentSaid, DisclosureHeard, Underrun
from app.dialog.transcript import heard_part, word_began_ms
from app.ports import HeardLine, Played, Say, Speech
from app.telephony.mulaw import duration_ms

_DISCLOSURE = "disclosure:"
_MS_PER_LETTER = 65  # of ordinary speech; for a line whose audio had not all come


@dataclass(slots=True)
class Utterance:
    """`ours` when a stand-in said it: the dialogue is not told of it."""

    number: int
    line: Say
    ours: bool
    audio_ms: int = 0
    finished: bool = False  # all its audio has come
    words: list[tuple[str, int]] = field(default_factory=list)
    heard: HeardLine | None = None

    def add(self, speech: Speech) -> None:
        self.words += [(word.text, self.audio_ms + word.ended_ms) for word in speech.words]
        self.audio_ms += duration_ms(speech.mulaw)


class Ledger:
    """Each utterance is entered when it is handed to text to speech and settled once, when its hearing is over."""

    def __init__(self, log: CallLog, turn: int) -> None:
        self._log, self._turn = log, turn
        self._utterances: list[Utterance] = []

    def enter(self, number: int, line: Say, *, ours: bool = False) -> Utterance:
        self._log.write(AgentSaid(number, self._turn, line.text, line.purpose))
        utterance = Utterance(number, line, ours)
        self._utterances.append(utterance)
        return utterance

    def settle(self, utterance: Utterance, played: Played) -> None:
        """A line without audio was not heard. A disclosure heard to its end counts as made (C04, C21)."""
        if utterance.heard is not None:
            return
        complete = utterance.finished and played.complete and played.audio_ms > 0
        text = heard_part(utterance.line.text, played.heard_ms, _whole_ms(utterance, played), utterance.words)
        utterance.heard = HeardLine(utterance.line, text, complete)
        self._log.write(AgentHeard(utterance.number, text, played.heard_ms, played.audio_ms, complete))
        if played.gap_ms > 0:
            self._log.write(Underrun(utterance.number, played.gap_ms))
        purpose = utterance.line.purpose
        if complete and purpose.startswith(_DISCLOSURE):
            for kind in purpose.removeprefix(_DISCLOSURE).split("+"):
                self._log.write(DisclosureHeard(kind))

    def word_ms(self, held: Played) -> int:
        """Where the word began in whose middle `held` stopped."""
        utterance = next((one for one in self._utterances if one.number == held.utterance), None)
        if utterance is None:
            return held.heard_ms
        return word_began_ms(utterance.line.text, held.heard_ms, _whole_ms(utterance, held), utterance.words)

    def unsettled(self) -> Iterator[Utterance]:
        return (utterance for utterance in self._utterances if utterance.heard is None)

    def heard(self) -> Iterator[HeardLine]:
        """For the dialogue: each of its own lines, in order."""
        return (utterance.heard for utterance in self._utterances if utterance.heard and not utterance.ours)


def _whole_ms(utterance: Utterance, played: Played) -> int:
    """How long all of it is; a guess while its audio has not all come."""
    if utterance.finished:
        return played.audio_ms
    return max(played.audio_ms + 1, len(utterance.line.text) * _MS_PER_LETTER)
