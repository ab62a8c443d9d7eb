"""What a caller heard, in figures. Times in ms of the call, as the phone counts them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from app.exchange.exchange import CallRecord
from app.exchange.phones import Stretch
from app.exchange.sound import FRAME_BYTES, FRAME_MS, is_loud


def waits(record: CallRecord) -> list[int]:
    """From the end of each thing the caller said to the next sound of the agent's. What nobody answered before the call
    was over is counted to its end, unless it was the last."""
    spoken, heard = record.handset.spoken, record.handset.heard
    found = []
    for asked in spoken:
        answers = [stretch.from_ms for stretch in heard if stretch.to_ms > asked.to_ms]
        if answers:
            found.append(max(0, min(answers) - asked.to_ms))
        elif asked is not spoken[-1]:
            found.append(record.handset.now_ms - asked.to_ms)
    return found


def pauses(record: CallRecord, from_ms: int = 0) -> list[int]:
    """Silences of the agent's between two sounds of his, while the caller was silent, too."""
    found = []
    heard = [stretch for stretch in record.handset.heard if stretch.from_ms >= from_ms]
    for sooner, later in pairwise(heard):
        if not any(_overlaps(said, sooner.to_ms, later.from_ms) for said in record.handset.spoken):
            found.append(later.from_ms - sooner.to_ms)
    return found


def _overlaps(said: Stretch, from_ms: int, to_ms: int) -> bool:
    return said.from_ms < to_ms and said.to_ms > from_ms


def sounds(record: CallRecord, from_ms: int = 0, to_ms: int | None = None) -> Iterator[tuple[int, int]]:
    """Each unbroken run of sound the caller heard: where it begins and how long it is. The emulated voice speaks words
    without a break in them and leaves one between them."""
    tape = bytes(record.tape.heard)
    last = len(tape) // FRAME_BYTES if to_ms is None else to_ms // FRAME_MS
    places = range(from_ms // FRAME_MS, last)
    loud = ((place, is_loud(tape[place * FRAME_BYTES : (place + 1) * FRAME_BYTES])) for place in places)
    for is_sound, run in groupby(loud, key=lambda each: each[1]):
        frames = [place for place, _ in run]
        if is_sound:
            yield frames[0] * FRAME_MS, len(frames) * FRAME_MS


@dataclass(frozen=True, slots=True)
class Resumption:
    """A line that one voice broke off and another went on with, word by word: how many were heard twice, in part or
    whole, and how many not at all."""

    repeated: int
    missing: int


def resumption(expected: Sequence[int], heard: Sequence[int]) -> Resumption | None:
    """`expected`: the lengths of a line's words in ms; `heard`: those of the sounds. None when they do not fit."""
    if list(heard) == list(expected):
        return Resumption(0, 0)
    for whole in range(len(expected), -1, -1):  # words in whole before the break
        if list(heard[:whole]) != list(expected[:whole]):
            continue
        cut = len(heard) > whole and whole < len(expected) and heard[whole] < expected[whole]
        for partly in (1, 0) if cut else (0,):
            rest = list(heard[whole + partly :])
            for begin in range(len(expected) - len(rest), len(expected) - len(rest) + 1):
                if begin >= 0 and rest == list(expected[begin:]):
                    return Resumption(max(0, whole + partly - begin), max(0, begin - whole))
    return None


def present(said: str, understood: str) -> float:
    """Share of the words said that were understood, in order."""
    wanted, found = said.split(), understood.split()
    at = matched = 0
    for word in wanted:
        if word in found[at:]:
            at = found.index(word, at) + 1
            matched += 1
    return matched / len(wanted)


def doubled(said: str, understood: str) -> int:
    """Words that were understood more often than they were said."""
    wanted, found = said.split(), understood.split()
    return sum(max(0, found.count(word) - wanted.count(word)) for word in set(found))
