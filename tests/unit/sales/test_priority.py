from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInput
from app.sales.lead import Tier
from app.sales.misses import misses
from app.sales.priority import WEEK, Lines, Means, draw, enough

SCORES = st.lists(st.integers(0, 1_000_000).map(lambda n: n / 1e6) | st.sampled_from([0.1, 0.2, 0.5]), max_size=80)
MEANS = st.builds(Means, st.integers(1, 12), st.sampled_from([0.0, 20.0, 1000.0]), st.sampled_from([0.0, 5.0, 50.0]))


def tiers(scores: list[float], lines: Lines) -> list[Tier]:
    return [lines.tier(score) for score in scores]


@given(SCORES, MEANS, st.sampled_from([0.0, 0.05, 0.3]))
def test_hot_fits_in_a_day_pays_and_is_no_worse_than_the_average(
    scores: list[float], means: Means, usual: float
) -> None:
    best = sorted(scores, reverse=True)
    lines = draw(best[: enough(means)], means, usual)
    hot = [score for score in best if lines.tier(score) is Tier.HOT]
    assert len(hot) <= means.capacity
    assert all(score >= means.break_even - 1e-6 and score >= usual - 1e-6 for score in hot)
    assert lines.warm <= lines.hot
    assert draw(best, means, usual) == lines  # more of them change nothing


@given(SCORES, MEANS)
def test_no_lead_that_would_fit_is_left_out(scores: list[float], means: Means) -> None:
    """Whoever is not hot is below a line that money draws, or has no place without parting equals."""
    best = sorted(scores, reverse=True)
    lines = draw(best, means, 0.0)
    waiting = [score for score in best if lines.tier(score) is not Tier.HOT and score > means.break_even + 1e-6]
    if waiting:
        assert sum(score >= waiting[0] for score in best) > means.capacity


def test_warm_is_what_the_team_gets_to_within_a_week() -> None:
    best = [1 - n / 100 for n in range(100)]
    found = tiers(best, draw(best, Means(4, 1000, 5), usual=0.0))
    assert found.count(Tier.HOT) == 4
    assert found.count(Tier.HOT) + found.count(Tier.WARM) == WEEK * 4


def test_a_lead_that_does_not_pay_is_cold_and_a_sale_worth_more_makes_it_warm() -> None:
    best = [0.6, 0.3, 0.04]
    assert tiers(best, draw(best, Means(1, 100, 5), 0.2)) == [Tier.HOT, Tier.WARM, Tier.COLD]
    assert tiers(best, draw(best, Means(1, 1000, 5), 0.2)) == [Tier.HOT, Tier.WARM, Tier.WARM]


def test_time_for_all_does_not_make_everybody_hot() -> None:
    assert tiers([0.6, 0.1], draw([0.6, 0.1], Means(40, 1000, 5), usual=0.2)) == [Tier.HOT, Tier.WARM]


def test_leads_with_the_same_score_wait_together() -> None:
    best = [0.9] + [0.5] * 10
    assert tiers(best, draw(best, Means(3, 1000, 5), 0.2)).count(Tier.HOT) == 1


def test_where_nobody_has_said_what_a_sale_is_worth_the_capacity_alone_cuts() -> None:
    best = [n / 100 for n in range(100, 0, -1)]
    assert tiers(best, draw(best, Means(2, 0, 5), 0.2)).count(Tier.COLD) == 90


@pytest.mark.parametrize("wrong", [(0, 1.0, 1.0), (1, -1.0, 1.0), (1, 1.0, -1.0)])
def test_means_that_make_no_sense_are_refused(wrong: tuple[int, float, float]) -> None:
    with pytest.raises(BadInput):
        Means(*wrong)


def test_what_a_cut_misses_is_told_by_buyers_it_was_not_made_from() -> None:
    found = misses([0.05] * 2 + [0.4] * 98, 0.1)
    assert (found.buyers, found.missed) == (100, 2)
    assert found.rate < found.at_most < 0.062  # scipy.stats.beta.ppf(0.95, 3, 98) = 0.06160
