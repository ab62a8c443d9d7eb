"""Calls put together from the voices that come with the product, for whoever has no recordings at hand.

People say a short thing or two and wait. Machines say long things with pauses of up to 0.45 s and beep after up to
1.8 s. The line is soft or loud and has noise 14 to 30 dB below the voice. The same every time.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from app.evaluation.recordings import Recording
from app.exchange import sound
from app.exchange.voices import clip, texts, voices
from app.telephony import mulaw

EACH = 14  # people, and machines, of every voice
_BEEPS_HZ = (380, 425, 440, 660, 850, 1000, 1400, 2000, 2150)

Floats = npt.NDArray[np.float64]


def answered_calls() -> list[Recording]:
    """Labelled like the recordings `evaluate answers` reads."""
    chance = random.Random(5)
    calls: list[Recording] = []
    for voice in voices():
        for index in range(EACH):
            calls.append(_person(voice, index, chance))
            calls.append(_machine(voice, index, chance))
    return calls


def _person(voice: str, index: int, chance: random.Random) -> Recording:
    short = [text for text in texts(voice) if len(text.split()) <= 3]
    parts = [_quiet(chance.randint(100, 1500)), _spoken(voice, chance.choice(short))]
    if chance.random() < 0.4:
        parts += [_quiet(chance.randint(80, 300)), _spoken(voice, chance.choice(short))]
    return _recorded(f"{voice} person {index}", "human", [*parts, _quiet(2500)], [], chance)


def _machine(voice: str, index: int, chance: random.Random) -> Recording:
    parts = [_quiet(chance.randint(200, 1500)), *_greeting(voice, chance), _quiet(chance.randint(300, 1800))]
    ms = chance.randint(150, 900)
    level = chance.choice((4000.0, 6000.0, 10_000.0))
    parts.append(mulaw.decode(sound.tone(chance.choice(_BEEPS_HZ), ms=ms, amplitude=level)).astype(np.float64))
    end_s = sum(part.size for part in parts) / mulaw.RATE
    beep: list[str | float] = ["beep", end_s - ms / 1000, end_s]
    return _recorded(f"{voice} machine {index}", "machine", [*parts, _quiet(600)], [beep], chance)


def _greeting(voice: str, chance: random.Random) -> Iterator[Floats]:
    long = [text for text in texts(voice) if len(text.split()) >= 6]
    left_ms = chance.randint(5000, 9000)
    while left_ms > 0:
        said = _spoken(voice, chance.choice(long))
        left_ms -= said.size // mulaw.BYTES_PER_MS
        yield said
        yield _quiet(chance.randint(50, 450))


def _recorded(
    name: str, label: str, parts: list[Floats], segments: list[list[str | float]], chance: random.Random
) -> Recording:
    clean = np.concatenate(parts) * chance.choice((0.15, 0.5, 1.0))
    loud = clean[np.abs(clean) > 0.05 * np.abs(clean).max()]
    noise = float(np.sqrt((loud**2).mean())) / 10 ** (chance.uniform(14, 30) / 20)
    line = clean + np.random.default_rng(chance.randint(0, 1 << 30)).normal(0, noise, clean.size)
    samples = np.rint(line.clip(-32_000, 32_000)).astype(np.int16)
    return Recording(name, {"file": name, "label": label, "segments": segments}, samples)


def _quiet(ms: int) -> Floats:
    return np.zeros(ms * mulaw.BYTES_PER_MS)


def _spoken(voice: str, text: str) -> Floats:
    return mulaw.decode(clip(voice, text)).astype(np.float64)
