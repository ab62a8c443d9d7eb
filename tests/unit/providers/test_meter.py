from collections.abc import AsyncIterator, Callable

from app.call.setup import Parts
from app.dialog.events import Heard, UnitsUsed
from app.exchange.virtual import run
from app.ports import AudioChunk, CallerSound, Expectation, Say, Speech
from app.providers.meter import Meter


class Ears:
    name, model = "ears", "big"

    async def listen(
        self, sound: AsyncIterator[CallerSound], expecting: Callable[[], Expectation]
    ) -> AsyncIterator[Heard]:
        async for _ in sound:
            yield Heard("word")


class Voice:
    name = "voice"

    async def speak(self, line: Say) -> AsyncIterator[Speech]:
        yield Speech(b"")


def test_sound_and_characters_are_counted_by_provider_and_model() -> None:
    meter = Meter()
    stt, tts = meter.listens(Ears()), meter.speaks(Voice())
    meter.speaks(Voice())  # a stand-in that was never needed is on no bill

    async def sound() -> AsyncIterator[CallerSound]:
        for place in range(3):
            yield AudioChunk(bytes(160), place * 20)

    async def call() -> None:
        assert [heard.text async for heard in stt.listen(sound(), Expectation)] == ["word"] * 3
        async for _ in tts.speak(Say(("Good day.", "And bye."), "greeting")):
            pass

    run(call())
    assert meter.used() == (
        UnitsUsed("stt", "ears", "big", "ms", 60),
        UnitsUsed("tts", "voice", "", "characters", len("Good day. And bye.")),
    )


def test_a_call_without_meters_has_nothing_to_tell() -> None:
    assert Parts.__dataclass_fields__["used"].default() == ()
