"""What one sentence of a sales call is about: the model that ships, trained on our own sentences.

It is made when first asked for (two seconds) and kept under the data folder. It only ever adds to the rules that find a
wish not to be called again (`app/dialog/guards.py`): those are code, come first and need no model.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from app.errors import BadTable, ModelRefused
from ml.text.kernel import Trained, train
from ml.text.model import TextModel
from ml.text.store import SUFFIX, load, save

LANGUAGES = ("en", "es")
LOOK_ALIKES = "lookalikes.csv"
SENTENCES = (
    "sayings.csv",
    "phrasings.csv",
    LOOK_ALIKES,
)  # in app/dialog/data; read as files, since models import no dialogue
IN_DIALOGUE_ONLY = frozenset({"yes", "no", "repeat", "goodbye", "greeting", "done", "dont_know"})
OTHER, STOP = "other", "stop_calling"
MOST_FALSE = 0.006  # of ordinary sentences that are no wish to be left alone, taken for one
OBJECTIONS = frozenset(
    {"not_interested", "price", "no_time", "already_have", "not_decision_maker", "trust", STOP, "call_back_later"}
)
WELCOME = frozenset({"interested", "book_appointment", "send_info", "question_product"})
UNWELCOME = frozenset({"not_interested", STOP, "trust", "wrong_number"})

Example = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Reading:
    """`objection` is the probability that the sentence speaks against the offer; `sentiment`, from -1 to 1, is how
    welcome the offer is by its words (it says nothing about a person's feelings)."""

    intent: str
    probability: float
    objection: float
    sentiment: float

    @property
    def objects(self) -> bool:
        return self.objection >= 0.5


@dataclass(frozen=True, slots=True)
class Reader:
    """`stop_from`: the probability of `stop_calling` from which it is what was meant, whatever else is likelier, and
    below which it is not."""

    model: TextModel
    stop_from: float

    def read(self, sentences: Sequence[str]) -> list[Reading]:
        labels = self.model.labels
        return [self._reading(dict(zip(labels, map(float, row), strict=True)))
                for row in self.model.probabilities(sentences)]  # fmt: skip

    def _reading(self, likely: dict[str, float]) -> Reading:
        others = (label for label in likely if label != STOP)
        intent = STOP if likely[STOP] >= self.stop_from else max(others, key=likely.__getitem__)
        welcome = sum(likely[label] for label in WELCOME) - sum(likely[label] for label in UNWELCOME)
        return Reading(intent, likely[intent], sum(likely[label] for label in OBJECTIONS), welcome)


def read(sentences: Sequence[str], language: str = "en", data_dir: Path = Path(".strowger")) -> list[Reading]:
    """One reading per sentence, each by itself. Raises ModelRefused for a language that no sentences are there for."""
    return reader(language, data_dir).read(sentences)


def reader(language: str, data_dir: Path) -> Reader:
    """Loaded once per process; several processes may make the same file at once, and any one serves."""
    if language not in LANGUAGES:
        raise ModelRefused(f"there are no sentences of our own in the language {language!r}.")
    return _reader(language, data_dir.resolve() / "models" / f"sales-{language}-{_recipe()}{SUFFIX}")


@lru_cache(maxsize=8)
def _reader(language: str, path: Path) -> Reader:
    if path.exists():
        try:
            return _from(load(path))
        except (ModelRefused, BadTable):
            pass  # damaged, or of another version: the recipe makes the same model again
    make(language, path)
    return _from(load(path))


def _from(model: TextModel) -> Reader:
    return Reader(model, float(model.card["stop_from"]))


def make(language: str, path: Path) -> TextModel:
    """Trains on our own sentences and writes the model with its card."""
    from ml.text.card import own_card

    pairs = examples(language)
    found = trained(pairs)
    stop_from = stop_cutoff(found, pairs, look_alikes(language))
    card, text = own_card(language, found, stop_from)
    return save(replace(found.model, card=card), path, [text for text, _ in pairs[::40]], text)


def trained(pairs: Sequence[Example]) -> Trained:
    return train([text for text, _ in pairs], [intent for _, intent in pairs])


def examples(language: str) -> list[Example]:
    """Our own sentences, but those that only mean something as an answer (yes, pardon, goodbye); none twice."""
    return list(dict.fromkeys(pair for name in SENTENCES for pair in _rows(name, language)))


def look_alikes(language: str) -> frozenset[str]:
    """Sentences with the words of `stop_calling` that are none."""
    return frozenset(text for text, _ in _rows(LOOK_ALIKES, language))


def _rows(name: str, language: str) -> list[Example]:
    text = (files("app") / "dialog" / "data" / name).read_text(encoding="utf-8")
    rows = [(row["language"], row["text"], row["intent"]) for row in csv.DictReader(text.splitlines())]
    return [(said, intent) for of, said, intent in rows if of == language and intent not in IN_DIALOGUE_ONLY]


def stop_cutoff(found: Trained, pairs: Sequence[Example], look_alike: Collection[str]) -> float:
    """The lowest probability that takes at most MOST_FALSE of the ordinary other sentences, each held out, for a wish
    to be left alone: a miss costs more than a question too many."""
    stop = found.model.labels.index(STOP)
    ordinary = np.array([text not in look_alike for text, _ in sorted(pairs)])  # rows are trained in this order
    others = np.sort(found.model.likely(found.held_out)[ordinary & (found.truth != stop), stop])
    allowed = int(MOST_FALSE * len(others))
    return float(np.nextafter(others[-1 - allowed], 1))


@lru_cache(maxsize=1)
def _recipe() -> str:
    """A hash of the code and the sentences that make the model."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    for name in SENTENCES:
        digest.update((files("app") / "dialog" / "data" / name).read_bytes())
    return digest.hexdigest()[:12]
