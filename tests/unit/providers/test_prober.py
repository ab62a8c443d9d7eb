"""Probes on the virtual clock: who failed is asked until it is well, and nobody else is."""

import asyncio
from contextlib import suppress

from app.errors import ProviderDown
from app.exchange.virtual import run
from app.providers.circuits import FuseBox, Service
from app.providers.prober import Prober, Rhythm, probes_of
from app.providers.scripted import ScriptedTextToSpeech

OPENAI, OTHER = Service("llm", "openai"), Service("llm", "other")


class Patient:
    """A provider that answers probes from a moment on; before it fails, or hangs."""

    def __init__(self, well_at: float, *, hangs: bool = False) -> None:
        self.well_at, self.hangs = well_at, hangs
        self.asked: list[float] = []

    async def __call__(self) -> None:
        now = asyncio.get_running_loop().time()
        self.asked.append(now)
        if now < self.well_at:
            if self.hangs:
                await asyncio.get_running_loop().create_future()
            raise ProviderDown("HTTP 503", provider_code=503)


def watched(patient: Patient, failures: int, seconds: float) -> tuple[FuseBox, list[tuple[float, int]], Patient]:
    """The fuse box afterwards, and for how many businesses OPENAI was given up, whenever that changed."""
    seen: list[tuple[float, int]] = []
    healthy = Patient(0)

    async def main() -> FuseBox:
        box = FuseBox()
        now = asyncio.get_running_loop().time
        began = now()
        patient.well_at += began
        for _ in range(failures):
            box.circuits("llm", "a").failed("openai", ProviderDown("HTTP 503", provider_code=503), began)

        def look(given_up):
            count = given_up.get(OPENAI, 0)
            if not seen or seen[-1][1] != count:
                seen.append((now() - began, count))

        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await Prober(box, {OPENAI: patient, OTHER: healthy}).watch(look)
        patient.asked = [at - began for at in patient.asked]
        return box

    return run(main()), seen, healthy


def test_F09_a_breaker_closes_within_fifteen_seconds_of_recovery_without_a_call():
    patient = Patient(well_at=30)
    _, seen, healthy = watched(patient, failures=3, seconds=60)
    assert [count for _, count in seen] == [1, 0]
    assert 30 <= seen[-1][0] <= 35
    assert healthy.asked == [], "who never failed is not asked"
    assert max(patient.asked) <= 35, "nor is who is well"


def test_F09_one_failed_call_is_enough_to_look_and_two_failed_probes_open_the_breaker():
    _, seen, _ = watched(Patient(well_at=1e9), failures=1, seconds=20)
    assert [count for _, count in seen] == [0, 1]
    assert seen[-1][0] <= 10


def test_F10_a_probe_that_hangs_is_a_failure():
    patient = Patient(well_at=1e9, hangs=True)
    _, seen, _ = watched(patient, failures=1, seconds=20)
    assert seen[-1][1] == 1
    assert min(later - sooner for sooner, later in zip(patient.asked, patient.asked[1:], strict=False)) >= 4


def test_a_failure_that_a_probe_clears_is_not_probed_again():
    patient = Patient(well_at=0)
    watched(patient, failures=1, seconds=60)
    assert len(patient.asked) == 1


def test_the_probe_of_a_voice_is_one_word():
    async def main() -> None:
        [(service, probe)] = probes_of((), (), [ScriptedTextToSpeech()]).items()
        assert service == Service("tts", "scripted")
        await probe()
        [bad] = probes_of((), (), [ScriptedTextToSpeech(fails=True)]).values()
        try:
            await bad()
        except ProviderDown:
            return
        raise AssertionError("a voice that is down passed")

    run(main())


def test_a_rhythm_leaves_room_for_the_limits_of_the_fault_table():
    rhythm = Rhythm()
    assert rhythm.look_s + rhythm.every_s + rhythm.limit_s <= 15
