"""`python -m app.exchange.voices.evaluate`: how well our recogniser understands our callers. Takes a minute or two.

Every recorded saying goes, as it would in a call, through voice activity and speech to text in the state of the
conversation it belongs to, and its words through the playbook engine. Three figures count: were the words the same,
was the reply the same as to the words really said, and how often were words put into the mouth of someone who said
something nobody expects. With --fit, prints the best weights for `recogniser.confidence_of` too.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path

import numpy as np

from app.dialog import engine, words
from app.dialog.events import Fact, Heard, Understood, VoiceOn
from app.dialog.moves import Commit, Expectation, Finish, Move, Note, Said, Say
from app.dialog.playbook import Playbook, parse
from app.dialog.routing import expectation
from app.dialog.sayings import answers_for, sayings_for
from app.dialog.state import State
from app.exchange import voices
from app.exchange.virtual import run
from app.ports import AudioChunk, CallerSound
from app.providers.offline.intents import Intents
from app.providers.offline.stt import OfflineSpeechToText
from app.providers.offline.vad import SileroVoiceActivity
from app.providers.offline.workers import InlineRecogniser
from app.telephony import mulaw

QUIET_MS = 600
TODAY = date(2026, 3, 2)  # a Monday
STRAY = ("menu", "ask:owns_home", "ask:monthly_bill", "ask:zip_code", "confirm:zip_code", "ask:roof")
"""Where the sayings nobody expects are said, in turn."""


@dataclass(frozen=True, slots=True)
class Listened:
    """One saying: what was said, what was heard, and what we would have replied to each."""

    topic: str
    voice: str
    said: str
    heard: str  # what was recognised, kept or not
    kept: bool
    same_reply: bool
    begin_ms: float  # from the first sound until the voice was noticed

    @property
    def same_words(self) -> bool:
        return self.kept and words.normal(self.heard) == words.normal(self.said)


class Ear:
    """Everything between a clip and a reply."""

    def __init__(self, playbook: Playbook, intents: Intents) -> None:
        self._playbook, self._intents = playbook, intents
        self._activity = SileroVoiceActivity()
        self._stt = OfflineSpeechToText(lambda e: sayings_for(playbook, e), InlineRecogniser(), sure=0.0)
        self.busy_s = self.audio_s = 0.0

    def listen(self, topic: str, voice: str, said: str, sure: float) -> Listened:
        clip = voices.clip(voice, said)
        state = self._state(topic)
        expecting = expectation(state, self._playbook, answers_for(self._playbook, state.topic))
        began = time.process_time()
        noticed, heard = run(self._hear(clip, expecting))
        self.busy_s += time.process_time() - began
        self.audio_s += (mulaw.duration_ms(clip) + 2 * QUIET_MS) / 1000
        text = " ".join(piece.text for piece in heard if piece.text)
        kept = bool(text) and min(piece.confidence for piece in heard if piece.text) >= sure
        same = kept and self._reply(state, text) == self._reply(state, said)
        return Listened(topic, voice, said, text, kept, same, noticed - QUIET_MS - _first_sound_ms(clip))

    async def _hear(self, clip: bytes, expecting: Expectation) -> tuple[int, list[Heard]]:
        noticed = -1

        async def noticing() -> AsyncIterator[CallerSound]:
            nonlocal noticed
            now_ms = 0
            async for piece in self._activity.watch(_chunks(clip)):
                if isinstance(piece, AudioChunk):
                    now_ms = piece.at_ms + mulaw.duration_ms(piece.mulaw)
                elif isinstance(piece, VoiceOn) and noticed < 0:
                    noticed = now_ms
                yield piece

        heard = [heard async for heard in self._stt.listen(noticing(), lambda: expecting)]
        return noticed, heard

    def _state(self, topic: str) -> State:
        """A conversation in which this question has just been heard."""
        state, _ = engine.begin(self._playbook, today=TODAY)
        where = "ask:roof" if topic == "open" else topic
        state = replace(state, topic=where, asked=True, undisclosed=(), route="" if where == "menu" else "sales")
        match where:
            case "confirm:zip_code":
                return replace(state, confirming="zip_code", unconfirmed="94107")
            case "appointment":
                return replace(state, visits=(datetime(2026, 3, 3, 10), datetime(2026, 3, 5, 11)))
            case "callback":
                return replace(state, route="human", human_asked=True)
        return state

    def _reply(self, state: State, text: str) -> tuple[tuple[object, ...], ...]:
        _, moves = engine.answer(state, Said(1, text), self._intents.understand(text), self._playbook)
        return tuple(essence for move in moves if (essence := _essence(move)))


def _essence(move: Move) -> tuple[object, ...]:
    """What a move comes to, without the caller's exact words."""
    match move:
        case Say():
            return (move.purpose,)
        case Finish():
            return ("finish", move.reason)
        case Note(fact) | Commit(fact):
            return () if isinstance(fact, Understood) else (type(fact).__name__, *_settled(fact))


def _settled(fact: Fact) -> Iterator[object]:
    for field in fields(fact):
        if field.name not in ("said", "words", "when"):
            yield getattr(fact, field.name)


def _first_sound_ms(clip: bytes) -> float:
    loud = np.flatnonzero(np.abs(mulaw.decode(clip).astype(np.int32)) > 600)
    return float(loud[0]) / mulaw.BYTES_PER_MS if loud.size else 0.0


async def _chunks(clip: bytes) -> AsyncIterator[AudioChunk]:
    """The clip on a quiet line: faint noise before and after, as no real line is digitally silent."""
    noise = np.random.default_rng(1).normal(0, 6, QUIET_MS * mulaw.BYTES_PER_MS).astype(np.int16)
    sound = mulaw.encode(noise) + clip + mulaw.encode(noise)
    for start in range(0, len(sound), mulaw.FRAME_BYTES):
        yield AudioChunk(sound[start : start + mulaw.FRAME_BYTES], start // mulaw.BYTES_PER_MS)


def listen_to_all(ear: Ear, sure: float, topics: Sequence[str] = ()) -> Iterator[Listened]:
    for topic, lines in voices.sayings().items():
        for number, said in enumerate(lines):
            for voice in voices.voices():
                if not topics or topic in topics:
                    where = STRAY[number % len(STRAY)] if topic == voices.ELSEWHERE else topic
                    yield replace(ear.listen(where, voice, said, sure), topic=topic)


def report(found: Sequence[Listened], busy_s: float, audio_s: float) -> str:
    rows = [f"{'said in':<20}{'sayings':>8}{'same words':>12}{'same reply':>12}{'asked again':>13}"]
    ours = [one for one in found if one.topic != voices.ELSEWHERE]
    stray = [one for one in found if one.topic == voices.ELSEWHERE]
    topics, speakers = dict.fromkeys(one.topic for one in ours), dict.fromkeys(one.voice for one in ours)
    rows += [_row(topic, [one for one in ours if one.topic == topic]) for topic in topics]
    rows += [_row(f"by {voice}", [one for one in ours if one.voice == voice]) for voice in speakers]
    rows.append(_row("all", ours))
    if stray:
        rows.append(f"never expected: {len(stray)} sayings, {_share(not one.kept for one in stray):.1%} rejected")
    begins = [one.begin_ms for one in found]
    middle, late = np.percentile(begins, [50, 95])
    rows.append(f"voice noticed {middle:.0f} ms after its first sound (95 %: {late:.0f} ms)")
    rows.append(f"{busy_s / audio_s:.3f} s of processor time per second of sound, voice activity and words together")
    return "\n".join(rows)


def _row(name: str, rows: Sequence[Listened]) -> str:
    return (
        f"{name:<20}{len(rows):>8}{_share(row.same_words for row in rows):>12.1%}"
        f"{_share(row.same_reply for row in rows):>12.1%}{_share(not row.kept for row in rows):>13.1%}"
    )


def _share(marks: Iterator[bool]) -> float:
    every = list(marks)
    return sum(every) / max(len(every), 1)


def main(arguments: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(prog="python -m app.exchange.voices.evaluate", description=__doc__)
    options.add_argument("--wrong", action="store_true", help="list what was misunderstood")
    options.add_argument("--topic", action="append", default=[], help="only this moment of the call")
    given = options.parse_args(arguments)
    path = Path(str(files("app.exchange"))).parent / "playbooks" / "northlight_solar.yaml"
    playbook = parse(path.read_text(encoding="utf-8"), path.name)
    ear = Ear(playbook, Intents.load(playbook, Path(".strowger")))
    from app.providers.offline.stt import SURE

    found = list(listen_to_all(ear, SURE, given.topic))
    sys.stdout.write(report(found, ear.busy_s, ear.audio_s) + "\n")
    for one in found if given.wrong else ():
        if one.kept if one.topic == voices.ELSEWHERE else not one.same_reply:
            sys.stdout.write(f"{one.topic}, {one.voice}: {one.said!r} heard as {one.heard!r}, kept: {one.kept}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
