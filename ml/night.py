"""One night in the life of a model, as a function of what is known: no clock, no database, nothing is moved here.

What has moved, are promises kept, may the new outcomes be learned from, how stands the challenger, and is it time for
another. `workers/night.py` fetches what is needed, and acts on what is found.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

import ml.artifacts as artifacts
import ml.drift as drift
import ml.gate as gate
from app.errors import BadTable
from app.sales.learning import Known, Opinion
from app.sales.priority import Lines
from app.sales.registry import TARGET, Entry
from ml.calibration import Line
from ml.dataset import Dataset
from ml.drift import Kept, Shift
from ml.encode import Block
from ml.evaluate import Report
from ml.explain import quartiles
from ml.intervals import Doubt
from ml.life import card_for, entry_of
from ml.linear import LinearPart, NumberTerm
from ml.model import Model, Side
from ml.opinions import agreement, taught, words_of
from ml.own import block_for, schema_of, table_for, training_table
from ml.pipeline import Plan, fit, one_thread
from ml.sequential import ALPHA, Duel, share_of_alpha
from ml.shelf import Shelf
from ml.territory import Territory
from ml.tiers import Cuts
from ml.train import buyers_of, measure, split

FLAT = "average"  # the version of the model that gives every lead the same chance
BATCH = 50  # outcomes: fewer say too little to be judged, and wait for more
ENOUGH, ENOUGH_OF_A_KIND = 300, 30  # outcomes from which a model of one's own is tried
MORE = 0.05  # share of new outcomes from which training again is worth it
TRIAL = 1_000  # outcomes after which an undecided challenger gives its place to one that has learned what came since
MOST_ROWS = 4_000  # newest calls: training takes seconds, so that a night fits in a task on a slow machine too

SCORE = "the score itself"


@dataclass(frozen=True, slots=True)
class Look:
    """`shifts` of every column and of the score, furthest first; `kept` is None without outcomes."""

    shifts: tuple[Shift, ...] = ()
    kept: Kept | None = None

    @property
    def moved(self) -> tuple[Shift, ...]:
        return drift.moved(self.shifts)

    def to_json(self) -> dict[str, Any]:
        shifts = [
            {"name": s.name, "psi": round(s.psi, 4), "ks": round(s.ks, 4), "moved": s in self.moved}
            for s in self.shifts
        ]
        return {"drift": shifts, "kept": None if self.kept is None else dict(self.kept.to_json())}


def look(model: Model, reference: Sequence[Mapping[str, object]], now: Sequence[Mapping[str, object]]) -> Look:
    """The rows of the newest calls against those that the model, or the workspace, began with."""
    if min(len(reference), len(now)) < drift.FEWEST:
        return Look()
    was, is_ = block_for(model.schema, reference), block_for(model.schema, now)
    score = drift.shift(SCORE, model.predict(was).probability, model.predict(is_).probability)
    found = (*drift.shifts(model.schema, was, is_), score)
    return Look(tuple(sorted(found, key=lambda s: -s.psi)))


def kept(model: Model, known: Sequence[Known]) -> Kept | None:
    """`known` are outcomes that the model had not seen, in the order in which they came."""
    if len(known) < BATCH:
        return None
    table = table_for(model.schema, known)
    return drift.kept(model.predict(table.block).probability, table.y)


def may_learn(model: Model, earlier: Sequence[Known], batch: Sequence[Known], *, own: bool) -> gate.Answer:
    """`own`: the champion learned from this workspace. The shipped one is surprised by any real business, which proves
    nothing about the outcomes; values far beyond all others are refused in either case."""
    if len(earlier) < BATCH:
        return gate.Answer(True, "the first outcomes: there is nothing yet to hold them against")
    then, now = table_for(model.schema, earlier), table_for(model.schema, batch)
    if own:
        return gate.look_at(now, then, model)
    far = float(gate.far_out(now.block, then.block).any(axis=1).mean())
    if far > gate.MOST_FAR:
        return gate.Answer(False, f"{far:.1%} of the rows hold values far beyond any seen before.")
    return gate.Answer(True, "no value is far beyond those seen before")


def duel(champion: Model, challenger: Model, known: Sequence[Known], alpha: float) -> Duel:
    """`known` are outcomes that neither had seen, in the order in which they came. The probabilities are those both
    gave, or would have given, before: neither has changed since, and a score depends on the row alone."""
    p, q = (scores(model, known) for model in (champion, challenger))
    return Duel(alpha).through(zip(p, q, (one.converted for one in known), strict=True))


def scores(model: Model, known: Sequence[Known]) -> list[float]:
    """What the model gave these calls, or would have given."""
    if not known:
        return []
    found: list[float] = model.predict(table_for(model.schema, known).block).probability.tolist()
    return found


@dataclass(frozen=True, slots=True)
class Challenger:
    """A model just trained, and what it showed on the frozen rows. `alpha` is what it may err by in its duel."""

    entry: Entry
    passed: bool
    why: str
    alpha: float = field(default=ALPHA)


def flat(known: Sequence[Known], target: str) -> Model:
    """What the first model for a target has to beat: every lead gets the share of those known, half a row of doubt."""
    schema = schema_of(known, target)
    block = block_for(schema, [one.row for one in known])
    rate = (sum(one.converted for one in known) + 0.5) / (len(known) + 1)
    level = math.log(rate / (1 - rate))
    blank = NumberTerm(0.0, 0.0, 0.0, 0.0, 0.0, np.empty(0), np.zeros(1))
    tables = tuple(np.zeros(len(column.levels) + 2) for column in schema.categories)
    part = LinearPart(level, tuple(blank for _ in schema.numbers), tables)
    ends = np.array([level - 1.0, level + 1.0])
    side = Side((part,), Line(), Doubt(ends, np.full(2, rate), np.full(2, rate), 0.0), np.zeros(len(schema.features)))
    cuts = Cuts(min(1.0, 2 * rate), rate / 2)
    return Model(schema, side, None, Territory(), cuts, part, rate, quartiles(block), version=FLAT)


def worth_training(known: Sequence[Known], earlier: Sequence[Entry], opinions: Sequence[Opinion] = ()) -> bool:
    """Enough outcomes, and enough new ones since the last model was trained, people's words counted with them."""
    positives = sum(one.converted for one in known)
    if len(known) < ENOUGH or min(positives, len(known) - positives) < ENOUGH_OF_A_KIND:
        return False
    newest = max((e.created_at for e in earlier), default=None)
    last = next((e for e in earlier if e.created_at == newest), None)
    if last is None or last.lineage.data_to is None:
        return True
    since = last.lineage.data_to
    new = sum(one.known_at > since for one in known) + sum(one.at > last.created_at for one in opinions)
    return new >= max(BATCH, MORE * len(known))


@dataclass(frozen=True, slots=True)
class Trainee:
    """The `number`-th challenger of `champion`. `opinions` are tiers that people chose, `lines` where tiers begin."""

    champion: Model
    number: int
    opinions: Sequence[Opinion] = ()
    lines: Lines | None = None
    target: str = TARGET


def train(of: Trainee, known: Sequence[Known], shelf: Shelf, folder: Path) -> Challenger | None:
    """None when the rows cannot be learned from. `known` holds nothing that was refused; the frozen calls among them
    are only tried on."""
    champion, number = of.champion, of.number
    frozen = [one for one in known if one.frozen]
    newest = sorted((one for one in known if not one.frozen), key=lambda one: one.called_at)[-MOST_ROWS:]
    known_to = max((one.known_at for one in known), default=None)
    try:
        table = training_table(newest, of.target)
    except BadTable:
        return None
    table = replace(table, block=gate.capped(table.block, _usual(table.block)))
    lines = of.lines or Lines(champion.cuts.hot, champion.cuts.warm)
    words = words_of(of.opinions, lines, scores(champion, newest))
    with one_thread():
        table = taught(table, words)
        fitted, later = fit(table, Plan()), _later(table)
        agreed = agreement(fitted, table, words, champion)
    card = replace(
        card_for(table, fitted, "own outcomes"), later=later.model, later_baseline=later.baseline, buyers=later.buyers
    )
    card = replace(card, ordered_by="the calls", people=str(agreed or ""))
    file = folder / f"challenger{artifacts.SUFFIX}"
    model = artifacts.save(replace(fitted.model, card=card.to_json()), file, card.to_markdown(), table.block)
    answer = _tried(champion, model, frozen)
    entry = entry_of(model, table, shelf.keep(file), card, of.target)
    lineage = replace(entry.lineage, data_from=newest[0].called_at, data_to=known_to)
    found = {**entry.metrics, **_figures(later.model), "challenger": number, "frozen": answer.why}
    found |= agreed.to_json() if agreed else {}
    return Challenger(
        replace(entry, lineage=lineage, metrics=found), answer.passed, answer.why, share_of_alpha(ALPHA, number)
    )


@dataclass(frozen=True, slots=True)
class _Later:
    """Figures on the newest fifth, by a model trained on the calls before it, and what it gave to those who bought."""

    model: Report | None = None
    baseline: Report | None = None
    buyers: tuple[float, ...] = ()


def _later(table: Dataset) -> _Later:
    parts = split(table)
    if parts is None:
        return _Later()
    before = fit(parts[0], Plan()).model
    return _Later(*measure(before, parts[1], Plan(), resamples=50), buyers_of(before, parts[1]))


def _figures(report: Report | None) -> dict[str, Any]:
    if report is None:
        return {}
    figures: dict[str, Any] = {name: asdict(figure) for name, figure in report.metrics.items()}
    return figures | {"calibration": [asdict(one) for one in report.curve]}


def _tried(champion: Model, challenger: Model, frozen: Sequence[Known]) -> gate.Answer:
    p, q = (np.asarray(scores(model, frozen)) for model in (champion, challenger))
    return gate.try_on(np.array([one.converted for one in frozen], dtype=np.int8), p, q)


def _usual(block: Block) -> Block:
    """The middle of each column: a single absurd value must not widen what counts as usual."""
    numbers = block.numbers.copy()
    with np.errstate(invalid="ignore"):
        for j in range(numbers.shape[1]):
            known = numbers[:, j][~np.isnan(numbers[:, j])]
            if len(known):
                numbers[:, j] = np.clip(numbers[:, j], *np.quantile(known, [0.005, 0.995]))
    return Block(numbers, block.codes)


def number_of(champion: Entry | None, entries: Sequence[Entry]) -> int:
    """Which challenger of this champion the next one is: each shares in the error that all may make together."""
    since = None if champion is None else champion.created_at
    return 1 + sum(entry != champion and (since is None or entry.created_at > since) for entry in entries)
