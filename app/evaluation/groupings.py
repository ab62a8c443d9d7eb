"""Numbers dictated in other groups than those at hand, put together from recordings of single digits.

A folder holds `{digit}_{speaker}_{take}.flac` files, loose or in a zip. For each speaker and each way to group ten
digits some numbers are made: pauses of 0.3 to 1.25 s between groups and up to 0.3 s inside them, a telephone's band,
noise 12 to 30 dB below the voice. The same folder always makes the same numbers.
"""

from __future__ import annotations

import random
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.errors import BadInput
from app.evaluation import flac
from app.evaluation.recordings import Recording
from app.telephony import mulaw

GROUPINGS: Mapping[str, tuple[int, ...]] = {
    "3-3-4": (3, 3, 4),
    "4-3-3": (4, 3, 3),
    "5-5": (5, 5),
    "2-2-2-2-2": (2,) * 5,
    "one by one": (1,) * 10,
    "all at once": (10,),
}
NUMBERS = 5  # of each speaker in each grouping
LEVEL = 3000.0  # root mean square of a digit
BAND_HZ = (300, 3400)

_NAME = re.compile(r"(?:^|/)(\d)_([A-Za-z]+)_\d+\.flac$")
_Floats = npt.NDArray[np.float64]
_Clips = Mapping[str, Mapping[str, list[_Floats]]]  # by speaker and digit


@dataclass(frozen=True, slots=True)
class Made:
    """`recording` has the fields `evaluate turns` reads."""

    grouping: str
    speaker: str
    recording: Recording


def made(folder: Path) -> Iterator[Made]:
    """Raises BadInput when there are no digits in `folder`."""
    clips = _clips(folder)
    for grouping, sizes in GROUPINGS.items():
        for speaker in sorted(clips):
            dice = random.Random(f"{grouping} {speaker}")
            for number in range(NUMBERS):
                yield Made(grouping, speaker, _dictated(f"{speaker} {grouping} {number}", clips[speaker], sizes, dice))


def _dictated(name: str, clips: Mapping[str, list[_Floats]], sizes: tuple[int, ...], dice: random.Random) -> Recording:
    digits = "".join(str(dice.randrange(10)) for _ in range(sum(sizes)))
    pauses: list[float] = []
    for size in sizes:
        pauses += [dice.uniform(0.03, 0.3) for _ in range(size - 1)] + [dice.uniform(0.3, 1.25)]
    parts = [np.zeros(int(mulaw.RATE * dice.uniform(0.3, 0.8)))]
    for digit, pause in zip(digits, pauses, strict=True):
        parts += [dice.choice(clips[digit]) * 10 ** (dice.uniform(-2, 2) / 20), np.zeros(int(mulaw.RATE * pause))]
    voice = np.concatenate(parts[:-1])
    noise = _banded(np.random.default_rng(dice.randrange(1 << 30)).normal(0, 1, voice.size + 2 * mulaw.RATE))
    noise *= LEVEL / noise.std() * 10 ** (-dice.uniform(12, 30) / 20)
    noise[: voice.size] += voice
    row = {"file": name, "digits": digits, "turn_end": voice.size / mulaw.RATE, "pauses": pauses[:-1]}
    return Recording(name, row, noise.clip(-32768, 32767).astype(np.int16))


def _clips(folder: Path) -> _Clips:
    found: dict[str, dict[str, list[_Floats]]] = defaultdict(lambda: defaultdict(list))
    for name, data in sorted(_files(folder)):
        if match := _NAME.search(name):
            found[match[2]][match[1]].append(_digit(flac.decode(data).samples.astype(np.float64)))
    whole = {speaker: digits for speaker, digits in found.items() if len(digits) == 10}
    if not whole:
        raise BadInput(f"There are no digits in {folder}: it must hold files like 7_ann_3.flac, loose or in a zip.")
    return whole


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.glob("*.flac"):
        yield path.name, path.read_bytes()
    for path in folder.glob("*.zip"):
        try:
            with zipfile.ZipFile(path) as opened:
                yield from ((name, opened.read(name)) for name in opened.namelist() if _NAME.search(name))
        except (OSError, zipfile.BadZipFile) as error:
            raise BadInput(f"{path} cannot be read: {error}.") from None


def _digit(samples: _Floats) -> _Floats:
    """Without the silence around it, in the telephone's band, as loud as the others."""
    hop = mulaw.RATE // 100
    levels = np.sqrt(np.square(samples[: samples.size // hop * hop].reshape(-1, hop)).mean(axis=1))
    loud = np.flatnonzero(levels > 0.05 * levels.max())
    banded = _banded(samples[loud[0] * hop : (loud[-1] + 1) * hop])
    scaled: _Floats = banded * (LEVEL / (np.sqrt(np.square(banded).mean()) + 1.0))
    return scaled


def _banded(samples: _Floats) -> _Floats:
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(samples.size, 1 / mulaw.RATE)
    spectrum[(frequencies < BAND_HZ[0]) | (frequencies > BAND_HZ[1])] = 0
    return np.asarray(np.fft.irfft(spectrum, samples.size))
