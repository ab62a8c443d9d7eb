"""The Silero model on real clips, on the virtual loop and on a real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from app.dialog.events import VoiceOff, VoiceOn
from app.exchange import voices
from app.exchange.virtual import run
from app.ports import AudioChunk, CallerSound
from app.providers.offline.vad import (
    CONTEXT,
    FEW,
    FEW_WINDOWS,
    WINDOW,
    Ear,
    SileroModel,
    SileroVoiceActivity,
    Stillness,
)
from app.telephony import mulaw

BEFORE_MS = 1000


@pytest.fixture(scope="module")
def model() -> SileroModel:
    return SileroModel()


def noise(ms: int, height: float = 6) -> bytes:
    samples = np.random.default_rng(1).normal(0, height, ms * mulaw.BYTES_PER_MS)
    return mulaw.encode(np.clip(samples, -32000, 32000).astype(np.int16))


async def chunks(sound: bytes, from_ms: int = 0) -> AsyncIterator[AudioChunk]:
    for start in range(0, len(sound), mulaw.FRAME_BYTES):
        yield AudioChunk(sound[start : start + mulaw.FRAME_BYTES], from_ms + start // mulaw.BYTES_PER_MS)


async def watched(activity: SileroVoiceActivity, sound: bytes) -> list[CallerSound]:
    return [piece async for piece in activity.watch(chunks(sound))]


def a_call(text: str = "i own my home", voice: str = "rms") -> bytes:
    return noise(BEFORE_MS) + voices.clip(voice, text) + noise(800)


@pytest.mark.parametrize("voice", voices.voices())
def test_voice_is_noticed_within_100_ms_and_its_end_is_found(model: SileroModel, voice: str) -> None:
    sound = a_call(voice=voice)
    found = run(watched(SileroVoiceActivity(model=model), sound))
    now_ms, noticed_ms = 0, None
    for piece in found:
        if isinstance(piece, AudioChunk):
            now_ms = piece.at_ms + mulaw.duration_ms(piece.mulaw)
        elif isinstance(piece, VoiceOn) and noticed_ms is None:
            noticed_ms = now_ms
            assert piece.at_ms == pytest.approx(BEFORE_MS, abs=100)
    assert noticed_ms is not None
    assert noticed_ms - BEFORE_MS <= 120  # of which up to 20 are the clip's own margin
    (end,) = [piece.at_ms for piece in found if isinstance(piece, VoiceOff)]
    assert end == pytest.approx(mulaw.duration_ms(sound) - 800, abs=120)


def test_audio_passes_through_unchanged(model: SileroModel) -> None:
    sound = a_call()
    found = run(watched(SileroVoiceActivity(model=model), sound))
    assert b"".join(piece.mulaw for piece in found if isinstance(piece, AudioChunk)) == sound


@pytest.mark.parametrize("height", [0, 30, 1500])
def test_noise_is_no_voice(model: SileroModel, height: float) -> None:
    found = run(watched(SileroVoiceActivity(model=model), noise(5000, height)))
    assert [piece for piece in found if not isinstance(piece, AudioChunk)] == []


def test_lost_audio_ends_a_stretch_and_times_stay_those_of_the_stream(model: SileroModel) -> None:
    voice = voices.clip("rms", "i own my home")

    async def two_parts() -> list[CallerSound]:
        async def lossy() -> AsyncIterator[AudioChunk]:
            async for chunk in chunks(noise(200) + voice):
                yield chunk
            async for chunk in chunks(noise(200) + voice + noise(600), 10_000):
                yield chunk

        return [piece async for piece in SileroVoiceActivity(model=model).watch(lossy())]

    begins = [piece.at_ms for piece in run(two_parts()) if isinstance(piece, VoiceOn)]
    assert begins == [pytest.approx(200, abs=100), pytest.approx(10_200, abs=100)]


def test_calls_heard_together_are_heard_as_if_alone(model: SileroModel) -> None:
    """In one batch, by the context and state of its own."""
    texts = ["i own my home", "how much does it cost", "stop calling me"]
    sounds = [a_call(text) for text in texts]
    count = min(len(sound) for sound in sounds) // WINDOW - 1

    def windows(sound: bytes) -> list[bytes]:
        return [sound[at * WINDOW : (at + 1) * WINDOW + CONTEXT] for at in range(count)]

    ears = [Ear.fresh() for _ in texts]
    together = [model.hear(ears, list(group)) for group in zip(*map(windows, sounds), strict=True)]
    for index, sound in enumerate(sounds):
        ear = Ear.fresh()
        alone = [model.hear([ear], [window])[0] for window in windows(sound)]
        assert alone == pytest.approx([probabilities[index] for probabilities in together], abs=1e-4)


@pytest.mark.realtime
def test_many_calls_share_the_model_and_a_hang_up_disturbs_nobody(model: SileroModel) -> None:
    activity = SileroVoiceActivity(model=model)

    async def main() -> list[list[CallerSound]]:
        sound = a_call()
        async with asyncio.TaskGroup() as group:
            stay = [group.create_task(watched(activity, sound)) for _ in range(5)]
            leave = [group.create_task(watched(activity, sound)) for _ in range(5)]
            for _ in range(20):
                await asyncio.sleep(0)
            for call in leave:
                call.cancel()
        return [call.result() for call in stay]

    for found in asyncio.run(main()):
        assert [type(piece) for piece in found if not isinstance(piece, AudioChunk)] == [VoiceOn, VoiceOff]


@pytest.mark.realtime
def test_a_batch_everybody_has_left_does_not_keep_the_next_call_waiting(model: SileroModel) -> None:
    activity = SileroVoiceActivity(model=model)

    async def main() -> list[CallerSound]:
        leaving = asyncio.create_task(watched(activity, noise(200)))
        for _ in range(20):
            await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait([leaving])
        async with asyncio.timeout(30):
            return await watched(activity, a_call())

    assert [type(piece) for piece in asyncio.run(main()) if not isinstance(piece, AudioChunk)] == [VoiceOn, VoiceOff]


class Broken(SileroModel):
    def hear(self, ears: list[Ear], sounds: list[bytes]) -> list[float]:
        raise ValueError("broken")


@pytest.mark.parametrize("calls", [FEW, FEW + 2, FEW_WINDOWS + 4])  # at once, in a batch on the loop, on the thread
def test_a_model_that_fails_keeps_no_call_waiting(calls: int) -> None:
    async def in_time(sound: bytes) -> AsyncIterator[AudioChunk]:
        async for chunk in chunks(sound):
            await asyncio.sleep(0.02)
            yield chunk

    async def hear(activity: SileroVoiceActivity) -> None:
        async for _ in activity.watch(in_time(noise(400, 2000))):
            pass

    async def main() -> list[object]:
        activity = SileroVoiceActivity(model=Broken())
        heard = (hear(activity) for _ in range(calls))
        async with asyncio.timeout(5):
            return await asyncio.gather(*heard, return_exceptions=True)

    assert [type(found) for found in run(main())] == [ValueError] * calls


class Counting(SileroModel):
    """Counts the windows it is asked about."""

    windows = 0

    def hear(self, ears: list[Ear], sounds: list[bytes]) -> list[float]:
        self.windows += len(ears)
        return super().hear(ears, sounds)


def test_stillness_is_passed_over_and_no_beginning_is_lost_by_it() -> None:
    counting, sound = Counting(), noise(6000) + voices.clip("rms", "i own my home") + noise(3000)
    found = [piece for piece in run(watched(SileroVoiceActivity(model=counting), sound)) if isinstance(piece, VoiceOn)]
    assert [piece.at_ms for piece in found] == [pytest.approx(6000, abs=100)]
    assert counting.windows < len(sound) / WINDOW * 0.7


def test_a_line_is_known_after_two_seconds_and_louder_is_never_still() -> None:
    line = Stillness()
    windows = [noise(36, height=6) for _ in range(64)]
    assert not any(line.holds(window) for window in windows)
    assert line.holds(noise(36, height=6))
    assert not line.holds(noise(36, height=24))
    assert not Stillness().holds(mulaw.silence(36))
