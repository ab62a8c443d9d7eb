"""Spoken clips in one file: a zip of mu-law recordings (8000 Hz, no header) found by what they say.

`index.json` maps each text, in a form without case and punctuation, to its entry. Deflate takes a fifth off mu-law.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from app.errors import BadInput

INDEX = "index.json"
_STAMP = (2000, 1, 1, 0, 0, 0)  # a fixed date: the same clips make the same file


def key(text: str) -> str:
    """What a text is found by: "Good.  It's 5!" -> "good it's 5"."""
    return " ".join(re.findall(r"[a-z0-9']+", text.lower().replace("’", "'")))


class ClipFile:
    """Reads the index when opened and each clip when first asked for; about 0.3 ms a clip. Any thread may ask."""

    def __init__(self, path: Path) -> None:
        """Raises BadInput when the file is missing or is not one of ours."""
        try:
            self._zip = zipfile.ZipFile(path)
            self._entries: dict[str, str] = json.loads(self._zip.read(INDEX))
            self.fingerprint = self._zip.getinfo(INDEX).CRC ^ sum(entry.CRC for entry in self._zip.infolist())
        except FileNotFoundError:
            raise BadInput(f"{path.name} is missing from {path.parent}") from None
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            raise BadInput(f"{path} is not a file of spoken clips: {error}") from error
        self._read: dict[str, bytes] = {}
        self._lock = Lock()

    def texts(self) -> tuple[str, ...]:
        """What the clips say, as keys."""
        return tuple(self._entries)

    def __contains__(self, text: str) -> bool:
        return key(text) in self._entries

    def find(self, text: str) -> bytes | None:
        """Mu-law, or None when no clip says this."""
        wanted = key(text)
        if wanted not in self._entries:
            return None
        if wanted not in self._read:
            with self._lock:  # ZipFile seeks; clips are read at most once each
                self._read[wanted] = self._zip.read(self._entries[wanted])
        return self._read[wanted]

    def close(self) -> None:
        self._zip.close()


def write(path: Path, clips: Mapping[str, bytes]) -> None:
    """Replaces `path`. Two texts with one key must not both be given: the last would win."""
    entries = {key(text): f"{number:04}.ulaw" for number, text in enumerate(sorted(clips, key=key))}
    made = path.with_suffix(".new")
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        _put(archive, INDEX, json.dumps(entries, indent=0, sort_keys=True).encode())
        for text, mulaw in clips.items():
            _put(archive, entries[key(text)], mulaw)
    made.replace(path)


def _put(archive: zipfile.ZipFile, name: str, body: bytes) -> None:
    entry = zipfile.ZipInfo(name, _STAMP)
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, body)
