"""A model's words: one by one while somebody waits for them, in gulps while a sentence is being said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from app.errors import ProviderDown
from app.exchange.virtual import run
from app.providers.language_model import GULP_S, Piece, Words, in_gulps

EVERY_S = 0.01


async def flowing(count: int, *, fails: bool = False) -> AsyncGenerator[Piece, None]:
    """A word every 10 ms, whether or not anybody reads."""
    waiting: asyncio.Queue[Piece | None] = asyncio.Queue()

    async def write() -> None:
        for number in range(count):
            await asyncio.sleep(EVERY_S)
            waiting.put_nowait(Words(str(number)))
        waiting.put_nowait(None)

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        while (piece := await waiting.get()) is not None:
            yield piece
    if fails:
        raise ProviderDown("gone")


def read(count: int, hurried: int) -> list[tuple[str, float]]:
    """Each word, and how many seconds after it was written it was read; the first `hurried` are waited for."""

    async def main() -> list[tuple[str, float]]:
        found: list[tuple[str, float]] = []
        began = asyncio.get_running_loop().time()
        async for piece in in_gulps(flowing(count), lambda: len(found) >= hurried):
            assert isinstance(piece, Words)
            late_s = asyncio.get_running_loop().time() - began - EVERY_S * (len(found) + 1)
            found.append((piece.text, late_s))
        return found

    return run(main())


def test_every_word_comes_in_order_and_the_first_at_once() -> None:
    found = read(60, hurried=10)
    assert [word for word, _ in found] == [str(number) for number in range(60)]
    assert max(late_s for _, late_s in found[:10]) < 0.001
    assert max(late_s for _, late_s in found) <= GULP_S + 0.001


def test_unhurried_words_come_together() -> None:
    times = [late_s + EVERY_S * place for place, (_, late_s) in enumerate(read(60, hurried=10))]
    assert len({round(at_s, 3) for at_s in times[10:]}) < 25


def test_what_goes_wrong_is_raised_after_the_words_that_came() -> None:
    async def main() -> list[Piece]:
        found = []
        try:
            async for piece in in_gulps(flowing(3, fails=True), lambda: True):
                found.append(piece)  # noqa: PERF401 - what came before the error counts
        except ProviderDown:
            return found
        raise AssertionError("nobody was told")

    assert len(run(main())) == 3
