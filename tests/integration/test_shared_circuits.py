"""What one process learns of a provider, the others learn through Valkey; without one each goes by what it sees."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from app.errors import ProviderDown
from app.providers.breaker import Rules
from app.providers.circuits import Circuit, FuseBox, Service
from app.providers.shared_circuits import ANSWER_S, KEY, SharedCircuits, open_now

OPENAI = Service("llm", "openai")
LIMITED = ProviderDown("HTTP 429", provider_code=429)


@pytest.fixture
def url(valkey_url: str) -> Iterator[str]:
    import redis

    with redis.Redis.from_url(valkey_url) as valkey:
        valkey.flushdb()
        yield valkey_url


def now() -> float:
    return asyncio.get_running_loop().time()


def opened() -> FuseBox:
    box = FuseBox(Rules())
    box.circuits("llm", "a").failed("openai", LIMITED, now())
    return box


def admits(box: FuseBox, tenant: str = "a") -> bool:
    return box.circuits("llm", tenant).admits("openai", now())


def test_somebody_who_only_looks_sees_what_is_open_and_nothing_that_is_too_old(url: str) -> None:
    import redis

    async def main() -> None:
        assert await SharedCircuits(url).exchange(opened())

    asyncio.run(main())
    with redis.Redis.from_url(url) as valkey:
        valkey.zadd(KEY, {"tts|forgotten|": 1})
    assert open_now(url) == (Circuit("llm", "openai", "a"),)
    assert open_now("redis://127.0.0.1:1/0") == ()


def test_what_one_process_opens_is_open_for_the_same_business_in_all(url: str) -> None:
    async def main() -> None:
        here, there = opened(), FuseBox()
        mine, theirs = SharedCircuits(url), SharedCircuits(url)
        assert await mine.exchange(here)
        assert await theirs.exchange(there)
        assert not admits(there)
        assert admits(there, "b")

    asyncio.run(main())


def test_whoever_finds_it_well_closes_it_for_all(url: str) -> None:
    async def main() -> None:
        here, there = opened(), opened()
        mine, theirs = SharedCircuits(url), SharedCircuits(url)
        await mine.exchange(here)
        await theirs.exchange(there)
        there.probe_worked(OPENAI, now())
        await theirs.exchange(there)
        assert not admits(here), "it has not heard of it yet"
        await mine.exchange(here)
        assert admits(here)
        await theirs.exchange(there)
        assert admits(there), "and it does not come back"

    asyncio.run(main())


def test_what_is_kept_is_small_and_forgets_itself(url: str) -> None:
    import redis

    async def main() -> None:
        await SharedCircuits(url).exchange(opened())

    asyncio.run(main())
    with redis.Redis.from_url(url) as valkey:
        assert valkey.zrange(KEY, 0, -1) == [b"llm|openai|a"]
        assert 0 < valkey.pttl(KEY) <= 20_000  # type: ignore[operator]


def test_one_process_in_a_while_probes(url: str) -> None:
    async def main() -> None:
        one, other = SharedCircuits(url), SharedCircuits(url)
        assert [await each.may_probe(OPENAI, 4.0) for each in (one, other, one)] == [True, False, False]

    asyncio.run(main())


def test_F03_without_redis_a_process_goes_by_what_it_sees() -> None:
    async def main() -> None:
        box = opened()
        shared = SharedCircuits("redis://127.0.0.1:1/0")
        assert not await shared.exchange(box)
        assert not admits(box)
        assert await shared.may_probe(OPENAI, 4.0)

    asyncio.run(main())


def test_F04_a_redis_that_accepts_and_never_answers_is_not_waited_for() -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as frozen:
            box = opened()
            box.told_of({Circuit("llm", "openai", "b"): now() + 60})
            shared = SharedCircuits(f"redis://127.0.0.1:{frozen.getsockname()[1]}/0")
            async with asyncio.timeout(20 * ANSWER_S):  # far more than it may take
                assert not await shared.exchange(box)
                assert await shared.may_probe(OPENAI, 4.0)
            assert not admits(box)
            assert not admits(box, "b"), "what was known before still holds"

    asyncio.run(main())
