"""The feed: each message written once, the slow told of a gap, nobody waited for, nothing done for nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from app.api.feed import AT_FIRST_S, TOGETHER_S, WAITING, Feed, Watcher
from app.exchange.virtual import run

HOME, ELSEWHERE = UUID(int=1), UUID(int=2)


def seen(watcher: Watcher) -> list[dict[str, Any]]:
    found = []
    while not watcher.news.empty():
        frame = watcher.news.get_nowait()
        assert frame is not None
        found += [json.loads(line) for line in frame.split("\n")]
    return found


def running(deed: Callable[[Feed], Any]) -> Any:
    async def main() -> Any:
        feed = Feed(clock=asyncio.get_running_loop().time)
        async with feed.running():
            return await deed(feed)

    return run(main())


def test_watchers_see_their_own_workspace_in_order() -> None:
    async def deed(feed: Feed) -> tuple[list[Any], list[Any]]:
        with feed.watching(HOME, 0) as mine, feed.watching(ELSEWHERE, 0) as theirs:
            for n in range(3):
                feed.tell(HOME, "said", {"n": n}, "CA1")
            await asyncio.sleep(1)
            return seen(mine), seen(theirs)

    mine, theirs = running(deed)
    assert [one["body"]["n"] for one in mine] == [0, 1, 2]
    assert [one["seq"] for one in mine] == sorted({one["seq"] for one in mine})
    assert theirs == []


def test_whoever_comes_back_gets_what_was_missed() -> None:
    async def deed(feed: Feed) -> list[Any]:
        with feed.watching(HOME, 0) as first:
            feed.tell(HOME, "said", {"n": 0})
            feed.tell(HOME, "said", {"n": 1})
            await asyncio.sleep(1)
            last = seen(first)[0]["seq"]
        feed.tell(HOME, "said", {"n": 2})
        await asyncio.sleep(1)
        with feed.watching(HOME, last) as again:
            return seen(again)

    assert [one["body"].get("n") for one in running(deed)] == [1, 2]


def test_who_was_away_for_too_long_is_told_of_a_gap() -> None:
    async def deed(feed: Feed) -> list[Any]:
        with feed.watching(HOME, 0):
            feed.tell(HOME, "said", {})
            await asyncio.sleep(1)
        with feed.watching(HOME, 1) as again:
            return seen(again)

    assert [one["kind"] for one in running(deed)] == ["gap"]


def test_who_is_too_slow_gets_a_gap_and_then_what_comes() -> None:
    async def deed(feed: Feed) -> list[Any]:
        with feed.watching(HOME, 0) as slow:
            for n in range(WAITING + 5):
                feed.tell(HOME, "said", {"n": n})
                await asyncio.sleep(1)
            return seen(slow)

    found = running(deed)
    assert found[0]["kind"] == "gap"
    assert [one["body"]["n"] for one in found[1:]] == list(range(WAITING, WAITING + 5))


def test_what_comes_close_together_is_one_frame_and_nothing_waits_for_more_to_come() -> None:
    async def deed(feed: Feed) -> list[int]:
        with feed.watching(HOME, 0) as watcher:
            for _ in range(3):
                feed.tell(HOME, "said", {})
            await asyncio.sleep(AT_FIRST_S * 2)
            at_once = watcher.news.qsize()
            for _ in range(3):  # while the first are on their way
                feed.tell(HOME, "said", {})
                await asyncio.sleep(TOGETHER_S / 4)
            await asyncio.sleep(1)
            frames = [watcher.news.get_nowait() or "" for _ in range(watcher.news.qsize())]
            return [at_once, *(len(frame.split("\n")) for frame in frames)]

    assert running(deed) == [1, 3, 3]


def test_what_other_processes_tell_is_handed_out_like_our_own() -> None:
    async def deed(feed: Feed) -> list[Any]:
        with feed.watching(HOME, 0) as watcher:
            feed._from_others(f'another {HOME} 7 {{"seq": 7, "kind": "said"}}')
            feed._from_others(f'another {ELSEWHERE} 8 {{"seq": 8, "kind": "said"}}')
            await asyncio.sleep(1)
            first = seen(watcher)
        with feed.watching(HOME, 7) as again:
            return [*first, *seen(again)]

    assert [one["seq"] for one in running(deed)] == [7]


def test_with_nobody_watching_nothing_is_wanted() -> None:
    async def deed(feed: Feed) -> tuple[bool, bool]:
        before = feed.wanted(HOME)
        with feed.watching(HOME, 0):
            return before, feed.wanted(HOME)

    assert running(deed) == (False, True)
