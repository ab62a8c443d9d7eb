from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ml import gate
from ml.dataset import Dataset, Wishes
from ml.default import simulated
from ml.drill import run
from ml.encode import Block
from ml.life import QUICK, data_hash
from ml.model import Model
from ml.pipeline import fit
from ml.simulate import leads


@pytest.fixture(scope="module")
def reference() -> Dataset:
    return simulated(leads(3_000))


@pytest.fixture(scope="module")
def champion(reference: Dataset) -> Model:
    return fit(reference, QUICK).model


def batch(seed: int) -> Dataset:
    return simulated(leads(2_000, seed=seed))


def flipped(clean: Dataset, share: float) -> Dataset:
    turned = np.random.default_rng(1).random(len(clean)) < share
    return replace(clean, y=np.where(turned, 1 - clean.y, clean.y).astype(np.int8))


@pytest.mark.parametrize("seed", [101, 102, 103])
def test_T34_a_batch_with_5_percent_of_its_labels_flipped_is_refused(
    seed: int, reference: Dataset, champion: Model
) -> None:
    clean = batch(seed)
    assert gate.look_at(clean, reference, champion).passed
    answer = gate.look_at(flipped(clean, 0.05), reference, champion)
    assert not answer.passed
    assert "turned over" in answer.why


def test_T34_a_batch_with_extreme_values_is_refused_and_a_single_one_is_capped(
    reference: Dataset, champion: Model
) -> None:
    clean = batch(101)
    for rows, passes in ((2, True), (100, False)):
        numbers = clean.block.numbers.copy()
        numbers[:rows, 0] = 1e9
        poisoned = replace(clean, block=Block(numbers, clean.block.codes))
        assert gate.look_at(poisoned, reference, champion).passed is passes
        assert gate.capped(poisoned.block, reference.block).numbers.max() < 1e6


def test_T34_a_candidate_that_learned_from_turned_labels_fails_on_the_frozen_rows(
    reference: Dataset, champion: Model
) -> None:
    frozen = batch(104)
    candidate = fit(flipped(reference, 0.2), QUICK).model
    p, q = (m.predict(frozen.block).probability for m in (champion, candidate))
    assert not gate.try_on(frozen.y, p, q).passed
    assert gate.try_on(frozen.y, p, p).passed


def test_the_same_rows_have_the_same_hash_and_a_turned_label_another() -> None:
    clean = batch(105)
    assert data_hash(clean) == data_hash(batch(105))
    assert data_hash(clean) != data_hash(flipped(clean, 0.01))


def test_the_drill_sees_the_turn_promotes_the_challenger_and_rolls_back(tmp_path: Path) -> None:
    """From row 3,000 on `a` is elsewhere and means the opposite."""
    rng = np.random.default_rng(4)
    lines = ["a,b,y"]
    for i in range(5_000):
        late = i >= 3_000
        a, b = rng.normal(3 if late else 0, 1), rng.normal()
        chance = 1 / (1 + np.exp(-(1.5 * (3 - a) if late else 1.5 * a)))
        lines.append(f"{a:.4f},{b:.4f},{int(rng.random() < chance)}")
    table = tmp_path / "calls.csv"
    table.write_text("\n".join(lines))
    said: list[str] = []
    ended = run(table, Wishes("y"), said.append)
    assert "a" in ended.alarms
    assert "b" not in ended.alarms
    assert ended.promoted is not None
    assert ended.rolled_back_to not in {None, ended.promoted}
    assert any("promises are not kept" in line for line in said)
