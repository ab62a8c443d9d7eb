"""Audio of lines that were synthesized before, by content: the same words in the same voice sound the same.

A key is made of the words and of everything the voice depends on (`HasVoiceVersion`), so nothing ever has to be thrown
away because it is out of date; what was not used for longest goes when there is too much. What is looked up lies in
memory: nobody waits for a disk while somebody waits for an answer. Lines of a playbook are kept on disk as well, for
the next start; lines made for one caller are not, for they may tell of him.
"""

from __future__ import annotations

import json
import os
import threading
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

from app import logs
from app.ports import Speech, WordAt
from app.providers.voice_version import version_of
from app.telephony.mulaw import duration_ms

MOST_BYTES = 24_000_000  # 50 minutes of speech
_SUFFIX = ".phrase"

log = logs.Log(__name__)


def key_of(voice_version: str, text: str) -> str:
    return version_of(voice_version, text)


class PhraseStore:
    """Shared by all calls of a process. Without a folder everything is forgotten with the process."""

    def __init__(self, folder: Path | None = None, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._most_bytes = folder, most_bytes
        self._phrases: OrderedDict[str, Speech] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()  # loading and writing are done beside the loop

    def load(self) -> None:
        """What earlier processes left, the newest first, as far as there is room; the rest is removed. Reads files."""
        if self._folder is None:
            return
        room = self._most_bytes
        for path in _newest_first(self._folder):
            phrase = _read(path)
            room -= len(phrase.mulaw) if phrase else 0
            if phrase is None or room < 0:
                path.unlink(missing_ok=True)
                continue
            with self._lock:
                self._phrases.setdefault(path.stem, phrase)
                self._phrases.move_to_end(path.stem, last=False)
                self._bytes += len(phrase.mulaw)

    @property
    def held_bytes(self) -> int:
        """Of sound, in memory."""
        return self._bytes

    def find(self, key: str) -> Speech | None:
        with self._lock:
            phrase = self._phrases.get(key)
            if phrase is not None:
                self._phrases.move_to_end(key)
            return phrase

    def keep(self, key: str, pieces: Iterable[Speech]) -> None:
        """A whole line, in memory; `save` puts it on disk."""
        phrase = joined(pieces)
        if not phrase.mulaw or len(phrase.mulaw) > self._most_bytes // 8:
            return
        with self._lock:
            old = self._phrases.pop(key, None)
            self._bytes += len(phrase.mulaw) - (len(old.mulaw) if old else 0)
            self._phrases[key] = phrase
            while self._bytes > self._most_bytes:
                self._bytes -= len(self._phrases.popitem(last=False)[1].mulaw)

    def save(self, key: str) -> None:
        """Writes a file; a disk that is full or read-only costs no more than the next start some seconds."""
        phrase = self.find(key)
        if self._folder is None or phrase is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"{key}{_SUFFIX}"
            part = path.with_suffix(f".{os.getpid()}.part")
            part.write_bytes(_written(phrase))
            part.replace(path)
        except OSError as error:
            log.warning("a phrase was not kept on disk", error=str(error))


def joined(pieces: Iterable[Speech]) -> Speech:
    """The pieces of a line as one, its words in their places."""
    mulaw, words, so_far_ms = bytearray(), [], 0
    for piece in pieces:
        words += [WordAt(word.text, word.started_ms + so_far_ms, word.ended_ms + so_far_ms) for word in piece.words]
        mulaw += piece.mulaw
        so_far_ms += duration_ms(piece.mulaw)
    return Speech(bytes(mulaw), tuple(words))


def _newest_first(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        return []


def _written(phrase: Speech) -> bytes:
    """A line of JSON with the words, then the audio."""
    words = [[word.text, word.started_ms, word.ended_ms] for word in phrase.words]
    return json.dumps({"words": words, "bytes": len(phrase.mulaw)}).encode() + b"\n" + phrase.mulaw


def _read(path: Path) -> Speech | None:
    """None for a file that is not one of ours, or broken."""
    try:
        head, _, mulaw = path.read_bytes().partition(b"\n")
        told = json.loads(head)
        words = tuple(WordAt(str(text), int(begun), int(ended)) for text, begun, ended in told["words"])
        return Speech(mulaw, words) if mulaw and len(mulaw) == told["bytes"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
