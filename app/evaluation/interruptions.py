"""Interruptions: which sounds over our own speech take the turn, and how soon we are soft and silent for them.

Recorded voices with words take it; music, beeps, coughs, a television nobody makes out, a listener's "mm-hm" and our
own voice come back do not. The recogniser is not part of it: it is taken to find the words that were said, a part of
them every 250 ms or all of them at the end.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import typer

from app.dialog.transcript import percentile
from app.errors import BadInput
from app.evaluation.overlap import Outcome, Overlap, Sound
from app.evaluation.recordings import Recording, recordings, unlisted
from app.exchange import voices
from app.exchange.sound import is_loud
from app.providers.offline.vad import SileroVoiceActivity
from app.providers.offline.voice_pack import open_pack
from app.telephony import mulaw

NEEDS = "the folders speech_prompts, speech_sentences, speech_digits, hold_music or answering_machine"
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_MOST_DIGITS = 80
_MOST_BEEPS = 40
_LINE_MS = 15_000
_MODES = {"words while they are said": True, "words at the end only": False}


@dataclass(frozen=True, slots=True)
class Line:
    """Our own speech, long enough to be spoken over."""

    text: str
    mulaw: bytes


def report(data: Path | None, as_json: bool) -> int:
    """Raises BadInput when there is nothing to measure on, ProviderDown without the voice activity model."""
    if data is None or not data.is_dir():
        raise BadInput(f"Say with --data where the recordings are: a folder that has {NEEDS} in it.")
    sounds = list(_sounds(data))
    if not any(sound.takes for sound in sounds):
        raise BadInput(f"There are no recordings in {data}: it must have {NEEDS} in it.")
    tables = {name: _table(asyncio.run(_overlap(sounds, interims))) for name, interims in _MODES.items()}
    if as_json:
        typer.echo(json.dumps(tables, indent=2))
        return 0
    typer.echo(f"{len(sounds)} sounds over our own speech. No limit was fitted to these recordings but those by which")
    typer.echo("an echo is told from a voice (app/telephony/echo.py), set on the prompts.")
    for name, table in tables.items():
        _print(name, table)
    return 0


# --- sounds -----------------------------------------------------------------------------------------------------------


def _sounds(data: Path) -> Iterator[Sound]:
    spoken = [*_listed(data / "speech_prompts"), *_listed(data / "speech_sentences")]
    for recording in spoken:
        yield Sound(
            f"sentence, {recording.row['language']}", _close(recording), recording.row["transcript"], takes=True
        )
    for recording in _digits(data / "speech_digits"):
        word = _DIGITS[int(Path(recording.name).name[0])]
        yield Sound("one short word", _close(recording), word, takes=True)
    for recording in unlisted(data / "hold_music"):
        yield Sound("hold music", recording.mulaw)
    beeps = [beep for recording in _listed(data / "answering_machine") for beep in _beeps(recording)]
    yield from beeps[:_MOST_BEEPS]
    yield from _listening()
    yield from _noises()
    yield from _televisions(spoken)
    yield from _echoes(spoken)


def _listed(folder: Path) -> list[Recording]:
    return list(recordings(folder, NEEDS)) if folder.is_dir() else []


def _digits(folder: Path) -> list[Recording]:
    """Some of each speaker's."""
    found = list(unlisted(folder))
    return found[:: max(1, len(found) // _MOST_DIGITS)]


def _close(recording: Recording) -> bytes:
    """From its first sound on: from there the caller is heard, and time counts."""
    sound = recording.mulaw
    first = next((place for place, frame in enumerate(mulaw.frames(sound)) if is_loud(frame)), 0)
    return sound[first * mulaw.FRAME_BYTES :]


def _beeps(recording: Recording) -> Iterator[Sound]:
    for kind, begin, end in recording.row.get("segments", ()):
        if kind == "beep":
            cut = recording.samples[int(begin * mulaw.RATE) : int(end * mulaw.RATE)]
            yield Sound("beep", mulaw.encode(cut))


def _listening() -> Iterator[Sound]:
    for voice in voices.voices():
        for text in voices.listening():
            yield Sound('"mm-hm"', voices.clip(voice, text), text)


def _noises() -> Iterator[Sound]:
    """Coughs and knocks as noise: a burst that dies away, and one of a few milliseconds."""
    dice = np.random.default_rng(1)
    for place in range(20):
        ms = int(dice.integers(120, 420))
        burst = dice.normal(0, 1, ms * mulaw.BYTES_PER_MS) * np.exp(-np.linspace(0, 5, ms * mulaw.BYTES_PER_MS))
        smooth = np.convolve(burst, np.ones(1 + place % 4) / (1 + place % 4), "same")
        twice = np.concatenate((smooth, np.zeros(800), smooth * 0.7))
        yield Sound("cough", mulaw.encode((twice * dice.uniform(3000, 9000)).clip(-32000, 32000).astype(np.int16)))
        knock = dice.normal(0, 8000, int(dice.integers(40, 160)))
        yield Sound("knock", mulaw.encode(knock.clip(-32000, 32000).astype(np.int16)))


def _televisions(spoken: Sequence[Recording]) -> Iterator[Sound]:
    """Voices over each other, far off: nobody makes out a word."""
    for place in range(0, len(spoken) - 5, 8):
        three = [recording.samples.astype(np.float64) for recording in spoken[place : place + 5 : 2]]
        size = min(max(len(one) for one in three), 4 * mulaw.RATE)
        mixed = sum(np.resize(one, size) for one in three) * 0.12
        yield Sound("television", mulaw.encode(np.asarray(mixed).clip(-32000, 32000).astype(np.int16)))


def _echoes(spoken: Sequence[Recording]) -> Iterator[Sound]:
    """Our own voice alone, and somebody who speaks over it."""
    dice = np.random.default_rng(2)
    for recording in spoken[::3]:
        path = {"echo_ms": int(dice.integers(2, 22)) * mulaw.FRAME_MS, "echo_db": -float(dice.uniform(10, 26))}
        yield Sound("our echo", mulaw.silence(3000), **path)  # type: ignore[arg-type]
        yield Sound("our echo, its words", mulaw.silence(3000), "OURS", **path)  # type: ignore[arg-type]
        said = replace(
            Sound("sentence over our echo", _close(recording), recording.row["transcript"], takes=True),
            echo_ms=int(path["echo_ms"]),
            echo_db=path["echo_db"] - 6,
        )
        yield said


# --- decisions --------------------------------------------------------------------------------------------------------


async def _overlap(sounds: Sequence[Sound], interims: bool) -> list[Outcome]:
    lines = _lines()
    model = SileroVoiceActivity()
    async with asyncio.TaskGroup() as group:
        tasks = []
        for place, sound in enumerate(sounds):
            line = lines[place % len(lines)]
            if sound.words == "OURS":
                sound = replace(sound, words=" ".join(line.text.split()[3:11]))
            tasks.append(group.create_task(Overlap(line.mulaw, line.text, sound, interims).run(model)))
    return [task.result() for task in tasks]


def _lines() -> list[Line]:
    """Of our own voice, several parts each."""
    pack = open_pack()
    texts = sorted(text for text in pack.texts() if len(text) > 40 and "?" not in text)
    found = []
    for at in range(0, min(len(texts), 40) - 8, 4):
        parts = texts[at : at + 8]
        sound = b"".join((pack.find(part) or b"") + mulaw.silence(200) for part in parts)
        if mulaw.duration_ms(sound) >= _LINE_MS:
            found.append(Line(" ".join(parts), sound))
    pack.close()
    return found


def _table(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    taken = [outcome for outcome in outcomes if outcome.taken_ms is not None]
    meant = [outcome for outcome in outcomes if outcome.sound.takes]
    right = sum(outcome.sound.takes for outcome in taken)
    kinds: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        kinds.setdefault(outcome.sound.kind, []).append(outcome)
    return {
        "precision": right / len(taken) if taken else None,
        "recall": right / len(meant) if meant else None,
        "soft_ms": _times([outcome.soft_ms for outcome in meant]),
        "silent_ms": _times([outcome.silent_ms for outcome in meant]),
        "kinds": {
            kind: {
                "takes_the_turn": of[0].sound.takes,
                "sounds": len(of),
                "softened": sum(outcome.soft_ms is not None for outcome in of),
                "took": sum(outcome.taken_ms is not None for outcome in of),
                "not_loud_again": sum(o.taken_ms is None and o.volume.value != "full" for o in of),
            }
            for kind, of in sorted(kinds.items(), key=lambda item: (not item[1][0].sound.takes, item[0]))
        },
    }


def _times(found: Sequence[int | None]) -> dict[str, int | None]:
    times = [time for time in found if time is not None]
    return {"p50": percentile(times, 0.5), "p95": percentile(times, 0.95)}


def _print(name: str, table: dict[str, Any]) -> None:
    typer.echo(f"\n{name}: precision {_percent(table['precision'])}, recall {_percent(table['recall'])}")
    soft, silent = table["soft_ms"], table["silent_ms"]
    typer.echo(f"  first sound to soft: p50 {soft['p50']} ms, p95 {soft['p95']} ms", nl=False)
    typer.echo(f"; to silent: p50 {silent['p50']} ms, p95 {silent['p95']} ms")
    typer.echo(f"  {'':<26}{'sounds':>8}{'softened':>10}{'took the turn':>15}")
    for kind, row in table["kinds"].items():
        mark = "takes it" if row["takes_the_turn"] else ""
        typer.echo(f"  {kind:<26}{row['sounds']:>8}{row['softened']:>10}{row['took']:>15}  {mark}")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
