"""How long the machine kept a process waiting is told apart from how much it had to do."""

from __future__ import annotations

import asyncio
import os

from app.chaos.waits import Waits, waited_ms, waits


def test_the_longest_wait_and_their_sum_are_of_the_time_looked_at() -> None:
    found = Waits()
    for count in (5000.0, 5010.0, 5390.0, None, 9000.0, 9001.0):
        found.saw(count)
    assert (found.total_ms, found.most_ms) == (391.0, 380.0)


def test_what_this_process_used_is_counted_and_no_process_is_none() -> None:
    async def busy() -> Waits:
        async with waits(os.getpid()) as found:
            began = os.times().user
            while os.times().user - began < 0.05:
                sum(range(1000))
        return found

    found = asyncio.run(busy())
    assert found.cpu_s >= 0.04
    assert found.most_ms <= found.total_ms
    assert waited_ms(2**30) is None
