"""Models of words for people with a CSV: train on texts and labels, then label the texts of another file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import BadTable
from ml.artifacts import write_whole
from ml.table import Table, open_table
from ml.text.card import table_card
from ml.text.kernel import train
from ml.text.model import TextModel
from ml.text.store import load, save

Say = Callable[[str], None]
BLOCK = 500  # texts between two signs of progress


@dataclass(frozen=True, slots=True)
class Source:
    """Where texts and labels are. `outside` is the label of texts that are about none of the others; `licence` is that
    of the texts, for the card."""

    table: Path
    label: str
    text: str = "text"
    outside: str = ""
    licence: str = "not said"


def train_on(source: Source, model: Path, say: Say = lambda _: None) -> TextModel:
    """Trains and writes the model with its card. Rows without a text or a label are left out. Raises BadTable."""
    table = open_table(source.table)
    at_text, at_label = table.index(source.text), table.index(source.label)
    rows = [(row[at_text].strip(), row[at_label].strip()) for row in table.rows()]
    kept = [(text, label) for text, label in rows if text and label]
    if not kept:
        raise BadTable(f"{source.table.name} has no row with a {source.text} and a {source.label}.")
    say(f"{len(kept):,} texts")
    found = train([text for text, _ in kept], [label for _, label in kept], outside=source.outside)
    card, words = table_card(model.stem, source.table.name, source.licence, found)
    say("writing")
    return save(replace(found.model, card=card), model, [text for text, _ in kept], words)


def label_file(table: Path, out: Path, model: Path, text: str = "text", say: Say = lambda _: None) -> int:
    """Writes one line per row, in order: the row's id (the first column that ends in `_id`, else its number), label,
    probability, model version. The label is empty where the text is out of scope. Returns how many rows there were.
    Raises BadTable and ModelRefused."""
    source, known = open_table(table), load(model)
    at = source.index(text)
    if out.exists() and out.samefile(table):
        raise BadTable("--out is the same file as --in: choose another name.")
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow([source.id_column() or "row_id", "label", "probability", "model_version"])
    count = 0
    for ids, texts in _blocks(source, at):
        for row_id, found in zip(ids, known.find(texts), strict=True):
            writer.writerow([row_id, found.label, f"{found.probability:.6f}", known.version])
        count += len(ids)
        say(f"{count:,} texts")
    if not count:
        raise BadTable(f"{table.name} has no rows.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, lines.getvalue().encode())
    except OSError as error:
        raise BadTable(f"{out} cannot be written: {error.strerror or error}.") from None
    return count


def _blocks(source: Table, at: int) -> Iterator[tuple[list[str], list[str]]]:
    """Ids and texts."""
    name, number = source.id_column(), 0
    for rows, _ in source.chunks(BLOCK):
        ids = [row[source.index(name)] if name else str(number + place) for place, row in enumerate(rows, 1)]
        number += len(rows)
        yield ids, [row[at] for row in rows]
