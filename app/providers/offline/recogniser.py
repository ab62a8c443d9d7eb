"""Mu-law in, words out: pocketsphinx with one language model per state of the conversation. Synchronous.

Runs in worker processes (see `workers`), because pocketsphinx holds the GIL while it decodes. A stretch of voice is
decoded whole, when it has ended: the mean of its spectrum is then known, which takes the telephone out of the sound.
On our callers that is 99 % against 75 % of sentences right when decoding while they speak, for about 60 ms of
processor time per second of voice.
"""

from __future__ import annotations

import logging
import math
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.errors import ProviderDown
from app.providers.offline.language import Language, arpa, weighted
from app.telephony import mulaw

log = logging.getLogger(__name__)

MODELS_KEPT = 64
FILLERS = ("<", "[", "(", "+")  # <s>, [NOISE], (NULL), ++UH++: no words


@dataclass(frozen=True, slots=True)
class Recognised:
    """`confidence` 0..1 is the probability that these are the words; see `confidence_of`."""

    text: str
    confidence: float


NOTHING = Recognised("", 0.0)


class Recogniser:
    """One decoder with a model for each language it has met. About 140 MB; a second to start. Not thread-safe."""

    def __init__(self) -> None:
        import pocketsphinx

        self._sphinx: Any = pocketsphinx
        self._decoder: Any = pocketsphinx.Decoder(lm=None, loglevel="FATAL")
        self._known: dict[str, None] = {}  # in order of use
        self._unknown: set[str] = set()
        for word, phones in pronunciations():
            self._decoder.add_word(word, phones, False)

    def recognise(self, sound: bytes, language: Language) -> Recognised:
        """`sound` is one stretch of voice with a little silence around it."""
        if not self._listen_for(language):
            return NOTHING
        decoder = self._decoder
        decoder.start_utt()
        decoder.process_raw(doubled(mulaw.decode(sound)).tobytes(), False, True)
        decoder.end_utt()
        found = decoder.hyp()
        if found is None or not found.hypstr:
            return NOTHING
        scores = [segment.lscore for segment in decoder.seg() if not segment.word.startswith(FILLERS)]
        return Recognised(found.hypstr, confidence_of(found.prob, scores))

    def _listen_for(self, language: Language) -> bool:
        """False when it has no word that can be recognised."""
        name = language.key
        if name in self._known:
            self._known[name] = self._known.pop(name)
        else:
            sayings = {words: weight for words, weight in weighted(language).items() if self._can_hear(words)}
            if not sayings:
                return False
            with tempfile.TemporaryDirectory(prefix="strowger-") as folder:
                path = Path(folder) / "language.arpa"
                path.write_text(arpa(sayings), encoding="ascii")
                model = self._sphinx.NGramModel(self._decoder.config, self._decoder.logmath, str(path))
            self._decoder.add_lm(name, model)
            self._known[name] = None
            if len(self._known) > MODELS_KEPT:
                oldest = next(iter(self._known))
                del self._known[oldest]
                self._decoder.remove_search(oldest)
        self._decoder.activate_search(name)
        return True

    def _can_hear(self, words: tuple[str, ...]) -> bool:
        missing = {word for word in words if self._decoder.lookup_word(word) is None}
        for word in missing - self._unknown:
            self._unknown.add(word)
            log.warning("sayings with %r are not listened for: it has no pronunciation; add one to words.dict", word)
        return not missing


def confidence_of(posterior: float, language_scores: list[float]) -> float:
    """How likely the words are right, by a logistic curve over two things pocketsphinx tells.

    `posterior` is the share of the best path among all paths through the lattice; `language_scores` say how usual each
    word is after those before it. Fitted by `evaluate --fit` on recorded callers and on sentences nobody expects.
    """
    if not language_scores:
        return 0.0
    certain = math.log(max(posterior, 1e-9))
    usual = sum(language_scores) / len(language_scores)
    return 1 / (1 + math.exp(-(WEIGHTS[0] + WEIGHTS[1] * certain + WEIGHTS[2] * usual)))


WEIGHTS = (-100.0, 0.35, 105.0)


def doubled(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """8000 Hz to the 16000 Hz of the acoustic model; the new band above 4000 Hz stays empty."""
    weights = _half_sample()
    between = np.convolve(samples, weights)[weights.size // 2 :][: samples.size]
    made = np.empty(2 * samples.size, np.float64)
    made[0::2], made[1::2] = samples, between
    return np.clip(np.rint(made), -32768, 32767).astype(np.int16)


@cache
def _half_sample() -> npt.NDArray[np.float64]:
    """Weights that give the value half way to the next sample: a windowed sinc over 32 samples."""
    at = np.arange(-16, 16) + 0.5
    weights: npt.NDArray[np.float64] = np.sinc(at) * np.hamming(32)
    weights /= weights.sum()
    return weights


def pronunciations() -> list[tuple[str, str]]:
    """The words we need that the dictionary of pocketsphinx lacks: lines of `word PH OH N Z` in words.dict."""
    lines = (files("app.providers.offline") / "words.dict").read_text(encoding="utf-8").splitlines()
    return [(word, phones.strip()) for word, _, phones in (line.partition(" ") for line in lines) if phones]


@cache
def shared() -> Recogniser:
    """This process's own."""
    return Recogniser()


def recognise(sound: bytes, language: Language) -> Recognised:
    """What a worker process runs. Raises ProviderDown when pocketsphinx fails."""
    try:
        return shared().recognise(sound, language)
    except (RuntimeError, ValueError) as error:
        raise ProviderDown(f"pocketsphinx failed: {error}") from error
