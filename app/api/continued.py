"""A conversation taken up again after its media stream was lost, also by another process (F19, F21).

The dialogue is led through the log once more: it sees the same turns and learns again what was heard of its lines, and
so stands where it stood. Nothing of that is said again but what the caller had not heard yet.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Literal, Protocol, runtime_checkable

from app.dialog.events import (
    AgentHeard,
    AgentSaid,
    CallerKeyed,
    CallerSaid,
    CameBack,
    ColleagueSaid,
    Entry,
    Estimated,
    Fact,
    FactLearned,
    Hinted,
    SteppedAside,
)
from app.dialog.moves import CallerTurn, Commit, Expectation, Finish, HeardLine, Move, Note, Pressed, Said, Say, Silent
from app.ports import Dialogue, HearsColleagues, TakesAdvice, TellsItsPace


@runtime_checkable
class Recalling(Protocol):
    """A dialogue that takes a turn of the past without what a live one costs (a language model's answer)."""

    def recall(self, turn: CallerTurn) -> AsyncIterator[Move]: ...

    def remember(self, fact: FactLearned) -> None:
        """What was learned in a way that cannot be gone again."""
        ...


class Continued:
    """A Dialogue whose `begin` goes on from where the log ends."""

    def __init__(self, dialogue: Dialogue, log: Sequence[Entry]) -> None:
        self._dialogue = dialogue
        self._log = log

    @property
    def name(self) -> str:
        return self._dialogue.name

    def expecting(self) -> Expectation:
        return self._dialogue.expecting()

    async def begin(self) -> AsyncIterator[Move]:
        unheard = await self._replay()
        if any(isinstance(move, Say) for move in unheard):
            for move in unheard:
                yield move
            return
        last = max(
            (entry.fact.turn for entry in self._log if isinstance(entry.fact, CallerSaid | CallerKeyed)), default=0
        )
        async for move in self._dialogue.answer(Silent(last, nudge=1)):  # asks the open question again
            yield move

    def answer(self, turn: CallerTurn) -> AsyncIterator[Move]:
        return self._dialogue.answer(turn)

    def heard(self, line: HeardLine) -> None:
        self._dialogue.heard(line)

    def hint(self, text: str) -> str:
        return self._dialogue.hint(text) if isinstance(self._dialogue, HearsColleagues) else ""

    def advise(self, action: str) -> None:
        if isinstance(self._dialogue, TakesAdvice):
            self._dialogue.advise(action)

    def overheard(self, text: str, by: Literal["caller", "colleague"] = "caller") -> None:
        if isinstance(self._dialogue, HearsColleagues):
            self._dialogue.overheard(text, by)

    def late_in_s(self) -> float | None:
        return self._dialogue.late_in_s() if isinstance(self._dialogue, TellsItsPace) else None

    def fork(self) -> Dialogue | None:
        """What began is past: the dialogue itself goes on."""
        return self._dialogue.fork()

    async def _replay(self) -> list[Move]:
        """The moves of the last reply that never reached the caller or the log."""
        said: dict[int, Say] = {}
        logged = {entry.fact for entry in self._log if _hashable(entry.fact)}
        reply = [move async for move in self._dialogue.begin()]
        answer = self._dialogue.recall if isinstance(self._dialogue, Recalling) else self._dialogue.answer
        greeting, aside = True, False
        for entry in self._log:
            match entry.fact:
                case AgentSaid(utterance, _, text, purpose):
                    said[utterance] = Say((text,), purpose)
                case AgentHeard(utterance, heard_text, complete=complete) if utterance in said:
                    line = said[utterance]
                    self._dialogue.heard(HeardLine(line, heard_text, complete))
                    if complete:
                        reply = [move for move in reply if not (isinstance(move, Say) and move.text == line.text)]
                case SteppedAside() | CameBack() as hands:
                    aside = isinstance(hands, SteppedAside)
                case Hinted(text=text):
                    self.hint(text)
                case Estimated(next_action=action):
                    self.advise(action)
                case ColleagueSaid(text=text):
                    self.overheard(text, "colleague")
                case CallerSaid(text=text) if aside:
                    self.overheard(text)
                case CallerKeyed() if aside:
                    pass
                case CallerSaid(turn, text, confidence) if text:
                    reply = [move async for move in answer(Said(turn, text, confidence))]
                    greeting = False
                case FactLearned() as fact if isinstance(self._dialogue, Recalling):
                    self._dialogue.remember(fact)
                case CallerKeyed(turn, digits):
                    reply = [move async for move in answer(Pressed(turn, digits))]
                    greeting = False
        if greeting and said:
            return []  # no second greeting; what must be disclosed is put again by the dialogue itself
        return [move for move in reply if isinstance(move, Say | Finish) or _is_news(move, logged)]


def _is_news(move: Move, logged: set[Fact]) -> bool:
    return isinstance(move, Note | Commit) and move.fact not in logged


def _hashable(fact: object) -> bool:
    return type(fact).__hash__ is not None and not hasattr(fact, "body")  # an `Unknown` holds a dict
