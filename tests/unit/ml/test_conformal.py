from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.conformal import Misses, binomial_limit, cut_for, misses
from ml.tiers import Cuts, Team, cut, tiers_of

SCORES = st.lists(st.integers(0, 40).map(lambda n: n / 40), min_size=2, max_size=60)  # with many ties
SHARES = st.sampled_from([0.01, 0.05, 0.1, 0.2, 0.5])


@given(SCORES, SHARES)
def test_whichever_buyer_comes_last_the_promise_holds(scores: list[float], at_most: float) -> None:
    """The whole of the theorem: leave each out in turn, and no more than that share lies below the others' cut."""
    all_of_them = np.array(scores)
    missed = sum(
        scores[last] < cut_for(np.delete(all_of_them, last), at_most)  # of all but the last
        for last in range(len(scores))
    )
    assert missed <= at_most * len(scores) + 1e-9


def test_the_cut_gives_away_as_much_as_was_allowed() -> None:
    """Never to call anybody cold would keep every promise."""
    buyers = np.random.default_rng(1).random(1999)
    assert (buyers < cut_for(buyers, 0.05)).mean() == pytest.approx(0.05, abs=0.001)


def test_too_few_buyers_for_a_promise_and_nobody_is_cold() -> None:
    assert cut_for(np.array([0.5] * 18), 0.05) == 0.0
    assert cut_for(np.array([0.5] * 19), 0.05) == 0.5
    assert cut_for(np.array([]), 0.05) == 0.0


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_score_at_the_cut_is_above_it_however_both_are_rounded(score: float, other: float) -> None:
    found = cut_for(np.array([score] * 19), 0.05)
    assert round(score, 6) >= found


@pytest.mark.parametrize(
    ("hits", "trials", "limit"),
    [(0, 10, 0.25887), (1, 10, 0.39416), (5, 50, 0.19883), (0, 0, 1.0), (3, 3, 1.0), (0, 59, 0.04951)],
)
def test_the_exact_binomial_limit(hits: int, trials: int, limit: float) -> None:
    """Against scipy.stats.beta.ppf(0.95, hits + 1, trials - hits)."""
    assert binomial_limit(hits, trials) == pytest.approx(limit, abs=1e-5)


def test_the_limit_of_many_trials_is_a_number() -> None:
    assert 0.1 < binomial_limit(5_000, 50_000) < 0.1025


@pytest.mark.parametrize("truth", [0.02, 0.1, 0.3])
def test_the_limit_is_broken_no_more_often_than_was_said(truth: float) -> None:
    """2,000 held-out samples of buyers, drawn from a model of which a share `truth` lies below the cut."""
    rng = np.random.default_rng(11)
    samples = rng.random((2_000, 120))
    broken = sum(misses(buyers, truth).at_most < truth for buyers in samples)
    assert broken / len(samples) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / len(samples))


@pytest.mark.parametrize("skew", [0.3, 1.0, 4.0])
def test_on_simulated_leads_the_next_buyers_are_missed_no_more_often_than_promised(skew: float) -> None:
    rng = np.random.default_rng(5)
    shares = []
    for _ in range(400):
        found = cut_for(rng.random(80) ** skew, 0.1)
        shares.append(found ** (1 / skew))  # the share of all buyers below it, known exactly
    assert np.mean(shares) <= 0.1 + 3 * np.std(shares) / math.sqrt(len(shares))
    assert np.mean(shares) > 0.08


def test_a_team_that_may_miss_few_gets_a_lower_cut() -> None:
    rng = np.random.default_rng(2)
    p = rng.random(4_000) ** 3
    y = (rng.random(4_000) < p).astype(np.int8)
    usual = cut(p, Team(value=100, cost=20))
    careful = cut(p, Team(value=100, cost=20, most_missed=0.02), buyers=p[y == 1])
    assert usual.warm == 0.2
    assert careful.warm < usual.warm
    assert (p[y == 1] < careful.warm).mean() <= 0.02
    assert cut(p, Team(value=100, cost=20, most_missed=0.9), buyers=p[y == 1]) == usual


def test_what_became_of_each_tier() -> None:
    y = np.array([1, 0, 1, 0, 0, 1], dtype=np.int8)
    p = np.array([0.9, 0.8, 0.5, 0.4, 0.1, 0.1])
    hot, warm, cold = tiers_of(y, p, Cuts(0.8, 0.4))
    assert (hot.tier, hot.rows, hot.buyers) == ("hot", 2, 1)
    assert (warm.rows, warm.buyers) == (2, 1)
    assert (cold.rows, cold.buyers) == (2, 1)


def test_no_buyers_no_promise() -> None:
    assert misses(np.array([]), 0.5) == Misses(0, 0, 1.0)
