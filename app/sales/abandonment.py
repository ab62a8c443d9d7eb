"""Abandoned calls of a campaign (C09): people who answered and had nobody on the line within two seconds.

The law lets 3 % of the calls that people answer be abandoned, per campaign and 30 days (16 CFR 310.4(b)(4), 47 CFR
64.1200(a)(7)). A campaign stops at 2 %. Pure: a call is judged by its log and by what the carrier said of it.

What cannot be told counts against us: a call nobody reported on, or one in which nobody was heard, is counted when it
was abandoned, and is not counted among the answered ones otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import takewhile

from app.dialog.events import AgentHeard, AnsweredBy, CallEnded, CallerKeyed, CallerSaid, CallerVoice, Entry, TurnTimed

WINDOW = timedelta(days=30)
LIMIT_MS = 2000  # from the end of the greeting until somebody of ours is heard
STOP_PERCENT = 2
ENOUGH = 50  # answered calls; with fewer, one abandoned call alone is no share to go by
ALWAYS = 2  # abandoned calls that stop a campaign however few were answered
HELLO_GAP_MS = 700  # a pause as long ends a greeting; as in answered.py

_NOBODY = frozenset({"busy", "no-answer", "failed", "canceled"})
_PEOPLE = frozenset({"human", "not_sure"})
_TALKING_MACHINES = frozenset({"ivr", "screening"})  # a person may come after them, at no time we could measure
_CARRIER_STEP_MS = 1000  # its times are whole seconds


class Answer(StrEnum):
    CONNECTED = "connected"
    ABANDONED = "abandoned"
    NOT_COUNTED = "not_counted"  # nobody answered, or a machine, or they hung up at once


@dataclass(frozen=True, slots=True)
class Leg:
    """What is known of a call beside its log. `status` is the carrier's newest. `connect_ms` from the answer until the
    media stream was there; None when none ever was, or it is not known. `lasted_ms` from the answer to the end by the
    carrier's clock of whole seconds; None when it did not say."""

    status: str
    connect_ms: int | None = None
    lasted_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """`wait_ms`: how long they waited for us after their greeting, or after answering where none was heard."""

    answer: Answer
    wait_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one campaign in the last 30 days: calls that people answered, how many of those were abandoned, and how many
    of these since a person last let it go on after a stop."""

    answered: int
    abandoned: int
    fresh: int


_NOT_COUNTED = Judged(Answer.NOT_COUNTED)


def judge(leg: Leg, log: Sequence[Entry]) -> Judged:
    """One call that is over, or that nobody has reported on for long."""
    if not log and leg.connect_ms is None:
        return _never_connected(leg)
    if _machine(log):
        return _NOT_COUNTED
    first_ms, asked_ms = _first_audio_ms(log), _waiting_since_ms(log, leg)
    if first_ms is None:
        waited_ms = max((entry.at_ms for entry in log), default=0) - asked_ms
        they_left = any(entry.fact == CallEnded("caller_hung_up") for entry in log)
        return _NOT_COUNTED if they_left and waited_ms <= LIMIT_MS else Judged(Answer.ABANDONED, max(0, waited_ms))
    wait_ms = max(0, first_ms - asked_ms)
    if wait_ms > LIMIT_MS:
        return Judged(Answer.ABANDONED, wait_ms)
    return Judged(Answer.CONNECTED if _somebody_heard(log) else Answer.NOT_COUNTED, wait_ms)


def must_stop(standing: Standing) -> str | None:
    """Why the campaign stops now; None when it may go on.

    One abandoned call in fewer than 50 is over 2 % by being one, and only further answered calls bring the share down:
    it does not stop a campaign, a second one does. Once a person has let it go on, it takes another abandoned call.
    """
    if not standing.fresh or standing.abandoned * 100 < standing.answered * STOP_PERCENT:
        return None
    if standing.answered < ENOUGH and standing.abandoned < ALWAYS:
        return None
    return (
        f"C09: {standing.abandoned} of {standing.answered} answered calls in {WINDOW.days} days were abandoned: "
        f"nobody of ours was heard within {LIMIT_MS // 1000} s. The campaign stops at {STOP_PERCENT} %."
    )


def _never_connected(leg: Leg) -> Judged:
    if leg.status in _NOBODY:
        return _NOT_COUNTED
    if leg.lasted_ms is not None and leg.lasted_ms + _CARRIER_STEP_MS <= LIMIT_MS:
        return _NOT_COUNTED  # they hung up before the two seconds were over
    return Judged(Answer.ABANDONED, leg.lasted_ms)


def _machine(log: Iterable[Entry]) -> bool:
    kinds = [entry.fact.kind for entry in log if isinstance(entry.fact, AnsweredBy)]
    return bool(kinds) and (kinds[-1] not in _PEOPLE or not _TALKING_MACHINES.isdisjoint(kinds))


def _somebody_heard(log: Iterable[Entry]) -> bool:
    for entry in log:
        match entry.fact:
            case CallerVoice() | CallerSaid() | CallerKeyed():
                return True
            case AnsweredBy(kind=kind) if kind in _PEOPLE:
                return True
    return False


def _first_audio_ms(log: Iterable[Entry]) -> int | None:
    """When the first of ours was heard. A log that broke off may lack the turn's times: then by what was heard."""
    found = []
    for entry in log:
        match entry.fact:
            case TurnTimed(first_played_ms=int(at_ms)):
                found.append(at_ms)
            case AgentHeard(heard_ms=heard_ms) if heard_ms > 0:
                found.append(max(0, entry.at_ms - heard_ms))
    return min(found, default=None)


def _waiting_since_ms(log: Iterable[Entry], leg: Leg) -> int:
    """On the call's clock, which begins with the media stream: the end of the first thing they said before they heard
    us, or else their answer, which lies before it."""
    first_ms = _first_audio_ms(log)
    voices = sorted((fact.started_ms, fact.ended_ms) for entry in log if isinstance(fact := entry.fact, CallerVoice))
    before = list(takewhile(lambda voice: first_ms is None or voice[0] < first_ms, voices))
    if not before:
        return -(leg.connect_ms or 0)
    end_ms = before[0][1]
    for started_ms, ended_ms in before[1:]:
        if started_ms - end_ms >= HELLO_GAP_MS:
            break
        end_ms = max(end_ms, ended_ms)
    return end_ms
