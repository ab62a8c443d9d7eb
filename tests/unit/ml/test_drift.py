from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.columns import Column, Schema
from ml.drift import FEWEST, bins_of, kept, moved, shift, shifts
from ml.encode import Block

SCHEMA = Schema("y", "1", (Column("age", "number"), Column("city", "category", ("a", "b"))))
values = st.lists(st.one_of(st.floats(-1e9, 1e9), st.just(7.0), st.just(np.nan)), min_size=1, max_size=80)


def block(rng: np.random.Generator, n: int, *, age: float = 40.0, b: float = 0.5) -> Block:
    return Block(rng.normal(age, 10, (n, 1)), 1 + (rng.random((n, 1)) < b).astype(np.int64))


@given(values, values)
def test_every_row_falls_in_one_bin(reference: list[float], now: list[float]) -> None:
    assert bins_of(np.array(reference)).count(np.array(now)).sum() == len(now)


@given(values)
def test_a_column_has_not_moved_from_itself(rows: list[float]) -> None:
    found = shift("x", np.array(rows), np.array(rows))
    assert (found.psi, found.ks, found.chance) == (pytest.approx(0.0), 0.0, pytest.approx(1.0))


@given(values, values)
def test_the_index_is_finite_and_not_negative(reference: list[float], now: list[float]) -> None:
    found = shift("x", np.array(reference), np.array(now))
    assert 0 <= found.psi < np.inf
    assert 0 <= found.chance <= 1


@pytest.mark.parametrize("leaves_to", [8.0, 6.0, np.nan])
def test_a_column_that_sat_on_one_value_is_seen_to_leave_it(leaves_to: float) -> None:
    """Cut at quantiles, all edges are 7 and the index is 0 wherever the column goes."""
    sat = np.full(1_000, 7.0)
    assert shift("x", sat, sat).psi == pytest.approx(0)
    now = np.where(np.arange(1_000) < 500, 7.0, leaves_to)
    found = shift("x", sat, now)
    assert found.psi > 1
    assert found.alarm(columns=20)


def test_a_value_between_two_that_were_usual_is_seen() -> None:
    was = np.array([0.0, 10.0] * 500)
    found = shift("x", was, np.array([0.0, 10.0, 5.0, 5.0] * 250))
    assert found.alarm(columns=20)


def test_a_category_never_seen_is_seen() -> None:
    found = shift("x", np.array([1.0, 2.0] * 200), np.array([1.0, 2.0, 3.0, 3.0] * 100), category=True)
    assert found.alarm(columns=20)


def test_chance_raises_no_alarm_and_drift_names_its_column() -> None:
    rng = np.random.default_rng(1)
    reference = block(rng, 2_000)
    nights = [moved(shifts(SCHEMA, reference, block(rng, 120))) for _ in range(200)]
    assert sum(map(bool, nights)) <= 1  # at most one night in a thousand
    older = shifts(SCHEMA, reference, block(rng, 300, age=55))
    assert [s.name for s in moved(older)] == ["age"]
    elsewhere = shifts(SCHEMA, reference, block(rng, 300, b=0.9))
    assert [s.name for s in moved(elsewhere)] == ["city"]


def test_too_few_rows_say_nothing() -> None:
    rng = np.random.default_rng(2)
    assert shifts(SCHEMA, block(rng, 500), block(rng, FEWEST - 1, age=90)) == ()


def test_kept_promises_are_believed_and_broken_ones_are_proven() -> None:
    rng = np.random.default_rng(5)
    false = 0
    for _ in range(200):
        p = rng.beta(2, 8, 400)
        false += kept(p, (rng.random(400) < p).astype(np.int8), resamples=2).broken(0.05)
    assert false <= 10
    p = rng.beta(2, 8, 1_000)
    found = kept(p, (rng.random(1_000) < p + 0.15).astype(np.int8))
    assert found.broken()
    assert found.low <= found.error <= found.high
    assert found.seen - found.promised == pytest.approx(0.15, abs=0.05)


def test_promises_too_far_apart_are_proven_though_their_mean_is_right() -> None:
    rng = np.random.default_rng(6)
    p = np.where(rng.random(2_000) < 0.5, 0.05, 0.55)
    truth = np.where(p < 0.3, 0.25, 0.35)
    assert kept(p, (rng.random(2_000) < truth).astype(np.int8), resamples=2).broken()
