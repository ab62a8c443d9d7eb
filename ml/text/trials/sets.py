"""The labelled sets as plain values. Every fault is a BadTable with one sentence."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import BadTable
from ml.table import open_table


@dataclass(frozen=True, slots=True)
class Labelled:
    texts: tuple[str, ...]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: Iterable[Any]) -> Labelled:
        rows = list(rows)
        return Labelled(tuple(self.texts[at] for at in rows), tuple(self.labels[at] for at in rows))


@dataclass(frozen=True, slots=True)
class Sentence:
    """One annotated sentence of a persuasion dialogue."""

    dialogue: str
    turn: int
    speaker: str
    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Dialogue:
    """`turns` are speaker and text, in order."""

    id: str
    turns: tuple[tuple[str, str], ...]
    donated: bool

    def first_half(self) -> Dialogue:
        return Dialogue(self.id, self.turns[: (len(self.turns) + 1) // 2], self.donated)

    def said_by(self, *speakers: str) -> list[str]:
        return [text for speaker, text in self.turns if speaker in speakers]


def columns(path: Path, *names: str) -> list[tuple[str, ...]]:
    """The named columns of a CSV file, row by row."""
    table = open_table(path)
    places = [table.index(name) for name in names]
    found = [tuple(row[place] for place in places) for row in table.rows()]
    if not found:
        raise BadTable(f"{path.name} has no rows.")
    return found


def labelled(path: Path, label: str, text: str = "text") -> Labelled:
    """A text and its label per row; rows without one of them are left out."""
    rows = [(said, name) for said, name in columns(path, text, label) if said.strip() and name.strip()]
    if not rows:
        raise BadTable(f"{path.name} has no row with a {text} and a {label}.")
    texts, labels = zip(*rows, strict=True)
    return Labelled(texts, labels)


def groups(path: Path, name: str) -> dict[str, frozenset[str]]:
    """Groups of labels, from a JSON document of them by name."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        return {group: frozenset(labels) for group, labels in body[name].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadTable(f"the groups of labels in {path} cannot be read ({_short(error)}).") from None


def sentences(path: Path) -> list[Sentence]:
    """In file order, which is that of the dialogues."""
    names = ("dialogue_id", "turn", "speaker", "text", "label")
    try:
        return [Sentence(of, int(turn), who, said, label) for of, turn, who, said, label in columns(path, *names)]
    except ValueError:
        raise BadTable(f"{path.name}: a turn is not a whole number.") from None


def dialogues(path: Path) -> list[Dialogue]:
    """One JSON document a line, compressed."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            found = [_dialogue(json.loads(line)) for line in lines if line.strip()]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise BadTable(f"the dialogues in {path} cannot be read ({_short(error)}).") from None
    if not found:
        raise BadTable(f"{path.name} has no dialogues.")
    return found


def _dialogue(body: dict[str, Any]) -> Dialogue:
    turns = tuple((str(turn["speaker"]), str(turn["text"])) for turn in body["turns"])
    return Dialogue(str(body["dialogue_id"]), turns, bool(body["donated"]))


def _short(error: Exception) -> str:
    return getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
