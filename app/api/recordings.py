"""Recordings as files of this machine: found by the call's id, shown as peaks, handed out by signed address (T19)."""

from __future__ import annotations

import hashlib
import hmac
import re
import wave
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from app.errors import NotFound, Refused, StoreError

LASTS = timedelta(minutes=5)
_SID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Peaks:
    """The loudest sample of each piece, 0 to 1, of both sides. `duration_ms` of all of them together."""

    duration_ms: int
    caller: tuple[float, ...]
    agent: tuple[float, ...]


class Recordings:
    """`keys` sign addresses; all of them are good for checking one, the first signs."""

    def __init__(self, folder: Path, keys: tuple[bytes, ...]) -> None:
        self._folder, self._keys = folder, keys

    def __contains__(self, call_sid: str) -> bool:
        return self._find(call_sid) is not None

    @property
    def folder(self) -> Path:
        return self._folder

    def keep(self, call_sid: str, wav: bytes) -> None:
        """A call that we recorded ourselves. Raises StoreError when the disk does not take it; half a file never
        stays."""
        folder = self._folder / "kept"
        part = folder / f"{call_sid}.part"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(wav)
            part.replace(part.with_suffix(".wav"))
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise StoreError(
                f"The sound of call {call_sid} could not be kept in {folder}: {error.strerror}."
            ) from error

    def path(self, call_sid: str) -> Path:
        """Raises NotFound."""
        found = self._find(call_sid)
        if found is None:
            raise NotFound("This call has no recording.")
        return found

    def peaks(self, call_sid: str, pieces: int) -> Peaks:
        """Raises NotFound, also for a file that is no sound."""
        try:
            with wave.open(str(self.path(call_sid)), "rb") as file:
                if file.getsampwidth() != 2 or file.getnchannels() != 2:
                    raise NotFound("This recording has not the two sides of a call.")
                rate, frames = file.getframerate(), file.getnframes()
                samples = np.frombuffer(file.readframes(frames), dtype="<i2").reshape(-1, 2)
        except (wave.Error, EOFError, OSError) as error:
            raise NotFound("This call's recording cannot be read.") from error
        sides = [tuple(_peaks(samples[:, side], pieces)) for side in (0, 1)]
        return Peaks(round(1000 * frames / rate), *sides)

    def sign(self, call_sid: str, now: datetime) -> tuple[str, datetime]:
        """(query of the address, when it is over)."""
        until = now + LASTS
        moment = int(until.timestamp())
        return f"expires={moment}&signature={self._signature(call_sid, moment, self._keys[0])}", until

    def check(self, call_sid: str, expires: int, signature: str, now: datetime) -> Path:
        """The file. Raises Refused when the address was altered or is too old, NotFound when the file is gone."""
        given = signature.encode()  # the comparison of texts takes plain letters only
        good = any(hmac.compare_digest(self._signature(call_sid, expires, key).encode(), given) for key in self._keys)
        if not good or not now.timestamp() <= expires <= (now + LASTS).timestamp() + 1:
            raise Refused("This address of a recording is not good any more: ask for it again.")
        return self.path(call_sid)

    @staticmethod
    def _signature(call_sid: str, expires: int, key: bytes) -> str:
        return hmac.new(key, f"{call_sid} {expires}".encode(), hashlib.sha256).hexdigest()

    def _find(self, call_sid: str) -> Path | None:
        """A sid is letters and digits, so nothing outside the folder can be named."""
        if not _SID.fullmatch(call_sid):
            return None
        return next(iter(sorted(self._folder.glob(f"**/{call_sid}.wav"))), None)


def _peaks(side: np.ndarray[tuple[int], np.dtype[np.int16]], pieces: int) -> list[float]:
    loud = np.abs(side.astype(np.int32))
    return [round(float(piece.max()) / 32768, 3) for piece in np.array_split(loud, pieces) if len(piece)]
