"""What people say on a sales call, in one language: our own sentences, each by a model without it, and somebody's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from ml.text import sales
from ml.text.trials.folds import stratified

OptsOut = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Told:
    """`recall` and `false` are of `stop_calling`, told by rule or model: the share of such wishes that is found, and
    of other sentences taken for one; `look_alike` is that share of those that have its words, which `false` leaves out.
    `by_rule` and `by_model` is the recall of each alone. `accuracy` is that of the labels a caller's sentence may have;
    small talk (`other`) is no such label, and is told right in `small_talk` of its sentences."""

    rows: int
    accuracy: float
    small_talk: float
    wishes: int
    recall: float
    false: float
    look_alike: float
    by_rule: float
    by_model: float
    missed: tuple[str, ...]


def cross_validated(language: str, opts_out: OptsOut, say: Callable[[str], None] = lambda _: None) -> Told:
    """Our own sentences by five folds; the limit for `stop_calling` is set within each fold's training rows."""
    pairs, alike = sales.examples(language), sales.look_alikes(language)
    told = np.empty(len(pairs), dtype=object)
    folds = stratified([intent for _, intent in pairs])
    for number, (learn, ask) in enumerate(folds, 1):
        say(f"own sentences ({language}), fold {number} of {len(folds)}")
        told[ask] = _told([pairs[at] for at in learn], alike, [pairs[at][0] for at in ask])
    return _counted(pairs, list(told), opts_out, alike)


def others(language: str, asked: Sequence[sales.Example], opts_out: OptsOut) -> Told:
    """Sentences of other hands, by the model that ships."""
    pairs, alike = sales.examples(language), sales.look_alikes(language)
    return _counted(asked, _told(pairs, alike, [text for text, _ in asked]), opts_out, frozenset())


def _told(pairs: Sequence[sales.Example], alike: Collection[str], texts: Sequence[str]) -> list[str]:
    found = sales.trained(pairs)
    reader = sales.Reader(found.model, sales.stop_cutoff(found, pairs, alike))
    return [reading.intent for reading in reader.read(texts)]


def _counted(
    pairs: Sequence[sales.Example], by_model: Sequence[str], opts_out: OptsOut, alike: Collection[str]
) -> Told:
    truth = np.array([intent for _, intent in pairs])
    ruled = np.array([opts_out(text) for text, _ in pairs])
    told = np.where(ruled, sales.STOP, np.array(by_model))
    wishes, stopped = truth == sales.STOP, told == sales.STOP
    sounds = np.array([text in alike for text, _ in pairs])
    return Told(
        rows=len(pairs),
        accuracy=_share((told == truth)[truth != sales.OTHER]),
        small_talk=_share((told == truth)[truth == sales.OTHER]),
        wishes=int(wishes.sum()),
        recall=_share(stopped[wishes]),
        false=_share(stopped[~wishes & ~sounds]),
        look_alike=_share(stopped[~wishes & sounds]),
        by_rule=_share(ruled[wishes]),
        by_model=_share((np.array(by_model) == sales.STOP)[wishes]),
        missed=tuple(pairs[at][0] for at in np.flatnonzero(wishes & ~stopped).tolist()),
    )


def _share(kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
    return float(kept.mean()) if len(kept) else 0.0
