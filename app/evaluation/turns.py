"""When the turn is taken, on recordings of dictated numbers: how many callers are cut off, and how long others wait.

Nothing here is a model of the product: each recording goes, frame by frame, through its voice activity, its offline
recogniser and its turn-taking, on a clock that is counted in sound.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import typer

from app.dialog import turns
from app.dialog.dictation import spoken_digits
from app.dialog.events import Heard, Signal, Tick, VoiceOff, VoiceOn
from app.dialog.moves import Expectation
from app.dialog.patience import Patience
from app.dialog.turns import Phase, Turn
from app.evaluation import groupings
from app.evaluation.recordings import Recording, recordings
from app.exchange.virtual import run
from app.ports import AudioChunk, CallerSound
from app.providers.offline.language import Language
from app.providers.offline.recogniser import Recognised, recognise
from app.providers.offline.stt import OfflineSpeechToText
from app.providers.offline.vad import SileroVoiceActivity
from app.telephony import mulaw

NEEDS = "*.jsonl (file, digits, turn_end in seconds) and its recordings, 8 kHz FLAC, each of one dictated number"
FRAME_MS = 20
TRAILING_MS = 3000  # of silence after the recording, so that every turn is taken
DECODING = 0.07  # of the length of a stretch until its words are there; see `recogniser`
OTHER_SAYINGS = ("i do not want to say", "why do you need it", "my number is", "it is", "can i call you back")
GOOD_WORDS_MS = 200  # after the end of the voice, as the benchmark's emulated recogniser


@dataclass(frozen=True, slots=True)
class Case:
    """What reached turn-taking from one recording, in order, and when the number was really complete."""

    name: str
    signals: tuple[tuple[int, Signal], ...]
    digits: str
    turn_end_ms: int
    pauses_ms: tuple[int, ...]  # between its digits


@dataclass(frozen=True, slots=True)
class Result:
    """`waits_ms` are those of the callers who were not cut off, after the end of their turn."""

    name: str
    cases: int
    cut: int
    waits_ms: tuple[int, ...]

    @property
    def cut_share(self) -> float:
        return self.cut / self.cases

    def wait_ms(self, share: float) -> int | None:
        """The wait that `share` of them stay within; None when all were cut off."""
        ordered = sorted(self.waits_ms)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else None


def report(data: Path | None, as_json: bool) -> int:
    """Raises BadInput when there is nothing to measure on."""
    cases = [case_of(recording) for recording in recordings(data, NEEDS)]
    results = compare(cases)
    counts = [abs(heard_digits(case) - len(case.digits)) for case in cases]
    if as_json:
        typer.echo(json.dumps({"recordings": len(cases), "results": [_as_dict(result) for result in results]}))
        return 0
    typer.echo(f"{len(cases)} dictated numbers; the recogniser heard the right number of digits in "
               f"{sum(not off for off in counts)} of them.\n")  # fmt: skip
    typer.echo(f"{'turn taken':<44}{'cut off':>14}{'wait p50':>11}{'p95':>9}")
    for result in results:
        share = f"{result.cut} ({result.cut_share:.1%})"
        typer.echo(
            f"{result.name:<44}{share:>14}{_seconds(result.wait_ms(0.5)):>11}{_seconds(result.wait_ms(0.95)):>9}"
        )
    return 0


def report_groupings(clips: Path, as_json: bool) -> int:
    """The same for numbers in other groups; the ranges are over speakers. Raises BadInput without digits to use."""
    cases: dict[str, dict[str, list[Case]]] = {}
    for one in groupings.made(clips):
        cases.setdefault(one.grouping, {}).setdefault(one.speaker, []).append(case_of(one.recording))
    rows = [
        (grouping, by_speaker, compare([case for several in by_speaker.values() for case in several])[:3])
        for grouping, by_speaker in cases.items()
    ]
    if as_json:
        typer.echo(json.dumps({grouping: [_as_dict(result) for result in results] for grouping, _, results in rows}))
        return 0
    for grouping, by_speaker, results in rows:
        typer.echo(f"{grouping}: {sum(map(len, by_speaker.values()))} numbers of {len(by_speaker)} speakers")
        parts = [compare(several)[:3] for several in by_speaker.values()]
        for at, result in enumerate(results):
            waits = [wait for part in parts if (wait := part[at].wait_ms(0.5)) is not None]
            spread = f"{_seconds(min(waits))} to {_seconds(max(waits))}" if waits else "-"
            cut = f"{min(part[at].cut for part in parts)} to {max(part[at].cut for part in parts)} a speaker"
            total = f"{result.cut} cut off ({cut})"
            typer.echo(f"  {result.name:<44}{total:<32} wait p50 {_seconds(result.wait_ms(0.5))} ({spread})")
    return 0


def compare(cases: Sequence[Case]) -> list[Result]:
    """The product as it is, with other ears, and with fixed silences in its place."""
    digits = round(median(len(case.digits) for case in cases))
    expectation = Expectation("ask:phone", "digits", digits=digits)
    ours = Patience().expecting(expectation)
    return [
        measure("counting digits, offline recogniser", cases, ours),
        measure("counting digits, no words", [without_words(case) for case in cases], ours),
        measure("counting digits, a good recogniser's words", [with_good_words(case) for case in cases], ours),
        *(measure(f"fixed silence of {ms / 1000:g} s", cases, Patience(pause_ms=ms)) for ms in (800, 1400)),
    ]


def measure(name: str, cases: Sequence[Case], patience: Patience) -> Result:
    taken = [(case, taken_ms(case.signals, patience)) for case in cases]
    waits = [at_ms - case.turn_end_ms for case, at_ms in taken]
    return Result(name, len(cases), sum(wait < 0 for wait in waits), tuple(wait for wait in waits if wait >= 0))


def taken_ms(signals: Iterable[tuple[int, Signal]], patience: Patience) -> int:
    """When the turn became ours for the first time. The caller is listened to from time 0; the question was heard."""
    turn = Turn(phase=Phase.LISTENING, number=1)
    for now_ms, signal in _with_ticks(signals):
        turn, actions = turns.step(turn, signal, now_ms, patience)
        if any(isinstance(action, turns.Reply) for action in actions):
            return now_ms
    raise AssertionError("the turn was never taken")


def _with_ticks(signals: Iterable[tuple[int, Signal]]) -> Iterator[tuple[int, Signal]]:
    """A tick with every frame, and after the last signal as long as it takes."""
    now_ms = 0
    for at_ms, signal in signals:
        yield from ((tick, Tick()) for tick in range(now_ms, at_ms, FRAME_MS))
        yield at_ms, signal
        now_ms = at_ms
    yield from ((tick, Tick()) for tick in range(now_ms, now_ms + 2 * TRAILING_MS, FRAME_MS))


# --- what the recording sounds like to the product --------------------------------------------------------------------


def case_of(recording: Recording) -> Case:
    digits = str(recording.row["digits"])
    signals = hear(recording.mulaw, Expectation("ask:phone", "digits", digits=len(digits)))
    pauses = tuple(round(1000 * float(pause)) for pause in recording.row.get("pauses", ()))
    return Case(recording.name, signals, digits, round(float(recording.row["turn_end"]) * 1000), pauses)


def hear(sound: bytes, expectation: Expectation) -> tuple[tuple[int, Signal], ...]:
    """Voice activity and the offline recogniser, on a clock that is counted in sound."""
    return run(_hear(sound, expectation))


async def _hear(sound: bytes, expectation: Expectation) -> tuple[tuple[int, Signal], ...]:
    loop = asyncio.get_running_loop()
    began, signals = loop.time(), list[tuple[int, Signal]]()

    def note(signal: Signal) -> None:
        signals.append((round((loop.time() - began) * 1000), signal))

    async def frames() -> AsyncIterator[AudioChunk]:
        for number, frame in enumerate(mulaw.frames(sound + mulaw.silence(TRAILING_MS))):
            await asyncio.sleep(max(0.0, began + (number + 1) * FRAME_MS / 1000 - loop.time()))
            yield AudioChunk(frame, number * FRAME_MS)

    async def watched() -> AsyncIterator[CallerSound]:
        async for piece in _VOICE.watch(frames()):
            if not isinstance(piece, AudioChunk):
                note(piece)
            yield piece

    stt = OfflineSpeechToText(lambda _: OTHER_SAYINGS, _Decoder())
    async for heard in stt.listen(watched(), lambda: expectation):
        note(heard)
    return tuple(signals)


class _Decoder:
    """The recogniser of the offline voices, as late with its words as it is in another process."""

    def begin(self, sound: bytes, language: Language) -> asyncio.Future[Recognised]:
        return asyncio.ensure_future(self._decode(sound, language))

    async def _decode(self, sound: bytes, language: Language) -> Recognised:
        await asyncio.sleep(DECODING * mulaw.duration_ms(sound) / 1000)
        return recognise(sound, language)


_VOICE = SileroVoiceActivity()


def heard_digits(case: Case) -> int:
    return sum(spoken_digits(signal.text) for _, signal in case.signals if isinstance(signal, Heard))


# --- the same with other words ----------------------------------------------------------------------------------------


def without_words(case: Case) -> Case:
    """As if speech to text heard a voice and nothing it would stand for."""
    signals = ((at, replace(one, text="", confidence=0.0) if isinstance(one, Heard) else one)
               for at, one in case.signals)  # fmt: skip
    return replace(case, signals=tuple(signals))


def with_good_words(case: Case) -> Case:
    """The true digits of each stretch, `GOOD_WORDS_MS` after the end of the voice, or a frame after it was noticed."""
    stretches, noticed = _stretches(case.signals)
    counts = digits_in(stretches, case.pauses_ms)
    if counts is None:
        return without_words(case)
    signals: list[tuple[int, Signal]] = [(at, one) for at, one in case.signals if not isinstance(one, Heard)]
    said = 0
    for (began_ms, ended_ms), count, at_ms in zip(stretches, counts, noticed, strict=True):
        text = " ".join(case.digits[said : said + count])
        said += count
        at_ms = max(ended_ms + GOOD_WORDS_MS, at_ms + FRAME_MS)
        signals.append((at_ms, Heard(text, True, 0.97, began_ms, ended_ms, "good words")))
    return replace(case, signals=tuple(sorted(signals, key=lambda one: one[0])))


def digits_in(stretches: Sequence[tuple[int, int]], pauses_ms: Sequence[int]) -> tuple[int, ...] | None:
    """How many digits each stretch holds, when `pauses_ms` lie between the digits: the choice of pauses that fits the
    gaps between stretches best. None when there are more gaps than pauses."""
    gaps = [after[0] - before[1] for before, after in pairwise(stretches)]
    if len(gaps) > len(pauses_ms):
        return None
    best: list[tuple[float, tuple[int, ...]]] = [(0.0, ())] * (len(pauses_ms) + 1)  # by pauses looked at
    for number, gap in enumerate(gaps):
        row: list[tuple[float, tuple[int, ...]]] = [(math.inf, ())]
        for at, pause in enumerate(pauses_ms):
            here = (best[at][0] + abs(gap - pause), (*best[at][1], at + 1)) if at >= number else (math.inf, ())
            row.append(min(row[-1], here))
        best = row
    ends = (*best[-1][1], len(pauses_ms) + 1)
    return tuple(end - start for start, end in zip((0, *ends), ends, strict=False))


def _stretches(signals: Iterable[tuple[int, Signal]]) -> tuple[list[tuple[int, int]], list[int]]:
    """The voice's beginnings and ends, and when each end was noticed."""
    stretches, noticed, began_ms = [], [], 0
    for at_ms, signal in signals:
        match signal:
            case VoiceOn(began_ms):
                pass
            case VoiceOff(ended_ms):
                stretches.append((began_ms, ended_ms))
                noticed.append(at_ms)
    return stretches, noticed


# --- the report -------------------------------------------------------------------------------------------------------


def _seconds(ms: int | None) -> str:
    return "-" if ms is None else f"{ms / 1000:.2f} s"


def _as_dict(result: Result) -> dict[str, Any]:
    return {
        "turn_taken": result.name,
        "cut_off": result.cut,
        "cut_off_share": round(result.cut_share, 4),
        "wait_p50_ms": result.wait_ms(0.5),
        "wait_p95_ms": result.wait_ms(0.95),
    }
