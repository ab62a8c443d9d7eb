"""The voices of simulated callers: recorded sayings, mu-law at 8000 Hz.

`sayings.yaml` lists what they say and one zip per voice holds how it sounds, built by
`python -m app.exchange.voices.build`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from app.errors import BadInput, NotFound
from app.providers.offline.clips import ClipFile

BUILD = "run `python -m app.exchange.voices.build` (needs flite)"
ELSEWHERE = "elsewhere"  # the sayings that belong to no conversation of ours


def folder() -> Path:
    return Path(str(files(__name__)))


def clip(voice: str, text: str) -> bytes:
    """What it sounds like. Raises NotFound, naming what is missing and how to record it."""
    found = _clips(voice).find(text)
    if found is None:
        raise NotFound(f"the voice {voice!r} has no recording of {text!r}: add it to sayings.yaml and {BUILD}")
    return found


def texts(voice: str) -> tuple[str, ...]:
    """Everything a voice can say. Raises NotFound."""
    return _clips(voice).texts()


@cache
def voices() -> tuple[str, ...]:
    return tuple(_listed()["voices"])


@cache
def sayings() -> Mapping[str, tuple[str, ...]]:
    """Moment of the call (a topic of `Expectation`, or `ELSEWHERE`) -> what callers say then."""
    return {topic: tuple(lines) for topic, lines in _listed()["sayings"].items()}


@cache
def halves() -> tuple[str, ...]:
    """First and second halves of sentences by turns, for a caller who pauses in mid-sentence."""
    return tuple(_listed()["halves"])


@cache
def listening() -> tuple[str, ...]:
    """What somebody says who listens and does not want the turn."""
    return tuple(_listed()["listening"])


def _listed() -> dict[str, Any]:
    listed: dict[str, Any] = yaml.safe_load((folder() / "sayings.yaml").read_text(encoding="utf-8"))
    return listed


@cache
def _clips(voice: str) -> ClipFile:
    if voice not in voices():
        raise NotFound(f"there is no voice {voice!r}; there are {', '.join(voices())}")
    try:
        return ClipFile(folder() / f"{voice}.zip")
    except BadInput as error:
        raise NotFound(f"{error}: {BUILD}") from error
