"""Turns, interruptions and failures as they show on /metrics."""

from __future__ import annotations

from prometheus_client import REGISTRY

from app.api.turn_metrics import StandInTimes, measure, show_circuits
from app.dialog.events import CallerSaid, Entry, Fact, Interrupted, ProviderFailed, TurnTimed, Underrun
from app.providers.circuits import Service


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def added(fact: Fact, name: str, **labels: str) -> float:
    before = value(name, **labels)
    measure(Entry(1, 0, fact))
    return round(value(name, **labels) - before, 6)


TURN = TurnTimed(3, 1000, 1500, 1400, 1510, 1560, 1580, 1600)


def test_a_turn_is_what_the_caller_waited() -> None:
    assert added(TURN, "turn_voice_to_voice_seconds_sum") == 0.6
    assert added(TURN, "turn_stage_seconds_sum", stage="eou") == 0.5
    assert added(TURN, "turn_stage_seconds_sum", stage="tts_ttfb") == 0.05


def test_circuits_that_are_open_are_shown_until_they_close() -> None:
    for businesses in (2, 0):
        show_circuits({Service("llm", "openai"): businesses})
        assert value("provider_circuits_open", stage="llm", provider="openai") == businesses


def test_the_opening_answers_nobody() -> None:
    opening = TurnTimed(0, 0, 0, None, 5, 20, 30, 40)
    assert added(opening, "turn_voice_to_voice_seconds_count") == 0


def test_an_interruption_counts_from_the_voice_to_the_silence() -> None:
    assert added(Interrupted(4, 2000, 2140), "bargein_stop_latency_seconds_sum") == 0.14
    assert added(Interrupted(4, 2000, 2400, quiet_ms=2060), "bargein_soft_latency_seconds_sum") == 0.06


def test_what_failed_is_counted_with_its_fallback() -> None:
    failed = ProviderFailed("tts", "elevenlabs", "stalled", "offline", "late")
    labels = {"stage": "tts", "provider": "elevenlabs", "fallback": "yes", "kind": "late"}
    assert added(failed, "provider_failures_total", **labels) == 1
    assert added(Underrun(4, 300), "audio_out_underruns_total") == 1


def waited(*facts: Fact) -> dict[str, float]:
    """Seconds in the histogram of stand-ins, by stage."""
    before = {stage: value("turn_stand_in_seconds_sum", stage=stage) for stage in ("stt", "dialogue", "tts")}
    times = StandInTimes()
    for fact in facts:
        times.take(Entry(1, 0, fact))
    return {
        stage: round(value("turn_stand_in_seconds_sum", stage=stage) - seconds, 6)
        for stage, seconds in before.items()
        if value("turn_stand_in_seconds_sum", stage=stage) != seconds
    }


def test_what_the_caller_waited_for_a_stand_in() -> None:
    said, down = CallerSaid(3, "", 1.0, 0, 10, ""), ProviderFailed("dialogue", "openai", "x", "playbook")
    deaf = ProviderFailed("stt", "deepgram", "x", "offline")
    assert waited(said, down, TURN) == {"dialogue": 0.6}
    assert waited(deaf, said, TURN, said, TURN) == {"stt": 0.6}
    assert waited(said, TURN, down, said, TURN) == {}, "what fails in mid-reply kept nobody waiting"
    assert waited(said, ProviderFailed("tts", "x", "y"), TURN) == {}, "nobody stood in"


def test_T20_words_leave_no_trace() -> None:
    measure(Entry(1, 0, CallerSaid(1, "my name is canary", 1.0, 0, 10, "offline")))
    assert not any("canary" in str(sample) for metric in REGISTRY.collect() for sample in metric.samples)
