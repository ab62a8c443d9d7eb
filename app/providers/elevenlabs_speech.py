"""What ElevenLabs sends, as speech with word times; no socket here.

Source: elevenlabs.io, multi-context WebSocket. Alignment gives each character a start and a duration in ms of the audio
it came with. The wire is camelCase; both spellings that were ever documented are read.
"""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as BadBase64
from dataclasses import dataclass
from typing import Any

from app.ports import Speech, WordAt
from app.telephony import mulaw

Chars = tuple[tuple[str, int, int], ...]  # character, from ms, to ms


@dataclass(frozen=True, slots=True)
class Sound:
    context: str
    mulaw: bytes
    chars: Chars = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more comes for this context."""

    context: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """`kind` is their name for it ("quota_exceeded"), possibly empty."""

    kind: str
    text: str


def read(frame: str | bytes) -> Sound | Ended | Trouble | None:
    """None for what cannot be read or is of a kind not known here."""
    try:
        message = json.loads(frame)
        context = str(message.get("contextId") or message.get("context_id") or "")
        if message.get("audio"):
            data = b64decode(message["audio"], validate=True)
            return Sound(context, data, _chars(message.get("alignment") or message.get("normalizedAlignment")))
        if message.get("isFinal") or message.get("is_final"):
            return Ended(context)
        if message.get("error") or message.get("message"):
            return Trouble(str(message.get("error") or ""), str(message.get("message") or message["error"]))
    except (ValueError, TypeError, AttributeError, BadBase64):
        pass
    return None


def _chars(alignment: Any) -> Chars:
    """Empty when it makes no sense: speech without word times is still speech."""
    try:
        starts = alignment["charStartTimesMs"]
        durations = alignment.get("charDurationsMs") or alignment["charsDurationsMs"]
        return tuple(
            (str(char), int(start), int(start) + int(duration))
            for char, start, duration in zip(alignment["chars"], starts, durations, strict=True)
        )
    except (KeyError, TypeError, ValueError):
        return ()


class Spelling:
    """Characters become the words of a text. A word belongs to the piece in which its last character sounds."""

    def __init__(self, text: str) -> None:
        self._words = text.split()
        self._done = 0
        self._open = ""
        self._from_ms = 0  # of the open word, in the piece at hand

    @property
    def complete(self) -> bool:
        return self._done == len(self._words)

    def speech(self, sound: Sound) -> Speech:
        length_ms = mulaw.duration_ms(sound.mulaw)
        found = []
        self._from_ms = 0  # a word that began earlier is said to start with the piece
        for char, from_ms, to_ms in sound.chars:
            if not char.isspace():
                if not self._open:
                    self._from_ms = from_ms
                self._open += char
            if self._open and (char.isspace() or self._open == self._next()):
                ends_ms = min(to_ms if not char.isspace() else from_ms, length_ms)
                found.append(WordAt(self._open, min(self._from_ms, ends_ms), ends_ms))
                self._open, self._done = "", min(self._done + 1, len(self._words))
        return Speech(sound.mulaw, tuple(found))

    def _next(self) -> str:
        return self._words[self._done] if self._done < len(self._words) else ""
