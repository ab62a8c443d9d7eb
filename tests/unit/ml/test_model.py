from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import BadTable
from app.sales.lead import Tier
from ml import candidates as learners
from ml.columns import Column, Schema
from ml.dataset import Dataset, arrange
from ml.encode import Block, Encoder
from ml.model import Model, model_from
from ml.pipeline import Plan, fit, prepare
from ml.tiers import Team

CELLS = st.one_of(
    st.sampled_from(["", "NA", "0", "3", "1e300", "-1e300", "inf", "nan", "pro", "gold", "12,5", "=1+1", "\x00"]),
    st.text(max_size=8),
)


def rows_matrix(seed: int, n: int) -> Block:
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(n, 2)) * 5
    numbers[rng.random((n, 2)) < 0.1] = np.nan
    return Block(numbers, rng.integers(0, 4, size=(n, 1)))


SCHEMA = Schema("y", "1", (Column("a", "number"), Column("b", "number"), Column("c", "category", ("u", "v"))))


@pytest.fixture(scope="module")
def full() -> Model:
    """Linear, boosted and forest parts together, on both sides of a stamp, as large tables get them."""
    rng = np.random.default_rng(5)
    n = 2_000
    block = rows_matrix(1, n)
    stamp = np.repeat(np.arange(8.0), n // 8)
    numbers = np.column_stack([block.numbers[:, 0], stamp])
    logit = np.nan_to_num(numbers[:, 0]) * 0.3 + (block.codes[:, 0] == 1) - 1.5 + 0.1 * stamp
    y = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(np.int8)
    data = prepare(arrange(SCHEMA, Block(numbers, block.codes), y, np.arange(n) / 1.0))
    trees = tuple(learners.Candidate(k, learners.TreeSettings(k, 12, 3, leaf=20)) for k in ("boosted", "forest"))
    assert [c.stamp for c in data.schema.features] == [False, False, False]  # sorted by it: not told from a sorted file
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learners, "forward_candidates", lambda _: (learners.BASELINE, *trees))
        patch.setattr(learners, "inside_candidates", lambda: trees)
        choose = learners.choose
        patch.setattr(learners, "choose", lambda data, rivals, folds, _=0.0: choose(data, rivals, folds, 2.0))
        patch.setattr(learners, "_clearly_worse", lambda *_: False)
        ordered = Dataset(
            Schema("y", "1", (SCHEMA.columns[0], Column("b", "number", stamp=True), SCHEMA.columns[2]), ("t",)),
            data.block, data.y, data.time,
        )  # fmt: skip
        return fit(ordered, Plan(Team())).model


def test_all_kinds_of_learners_take_part(full: Model) -> None:
    assert full.inside is not None
    assert len(full.forward.parts) == 3
    assert {p.kind for p in full.inside.parts if isinstance(p, learners.TreePart)} == {"boosted", "forest"}


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1_000), n=st.integers(1, 150), data=st.data())
def test_a_score_never_depends_on_the_other_rows_to_the_last_bit(full: Model, seed: int, n: int, data: Any) -> None:
    block = rows_matrix(seed, n)
    whole = full.predict(block)
    order = np.array(data.draw(st.permutations(range(n))))
    size = data.draw(st.integers(1, n))
    for rows in [order[i : i + size] for i in range(0, n, size)]:
        part = full.predict(block.take(rows))
        for name in ("probability", "lower", "upper", "moves"):
            np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[rows])


def test_moves_add_up_to_the_score(full: Model) -> None:
    block = rows_matrix(3, 40)
    found = full.predict(block)
    logit = np.log(found.probability / (1 - found.probability))
    for new in (True, False):
        rest = (logit - found.moves.sum(axis=1))[found.new == new]
        assert np.ptp(rest) < 1e-9
    assert 0 < found.new.sum() < 40


def test_bounds_contain_the_probability(full: Model) -> None:
    found = full.predict(rows_matrix(4, 500))
    assert (found.lower <= found.probability).all()
    assert (found.probability <= found.upper).all()
    assert ((found.lower >= 0) & (found.upper <= 1)).all()


def test_a_model_survives_as_arrays(full: Model) -> None:
    again = model_from(full.to_arrays(), full.schema, {}, "v")
    block = rows_matrix(6, 50)
    np.testing.assert_array_equal(again.predict(block).probability, full.predict(block).probability)


@settings(max_examples=200, deadline=None)
@given(visits=CELLS, plan=CELLS, age=CELLS)
def test_any_cell_gets_a_score(trained: Any, visits: str, plan: str, age: str) -> None:
    score = trained.model.score({"visits": visits, "plan": plan, "age": age, "extra": object()})
    assert 0 <= score.lower <= score.probability <= score.upper <= 1
    assert len(score.reasons) <= 3


def test_a_huge_number_counts_as_the_end_of_the_range(trained: Any) -> None:
    row = {"plan": "pro", "age": 40}
    huge, end = (trained.model.score({**row, "visits": visits}) for visits in (1e300, 1e9))
    assert replace(huge, reasons=()) == replace(end, reasons=())


def test_text_in_a_number_counts_as_not_known(trained: Any) -> None:
    row = {"plan": "pro", "age": 40}
    assert trained.model.score({**row, "visits": "many"}) == trained.model.score({**row, "visits": None})


def test_a_missing_name_is_one_sentence(trained: Any) -> None:
    with pytest.raises(BadTable, match="'visits'"):
        trained.model.score({"plan": "pro", "age": 40})


def test_a_better_probability_never_means_a_colder_tier(trained: Any) -> None:
    cuts = trained.model.model.cuts
    rank = {Tier.COLD: 0, Tier.WARM: 1, Tier.HOT: 2}
    tiers = [rank[cuts.tier(p)] for p in np.linspace(0, 1, 501)]
    assert tiers == sorted(tiers)
    assert {0, 1, 2} == set(tiers)


def test_probabilities_are_calibrated_on_the_simulated_truth(trained: Any, rows_of: Any, chance: Any) -> None:
    rows = rows_of(1_500, seed=99)
    truth = np.array([chance(float(r[2]), r[3]) for r in rows])
    found = np.array([trained.model.score({"visits": r[2], "plan": r[3], "age": r[4]}).probability for r in rows])
    assert np.abs(found - truth).mean() < 0.05
    for group in np.array_split(np.argsort(found), 5):
        assert abs(found[group].mean() - truth[group].mean()) < 0.05


def test_reasons_name_what_moved_the_score(trained: Any) -> None:
    high = trained.model.score({"visits": 7, "plan": "pro", "age": 40})
    assert high.reasons[0] == "visits is 7 (high): raises the chance"
    assert high.reasons[1] == "plan is pro: raises the chance"
    low = trained.model.score({"visits": 0, "plan": None, "age": 40})
    assert low.reasons[0] == "visits is 0 (low): lowers the chance"
    assert low.reasons[1] == "plan is not known: lowers the chance"


def test_encoder_counts_what_it_could_not_use(trained: Any) -> None:
    encoder = Encoder(trained.model.model.schema, ["plan", "visits", "age"])
    encoder.block([["gold", "many", "1"], ["gold", "2", "x"], ["", "", ""]])
    assert encoder.unusable == {"visits": 1, "age": 1}
    assert encoder.unseen == {"plan": 2}


def test_many_leads_are_scored_as_each_would_be_alone(trained: Any) -> None:
    rows = [{"visits": v, "plan": p, "age": a} for v in (0, 3) for p in ("pro", "", "gold") for a in ("30", None)]
    assert trained.model.score_many(rows) == [trained.model.score(row) for row in rows]
    assert trained.model.score_many([]) == []
