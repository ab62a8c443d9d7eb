"""Speech to text: order, timing and honesty with a recogniser that answers when told; then with the real one."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest

from app.dialog.events import Heard, VoiceOff, VoiceOn
from app.errors import ProviderDown
from app.exchange import voices
from app.exchange.virtual import run
from app.ports import AudioChunk, CallerSound, Expectation
from app.providers.offline.language import Language
from app.providers.offline.recogniser import Order, Recognised, confidence_of, doubled
from app.providers.offline.stt import AFTER_MS, BEFORE_MS, OfflineSpeechToText
from app.providers.offline.vad import SileroModel, SileroVoiceActivity
from app.providers.offline.workers import InlineRecogniser, recognising
from app.telephony import mulaw

MENU = Expectation("menu", "choice", ("sales", "support", "i would like a quote"), 1)
HOME = Expectation("ask:owns_home", "yes_no", ("i own it", "i own my home", "i rent"), 1)
ANY_TIME = ("take me off your list", "stop calling me", "how much does it cost", "are you a robot", "goodbye")


class Answers:
    """Says what it was told to, once `release` is called for it."""

    def __init__(self, *found: Recognised) -> None:
        self._found = list(found)
        self.asked: list[tuple[bytes, Language]] = []
        self.waiting: list[asyncio.Future[Recognised]] = []

    def begin(self, sound: bytes, language: Language) -> asyncio.Future[Recognised]:
        self.asked.append((sound, language))
        self.waiting.append(asyncio.get_running_loop().create_future())
        return self.waiting[-1]

    def release(self, number: int) -> None:
        self.waiting[number].set_result(self._found[number])


def chunk(at_ms: int) -> AudioChunk:
    return AudioChunk(bytes([at_ms // 20 % 256]) * 160, at_ms)


def listen(recogniser: Answers, script: Sequence[CallerSound | int]) -> list[tuple[Heard, int]]:
    """Every Heard with how much of the script had been played; a number in it releases that answer."""

    async def main() -> list[tuple[Heard, int]]:
        played = 0

        async def sound() -> AsyncIterator[CallerSound]:
            nonlocal played
            for step in script:
                played += 1
                if isinstance(step, int):
                    recogniser.release(step)
                else:
                    yield step

        stt = OfflineSpeechToText(lambda _: ANY_TIME, recogniser)
        return [(heard, played) async for heard in stt.listen(sound(), lambda: MENU)]

    return run(main())


def test_a_stretch_becomes_one_final_heard_as_soon_as_the_answer_is_there() -> None:
    recogniser = Answers(Recognised("sales", 0.9))
    before = [chunk(at) for at in range(0, 1000, 20)]
    script = [*before, VoiceOn(900), VoiceOff(960), chunk(1000), 0, chunk(1020), chunk(1040)]
    ((heard, played),) = listen(recogniser, script)
    assert heard == Heard("sales", True, 0.9, 900, 960, "offline")
    assert played == len(before) + 5  # with the next 20 ms of sound, not at the end
    assert len(recogniser.asked[0][0]) == (60 + BEFORE_MS + min(AFTER_MS, 40)) * 8


def test_answers_come_in_the_order_things_were_said() -> None:
    recogniser = Answers(Recognised("sales", 0.9), Recognised("goodbye", 0.9))
    said = [chunk(0), VoiceOn(0), chunk(20), VoiceOff(20), VoiceOn(30), chunk(40), VoiceOff(40)]
    found = listen(recogniser, [*said, 1, chunk(60), 0, chunk(80)])
    assert [heard.text for heard, _ in found] == ["sales", "goodbye"]
    assert [played for _, played in found] == [11, 11]


def test_an_answer_still_open_when_the_sound_ends_is_waited_for() -> None:
    recogniser = Answers(Recognised("sales", 0.9))

    async def main() -> list[Heard]:
        async def sound() -> AsyncIterator[CallerSound]:
            for piece in (chunk(0), VoiceOn(0), chunk(20), VoiceOff(20)):
                yield piece
            asyncio.get_running_loop().call_later(0.3, recogniser.release, 0)

        stt = OfflineSpeechToText(lambda _: (), recogniser)
        return [heard async for heard in stt.listen(sound(), lambda: MENU)]

    assert [heard.text for heard in run(main())] == ["sales"]


@pytest.mark.parametrize(("confidence", "text"), [(0.49, ""), (0.5, "sales"), (1.0, "sales")])
def test_words_we_would_not_stand_for_are_not_passed_on(confidence: float, text: str) -> None:
    recogniser = Answers(Recognised("sales", confidence))
    ((heard, _),) = listen(recogniser, [chunk(0), VoiceOn(0), chunk(20), VoiceOff(20), 0, chunk(40)])
    assert (heard.text, heard.confidence) == (text, confidence)


def test_what_is_listened_for_is_what_is_expected_when_the_voice_ends() -> None:
    recogniser = Answers(Recognised("sales", 0.9))
    listen(recogniser, [chunk(0), VoiceOn(0), chunk(20), VoiceOff(20), 0, chunk(40)])
    assert recogniser.asked[0][1] == Language(MENU.phrases, ANY_TIME)


def test_a_caller_who_hangs_up_leaves_nothing_behind() -> None:
    recogniser = Answers(Recognised("sales", 0.9))

    async def main() -> None:
        async def sound() -> AsyncIterator[CallerSound]:
            for piece in (chunk(0), VoiceOn(0), chunk(20), VoiceOff(20), chunk(40)):
                yield piece
            await asyncio.sleep(3600)

        async def call() -> None:
            async for _ in OfflineSpeechToText(lambda _: (), recogniser).listen(sound(), lambda: MENU):
                pass

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await call()

    run(main())
    assert recogniser.waiting[0].cancelled()


def test_twice_the_rate_keeps_a_tone() -> None:
    at = np.arange(800) / 8000
    wanted = 8000 * np.sin(2 * np.pi * 1000 * np.arange(1600) / 16000)
    made = doubled((8000 * np.sin(2 * np.pi * 1000 * at)).astype(np.int16))
    assert np.abs(made - wanted)[100:-100].max() < 40


def test_more_certain_words_in_an_order_somebody_uses_are_more_credible() -> None:
    order = Order([("i", "own", "it"), ("it", "is", "mine")])
    assert order.new(("i", "own", "it")) == (0.0, 0.0)
    assert order.new(("it", "is", "it")) == (0.25, 2 / 3)
    assert confidence_of(0.9, 0, 0) > 0.9 > confidence_of(1e-6, 0, 0) > 0.5 > confidence_of(1e-6, 0.5, 0.9)


# --- with the real recogniser ----------------------------------------------------------------------------------------


async def chunks(clip: bytes) -> AsyncIterator[AudioChunk]:
    noise = np.random.default_rng(1).normal(0, 6, 4000).astype(np.int16)
    sound = mulaw.encode(noise) + clip + mulaw.encode(noise)
    for start in range(0, len(sound), 160):
        yield AudioChunk(sound[start : start + 160], start // 8)


@pytest.fixture(scope="module")
def activity() -> SileroVoiceActivity:
    return SileroVoiceActivity(model=SileroModel())


def understood(activity: SileroVoiceActivity, voice: str, text: str, expectation: Expectation) -> str:
    async def main() -> str:
        stt = OfflineSpeechToText(lambda e: (*e.phrases, *ANY_TIME), InlineRecogniser())
        sound = activity.watch(chunks(voices.clip(voice, text)))
        return " ".join([heard.text async for heard in stt.listen(sound, lambda: expectation)])

    return run(main())


@pytest.mark.parametrize("voice", voices.voices())
@pytest.mark.parametrize(
    ("text", "expectation"),
    [("support", MENU), ("i own my home", HOME), ("take me off your list", HOME)],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_callers_are_understood(activity: SileroVoiceActivity, voice: str, text: str, expectation: Expectation) -> None:
    assert understood(activity, voice, text, expectation) == text


def test_dictated_digits_are_understood(activity: SileroVoiceActivity) -> None:
    zip_code = Expectation("ask:zip_code", "digits", (), 5)
    assert understood(activity, "rms", "nine four one one zero", zip_code) == "nine four one one zero"


@pytest.mark.parametrize("text", voices.sayings()[voices.ELSEWHERE][:4])
def test_what_nobody_expects_is_not_taken_for_something_else(activity: SileroVoiceActivity, text: str) -> None:
    assert understood(activity, "rms", text, HOME) == ""


@pytest.mark.realtime
def test_recognisers_in_other_processes_come_back_after_one_is_killed() -> None:
    async def main() -> tuple[Recognised, Recognised]:
        language = Language(HOME.phrases, ANY_TIME)
        clip = voices.clip("rms", "i own my home")
        async with recognising(1, [language]) as pool:
            first = await pool.begin(clip, language)
            (worker,) = await pool.warm()
            os.kill(worker, signal.SIGKILL)
            with pytest.raises(ProviderDown):
                await pool.begin(clip, language)
            return first, await pool.begin(clip, language)

    first, again = asyncio.run(main())
    assert first.text == again.text == "i own my home"
