"""The voice pack: what our agent says, recorded ahead.

One clip per *part* of a line (see `Say.parts`). Clips are cut close, so the silence between parts is put in here.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from app.providers.offline.clips import ClipFile
from app.telephony import mulaw

SPEAKER = "slt"  # of flite's
SENTENCE_PAUSE_MS = 280
COMMA_PAUSE_MS = 140
WORD_PAUSE_MS = 40


def default_path() -> Path:
    return Path(str(files("app.playbooks.voice") / f"{SPEAKER}.zip"))


def open_pack(path: Path | None = None) -> ClipFile:
    """Raises BadInput when it is missing."""
    return ClipFile(path or default_path())


def recorded(pack: ClipFile, parts: Iterable[str]) -> bytes:
    """All of a line as one recording, with the pauses between its parts; nothing when the pack lacks one of them."""
    sound, pause = b"", b""
    for part in parts:
        clip = pack.find(part)
        if clip is None:
            return b""
        sound, pause = sound + pause + clip, pause_after(part)
    return sound


def pause_after(part: str) -> bytes:
    """What a speaker would leave before going on."""
    match part.rstrip()[-1:]:
        case "." | "!" | "?" | ":" | ";":
            return mulaw.silence(SENTENCE_PAUSE_MS)
        case ",":
            return mulaw.silence(COMMA_PAUSE_MS)
    return mulaw.silence(WORD_PAUSE_MS)


def missing_parts(pack: ClipFile, parts: Iterable[str]) -> tuple[str, ...]:
    """Which of a playbook's `spoken_parts()` the pack cannot say; a caller would wait for those to be synthesized."""
    return tuple(sorted(part for part in parts if part not in pack))
