"""What was said and how much of it the caller really heard: read from the log of a call, never recorded beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from app.dialog.events import AgentHeard, AgentSaid, CallerKeyed, CallerSaid, ColleagueSaid, Entry, Hinted, TurnTimed

LONGEST_WORD_MS = 1000
SPOKEN = "spoken"


def heard_part(text: str, heard_ms: int, audio_ms: int, words: Sequence[tuple[str, int]] = ()) -> str:
    """The words of `text` that were heard to their end when `heard_ms` of `audio_ms` were played.

    `words` are each word with the time its sound ends, where text to speech tells; otherwise sound and letters are
    taken to run at the same pace. Never more than was heard.
    """
    if heard_ms <= 0:
        return ""
    if heard_ms >= audio_ms:
        return text
    if words:
        return " ".join(word for word, ended_ms in words if ended_ms <= heard_ms)
    reached = len(text) * heard_ms // audio_ms
    if text[reached : reached + 1].isspace():
        return text[:reached].rstrip()
    return text[:reached].rpartition(" ")[0].rstrip()


def word_began_ms(text: str, heard_ms: int, audio_ms: int, words: Sequence[tuple[str, int]] = ()) -> int:
    """Where the word began that was not heard to its end; arguments as for `heard_part`. At most LONGEST_WORD_MS back:
    where the pace is a guess, it shall not be a long way wrong."""
    if words:
        began_ms = max((ended_ms for _, ended_ms in words if ended_ms <= heard_ms), default=0)
    else:
        began_ms = len(heard_part(text, heard_ms, audio_ms)) * audio_ms // max(1, len(text))
    return max(began_ms, heard_ms - LONGEST_WORD_MS)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a transcript. `text` is what was heard; an agent's line that was cut has more in `meant`. `seq` is
    the entry of the log with the words."""

    by: Literal["agent", "caller"]
    turn: int
    at_ms: int
    text: str
    meant: str = ""
    complete: bool = True
    keyed: bool = False
    seq: int = 0


def transcript_of(entries: Iterable[Entry]) -> tuple[Line, ...]:
    """In the order in which things were begun to be said. What nobody heard is not in it."""
    lines: dict[int, Line] = {}
    utterances: dict[int, int] = {}  # utterance -> seq of its AgentSaid
    for entry in entries:
        match entry.fact:
            case CallerSaid(turn=turn, text=text, started_ms=at_ms) if text:
                lines[entry.seq] = Line("caller", turn, at_ms, text, seq=entry.seq)
            case CallerKeyed(turn, digits):
                lines[entry.seq] = Line("caller", turn, entry.at_ms, digits, keyed=True, seq=entry.seq)
            case AgentSaid(utterance, turn, text):
                utterances[utterance] = entry.seq
                lines[entry.seq] = Line("agent", turn, entry.at_ms, "", text, complete=False, seq=entry.seq)
            case AgentHeard(utterance=utterance, heard_text=text, complete=complete) if utterance in utterances:
                said = lines[utterances[utterance]]
                lines[utterances[utterance]] = replace(said, text=text, complete=complete)
    return tuple(line for line in lines.values() if line.text)


@dataclass(frozen=True, slots=True)
class ColleagueLine:
    """What a person of ours said in a call. `use`: "spoken" when it was to the caller, having taken the call over; else
    it was a whisper to the agent, and `use` is as in `Hinted`."""

    at_ms: int
    text: str
    use: str


def colleagues_of(entries: Iterable[Entry]) -> tuple[ColleagueLine, ...]:
    found = []
    for entry in entries:
        match entry.fact:
            case Hinted(text=text, use=use):
                found.append(ColleagueLine(entry.at_ms, text, use))
            case ColleagueSaid(text=text) if text:
                found.append(ColleagueLine(entry.at_ms, text, SPOKEN))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Latency:
    """What the caller waited in one turn, and for what. Milliseconds; None where a stage did not happen.

    `total` runs from the end of the caller's speech to the first sound of ours at the caller's ear. What was ready
    before we took the turn, because it was drafted, took the caller no time.
    """

    turn: int
    total: int | None
    transcript: int | None  # until the last words were known
    decision: int  # until we took the turn
    dialogue: int | None  # from there to the first phrase
    speech: int | None  # from there to its first audio
    playout: int | None  # from there to the caller's ear


def latencies_of(entries: Iterable[Entry]) -> tuple[Latency, ...]:
    """One for each turn the caller took; the opening answers nobody."""
    return tuple(_latency(entry.fact) for entry in entries if isinstance(entry.fact, TurnTimed) and entry.fact.turn > 0)


def _latency(timed: TurnTimed) -> Latency:
    phrase_ms = _not_before(timed.decided_ms, timed.first_phrase_ms)
    audio_ms = _not_before(timed.decided_ms, timed.first_audio_ms)
    return Latency(
        turn=timed.turn,
        total=_between(timed.caller_stopped_ms, timed.first_played_ms),
        transcript=_between(timed.caller_stopped_ms, timed.transcript_ms),
        decision=timed.decided_ms - timed.caller_stopped_ms,
        dialogue=_between(timed.decided_ms, phrase_ms),
        speech=_between(phrase_ms, audio_ms),
        playout=_between(audio_ms, timed.first_played_ms),
    )


def _not_before(ms: int, moment_ms: int | None) -> int | None:
    return None if moment_ms is None else max(ms, moment_ms)


def _between(begun_ms: int | None, done_ms: int | None) -> int | None:
    return None if begun_ms is None or done_ms is None else done_ms - begun_ms


def percentile(values: Sequence[int], share: float) -> int | None:
    """The smallest value that at least `share` of them do not exceed; None for no values."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]
