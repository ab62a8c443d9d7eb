"""A voice for whoever measures: a murmur as long as the text, with a mark of its own under every line.

The mark changes for the last stretch of a line: who hears that has heard the line to its end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from typing import Any

import numpy as np
import numpy.typing as npt

from app.exchange.marks import LINES
from app.exchange.sound import FRAME_BYTES, FRAME_MS, murmur
from app.telephony import mulaw

MS_PER_CHAR = 40
END_MS = 200  # of a line carry the mark of its end
_CHARS_PER_MESSAGE = 40
_LONGEST_MS = 40_000
_NUMBERS = range(0, len(LINES) - 1, 2)
_SHARED = len(_NUMBERS) // 4


@dataclass(frozen=True, slots=True)
class Made:
    """One line: the number of its mark (its end has the next), when it was made, and what it says."""

    number: int
    at_s: float
    text: str


class PromptVoice:
    """Audio is made at once and sent in large pieces. A number is used again once all others were.

    Lines that may be said to several callers, and so may be kept by who had them made, have numbers of their own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.once: Callable[[str], bool] = lambda text: True
        self._numbers = {False: cycle(_NUMBERS[:_SHARED]), True: cycle(_NUMBERS[_SHARED:])}
        self.lines: list[Made] = []

    def __call__(self, text: str) -> Iterator[tuple[bytes, dict[str, Any]]]:
        once = self.once(text)
        number = next(self._numbers[once])
        self.lines.append(Made(number, self._clock(), text))
        sound = line(text, number)
        for start in range(0, len(text), _CHARS_PER_MESSAGE):
            chars = text[start : start + _CHARS_PER_MESSAGE]
            size = MS_PER_CHAR * mulaw.BYTES_PER_MS
            yield (
                sound[start * size : (start + len(chars)) * size],
                {
                    "chars": list(chars),
                    "charStartTimesMs": [place * MS_PER_CHAR for place in range(len(chars))],
                    "charDurationsMs": [MS_PER_CHAR] * len(chars),
                },
            )


def is_shared(number: int) -> bool:
    """Of a line that several may hear."""
    return number in _NUMBERS[:_SHARED]


def line(text: str, number: int) -> bytes:
    """Letters are loud, spaces hold the mark alone; the last `END_MS` carry the mark `number + 1`."""
    size = len(text) * MS_PER_CHAR * mulaw.BYTES_PER_MS
    voiced = np.repeat([not char.isspace() for char in text], MS_PER_CHAR * mulaw.BYTES_PER_MS)
    samples = np.where(voiced, np.resize(_buzz(), size), 0.0)
    frames, ends = size // FRAME_BYTES, min(END_MS // FRAME_MS, size // FRAME_BYTES)
    samples[: frames * FRAME_BYTES] += np.concatenate(
        [np.tile(LINES.wave(number), frames - ends), np.tile(LINES.wave(number + 1), ends)]
    )
    return mulaw.encode(np.round(samples).clip(-32767, 32767).astype(np.int16))


@cache
def _buzz() -> npt.NDArray[np.float64]:
    return mulaw.decode(murmur(_LONGEST_MS)).astype(np.float64)
