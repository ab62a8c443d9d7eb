"""What stands between new outcomes and the champion: the batch is looked at before it is learned from, and what was
learned is tried on rows that nobody trains on (T34).

Labels that surprise the champion are drift when the inputs moved too, and a challenger should learn them. Labels that
surprise while nothing else has moved are suspect: somebody, or a broken import, may have turned them over. Such a batch
waits for a person.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.dataset import Dataset
from ml.drift import moved, shifts
from ml.encode import Block
from ml.model import Model

FAR = 10.0  # ranges of the reference beyond its ends: no such value is a lead
MOST_FAR = 0.01  # share of rows with one; fewer are capped and learned from
SUSPECT = 2.6  # standard errors of surprise; by chance once in 200 batches, and then a person looks
WORSE = 2.33  # standard errors by which a candidate may be worse on the frozen rows: once in a hundred by chance
_SURE = 1e-4

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Answer:
    """`why` is one sentence for the record, also when it passed."""

    passed: bool
    why: str


def losses(p: Floats, y: NDArray[np.int8]) -> Floats:
    held = np.clip(p, _SURE, 1 - _SURE)
    return np.asarray(-np.where(y == 1, np.log(held), np.log1p(-held)))


def look_at(batch: Dataset, reference: Dataset, champion: Model) -> Answer:
    """May these outcomes be learned from? Both in the champion's columns."""
    far = far_out(batch.block, reference.block).any(axis=1).mean() if batch.block.numbers.size else 0.0
    if far > MOST_FAR:
        return Answer(False, f"{far:.1%} of the rows hold values far beyond any seen before: {MOST_FAR:.0%} may.")
    p = np.clip(champion.predict(batch.block).probability, _SURE, 1 - _SURE)
    surprise = surprise_of(p, batch.y)
    columns = [s.name for s in moved(shifts(reference.schema, reference.block, batch.block))]
    if surprise > SUSPECT and not columns:
        return Answer(
            False,
            f"the labels surprise the champion by {surprise:.1f} standard errors although no column has moved: "
            "some may have been turned over.",
        )
    why = f"surprise {surprise:.1f}" + (f", explained by {', '.join(columns[:3])}" if columns else "")
    return Answer(True, why)


def surprise_of(p: Floats, y: NDArray[np.int8]) -> float:
    """Standard errors by which the labels are less likely than the model holds possible. The model's overall level is
    set right first: a good month is no poison."""
    from ml.calibration import shift_to

    logits = np.log(p / (1 - p))
    p = 1 / (1 + np.exp(-(logits + shift_to(logits, y, np.ones(len(y))))))
    yes, no = -np.log(p), -np.log1p(-p)
    expected = p * yes + (1 - p) * no
    spread = np.sqrt((p * (1 - p) * (yes - no) ** 2).sum())
    found = np.where(y == 1, yes, no)
    return float((found - expected).sum() / spread) if spread > 0 else 0.0


def far_out(block: Block, reference: Block) -> NDArray[np.bool_]:
    low, high = _ends(reference)
    span = _span(low, high)
    with np.errstate(invalid="ignore"):
        return np.asarray((block.numbers < low - FAR * span) | (block.numbers > high + FAR * span))


def capped(block: Block, reference: Block) -> Block:
    """Numbers held to one range of the reference beyond its ends, so that no single row pulls a model away."""
    low, high = _ends(reference)
    span = _span(low, high)
    return Block(np.clip(block.numbers, low - span, high + span), block.codes)


def _span(low: Floats, high: Floats) -> Floats:
    """The range, or the size of its ends where the column hardly varied: an index may leave the one value it had."""
    return np.maximum(np.maximum(high - low, np.maximum(np.abs(low), np.abs(high))), 1.0)


def _ends(reference: Block) -> tuple[Floats, Floats]:
    known = ~np.isnan(reference.numbers)
    low = np.where(known, reference.numbers, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, reference.numbers, -np.inf).max(axis=0, initial=-np.inf)
    never = ~known.any(axis=0)
    return np.where(never, 0.0, low), np.where(never, 0.0, high)


def try_on(frozen_y: NDArray[np.int8], champion: Floats, candidate: Floats) -> Answer:
    """Both models' probabilities on the frozen rows. A candidate that is surely worse there goes no further."""
    saved = losses(champion, frozen_y) - losses(candidate, frozen_y)
    error = float(saved.std(ddof=1) / np.sqrt(len(saved))) if len(saved) > 1 else 0.0
    mean = float(saved.mean()) if len(saved) else 0.0
    why = f"{mean:+.4f} nats saved per outcome on {len(saved):,} frozen rows (standard error {error:.4f})"
    return Answer(mean >= -WORSE * error, why)
