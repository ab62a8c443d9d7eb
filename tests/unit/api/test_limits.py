"""How often somebody may ask, counted in this process."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from app.api.v1.limits import MOST_BUCKETS, Alone, Bucket, Limits


class Clock:
    def __init__(self) -> None:
        self.now = 5000.0

    def __call__(self) -> float:
        return self.now


def test_T18_as_many_as_the_limit_and_then_evenly() -> None:
    clock = Clock()
    alone, bucket = Alone(clock), Bucket("a", 60)
    waits = [alone.take([bucket])[0] for _ in range(61)]
    assert max(waits[:60]) <= 0
    assert 0 < waits[60] <= 1_000_000
    clock.now += 1.0
    assert alone.take([bucket])[0] <= 0
    assert alone.take([bucket])[0] > 0


@given(st.lists(st.floats(0, 5), max_size=200), st.integers(1, 120))
def test_T18_never_more_than_the_limit_and_what_grew_back(gaps: list[float], limit: int) -> None:
    clock = Clock()
    alone, start, taken = Alone(clock), clock.now, 0
    for gap in gaps:
        clock.now += gap
        taken += alone.take([Bucket("a", limit)])[0] <= 0
        assert taken <= limit + (clock.now - start) * limit / 60 + 1


def test_T18_one_bucket_without_room_takes_from_none() -> None:
    alone = Alone(Clock())
    narrow, wide = Bucket("narrow", 1), Bucket("wide", 100)
    assert alone.take([narrow, wide])[0] <= 0
    assert alone.take([narrow, wide])[0] > 0
    assert alone.take([wide])[1] == [98]


def test_T18_the_buckets_of_one_process_do_not_grow_without_end() -> None:
    alone = Alone(Clock())
    for n in range(MOST_BUCKETS + 10):
        alone.take([Bucket(str(n), 60)])
    assert len(alone._full_at) == MOST_BUCKETS


def test_T18_while_redis_is_away_each_process_counts_alone() -> None:
    async def ask() -> list[float]:
        limits = Limits("redis://127.0.0.1:1/0")
        try:
            return [(await limits.take([Bucket("a", 2)])).wait_s for _ in range(3)]
        finally:
            await limits.close()

    waits = asyncio.run(ask())
    assert waits[:2] == [0, 0]
    assert waits[2] > 0
