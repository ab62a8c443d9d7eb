"""What people say on a sales call, in one language: our own sentences, each by a model without it, and somebody's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ml.text import sales
from ml.text.kernel import Trained
from ml.text.trials.folds import stratified

OptsOut = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Told:
    """`recall` and `false` are of `stop_calling`, told by rule or model: the share of such wishes that is found, and
    of other sentences taken for one. `by_rule` and `by_model` is the recall of each alone."""

    rows: int
    accuracy: float
    wishes: int
    recall: float
    false: float
    by_rule: float
    by_model: float
    missed: tuple[str, ...]


def cross_validated(language: str, opts_out: OptsOut, say: Callable[[str], None] = lambda _: None) -> Told:
    """Our own sentences by five folds; the limit for `stop_calling` is set within each fold's training rows."""
    pairs = sales.examples(language)
    told = np.empty(len(pairs), dtype=object)
    folds = stratified([intent for _, intent in pairs])
    for number, (learn, ask) in enumerate(folds, 1):
        say(f"own sentences ({language}), fold {number} of {len(folds)}")
        told[ask] = _told(sales.trained([pairs[at] for at in learn]), [pairs[at][0] for at in ask])
    return _counted(pairs, list(told), opts_out)


def others(language: str, asked: Sequence[sales.Example], opts_out: OptsOut) -> Told:
    """Sentences of other hands, by the model that ships."""
    found = sales.trained(sales.examples(language))
    return _counted(asked, _told(found, [text for text, _ in asked]), opts_out)


def _told(found: Trained, texts: Sequence[str]) -> list[str]:
    reader = sales.Reader(found.model, sales.stop_cutoff(found))
    return [reading.intent for reading in reader.read(texts)]


def _counted(pairs: Sequence[sales.Example], by_model: Sequence[str], opts_out: OptsOut) -> Told:
    truth = np.array([intent for _, intent in pairs])
    ruled = np.array([opts_out(text) for text, _ in pairs])
    told = np.where(ruled, sales.STOP, np.array(by_model))
    wishes, stopped = truth == sales.STOP, told == sales.STOP
    return Told(
        rows=len(pairs),
        accuracy=float((told == truth).mean()),
        wishes=int(wishes.sum()),
        recall=_share(stopped[wishes]),
        false=_share(stopped[~wishes]),
        by_rule=_share(ruled[wishes]),
        by_model=_share((np.array(by_model) == sales.STOP)[wishes]),
        missed=tuple(pairs[at][0] for at in np.flatnonzero(wishes & ~stopped).tolist()),
    )


def _share(kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
    return float(kept.mean()) if len(kept) else 1.0
