"""What is done now and then, on the virtual clock."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from app.exchange.virtual import run
from app.rounds import next_round, round_after


@given(now=st.floats(0, 1e6), period_s=st.sampled_from([0.1, 0.25, 0.5, 1.0, 2.0]))
def test_the_next_round_is_a_multiple_of_the_period_and_not_just_now(now: float, period_s: float) -> None:
    due = round_after(now, period_s)
    assert 0.099 * period_s <= due - now <= 1.101 * period_s
    assert abs(due / period_s - round(due / period_s)) < 1e-6


def test_who_comes_at_different_times_wakes_together() -> None:
    async def main() -> set[float]:
        clock = asyncio.get_running_loop().time

        async def now_and_then(after_s: float, period_s: float) -> list[float]:
            await asyncio.sleep(after_s)
            woken = []
            for _ in range(4):
                due = await next_round(period_s)
                woken.append(clock())
                assert abs(woken[-1] - due) < 0.002
            return woken

        lists = await asyncio.gather(now_and_then(0.03, 0.25), now_and_then(0.11, 0.5), now_and_then(0.2, 0.25))
        return {round(at % 0.25, 3) % 0.25 for woken in lists for at in woken}

    assert run(main()) == {0.0}
