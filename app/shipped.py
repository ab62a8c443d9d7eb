"""What the model that ships says of itself: the card beside its file, read without loading the model.

The workers make that model under the data folder; a process that does not share the folder has nothing to show.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FILES = "shipped-*.strowger.card.json"


@dataclass(frozen=True, slots=True)
class ShippedCard:
    """`metrics` and `curve` are of rows the model had not seen, as ml/evaluate.py writes them; `text` is Markdown."""

    version: str
    trained_on: str
    rows: int
    positives: int
    made_at: float  # seconds since 1970
    metrics: Mapping[str, Any]
    curve: tuple[Mapping[str, Any], ...]
    text: str


def shipped_card(data_dir: Path) -> ShippedCard | None:
    """Of the newest file there; None where there is none, or where it cannot be read."""
    found = sorted((data_dir / "models").glob(_FILES), key=lambda path: path.stat().st_mtime)
    if not found:
        return None
    path = found[-1]
    try:
        card = json.loads(path.read_text())
        later = card["later"]
        return ShippedCard(
            version=card["version"],
            trained_on=card["trained_on"],
            rows=card["rows"],
            positives=round(card["rows"] * card["positive_rate"]),
            made_at=path.stat().st_mtime,
            metrics=later["metrics"],
            curve=tuple(later.get("curve", ())),
            text=path.with_suffix(".md").read_text(),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # being written this moment, or of an older version
