from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInput
from ml.sequential import Duel, Verdict, share_of_alpha

chances = st.floats(0.0, 1.0)
outcomes = st.lists(st.tuples(chances, chances, st.booleans()), max_size=60)


def promoted(rng: np.random.Generator, n: int, *, noise_a: float, noise_b: float, alpha: float = 0.05) -> Duel:
    """Both see the truth through their own noise in log-odds; where the noise is alike, neither is better."""
    truth = rng.normal(-2, 1, n)
    a, b = truth + rng.normal(0, noise_a, n), truth + rng.normal(0, noise_b, n)
    y = rng.random(n) < 1 / (1 + np.exp(-truth))
    duel = Duel(alpha)
    for p, q, converted in zip(1 / (1 + np.exp(-a)), 1 / (1 + np.exp(-b)), y, strict=True):
        duel = duel.after(float(p), float(q), bool(converted))
        if duel.verdict is not Verdict.OPEN:
            return duel
    return duel


def test_a_challenger_that_is_no_better_is_promoted_no_more_often_than_alpha() -> None:
    """Looked at after every single outcome. 300 duels at 5 %: 15 are expected at most, 25 would be a 1-in-200 fluke."""
    rng = np.random.default_rng(11)
    found = [promoted(rng, 400, noise_a=0.6, noise_b=0.6).verdict for _ in range(300)]
    assert found.count(Verdict.BETTER) <= 15
    assert found.count(Verdict.WORSE) <= 15


def test_a_better_challenger_wins_and_a_worse_one_is_sent_home() -> None:
    rng = np.random.default_rng(3)
    better = [promoted(rng, 3_000, noise_a=1.2, noise_b=0.1) for _ in range(10)]
    assert [duel.verdict for duel in better] == [Verdict.BETTER] * 10
    worse = [promoted(rng, 3_000, noise_a=0.1, noise_b=1.2) for _ in range(10)]
    assert [duel.verdict for duel in worse] == [Verdict.WORSE] * 10


@given(outcomes)
def test_the_bets_are_fair(pairs: list[tuple[float, float, bool]]) -> None:
    """Where the champion's and the challenger's loss are equal on average, no stake gains: checked by exact mean."""
    duel = Duel().through(pairs)
    for champion, challenger in ((0.2, 0.5), (0.01, 0.99), (0.0, 1.0)):
        yes, no = (duel.after(champion, challenger, converted) for converted in (True, False))
        saved_yes, saved_no = yes.saved - duel.saved, no.saved - duel.saved
        chance = -saved_no / (saved_yes - saved_no)  # of converting, at which both lose alike
        for before, if_yes, if_no in (
            *zip(duel.gains, yes.gains, no.gains, strict=True),
            *zip(duel.losses, yes.losses, no.losses, strict=True),
        ):
            mean = chance * math.exp(if_yes - before) + (1 - chance) * math.exp(if_no - before)
            assert mean == pytest.approx(1.0, abs=1e-7)


@given(outcomes)
def test_a_duel_is_the_same_mirrored(pairs: list[tuple[float, float, bool]]) -> None:
    there = Duel().through(pairs)
    back = Duel().through([(challenger, champion, y) for champion, challenger, y in pairs])
    assert there.gains == pytest.approx(back.losses, abs=1e-9)
    assert there.saved == pytest.approx(-back.saved, abs=1e-9)


@given(outcomes, outcomes)
def test_it_may_be_read_in_parts_and_what_is_proven_stays_proven(
    first: list[tuple[float, float, bool]], second: list[tuple[float, float, bool]]
) -> None:
    early = Duel().through(first)
    late = early.through(second)
    assert late == Duel().through([*first, *second])
    assert late.best >= early.best
    assert all(math.isfinite(w) for w in (*late.gains, *late.losses))


@given(st.lists(st.tuples(chances, st.booleans()), max_size=40))
def test_the_same_model_twice_proves_nothing(pairs: list[tuple[float, bool]]) -> None:
    duel = Duel().through([(p, p, y) for p, y in pairs])
    assert (duel.verdict, duel.evidence) == (Verdict.OPEN, 1.0)


def test_all_challengers_of_a_champion_together_err_no_more_than_alpha() -> None:
    shares = [share_of_alpha(0.05, n) for n in range(1, 2_000)]
    assert sum(shares) < 0.05
    assert all(a > b for a, b in pairwise(shares))


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, math.nan])
def test_an_error_rate_that_is_none_is_refused(alpha: float) -> None:
    with pytest.raises(BadInput):
        Duel(alpha)
    with pytest.raises(BadInput):
        share_of_alpha(0.05, 0)
