"""What the caller's turns are about: the model of words of this process, made when first asked for.

It is trained on our own sentences in two seconds, kept under the data folder, and reads a call in milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.dialog.events import (
    AppointmentRequested,
    CallerKeyed,
    CallerSaid,
    ConsentGiven,
    Entry,
    FactLearned,
    ObjectionMet,
    QuestionAnswered,
    Understood,
)
from app.dialog.guards import opts_out
from app.dialog.playbook import parse
from app.sales.reading import ANSWER, TurnReading

if TYPE_CHECKING:
    from ml.text.sales import Reading


# What the dialogue understood, where that is an answer.
_REPLIES = frozenset({"yes", "no", "done", "dont_know", "repeat", "greeting", "goodbye"})


@dataclass(frozen=True, slots=True)
class SaidTurn:
    """`answer`: the dialogue took it for an answer to what it had asked, and for nothing else."""

    seq: int
    text: str
    answer: bool = False


class ReadsTurns(Protocol):
    def __call__(self, language: str, turns: Sequence[SaidTurn]) -> tuple[TurnReading, ...]:
        """None in a language that we have no sentences of our own in."""
        ...


def said_by_caller(entries: Sequence[Entry]) -> tuple[SaidTurn, ...]:
    answers = _answers(entries)
    return tuple(
        SaidTurn(entry.seq, entry.fact.text, entry.seq in answers)
        for entry in entries
        if isinstance(entry.fact, CallerSaid) and entry.fact.text.strip()
    )


def _answers(entries: Sequence[Entry]) -> frozenset[int]:
    """By their place in the log. What a turn came to follows its words there."""
    answers, more, seq = set(), set(), 0
    for entry in entries:
        match entry.fact:
            case CallerSaid() | CallerKeyed():
                seq = entry.seq
            case FactLearned() | ConsentGiven() | AppointmentRequested():
                answers.add(seq)
            case Understood(intent=intent) if intent in _REPLIES:
                answers.add(seq)
            case QuestionAnswered() | ObjectionMet():
                more.add(seq)
    return frozenset(answers - more)


def reader_in(data_dir: Path) -> ReadsTurns:
    def read(language: str, turns: Sequence[SaidTurn]) -> tuple[TurnReading, ...]:
        from ml.text.sales import LANGUAGES, reader

        if language not in LANGUAGES or not turns:
            return ()
        known = reader(language, data_dir)
        version = known.model.version
        found = known.read([turn.text for turn in turns])
        return tuple(_reading(turn, one, version) for turn, one in zip(turns, found, strict=True))

    return read


def _reading(turn: SaidTurn, found: Reading, version: str) -> TurnReading:
    """The rules come first, as they did in the call; the model may only add to them. Its sentences stand alone: what
    an answer is about ("the first one", "homeowner", "no thank you") it cannot tell."""
    ruled = opts_out(turn.text)
    intent, probability = (ANSWER, 1.0) if turn.answer else (found.intent, found.probability)
    if ruled:
        intent, probability = "stop_calling", 1.0
    objection = 1.0 if ruled else min(1.0, found.objection)
    return TurnReading(turn.seq, intent, probability, objection, found.sentiment, version)


@lru_cache(maxsize=16)
def language_of(playbook: str, name: str) -> str:
    """`playbook` is the YAML of `name`. Raises BadPlaybook."""
    return parse(playbook, name).language
