"""A call as people look at it afterwards, read from its log: what was heard of each line, and whom a wait is due to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.dialog.events import (
    AgentHeard,
    AgentSaid,
    AnsweredBy,
    DisclosureHeard,
    Entry,
    ObjectionMet,
    QuestionAnswered,
    TurnTimed,
)
from app.dialog.transcript import Latency, latencies_of


@dataclass(frozen=True, slots=True)
class HeardLine:
    """One utterance: `text` was sent, `heard_text` was heard, `heard_ms` of `audio_ms` were played at the caller's."""

    utterance: int
    turn: int
    at_ms: int
    text: str
    heard_text: str
    heard_ms: int
    audio_ms: int
    complete: bool
    purpose: str


def heard_lines(entries: Iterable[Entry]) -> tuple[HeardLine, ...]:
    """In the order they were said. One that has no last word of the ledger yet counts as not heard."""
    said: dict[int, tuple[Entry, AgentSaid]] = {}
    heard: dict[int, AgentHeard] = {}
    for entry in entries:
        match entry.fact:
            case AgentSaid() as fact:
                said[fact.utterance] = (entry, fact)
            case AgentHeard() as fact:
                heard[fact.utterance] = fact
    lines = []
    for utterance, (entry, fact) in said.items():
        ear = heard.get(utterance) or AgentHeard(utterance, "", 0, 0, complete=False)
        lines.append(
            HeardLine(
                utterance=utterance,
                turn=fact.turn,
                at_ms=entry.at_ms,
                text=fact.text,
                heard_text=ear.heard_text,
                heard_ms=ear.heard_ms,
                audio_ms=ear.audio_ms,
                complete=ear.complete,
                purpose=fact.purpose,
            )
        )
    return tuple(lines)


@dataclass(frozen=True, slots=True)
class Wait:
    """One turn of the waterfall: when the caller stopped, what they waited for, and the stage that took longest."""

    at_ms: int
    latency: Latency
    culprit: str | None


def waits(entries: Sequence[Entry]) -> tuple[Wait, ...]:
    began = {entry.fact.turn: entry.fact.caller_stopped_ms for entry in entries if isinstance(entry.fact, TurnTimed)}
    return tuple(Wait(began[one.turn], one, culprit_of(one)) for one in latencies_of(entries))


def culprit_of(latency: Latency) -> str | None:
    """The stage with the largest part of the wait. The last words come within the decision: where they were late, the
    decision had to wait for them, and hearing is to blame."""
    decision = "decision"
    if latency.transcript is not None and latency.transcript > latency.decision / 2:
        decision = "transcript"
    stages = {decision: latency.decision, "dialogue": latency.dialogue, "speech": latency.speech}
    stages["playout"] = latency.playout
    known = {name: ms for name, ms in stages.items() if ms is not None and ms > 0}
    return max(known, key=lambda name: known[name]) if known else None


@dataclass(frozen=True, slots=True)
class Noted:
    """Names, each once, in the order they came up."""

    objections: tuple[str, ...]
    questions: tuple[str, ...]
    disclosures: tuple[str, ...]
    answered_by: str | None


def noted(entries: Iterable[Entry]) -> Noted:
    objections: dict[str, None] = {}
    questions: dict[str, None] = {}
    disclosures: dict[str, None] = {}
    answered_by = None
    for entry in entries:
        match entry.fact:
            case ObjectionMet(name):
                objections[name] = None
            case QuestionAnswered(name):
                questions[name] = None
            case DisclosureHeard(kind):
                disclosures[kind] = None
            case AnsweredBy(kind=kind):
                answered_by = kind
    return Noted(tuple(objections), tuple(questions), tuple(disclosures), answered_by)
