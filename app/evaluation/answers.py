"""Who answered: people told from machines, and the end of the beep, on labelled recordings."""

from __future__ import annotations

from pathlib import Path

from app.errors import BadInput

FOLDER = "a folder with train.jsonl (file, label, segments) and train.zip of 8 kHz FLAC files"


def report(data: Path | None, as_json: bool) -> int:
    """Raises BadInput when there is nothing to measure on."""
    if data is None:
        raise BadInput(f"Say with --data what to measure on: {FOLDER}.")
    raise BadInput(f"{data} cannot be measured yet.")
