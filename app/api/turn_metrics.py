"""A call's log as metrics, entry by entry: what callers wait for, what cuts in, what runs dry, what fails.

Emitted per turn and not at the end of a call: a killed process would take them along. No words, no numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import Counter, Gauge, Histogram

from app.dialog.events import (
    CallerKeyed,
    CallerSaid,
    Entry,
    Interrupted,
    ProviderFailed,
    TokensUsed,
    TurnTimed,
    Underrun,
    UnitsUsed,
)
from app.dialog.transcript import latencies_of
from app.providers.circuits import Service

_SECONDS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 4.0, 6.0)

VOICE_TO_VOICE = Histogram(
    "turn_voice_to_voice_seconds", "Caller's last sound to our first at the caller's ear.", buckets=_SECONDS
)
STAGE = Histogram(
    "turn_stage_seconds",
    "The parts of a turn: stt_final and eou from the caller's last sound, llm_ttft, tts_ttfb and playout each from "
    "where the one before ended.",
    ["stage"],
    buckets=_SECONDS,
)
BARGE_IN = Histogram("bargein_stop_latency_seconds", "Caller's voice to our audio cleared.", buckets=_SECONDS)
BARGE_IN_SOFT = Histogram(
    "bargein_soft_latency_seconds", "Caller's voice, if it took the turn, to our speech softened.", buckets=_SECONDS
)
UNDERRUNS = Counter("audio_out_underruns", "Times the line ran dry in the middle of an utterance.")
PROVIDER_FAILURES = Counter(
    "provider_failures",
    "Failures in calls. `kind` is late, limited, server, refused, open, broken or unknown.",
    ["stage", "provider", "fallback", "kind"],
)

CIRCUITS_OPEN = Gauge(
    "provider_circuits_open", "Businesses for which a provider is left alone after failures.", ["stage", "provider"]
)
STAND_IN = Histogram(
    "turn_stand_in_seconds",
    "Caller's last sound to our first, in turns in which a stand-in took over before it.",
    ["stage"],
    buckets=_SECONDS,
)
UNITS = Counter(
    "provider_units", "What providers will charge for: ms, characters, tokens.", ["stage", "provider", "model", "unit"]
)


def measure(entry: Entry) -> None:
    match entry.fact:
        case TurnTimed():
            for turn in latencies_of([entry]):
                stages = {
                    "stt_final": turn.transcript,
                    "eou": turn.decision,
                    "llm_ttft": turn.dialogue,
                    "tts_ttfb": turn.speech,
                    "playout": turn.playout,
                }
                for stage, ms in stages.items():
                    if ms is not None:
                        STAGE.labels(stage).observe(ms / 1000)
                if turn.total is not None:
                    VOICE_TO_VOICE.observe(turn.total / 1000)
        case Interrupted(voice_ms=voice_ms, cleared_ms=cleared_ms, quiet_ms=quiet_ms):
            BARGE_IN.observe((cleared_ms - voice_ms) / 1000)
            if quiet_ms is not None:
                BARGE_IN_SOFT.observe((quiet_ms - voice_ms) / 1000)
        case Underrun():
            UNDERRUNS.inc()
        case ProviderFailed(stage=stage, provider=provider, fallback=fallback, kind=kind):
            PROVIDER_FAILURES.labels(stage, provider, "yes" if fallback else "no", kind or "unknown").inc()
        case TokensUsed() as used:
            UNITS.labels("dialogue", used.provider, used.model, "prompt_tokens").inc(used.prompt)
            UNITS.labels("dialogue", used.provider, used.model, "completion_tokens").inc(used.completion)
        case UnitsUsed() as used:
            UNITS.labels(used.stage, used.provider, used.model, used.unit).inc(used.amount)


def show_circuits(given_up: Mapping[Service, int]) -> None:
    for service, businesses in given_up.items():
        CIRCUITS_OPEN.labels(service.stage, service.provider).set(businesses)


class StandInTimes:
    """One call's: what the caller waited for where somebody else had to take over. What fails once we are speaking is
    not waited for; when the line runs dry, that is an underrun."""

    def __init__(self) -> None:
        self._stage = ""
        self._speaking = True

    def take(self, entry: Entry) -> None:
        match entry.fact:
            case CallerSaid() | CallerKeyed():
                self._speaking = False
            case ProviderFailed(stage=stage, fallback=fallback) if fallback and (stage == "stt" or not self._speaking):
                self._stage = stage
            case TurnTimed():
                for turn in latencies_of([entry]):
                    if self._stage and turn.total is not None:
                        STAND_IN.labels(self._stage).observe(turn.total / 1000)
                self._stage, self._speaking = "", True
