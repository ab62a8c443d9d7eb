"""What tones in the caller's sound mean: keys, where the carrier does not report them, and the beeps of machines."""

from __future__ import annotations

from collections.abc import Callable

from app.dialog.events import Keyed, Signal
from app.ports import AudioChunk
from app.telephony import mulaw
from app.telephony.dtmf import KeyDetector
from app.telephony.key_reports import KeyReports
from app.telephony.tones import ToneDetector

_SOON_BYTES = 100 * mulaw.BYTES_PER_MS  # at a time while a beep is waited for
_LATER_BYTES = 200 * mulaw.BYTES_PER_MS  # for keys alone: 0.03 % of a core a call, and 0.18 % frame by frame
_GAP_MS = 60  # sound that comes so much later than it should follows lost sound
_USED = frozenset("0123456789*#")


class ToneEar:
    """Posts keys and, while `wants_beeps` says so, tones. `keyed` takes the carrier's key events, so that none counts
    twice."""

    def __init__(self, post: Callable[[Signal], None], wants_beeps: Callable[[], bool]) -> None:
        self._post, self._wants_beeps = post, wants_beeps
        self._keys, self._reports = KeyDetector(), KeyReports()
        self._tones: ToneDetector | None = None
        self._piece = bytearray()
        self._piece_ms = 0

    def keyed(self, key: Keyed) -> None:
        if self._reports.from_carrier(key.digit, key.at_ms):
            self._post(key)

    def hear(self, chunk: AudioChunk) -> None:
        due_ms = self._piece_ms + len(self._piece) // mulaw.BYTES_PER_MS
        if self._piece and abs(chunk.at_ms - due_ms) > _GAP_MS:
            self._work()
        if not self._piece:
            self._piece_ms = chunk.at_ms
        self._piece += chunk.mulaw
        if len(self._piece) >= (_SOON_BYTES if self._wants_beeps() else _LATER_BYTES):
            self._work()

    def _work(self) -> None:
        sound, at_ms = bytes(self._piece), self._piece_ms
        self._piece.clear()
        for tone in self._keys.hear(sound, at_ms):
            if tone.digit in _USED and self._reports.in_band(tone.digit, tone.at_ms):
                self._post(Keyed(tone.digit, tone.at_ms))
        if not self._wants_beeps():
            self._tones = None
            return
        self._tones = self._tones or ToneDetector()
        for toned in self._tones.hear(sound, at_ms):
            self._post(toned)
