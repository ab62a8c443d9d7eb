"""Will the person give? Told by what both say, after the whole dialogue or in the middle of it.

One model serves at any time of a dialogue, because it learns from each dialogue three times: whole, its first half and
its second half. (With the first halves alone there is too little of what decides.) It is the mean of logistic
regressions over words and pairs of words, on what both say and on what the person asked says, with penalties from
strong to weak, each on one scale: so few dialogues do not tell which penalty is best, and the mean needs no choice.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ml.text.features import Counts, Vocabulary, plain
from ml.text.trials.folds import Rows, auc, stratified
from ml.text.trials.sets import Dialogue

LOOSENESS = (0.1, 0.3, 1.0, 3.0)
COMMON = 9  # of three times the dialogues, those that must have a word
FOLDS, DRAWS = 10, 3  # with 763 dialogues one draw of folds says little
_WORD = re.compile(r"\w+|[^\w\s]")

Scores = NDArray[np.float64]
Truth = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Donation:
    """Mean AUC of all folds."""

    whole: float
    first_half: float


def cross_validated(dialogues: Sequence[Dialogue], say: Callable[[str], None] = lambda _: None) -> Donation:
    truth = np.array([one.donated for one in dialogues])
    sides = [Side.of(dialogues, speakers) for speakers in (("persuader", "persuadee"), ("persuadee",))]
    whole: list[float] = []
    first: list[float] = []
    for draw in range(1, DRAWS + 1):
        say(f"draw {draw} of {DRAWS}, {len(dialogues):,} dialogues")
        for learn, ask in stratified(truth.tolist(), FOLDS, seed=draw):
            by_side = [side.scores(truth, learn, ask) for side in sides]
            for found, scores in zip((whole, first), np.mean(by_side, axis=0), strict=True):
                found.append(auc(truth[ask], scores))
    return Donation(float(np.mean(whole)), float(np.mean(first)))


@dataclass(frozen=True, slots=True)
class Side:
    """What is counted of each dialogue: as a whole, of its first half, of its second half."""

    parts: tuple[Sequence[Counts], Sequence[Counts], Sequence[Counts]]

    @classmethod
    def of(cls, dialogues: Sequence[Dialogue], speakers: tuple[str, ...]) -> Side:
        halves = [one.first_half() for one in dialogues]
        first = [half.said_by(*speakers) for half in halves]
        whole = [one.said_by(*speakers) for one in dialogues]
        second = [every[len(half) :] for every, half in zip(whole, first, strict=True)]
        return cls((_counted(whole), _counted(first), _counted(second)))

    def scores(self, truth: Truth, learn: Rows, ask: Rows) -> Scores:
        """By the whole dialogues to ask about, and by their first halves."""
        from sklearn.linear_model import LogisticRegression

        known = [part[at] for part in self.parts for at in learn]
        vocabulary = Vocabulary.of(known, COMMON)
        table, wanted = vocabulary.matrix(known), np.tile(truth[learn], len(self.parts))
        new = [vocabulary.matrix(part[at] for at in ask) for part in self.parts[:2]]
        found = np.zeros((2, len(ask)))
        for loose in LOOSENESS:
            model = LogisticRegression(C=loose, solver="liblinear", random_state=0).fit(table, wanted)
            found += [model.decision_function(one) / model.decision_function(table).std() for one in new]
        return found


def _counted(parts: Iterable[Sequence[str]]) -> list[Counts]:
    """Words, marks and pairs of them; pairs do not reach from one turn to the next."""
    found = []
    for texts in parts:
        counts: Counts = Counter()
        for text in texts:
            tokens = _WORD.findall(plain(text))
            counts.update(tokens)
            counts.update(f"{a} {b}" for a, b in pairwise(tokens))
        found.append(counts)
    return found
