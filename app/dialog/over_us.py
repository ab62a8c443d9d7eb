"""The caller over our reply, and our own words come back: what is due about it, and how it is done.

What the sounds and words mean is decided in interruption.py, from the few facts of a `Turn` gathered here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from app.dialog.events import Aside, Heard
from app.dialog.interruption import Meaning, Overlap, Verdict, Volume, meaning, verdicts
from app.dialog.patience import Patience
from app.dialog.turn import Actions, CutReply, Duck, Hold, Phase, Plan, PutAside, Restore, Turn

SLACK_MS = 250  # speech to text and voice activity disagree about where a word ends by up to this much
_AFTER_US_MS = 300  # words begun this shortly after our last sound may still be our own


def reasons(turn: Turn, patience: Patience) -> Iterator[tuple[int, Plan]]:
    """What is due, and when, because of the caller's voice and words over a reply that may be cut."""
    for due_ms, verdict in verdicts(_overlap(turn), patience):
        yield due_ms, _VERDICTS[verdict]


def _overlap(turn: Turn) -> Overlap:
    """Words without a voice count too: voice activity was too cautious, or there is none."""
    heard, partial = turn.over_us, turn.partial if turn.partial_to_ms > turn.since_ms else ""
    began_ms = _began_ms(turn)
    words = meaning(" ".join([*(words.text for words in heard), partial]), began_ms, turn.air)
    if words is not Meaning.NOTHING and _is_own(turn, heard):
        words = Meaning.ECHO
    return Overlap(
        volume=turn.volume,
        audible=turn.phase is Phase.SPEAKING,
        voice_ms=turn.voice_ms,
        quiet_ms=turn.quiet_ms,
        words=words,
        words_ms=turn.words_ms,
        sure=not partial or turn.repeats > 1 or turn.mark in ("eager", "ended"),
        settled=not partial and turn.quiet_ms is not None and turn.heard_to_ms >= turn.quiet_ms - SLACK_MS,
        interims=turn.interims,
        held_ms=turn.held_ms or 0,
        question_ms=turn.air.question_over_ms(began_ms) if words is Meaning.ANSWER else None,
    )


def echoes(turn: Turn) -> bool:
    """Whether all open words are our own, come back after we have ended."""
    began_ms = min([heard.started_ms for heard in turn.heard], default=turn.partial_from_ms)
    if began_ms > turn.since_ms + _AFTER_US_MS:
        return False
    return _is_own(turn, turn.heard) or meaning(turn.text, began_ms, turn.air) is Meaning.ECHO


def _is_own(turn: Turn, words: tuple[Heard, ...]) -> bool:
    """Whether these, and the partial ones, lie where our own voice came back."""
    if turn.own_ms is None:
        return False
    from_ms, to_ms = turn.own_ms
    times = [(heard.started_ms, heard.ended_ms) for heard in words]
    if turn.partial:
        times.append((turn.partial_from_ms, turn.partial_to_ms))
    return all(from_ms - SLACK_MS <= began_ms and ended_ms <= to_ms + SLACK_MS for began_ms, ended_ms in times)


def _began_ms(turn: Turn) -> int:
    """When the caller began to speak over us."""
    heard = turn.over_us
    if heard:
        return max(heard[0].started_ms, turn.since_ms)
    return turn.spoke_ms if turn.voice_ms is not None else max(turn.since_ms, turn.spoke_ms)


def cut(voice_ms: int, *, by_caller: bool = True) -> Plan:
    def plan(turn: Turn, now_ms: int) -> tuple[Turn, Actions]:
        listening = replace(turn, phase=Phase.LISTENING, since_ms=now_ms, protected=False, goodbye=False)
        listening = replace(listening, volume=Volume.FULL, ducked_ms=None, held_ms=None)
        if turn.goodbye and turn.closing == "silence":  # not so silent after all
            listening = replace(listening, closing=None, nudges=0, misses=0)
        cut = (
            CutReply(voice_ms, by_caller, turn.ducked_ms, turn.held_ms) if by_caller else CutReply(voice_ms, by_caller)
        )
        return listening, (cut,)

    return plan


def _take(turn: Turn, now_ms: int) -> tuple[Turn, Actions]:
    return cut(_began_ms(turn))(turn, now_ms)


def _duck(turn: Turn, now_ms: int) -> tuple[Turn, Actions]:
    return replace(turn, volume=Volume.LOW, ducked_ms=now_ms), (Duck(_began_ms(turn)),)


def _hold(turn: Turn, now_ms: int) -> tuple[Turn, Actions]:
    return replace(turn, volume=Volume.HELD, held_ms=now_ms), (Hold(_began_ms(turn)),)


def restore(turn: Turn, now_ms: int) -> tuple[Turn, Actions]:
    return replace(turn, volume=Volume.FULL, ducked_ms=None, held_ms=None), (Restore(),)


def _ignore(turn: Turn, now_ms: int) -> tuple[Turn, Actions]:
    return restore(replace(turn, voice_ms=None), now_ms)


def dismiss(turn: Turn, now_ms: int) -> tuple[Turn, Actions]:
    """In our own phase late words of the turn before stay open; when it is over, all that is open is echo."""
    dismissed = turn.over_us if turn.replying else turn.heard
    said = " ".join(words for words in (*(heard.text for heard in dismissed), turn.partial) if words)
    done: Actions = ()
    if said:
        kind = _overlap(turn).words if turn.replying else Meaning.ECHO
        began_ms = min([heard.started_ms for heard in dismissed], default=turn.partial_from_ms)
        ended_ms = max([heard.ended_ms for heard in dismissed], default=turn.partial_to_ms)
        done = (PutAside(Aside(kind.value, said, began_ms, ended_ms)),)
    late = tuple(heard for heard in turn.heard if heard not in dismissed)
    return replace(turn, heard=late, partial="", repeats=0, mark="", quiet_ms=None), done


_VERDICTS: Mapping[Verdict, Plan] = {
    Verdict.DUCK: _duck,
    Verdict.HOLD: _hold,
    Verdict.RESTORE: restore,
    Verdict.IGNORE: _ignore,
    Verdict.TAKE: _take,
    Verdict.DISMISS: dismiss,
}
