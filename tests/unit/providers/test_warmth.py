"""Connections that wait for calls: how many, how long, and who gets them."""

import asyncio

import pytest

from app.errors import ProviderDown
from app.exchange.virtual import run
from app.ports import Expectation
from app.providers.scripted import ScriptedSpeechToText
from app.providers.warmth import LIMIT_S, ExpectedSpeechToText, Warmth


class Line(ScriptedSpeechToText):
    """A connection that stands until it is closed, or breaks after `lasts_s`."""

    def __init__(self, lasts_s: float | None = None) -> None:
        super().__init__("hello")
        self.lasts_s, self.open = lasts_s, False

    async def wait(self) -> None:
        self.open = True
        try:
            if self.lasts_s is None:
                await asyncio.Event().wait()
            await asyncio.sleep(self.lasts_s)
            raise ProviderDown("it broke")
        finally:
            self.open = False


class Connecting(ScriptedSpeechToText):
    """Deepgram, as far as the waiting goes."""

    def __init__(self, lasts_s: float | None = None) -> None:
        super().__init__()
        self.lasts_s, self.lines = lasts_s, []

    def early(self) -> Line:
        self.lines.append(Line(self.lasts_s))
        return self.lines[-1]

    @property
    def open(self) -> list[bool]:
        return [line.open for line in self.lines]


async def soon() -> None:
    await asyncio.sleep(0.01)


def test_a_call_takes_what_was_opened_for_it_and_only_once():
    async def main():
        stt = Connecting()
        async with Warmth() as warmth:
            warmth.expect("CA1", stt)
            await soon()
            assert stt.open == [True]
            assert warmth.take("CA2", stt) is stt
            assert warmth.take("CA1", ScriptedSpeechToText()) is not stt.lines[0]
            assert warmth.take("CA1", stt) is stt.lines[0]
            assert warmth.take("CA1", stt) is stt
            await asyncio.sleep(10 * LIMIT_S)
            assert stt.open == [True]  # a call lasts as long as it lasts

    run(main())


@pytest.mark.parametrize("again", [False, True])
def test_without_a_call_it_is_closed_after_the_limit(again):
    async def main():
        stt = Connecting()
        async with Warmth() as warmth:
            warmth.expect("CA1", stt)
            await asyncio.sleep(LIMIT_S - 1)
            assert stt.open == [True]
            if again:
                warmth.expect("CA1", stt)
            await asyncio.sleep(2)
            assert stt.open == [again]
            await asyncio.sleep(LIMIT_S)
            assert stt.open == [False]
            assert warmth.waiting == ()
            assert warmth.take("CA1", stt) is stt

    run(main())


def test_a_call_that_does_not_come_and_a_process_that_leaves_close_it_at_once():
    async def main():
        stt = Connecting()
        async with Warmth() as warmth:
            for call in ("CA1", "CA2", "CA3"):
                warmth.expect(call, stt)
            await soon()
            warmth.give_up("CA2")
            warmth.give_up("CA2")
            await soon()
            assert stt.open == [True, False, True]
            warmth.take("CA3", stt)
        assert stt.open == [False, False, False]

    run(main())


def test_no_more_wait_than_may():
    async def main():
        stt = Connecting()
        async with Warmth(most=2) as warmth:
            for call in ("CA1", "CA2", "CA3"):
                warmth.expect(call, stt)
            assert warmth.waiting == ("CA1", "CA2")
            warmth.take("CA1", stt)
            warmth.expect("CA4", stt)
            assert warmth.waiting == ("CA2", "CA4")

    run(main())


def test_one_that_breaks_meanwhile_is_forgotten():
    async def main():
        stt = Connecting(lasts_s=5)
        async with Warmth() as warmth:
            warmth.expect("CA1", stt)
            await asyncio.sleep(6)
            assert warmth.waiting == ()
            assert warmth.take("CA1", stt) is stt

    run(main())


def test_a_recogniser_without_connections_is_left_alone():
    async def main():
        async with Warmth() as warmth:
            warmth.expect("CA1", ScriptedSpeechToText())
            assert warmth.waiting == ()

    run(main())


def test_only_the_first_listening_is_done_with_it():
    async def main():
        own, early = ScriptedSpeechToText("own"), Line()
        given = [early, own]
        ears = ExpectedSpeechToText(own, lambda stt: given.pop(0))
        listened = [type(ears.listen(None, Expectation)), given]
        assert ears.name == own.name
        return listened

    _, left = run(main())
    assert len(left) == 1
