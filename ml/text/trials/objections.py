"""Does a sentence object? Told by its words, what was said before it, and where in the dialogue it stands.

Two learners on the same view: a logistic regression over all kinds of answers, whose objecting kinds are added up, and
a kernel ridge like that of `ml.text.kernel`. Their settings are chosen on a part of the training dialogues.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.text.features import Counts, Floats, Pooling, Vocabulary, pieces, words
from ml.text.trials.folds import Rows, auc, grouped
from ml.text.trials.sets import Sentence
from ml.text.vectors import installed

OBJECTING = frozenset({"negative-reaction-to-donation", "disagree-donation", "disagree-donation-more"})
LOOSENESS, RIDGES, SHARES = (4.0, 8.0), (4.0, 8.0), (8.0, 16.0, 32.0)
BEFORE_WORDS, BEFORE_VECTORS = 0.4, 0.6  # how much what was said before weighs in the regression
_LATE, _LONG = 10, 30  # turns, words: more counts as so many

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """One sentence of the person asked. `before` is the other's turn before it."""

    dialogue: str
    text: str
    before: str
    turn: int
    label: str

    @property
    def objects(self) -> bool:
        return self.label in OBJECTING


def asked(sentences: Sequence[Sentence]) -> list[Asked]:
    """Those of the persuadee, each with what the persuader had said in the turn before."""
    found: list[Asked] = []
    dialogue, turn, before = "", -1, ""
    for one in sentences:
        if one.dialogue != dialogue:
            dialogue, turn, before = one.dialogue, -1, ""
        if one.speaker == "persuadee":
            found.append(Asked(one.dialogue, one.text, before, one.turn, one.label))
        else:
            before = f"{before} {one.text}" if one.turn == turn else one.text
            turn = one.turn
    return found


def cross_validated(rows: Sequence[Asked], say: Callable[[str], None] = lambda _: None) -> float:
    """AUC over all sentences, each scored by a model that saw none of its dialogue."""
    counted = Counted.of(rows)
    scores = np.zeros(len(rows))
    folds = grouped([row.dialogue for row in rows])
    for number, (learn, ask) in enumerate(folds, 1):
        say(f"fold {number} of {len(folds)}, {len(learn):,} sentences")
        settings = _chosen(counted, learn)
        scores[ask] = _together(*_both(counted, learn, ask, (settings[0],), (settings[1],)), settings)
    return auc(counted.objects, scores)


@dataclass(frozen=True, slots=True)
class Counted:
    """All that does not depend on the fold."""

    rows: Sequence[Asked]
    words: Sequence[Counts]
    pieces: Sequence[Counts]
    before: Sequence[Counts]
    places: Floats
    objects: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: Sequence[Asked]) -> Counted:
        return cls(
            rows,
            [words(row.text) for row in rows],
            [pieces(row.text) for row in rows],
            [words(row.before) for row in rows],
            np.array([_place(row) for row in rows], dtype=np.float32),
            np.array([row.objects for row in rows]),
        )


def _place(row: Asked) -> list[float]:
    """Where it stands, and how long it is."""
    turn, length = row.turn, len(row.text.split())
    stretches = [turn < 2, 2 <= turn < 4, 4 <= turn < 7, turn >= 7]
    return [min(turn, _LATE) / _LATE, *map(float, stretches), min(length, _LONG) / _LONG, float(length < 4)]


@dataclass(frozen=True, slots=True)
class View:
    words: Any
    pieces: Any
    vectors: Floats
    before: Any
    before_vectors: Floats
    places: Floats

    def side_by_side(self) -> Any:
        from scipy.sparse import csr_matrix, hstack

        parts = (self.words, self.pieces, csr_matrix(self.vectors), csr_matrix(self.places),
                 self.before * BEFORE_WORDS, csr_matrix(self.before_vectors * BEFORE_VECTORS))  # fmt: skip
        return hstack(parts).tocsr()

    def kernel(self, other: View) -> Floats:
        said = (_cosines(self.words, other.words) + _cosines(self.pieces, other.pieces)) / 2 + _near(
            self.vectors, other.vectors
        )
        before = (_cosines(self.before, other.before) + _near(self.before_vectors, other.before_vectors)) / 2
        whole = said + 0.3 * before + 0.2 * _near(self.places, other.places, 1.0)
        return (whole**2 / 2).astype(np.float32, copy=False)


def _views(counted: Counted, learn: Rows, ask: Rows) -> tuple[View, View]:
    """Vocabularies and scales are those of the rows to learn from."""
    vectors, rows = installed(), counted.rows
    known = (
        Vocabulary.of([counted.words[at] for at in learn], 2),
        Vocabulary.of([counted.pieces[at] for at in learn], 3),
        Vocabulary.of([counted.before[at] for at in learn], 2),
    )
    said, before = (Pooling.of(vectors, [getattr(rows[at], name) for at in learn]) for name in ("text", "before"))

    def view(part: Rows) -> View:
        return View(
            known[0].matrix(counted.words[at] for at in part),
            known[1].matrix(counted.pieces[at] for at in part),
            said.matrix(vectors, [rows[at].text for at in part]),
            known[2].matrix(counted.before[at] for at in part),
            before.matrix(vectors, [rows[at].before for at in part]),
            counted.places[part],
        )

    return view(learn), view(ask)


def _chosen(counted: Counted, learn: Rows) -> tuple[float, float, float]:
    """The looseness, the ridge and the ridge's share that do best on a fifth of the training dialogues."""
    first, second = grouped([counted.rows[at].dialogue for at in learn], seed=1)[0]
    plain, ridged = _both(counted, learn[first], learn[second], LOOSENESS, RIDGES)
    truth = counted.objects[learn[second]]
    return max(product(LOOSENESS, RIDGES, SHARES), key=lambda each: auc(truth, _together(plain, ridged, each)))


def _both(
    counted: Counted, learn: Rows, ask: Rows, looseness: Sequence[float], ridges: Sequence[float]
) -> tuple[dict[float, Scores], dict[float, Scores]]:
    known, new = _views(counted, learn, ask)
    labels = [counted.rows[at].label for at in learn]
    plain = {value: _regression(known.side_by_side(), labels, new.side_by_side(), value) for value in looseness}
    square, across = known.kernel(known), new.kernel(known)
    return plain, {value: _ridge(square, labels, across, value) for value in ridges}


def _regression(known: Any, labels: Sequence[str], new: Any, looseness: float) -> Scores:
    from warnings import catch_warnings, simplefilter

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=looseness, max_iter=40, tol=1e-3)
    with catch_warnings():
        simplefilter("ignore", ConvergenceWarning)  # forty steps are meant: more change the ranking by nothing
        model.fit(known, labels)
    objecting = [at for at, label in enumerate(model.classes_) if label in OBJECTING]
    likely = model.predict_proba(new)[:, objecting].sum(axis=1).clip(1e-9, 1 - 1e-9)
    found: Scores = np.log(likely / (1 - likely))
    return found


def _ridge(square: Floats, labels: Sequence[str], across: Floats, ridge: float) -> Scores:
    from scipy.linalg import solve

    wanted = np.array([label in OBJECTING for label in labels], dtype=np.float32)
    strengths = solve(square + ridge * np.eye(len(square), dtype=np.float32), wanted - wanted.mean(), assume_a="pos")
    found: Scores = (across @ strengths).astype(np.float64)
    return found


def _together(plain: dict[float, Scores], ridged: dict[float, Scores], each: tuple[float, float, float]) -> Scores:
    looseness, ridge, share = each
    return plain[looseness] + share * ridged[ridge]


def _cosines(left: Any, right: Any) -> Floats:
    found: Floats = (left @ right.T).toarray()
    return found


def _near(left: Floats, right: Floats, width: float = 0.5) -> Floats:
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None] - 2 * left @ right.T
    near: Floats = np.exp(-width * np.maximum(squares, 0))
    return near
