"""What the caller's turns are about: the model of words of this process, made when first asked for.

It is trained on our own sentences in two seconds, kept under the data folder, and reads a call in milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.dialog.events import CallerSaid, Entry
from app.dialog.guards import opts_out
from app.dialog.playbook import parse
from app.sales.reading import TurnReading

if TYPE_CHECKING:
    from ml.text.sales import Reading


@dataclass(frozen=True, slots=True)
class SaidTurn:
    seq: int
    text: str


class ReadsTurns(Protocol):
    def __call__(self, language: str, turns: Sequence[SaidTurn]) -> tuple[TurnReading, ...]:
        """None in a language that we have no sentences of our own in."""
        ...


def said_by_caller(entries: Sequence[Entry]) -> tuple[SaidTurn, ...]:
    return tuple(
        SaidTurn(entry.seq, entry.fact.text)
        for entry in entries
        if isinstance(entry.fact, CallerSaid) and entry.fact.text.strip()
    )


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
    """The rules come first, as they did in the call; the model may only add to them."""
    ruled = opts_out(turn.text)
    intent, probability = ("stop_calling", 1.0) if ruled else (found.intent, found.probability)
    objection = 1.0 if ruled else min(1.0, found.objection)
    return TurnReading(turn.seq, intent, probability, objection, found.sentiment, version)


@lru_cache(maxsize=16)
def language_of(playbook: str, name: str) -> str:
    """`playbook` is the YAML of `name`. Raises BadPlaybook."""
    return parse(playbook, name).language
