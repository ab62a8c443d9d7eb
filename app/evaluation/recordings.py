"""A folder of labelled recordings: a list (`*.jsonl` or `*.csv`, one row a file) and the sound it names.

The files lie in the folder itself or in a zip in it: FLAC, or WAV of 16 bits; mono, 8000 Hz.
"""

from __future__ import annotations

import csv
import io
import json
import wave
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.errors import BadInput
from app.evaluation import flac
from app.telephony import mulaw

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Recording:
    """`row` is its line of the list, with whatever fields that has."""

    name: str
    row: dict[str, Any]
    samples: Samples

    @property
    def mulaw(self) -> bytes:
        """As it would come over the telephone."""
        return mulaw.encode(self.samples)

    @property
    def seconds(self) -> float:
        return len(self.samples) / mulaw.RATE


def recordings(folder: Path | None, needs: str) -> Iterator[Recording]:
    """In the order of the list. `needs` says what should be in the folder, for whoever gave none or another.

    Raises BadInput when there is no list, or a file it names is missing or cannot be read.
    """
    if folder is None:
        raise BadInput(f"Say with --data where the recordings are: a folder with {needs}.")
    lists = sorted([*folder.glob("*.jsonl"), *folder.glob("*.csv")]) if folder.is_dir() else []
    if not lists:
        raise BadInput(f"There is no list of recordings in {folder}: it must be a folder with {needs}.")
    for listed in lists:
        with _Files(folder, listed) as open_:
            for row in _rows(listed):
                if not isinstance(row, dict) or not row.get("file"):
                    raise BadInput(f"{listed}: every row must name its `file`.")
                yield Recording(str(row["file"]), row, _samples(str(row["file"]), open_))


def unlisted(folder: Path) -> Iterator[Recording]:
    """All sound in the zips of a folder that has no list, by name. Raises BadInput for what cannot be read."""
    for path in sorted(folder.glob("*.zip")):
        try:
            with zipfile.ZipFile(path) as opened:
                names = sorted(name for name in opened.namelist() if name.endswith((".flac", ".wav")))
                for name in names:
                    yield Recording(name, {}, _samples(name, opened.read))
        except (OSError, zipfile.BadZipFile) as error:
            raise BadInput(f"{path} cannot be read: {error}.") from None


def _rows(listed: Path) -> Iterator[Any]:
    text = listed.read_text(encoding="utf-8")
    if listed.suffix == ".csv":
        yield from csv.DictReader(io.StringIO(text))
        return
    for number, line in enumerate(text.splitlines(), 1):
        try:
            if line.strip():
                yield json.loads(line)
        except ValueError as error:
            raise BadInput(f"{listed}, line {number}: {error}.") from None


class _Files:
    """A file's bytes by name: from the zip named like the list, any other zip, or the folder."""

    def __init__(self, folder: Path, listed: Path) -> None:
        self._folder = folder
        own = listed.with_suffix(".zip")
        self._paths = [own] * own.exists() + [path for path in sorted(folder.glob("*.zip")) if path != own]
        self._zips: list[zipfile.ZipFile] = []

    def __enter__(self) -> Callable[[str], bytes]:
        try:
            self._zips = [zipfile.ZipFile(path) for path in self._paths]
        except (OSError, zipfile.BadZipFile) as error:
            raise BadInput(f"a zip in {self._folder} cannot be read: {error}.") from None
        return self._read

    def __exit__(self, *exc: object) -> None:
        for opened in self._zips:
            opened.close()

    def _read(self, name: str) -> bytes:
        if (loose := self._folder / name).is_file():
            return loose.read_bytes()
        for opened in self._zips:
            if name in opened.namelist():
                return opened.read(name)
        raise BadInput(f"{name} is in the list, but neither in {self._folder} nor in a zip there.")


def _samples(name: str, open_: Callable[[str], bytes]) -> Samples:
    data = open_(name)
    try:
        if data[:4] == b"RIFF":
            rate, samples = _wav(data)
        else:
            sound = flac.decode(data)
            rate, samples = sound.rate, sound.samples.astype(np.int16)
    except BadInput as error:
        raise BadInput(f"{name}: {error}.") from None
    if rate != mulaw.RATE:
        raise BadInput(f"{name} has {rate} samples a second; {mulaw.RATE} are expected.")
    return samples


def _wav(data: bytes) -> tuple[int, Samples]:
    try:
        with wave.open(io.BytesIO(data)) as source:
            if (source.getnchannels(), source.getsampwidth()) != (1, 2):
                raise BadInput("only mono WAV of 16 bits is read")
            return source.getframerate(), np.frombuffer(source.readframes(source.getnframes()), "<i2")
    except (wave.Error, EOFError) as error:
        raise BadInput(f"not a WAV file ({error})") from None
