"""Who answered: people told from machines, how soon, and where the beep ends, on labelled recordings.

The recordings go through the same voice activity, tone detector and rules as a call does, 20 ms at a time and without
words: speech to text would only help. Nothing is known before it was heard.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from app.dialog.answered import Answered, Kind, Verdict
from app.dialog.events import VoiceOff, VoiceOn
from app.dialog.transcript import percentile
from app.evaluation.made_up import answered_calls
from app.evaluation.recordings import Recording, recordings
from app.evaluation.variations import SHIFTED_MS, VARIATIONS, varied
from app.ports import AudioChunk
from app.providers.offline.vad import SileroVoiceActivity
from app.telephony import mulaw
from app.telephony.tones import ToneDetector

NEEDS = (
    "a list with file, label (human or machine) and segments ([[speech or beep, start, end], ...] in seconds), "
    "and the recordings it names"
)
_PIECE_FRAMES = 5  # the tone detector is fed every 100 ms


@dataclass(slots=True)
class Heard:
    """What was made of one recording. `said` has the changes of mind: when, and what then."""

    recording: Recording
    voice_ms: int | None = None
    said: list[tuple[int, Verdict]] = field(default_factory=list)
    beep_ms: int | None = None

    @property
    def kind(self) -> str:
        """human, machine, or not sure (which is treated as human)."""
        last = self.said[-1][1].kind if self.said else Kind.NOT_SURE
        return "machine" if last.machine else last.value.replace("_", " ")

    @property
    def decided_ms(self) -> int | None:
        """From the beginning of the voice until it was treated as what it was treated as in the end."""
        side, at_ms = None, None
        for when, verdict in self.said:
            if verdict.kind.machine != side:
                side, at_ms = verdict.kind.machine, when
        return at_ms - self.voice_ms if at_ms is not None and self.voice_ms is not None else None

    @property
    def sure_ms(self) -> int | None:
        """The same, until it was said without doubt."""
        at_ms = next((when for when, verdict in self.said if verdict.kind == self.said[-1][1].kind), None)
        return at_ms - self.voice_ms if at_ms is not None and self.voice_ms is not None else None


def report(data: Path | None, as_json: bool) -> int:
    """Without a folder, on calls made of the product's own voices. Raises BadInput for a folder that holds nothing to
    measure on, ProviderDown without the voice activity model."""
    if data is None:
        typer.echo(f"No --data given: measured on made-up calls. Give it a folder with {NEEDS}.", err=True)
        known = answered_calls()
    else:
        known = list(recordings(data, NEEDS))
    tables = {name: _table(asyncio.run(_listen(known, name)), SHIFTED_MS.get(name, 0)) for name in VARIATIONS}
    if as_json:
        typer.echo(json.dumps({"recordings": len(known), "fitted": False, "variations": tables}, indent=2))
        return 0
    typer.echo(f"Who answered, in {len(known)} recordings of {sum(r.seconds for r in known):.0f} seconds.")
    typer.echo("The rules are round numbers, not a model: nothing was trained, so nothing is held out. Two were chosen")
    typer.echo(
        "with the 72 recordings of docs/evaluation.md at hand (how steady a beep is, the pause that ends a hello),"
    )
    typer.echo("one with made-up calls (the delay of voice activity): there the figures may flatter.")
    typer.echo(
        "Times run from the first sound of the voice. Not sure counts as a person: the call goes on as with one,"
    )
    typer.echo("so people are decided when they are treated as such for good, and sure when there was no doubt left.")
    for name, table in tables.items():
        _print(name, table)
    return 0


async def listen(recording: Recording, samples: bytes, voices: SileroVoiceActivity) -> Heard:
    """`samples` is mu-law as it comes over the line."""
    heard, answered, tones = Heard(recording), Answered(), ToneDetector()
    now_ms, waiting = 0, b""

    def judge(until_ms: int) -> None:
        """Also at the moments in between when a pause or a limit has become long enough."""
        nonlocal now_ms
        while True:
            verdict = answered.verdict(now_ms)
            last = heard.said[-1][1].kind if heard.said else None
            if verdict is not None and verdict.kind is not last and not (last and last.machine):
                heard.said.append((now_ms, verdict))  # in a call, who was taken for a machine has been hung up on
            due_ms = answered.deadline(now_ms)
            if due_ms is None or due_ms > until_ms:
                return
            now_ms = due_ms

    async def line() -> AsyncIterator[AudioChunk]:
        nonlocal now_ms, waiting
        for index, frame in enumerate(mulaw.frames(samples)):
            judge((index + 1) * mulaw.FRAME_MS)
            now_ms = (index + 1) * mulaw.FRAME_MS
            waiting += frame
            if index % _PIECE_FRAMES == _PIECE_FRAMES - 1:
                for tone in tones.hear(waiting, now_ms - mulaw.duration_ms(waiting)):
                    answered.note(tone)
                waiting = b""
                if heard.beep_ms is None and (beep := answered.beep()) is not None:
                    heard.beep_ms = beep.to_ms
            yield AudioChunk(frame, index * mulaw.FRAME_MS)

    async for sound in voices.watch(line()):
        if isinstance(sound, VoiceOn | VoiceOff):
            answered.note(sound)
            judge(now_ms)
    heard.voice_ms = answered.voice_ms
    return heard


async def _listen(known: list[Recording], variation: str) -> list[Heard]:
    voices = SileroVoiceActivity()
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(listen(recording, mulaw.encode(varied(recording.samples, variation)), voices))
            for recording in known
        ]
    return [task.result() for task in tasks]


def _table(all_heard: list[Heard], shifted_ms: int) -> dict[str, Any]:
    confusion: dict[str, Counter[str]] = {}
    errors: list[int] = []
    false_beeps = missed_beeps = 0
    for heard in all_heard:
        confusion.setdefault(str(heard.recording.row["label"]), Counter())[heard.kind] += 1
        beeps = [end for kind, _, end in heard.recording.row.get("segments", ()) if kind == "beep"]
        if beeps and heard.beep_ms is not None:
            errors.append(abs(heard.beep_ms - shifted_ms - round(beeps[0] * 1000)))
        missed_beeps += bool(beeps) and heard.beep_ms is None
        false_beeps += not beeps and heard.beep_ms is not None
    people = [h for h in all_heard if h.recording.row["label"] == "human"]
    machines = [h for h in all_heard if h.recording.row["label"] == "machine"]
    return {
        "confusion": {label: dict(counts) for label, counts in sorted(confusion.items())},
        "people_right": _share(people, ("human", "not sure")),
        "machines_right": _share(machines, ("machine",)),
        "people_decided_ms": _times(h.decided_ms for h in people),
        "people_decided_from_answer_ms": _times(_from_answer(h) for h in people),
        "people_sure_ms": _times(h.sure_ms for h in people),
        "machines_decided_ms": _times(h.decided_ms for h in machines if h.kind == "machine"),
        "beep_end_error_ms": _times(errors),
        "beeps_missed": missed_beeps,
        "beeps_heard_where_none_was": false_beeps,
        "wrong": [
            h.recording.name for h in all_heard if (h.kind == "machine") != (h.recording.row["label"] == "machine")
        ],
    }


def _from_answer(heard: Heard) -> int | None:
    decided_ms = heard.decided_ms
    return None if decided_ms is None or heard.voice_ms is None else decided_ms + heard.voice_ms


def _share(heard: list[Heard], right: tuple[str, ...]) -> float | None:
    return sum(h.kind in right for h in heard) / len(heard) if heard else None


def _times(found: Iterable[int | None]) -> dict[str, int | None]:
    times = sorted(time for time in found if time is not None)
    return {"p50": percentile(times, 0.5), "p95": percentile(times, 0.95), "worst": times[-1] if times else None}


def _print(name: str, table: dict[str, Any]) -> None:
    typer.echo(f"\n{name}")
    columns = ("human", "not sure", "machine")
    typer.echo(f"  {'':<20}{''.join(f'{column:>10}' for column in columns)}")
    for label, counts in table["confusion"].items():
        typer.echo(f"  {label:<20}{''.join(f'{counts.get(column, 0):>10}' for column in columns)}")
    for what, key in (("people treated so", "people_right"), ("machines found", "machines_right")):
        if table[key] is not None:
            typer.echo(f"  {what:<28} {table[key]:.1%}")
    for what, key in (
        ("people: decided", "people_decided_ms"),
        ("  the same from the answer", "people_decided_from_answer_ms"),
        ("people: sure", "people_sure_ms"),
        ("machines: decided", "machines_decided_ms"),
        ("end of beep, error", "beep_end_error_ms"),
    ):
        times = table[key]
        if times["p50"] is not None:
            typer.echo(f"  {what:<28} p50 {times['p50']} ms, p95 {times['p95']} ms, worst {times['worst']} ms")
    typer.echo(f"  beeps missed {table['beeps_missed']}, heard where none was {table['beeps_heard_where_none_was']}")
    if table["wrong"]:
        typer.echo(f"  wrong: {', '.join(table['wrong'])}")
