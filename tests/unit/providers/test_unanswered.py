import asyncio

from hypothesis import given
from hypothesis import strategies as st

from app.exchange.virtual import run
from app.ports import AudioChunk, VoiceOff, VoiceOn
from app.providers.unanswered import Unanswered

FRAME = b"\xff" * 160


def chunks(from_ms: int, to_ms: int) -> list[AudioChunk]:
    return [AudioChunk(FRAME, at_ms) for at_ms in range(from_ms, to_ms, 20)]


def read(kept: Unanswered) -> list:
    async def main():
        async def nothing():
            return
            yield

        await kept.fill(nothing())
        return [piece async for piece in kept.pieces()]

    return run(main())


def filled(*pieces, most_ms: int = 15_000) -> Unanswered:
    kept = Unanswered(most_ms)
    for piece in pieces:
        kept.add(piece)
    return kept


SPEECH = (*chunks(0, 400), VoiceOn(200), *chunks(400, 1400), VoiceOff(1100), *chunks(1400, 1600))


def test_it_is_read_in_order_and_once():
    kept = filled(*SPEECH)
    assert read(kept) == list(SPEECH)
    assert read(kept) == []
    assert kept.finished


def test_what_was_not_answered_is_read_again():
    kept = filled(*SPEECH)
    read(kept)
    kept.rewind()
    assert read(kept) == list(SPEECH)


def test_a_voice_that_was_on_comes_on_again():
    kept = filled(*SPEECH)
    read(kept)
    kept.answered(600)
    kept.rewind()
    assert read(kept) == [VoiceOn(600), *chunks(600, 1400), VoiceOff(1100), *chunks(1400, 1600)]


def test_a_voice_that_ended_with_the_words_does_not():
    kept = filled(*SPEECH)
    read(kept)
    kept.answered(1000)
    kept.rewind()
    assert read(kept) == chunks(1000, 1600)


def test_a_voice_still_on_when_the_words_broke_off():
    kept = filled(*SPEECH[:40])
    read(kept)
    kept.answered(600)
    kept.rewind()
    assert read(kept)[0] == VoiceOn(600)


def test_sound_nobody_has_read_is_never_answered():
    kept = filled(*SPEECH)
    kept.answered(5000)
    assert read(kept) == list(SPEECH)


def test_of_too_much_the_oldest_goes():
    kept = filled(*chunks(0, 2000), most_ms=500)
    assert read(kept) == chunks(1500, 2000)


def test_reading_waits_for_sound():
    async def main():
        kept, found = Unanswered(), []

        async def slowly():
            for piece in chunks(0, 60):
                await asyncio.sleep(1)
                yield piece

        async with asyncio.TaskGroup() as group:
            group.create_task(kept.fill(slowly()))
            found = [piece async for piece in kept.pieces()]
        return found

    assert run(main()) == chunks(0, 60)


@given(st.lists(st.integers(0, 100), max_size=8))
def test_however_often_it_breaks_the_rest_is_whole(answers):
    kept = filled(*chunks(0, 2000))
    read(kept)
    answered = 0
    for frames in answers:
        kept.answered(frames * 20)
        answered = max(answered, frames * 20)
        kept.rewind()
        assert read(kept) == chunks(answered, 2000)
