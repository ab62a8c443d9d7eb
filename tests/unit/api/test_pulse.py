"""A loop that stands still is noticed from beside it, with the line it stands at."""

from __future__ import annotations

import asyncio
import resource
import time

import pytest
from prometheus_client import REGISTRY

from app import observe
from app.api.pulse import BLOCKED_S, Pulse, allow_more_files, files_left
from app.api.room import Room


@pytest.mark.realtime
def test_F23_a_handler_that_blocks_the_loop_is_named_in_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    observe.configure("json")
    before = REGISTRY.get_sample_value("event_loop_blocked_total") or 0
    room = Room()

    def a_handler_that_blocks() -> None:
        time.sleep(BLOCKED_S * 2)

    async def main() -> None:
        async with Pulse(room, lambda: 0).beating():
            await asyncio.sleep(0)
            a_handler_that_blocks()
            await asyncio.sleep(0.1)

    asyncio.run(main())
    assert REGISTRY.get_sample_value("event_loop_blocked_total") == before + 1
    assert "a_handler_that_blocks" in capfd.readouterr().err
    assert room.lag_ms > BLOCKED_S * 1000


def test_F26_descriptors_that_are_left_are_counted() -> None:
    before = files_left()
    with open(__file__):
        assert files_left() in (before - 1, 1_000_000)


def test_F26_all_descriptors_the_system_grants_are_asked_for() -> None:
    few, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(few, 512), most))
        allow_more_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, most)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, most))
