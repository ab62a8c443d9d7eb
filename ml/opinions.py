"""People's words on tiers as evidence beside outcomes: "this lead is hot" teaches where it belongs, not that it buys.

A word counts as half an outcome, split into a sale and no sale as leads of that tier come out on average. It is fitted
and never tested on: learners are chosen, calibrated and judged by outcomes alone, so words move leads against each
other while outcomes go on deciding the level, and a challenger that learned wrong words loses its duel. All words
together weigh at most half of what the outcomes weigh. A call whose end is known is no word any more: outcomes win
(app/sales/learning.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.sales.lead import Tier
from app.sales.learning import Opinion
from app.sales.priority import Lines
from ml.dataset import Beside, Dataset
from ml.encode import Block
from ml.model import Model
from ml.own import block_for
from ml.pipeline import Fitted, fitted_with

WEIGHT = 0.5  # of an outcome
MOST = 0.5  # of the weight of all outcomes, for all words together
_FOLDS = 5
_FEWEST = 5  # leads of a tier, before their average says anything


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of so many `words`, the share that the model's tiers say, too: the champion `before`, and the new model
    `after`, each word judged by a model that was not taught with it."""

    words: int
    before: float
    after: float

    def to_json(self) -> dict[str, Any]:
        return {"words": self.words, "agreement_before": round(self.before, 4), "agreement": round(self.after, 4)}

    def __str__(self) -> str:
        return (
            f"Of {self.words:,} tiers that people chose, the champion gave {self.before:.0%}, this model "
            f"{self.after:.0%} (each by learners that were not taught with it)."
        )


@dataclass(frozen=True, slots=True)
class Words:
    """What people said of calls whose end is not known, and what that means here: `levels` is how often leads of each
    tier buy on average, `lines` are where the tiers begin."""

    opinions: tuple[Opinion, ...]
    lines: Lines
    levels: Mapping[Tier, float]


def words_of(opinions: Sequence[Opinion], lines: Lines, known: Sequence[float]) -> Words:
    """`known` are the champion's scores of the workspace's calls."""
    top = min(lines.hot, 0.99)
    levels = {Tier.HOT: top, Tier.WARM: (lines.warm + top) / 2, Tier.COLD: lines.warm / 2}
    for tier in levels:
        of = [p for p in known if lines.tier(p) is tier]
        if len(of) >= _FEWEST:
            levels[tier] = float(np.mean(of))
    return Words(tuple(opinions), lines, levels)


def taught(table: Dataset, words: Words) -> Dataset:
    """The outcomes with people's words beside them, in place of any that were there."""
    opinions = words.opinions
    if not opinions:
        return replace(table, beside=None)
    block = block_for(table.schema, [one.row for one in opinions])
    each = min(WEIGHT, MOST * len(table) / len(opinions))
    sale = np.array([words.levels[one.tier] for one in opinions])
    y = np.repeat(np.array([1, 0], dtype=np.int8), len(sale))
    return replace(table, beside=Beside(Block.join([block, block]), y, each * np.concatenate([sale, 1 - sale])))


def agreement(fitted: Fitted, table: Dataset, words: Words, champion: Model) -> Agreement | None:
    """None without words. Each word is tried on learners fitted without it and a fifth of the others."""
    opinions = words.opinions
    if not opinions:
        return None
    rows = [one.row for one in opinions]
    after = np.empty(len(opinions))
    fold = np.array([one.call_id.int % _FOLDS for one in opinions])
    for k in np.unique(fold):
        rest = tuple(one for one, at in zip(opinions, fold, strict=True) if at != k)
        model = fitted_with(fitted, taught(table, replace(words, opinions=rest)))
        held = np.flatnonzero(fold == k)
        after[held] = model.predict(block_for(model.schema, [rows[i] for i in held])).probability
    before = champion.predict(block_for(champion.schema, rows)).probability
    return Agreement(len(opinions), *(_agree(found, words) for found in (before, after)))


def _agree(found: NDArray[np.float64], words: Words) -> float:
    said = zip(found.tolist(), words.opinions, strict=True)
    return float(np.mean([words.lines.tier(p) is one.tier for p, one in said]))
