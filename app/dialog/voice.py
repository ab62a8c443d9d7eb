"""How a business sounds: the `voice:` section of a playbook, as a value.

Providers take from it what they can and leave the rest: which voice is theirs by `id_for`, and settings that are None
stay as the provider has them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from app.dialog.nodes import Fields, unknown

PROVIDERS = ("elevenlabs", "aura", "realtime", "offline")  # whose voices a playbook may name
FLITE = ("slt", "kal", "kal16", "awb", "rms")  # the offline ones, where flite is installed
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # it becomes part of an address
_LANGUAGE = re.compile(r"[a-z]{2}")
_RANGES = {"speed": (0.7, 1.2), "stability": (0.0, 1.0), "similarity": (0.0, 1.0), "style": (0.0, 1.0)}


@dataclass(frozen=True, slots=True)
class Voice:
    """`ids` are (provider, voice) pairs. `model` is ElevenLabs' (with the others the voice is the model). `speed` is
    times the voice's own; the rest are 0..1. `language` is two letters, empty to let the model find out."""

    ids: tuple[tuple[str, str], ...] = ()
    model: str = ""
    language: str = ""
    speed: float | None = None
    stability: float | None = None
    similarity: float | None = None
    style: float | None = None

    def id_for(self, provider: str) -> str:
        """Empty: whatever the provider is set to."""
        return dict(self.ids).get(provider, "")


USUAL = Voice()  # of a playbook that says nothing about it


def read(fields: Fields | None) -> Voice:
    """Faults go to the file's list, with their lines."""
    if fields is None:
        return USUAL
    ids = {name: _matching(fields, name, _ID, "a voice's id: letters, digits, dots, dashes") for name in PROVIDERS}
    if ids["offline"] and ids["offline"] not in FLITE:
        fields.faults.add(fields.line_of("offline"), f"`offline` in {fields.where}: {unknown(ids['offline'], FLITE)}")
    voice = Voice(
        ids=tuple((name, given) for name, given in ids.items() if given),
        model=_matching(fields, "model", _ID, "a model's name: letters, digits, dots, dashes"),
        language=_matching(fields, "language", _LANGUAGE, "two letters, like en"),
        **{name: _number(fields, name, *between) for name, between in _RANGES.items()},
    )
    fields.done()
    return voice


def _matching(fields: Fields, key: str, pattern: re.Pattern[str], what: str) -> str:
    value = fields.text(key, "")
    if value and not pattern.fullmatch(value):
        fields.faults.add(fields.line_of(key), f"`{key}` in {fields.where} must be {what}.")
        return ""
    return value


def _number(fields: Fields, key: str, low: float, high: float) -> float | None:
    if not fields.has(key):
        return None
    value = fields.number(key, low)
    if not low <= value <= high:
        fields.faults.add(fields.line_of(key), f"`{key}` in {fields.where} must be from {low:g} to {high:g}.")
    return value


def voices_in(text: str) -> tuple[tuple[str, str], ...]:
    """(provider, voice) pairs a playbook names, whatever else may be wrong with it."""
    try:
        book = yaml.safe_load(text)
    except yaml.YAMLError:
        return ()
    section = book.get("voice") if isinstance(book, dict) else None
    if not isinstance(section, dict):
        return ()
    return tuple((name, str(section[name])) for name in PROVIDERS if section.get(name))
