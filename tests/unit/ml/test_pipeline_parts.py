"""Small pieces of the pipeline, each against a truth that is known or against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from app.errors import BadInput, BadTable
from app.sales.lead import Tier
from ml import candidates as learners
from ml import trees
from ml.calibration import calibration_error, fit_line, shift_to
from ml.columns import Column, Schema
from ml.dataset import Dataset, arrange
from ml.encode import Block
from ml.evaluate import report
from ml.explain import explainer
from ml.intervals import measure
from ml.order import columns_of, reader
from ml.pipeline import one_thread
from ml.territory import between_share, survey, with_stamps
from ml.tiers import Team, cut

RNG = np.random.default_rng(11)
N = 1_600
SCHEMA = Schema("y", "1", (Column("a", "number"), Column("b", "number"), Column("c", "category", ("u", "v"))))
BLOCK = Block(np.column_stack([RNG.normal(size=N), RNG.normal(size=N)]), RNG.integers(0, 4, size=(N, 1)))
LOGIT = BLOCK.numbers[:, 0] - 1.0 + (BLOCK.codes[:, 0] == 1)
Y = (RNG.random(N) < learners.sigmoid(LOGIT)).astype(np.int8)
DATA = Dataset(SCHEMA, BLOCK, Y, np.arange(N) / 1.0)


@pytest.mark.parametrize("kind", ["boosted", "forest"])
def test_walking_our_trees_gives_what_scikit_learn_predicts(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for model in (HistGradientBoostingClassifier, RandomForestClassifier):
        fit = model.fit
        monkeypatch.setattr(model, "fit", lambda self, *a, _fit=fit, **k: seen.append(self) or _fit(self, *a, **k))
    part = trees.fit_trees(SCHEMA, BLOCK, Y, np.ones(N), trees.TreeSettings(kind, 15, 4, leaf=10), seed=3)
    expected = seen[0].predict_proba(trees.tree_matrix(BLOCK, part.ranks))[:, 1]
    found = learners.sigmoid(learners.logit(part, BLOCK))
    np.testing.assert_allclose(found, np.clip(expected, 1e-4, 1 - 1e-4), atol=1e-7)


def test_one_row_and_many_walk_to_the_same_bits_even_with_one_column() -> None:
    block = Block(BLOCK.numbers[:, :1], np.zeros((N, 0), dtype=np.int64))
    schema = Schema("y", "1", SCHEMA.columns[:1])
    part = trees.fit_trees(schema, block, Y, np.ones(N), trees.TreeSettings("boosted", 60, 3), seed=3)
    many = part.terms(block)[1]
    for row in range(0, N, 50):
        np.testing.assert_array_equal(part.terms(block.take(slice(row, row + 1)))[1], many[row : row + 1])


def test_trees_without_stamps_do_not_look_at_them() -> None:
    schema = Schema("y", "1", (Column("a", "number", stamp=True), *SCHEMA.columns[1:]))
    settings = trees.TreeSettings("boosted", 10, 2, stamps=False)
    part = trees.fit_trees(schema, BLOCK, Y, np.ones(N), settings, seed=3)
    assert (part.terms(BLOCK)[1][:, 0] == 0).all()


def test_the_same_rows_give_the_same_choice_and_the_same_bits() -> None:
    folds = learners.forward_folds(DATA)
    rivals = (learners.BASELINE, learners.Candidate("b", trees.TreeSettings("boosted", 10, 2)))
    with one_thread():
        first, second = (learners.choose(DATA, rivals, folds) for _ in range(2))
    np.testing.assert_array_equal(first.logits, second.logits)
    assert first.chosen == second.chosen


def test_forward_folds_never_train_on_later_rows() -> None:
    for train, test in learners.forward_folds(DATA):
        assert train.max() < test.min()


def test_a_table_sorted_by_its_label_falls_back_to_random_folds() -> None:
    by_label = DATA.take(np.argsort(Y, kind="stable"))
    for train, test in learners.forward_folds(by_label):
        assert 0 < by_label.y[train].sum() < len(train)
        assert 0 < by_label.y[test].sum() < len(test)


def test_a_stamp_is_a_column_that_tells_the_period() -> None:
    months = np.repeat(RNG.permutation(10), N // 10) + RNG.normal(0, 0.01, N)
    assert between_share(months) > 0.9
    assert between_share(RNG.normal(size=N)) < 0.3
    block = Block(np.column_stack([BLOCK.numbers[:, 0], months]), BLOCK.codes)
    stamped = with_stamps(Dataset(SCHEMA, block, Y, DATA.time))
    assert [c.stamp for c in stamped.schema.features] == [False, True, False]
    territory = survey(stamped.schema, block)
    probe = Block(np.array([[0.0, months[5]], [0.0, 30.0], [9.0, np.nan]]), np.zeros((3, 1), dtype=np.int64))
    assert territory.is_new(probe).tolist() == [False, True, False]


def test_a_line_finds_the_slope_and_offset_that_are_true() -> None:
    logits = RNG.normal(0, 2, 20_000)
    y = (RNG.random(20_000) < learners.sigmoid(0.5 * logits - 1)).astype(np.int8)
    line = fit_line(logits, y, np.ones(20_000))
    assert line.slope == pytest.approx(0.5, abs=0.03)
    assert line.offset == pytest.approx(-1, abs=0.05)
    assert calibration_error(y, learners.sigmoid(line.of(logits))) < 0.015


@pytest.mark.parametrize("y", [np.zeros(30, dtype=np.int8), np.ones(30, dtype=np.int8)])
def test_calibration_survives_one_class_and_constant_scores(y: np.ndarray) -> None:
    line = fit_line(np.zeros(30), y, np.ones(30))
    assert np.isfinite([line.slope, line.offset]).all()
    assert line.slope > 0
    assert np.isfinite(shift_to(np.zeros(30), y, np.ones(30)))


def test_bounds_widen_with_few_rows_and_with_times_that_wander() -> None:
    def width(rows: int, wander: float) -> float:
        logits = np.sort(RNG.normal(0, 1, rows))
        half = RNG.permutation(rows)
        truth = logits + np.where(half < rows / 2, wander, -wander)
        y = (RNG.random(rows) < learners.sigmoid(truth)).astype(np.int8)
        doubt = measure(logits, y, [np.flatnonzero(half < rows / 2), np.flatnonzero(half >= rows / 2)])
        low, high = doubt.around(np.array([0.0]))
        return float(high[0] - low[0])

    assert width(150, 0) > 2 * width(5_000, 0)
    assert width(5_000, 1.0) > 3 * width(5_000, 0)


def test_figures_agree_with_scikit_learn() -> None:
    p = np.round(learners.sigmoid(LOGIT), 2)
    found = report(Y, p, Team(), resamples=20).metrics
    assert found["auc"].value == pytest.approx(roc_auc_score(Y, p))
    assert found["average_precision"].value == pytest.approx(average_precision_score(Y, p))
    assert found["brier"].value == pytest.approx(brier_score_loss(Y, p))
    assert found["log_loss"].value == pytest.approx(log_loss(Y, p))
    assert all(f.low <= f.value <= f.high for name, f in found.items() if name != "calibration_error")


def test_profit_lies_between_chance_and_knowing_the_answer() -> None:
    for profit in report(Y, learners.sigmoid(LOGIT), Team(), resamples=5).profits:
        assert profit.random < profit.model.value < profit.oracle


def test_figures_survive_one_class() -> None:
    assert np.isnan(report(np.zeros(50, dtype=np.int8), np.full(50, 0.1), Team(), 5).metrics["auc"].value)


def test_tiers_follow_capacity_and_worth() -> None:
    p = np.linspace(0.0, 1.0, 1_001)
    cuts = cut(p, Team(capacity=0.2, value=100, cost=10))
    assert (cuts.hot, cuts.warm) == (0.8, 0.1)
    assert cut(p / 100, Team()).hot == 0.05  # nobody worth a call is hot only because others are worse
    assert cuts.tier(0.8) is Tier.HOT
    for team in ({"capacity": 0.0}, {"capacity": 1.5}, {"value": 0.0}, {"cost": -1.0}):
        with pytest.raises(BadInput):
            Team(**team)


def test_too_little_to_learn_from_is_one_sentence() -> None:
    with pytest.raises(BadTable, match="too few"):
        arrange(SCHEMA, BLOCK.take(slice(0, 40)), Y[:40], DATA.time[:40])


def test_time_order_from_a_name_a_date_or_year_and_month() -> None:
    year, month, day = Column("year", "number"), Column("month", "category"), Column("called_at", "date")
    assert columns_of([year, month], None) == ("year", "month")
    assert columns_of([year, day, Column("born", "date")], None) == ("called_at",)
    assert columns_of([year, day], "year") == ("year",)
    assert columns_of([Column("a", "number")], None) == ()
    with pytest.raises(BadTable, match="no column 'when'"):
        columns_of([year], "when")
    at = reader(("year", "month"))
    assert at(["2008", "nov"]) < at(["2008", "Dec"]) < at(["2009", "1"])


def test_names_in_reasons_cannot_become_formulas_or_break_lines() -> None:
    schema = Schema("y", "1", (Column("=cmd()\n", "number"), Column("c", "category", ("+1\t2",))))
    explain = explainer(schema, np.array([0.0]), np.array([1.0]))
    (said,) = explain.reasons(Block(np.array([[5.0]]), np.array([[1]])), np.array([[2.0, -1.0]]))
    assert said == ("cmd() is 5 (high): raises the chance", "c is 1 2: lowers the chance")
