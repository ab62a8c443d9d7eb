"""What one call of a bench sounded like: everything is measured on the tape, at the caller's ear, in frames of 20 ms.

voice to voice  from the caller's last sound to the agent's first sound after it
ducked          from the caller's first sound over ours until we are `DUCKED` of our usual level or below
cleared         the same until nothing of ours is to be heard
cut             something of ours is heard between the two halves of a sentence, or over the second
silenced        the line in the air is not heard to its end
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from app.exchange.caller_words import Saying
from app.exchange.exchange import CallRecord
from app.exchange.marks import LINES
from app.exchange.phones import Stretch
from app.exchange.playout import Gap
from app.exchange.sound import FRAME_MS, LOUD
from app.telephony import mulaw

Levels: TypeAlias = npt.NDArray[np.float32]

DUCKED = 0.25  # of our level before: -12 dB
_ANY = 20.0  # root mean square; digital silence has 0, the quietest ducked line and the marks in it more
_BREATH_FRAMES = 10  # of quiet inside of a reply
_STOP_FRAMES = 20  # of nothing at all between two lines: the first was stopped
_JUST_FRAMES = 4
_BEFORE_FRAMES = 50  # our usual level is that of the second before


@dataclass(frozen=True, slots=True)
class Spoke:
    """One saying of the caller's and what we did about it. None: it did not happen. Milliseconds."""

    kind: str
    reply_ms: int | None = None
    ducked_ms: int | None = None
    cleared_ms: int | None = None
    cut: bool = False
    silenced: bool = False


@dataclass(frozen=True, slots=True)
class Ear:
    """One call. `lines` are the marks of ours that were heard, with the loop's time; `underruns` are gaps in the
    middle of an utterance."""

    spoke: tuple[Spoke, ...] = ()
    underruns: int = 0
    lines: tuple[tuple[int, float], ...] = ()
    asked: tuple[str, ...] = ()
    seconds: float = 0.0
    greeted: bool = False
    alerts: tuple[str, ...] = ()
    refused: bool = False  # no seat for the caller, however often he tried
    turned_away: int = 0  # how often he was told so

    @property
    def unanswered(self) -> int:
        """Sayings of his that were owed a reply and got none; one more if he was not even greeted."""
        if self.refused:
            return 0
        return (not self.greeted) + sum(one.reply_ms is None for one in self.spoke if one.kind != "mm-hm")


def listen(record: CallRecord, said: Sequence[Saying], *, refused: bool = False) -> Ear:
    """`said` is what the caller said, in order. Of a refused call nothing else is told."""
    if refused:
        return Ear(refused=True)
    heard = bytes(record.tape.heard)
    levels = mulaw.levels(heard)
    numbers = _marks(heard)
    spoken = record.handset.spoken
    found = []
    for place, stretch in enumerate(spoken):
        until = spoken[place + 1].from_ms if place + 1 < len(spoken) else record.tape.ms
        found.append(_spoke(stretch, until, levels, numbers, said[place].pause_ms))
    return Ear(
        tuple(found),
        underruns=sum(_in_the_middle(gap) for stream in record.streams for gap in stream.gaps),
        lines=_lines(numbers, record.answered_at),
        asked=tuple(one.text for one in said),
        seconds=record.tape.ms / 1000,
        greeted=bool((levels >= LOUD).any()),
        alerts=tuple(f"{alert.number} {alert.message}" for alert in record.alerts),
    )


def _spoke(
    said: Stretch,
    until_ms: int,
    levels: Levels,
    numbers: list[int | None],
    pause_ms: int | None,
) -> Spoke:
    kind = said.text.partition(":")[0]
    begin, end, until = said.from_ms // FRAME_MS, said.to_ms // FRAME_MS, until_ms // FRAME_MS
    loud = levels >= LOUD
    reply_ms = _reply(loud, end, until)
    if pause_ms is not None:
        return Spoke(kind, reply_ms, cut=bool(loud[begin + pause_ms // FRAME_MS : end].any()))
    if kind == "mm-hm":
        return Spoke(kind, silenced=not _heard_out(numbers, levels, begin, until))
    before = levels[max(0, begin - _BEFORE_FRAMES) : begin]
    if kind == "break in" and (before[-_JUST_FRAMES:] >= LOUD).any():  # not into a pause of ours
        usual = float(np.median(before[before >= LOUD]))
        ducked, cleared = levels[begin:end] >= DUCKED * usual, levels[begin:end] >= _ANY
        return Spoke(kind, reply_ms, _last(ducked) * FRAME_MS, _last(cleared) * FRAME_MS)
    return Spoke(kind, reply_ms)


def _reply(loud: npt.NDArray[np.bool_], end: int, until: int) -> int | None:
    """The first sound after `end` that does not go on from before."""
    at = end
    if loud[max(0, end - _BREATH_FRAMES) : end].any():  # we are still talking: our reply comes after that
        for at in range(end, until):
            if not loud[at - _BREATH_FRAMES + 1 : at + 1].any():
                break
    found = np.flatnonzero(loud[at:until])
    return int(at + found[0] - end) * FRAME_MS if len(found) else None


def _last(loud: npt.NDArray[np.bool_]) -> int:
    """How many frames until the last of these is over."""
    found = np.flatnonzero(loud)
    return int(found[-1]) + 1 if len(found) else 0


def _lines(numbers: list[int | None], began_s: float) -> tuple[tuple[int, float], ...]:
    """When each line was first heard. A mark is believed when two frames in a row hold it."""
    found: dict[int, float] = {}
    for place, (one, other) in enumerate(pairwise(numbers)):
        if one is not None and one == other and one % 2 == 0:
            found.setdefault(one, began_s + place * FRAME_MS / 1000)
    return tuple(found.items())


def _heard_out(numbers: list[int | None], levels: Levels, begin: int, until: int) -> bool:
    """The line that was in the air at `begin` has ended with the mark of its end; or, if it ended too softly to read
    that, the next one has followed without a stop."""
    before = [number for number in numbers[max(0, begin - _BEFORE_FRAMES) : begin] if number is not None]
    if not before or before[-1] % 2 == 1 or before[-1] + 1 in numbers[begin:until]:
        return True
    others = (place for place in range(begin, until) if numbers[place] not in (None, before[-1]))
    following = next(others, None)
    return following is not None and _longest_run(levels[begin:following] < 1.0) < _STOP_FRAMES


def _longest_run(holds: npt.NDArray[np.bool_]) -> int:
    return max((len(list(run)) for value, run in groupby(holds.tolist()) if value), default=0)


def _in_the_middle(gap: Gap) -> bool:
    """A gap behind the mark at the beginning of an utterance lies before it; without marks it cannot be told."""
    return bool(gap.before) and not gap.before.endswith("-0")


def _marks(sound: bytes) -> list[int | None]:
    bins = LINES.bins(sound)
    return [LINES.number(row) for row in bins]
