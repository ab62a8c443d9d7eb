"""Whose turn it is: a pure function of what happens and of time.

    THINKING  -- the caller hears the reply begin -->  SPEAKING
    THINKING, SPEAKING  -- all of it was heard -->     LISTENING
    THINKING, SPEAKING  -- the caller takes over -->   LISTENING   (Duck, Hold, then CutReply or Restore)
    LISTENING -- the caller's turn is complete -->     THINKING    (Reply)
    any       -- hung up, goodbye heard, limit -->     OVER        (EndCall)

`step` notes the signal in the `Turn`, then does what is due. What is due, and when, is written once, in `_agenda`;
`deadline` reads the same list, so the session sleeps exactly until something would change.

A reply is asked for by number: turn 0 is the opening, which is in the air when the call begins.

While we listen an answer may be *drafted*, as soon as the caller is probably through: nobody hears it before the turn
is ours, and when the caller goes on it is dropped and was never there. Deciding may then take its time for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from app.dialog import over_us
from app.dialog.completeness import Ending
from app.dialog.dictation import Stretch, spoken_digits
from app.dialog.events import (
    Heard,
    HungUp,
    Keyed,
    MustEnd,
    OwnVoice,
    ReplyBegan,
    ReplyEnded,
    Signal,
    VoiceOff,
    VoiceOn,
)
from app.dialog.interruption import SILENCE, Volume
from app.dialog.moves import Closing, Pressed, Said, Silent
from app.dialog.over_us import SLACK_MS
from app.dialog.patience import Patience
from app.dialog.turn import Action as Action
from app.dialog.turn import Actions as Actions
from app.dialog.turn import CutReply as CutReply
from app.dialog.turn import Draft as Draft
from app.dialog.turn import DropDraft as DropDraft
from app.dialog.turn import Duck as Duck
from app.dialog.turn import EndCall as EndCall
from app.dialog.turn import Hold as Hold
from app.dialog.turn import Phase as Phase
from app.dialog.turn import Plan
from app.dialog.turn import PutAside as PutAside
from app.dialog.turn import Reply as Reply
from app.dialog.turn import Restore as Restore
from app.dialog.turn import Turn as Turn
from app.dialog.words import normal

_MANY_DIGITS = 8  # may be the half of a card number, which is only known for one, and taken out, when it is whole
_GOES_ON_MS = 1 << 40
_HEAR_OUT_MS = 2000  # a caller whom nobody understands any more may finish the sentence before we say so


def step(turn: Turn, signal: Signal, now_ms: int, patience: Patience) -> tuple[Turn, Actions]:
    """The next state and what to do, in order. Nothing follows OVER."""
    if turn.phase is Phase.OVER:
        return turn, ()
    match signal:
        case HungUp(lost):
            return _end("media_lost" if lost else "caller_hung_up")(turn, now_ms)
        case ReplyEnded(closes, reason) if turn.replying and (closes or turn.goodbye):
            ended = turn.closing if turn.goodbye and turn.closing else reason
            return _end(ended)(replace(turn, phase=Phase.LISTENING), now_ms)
    turn = _note(turn, signal, now_ms, patience)
    done: Actions = ()
    while plan := next((plan for due, plan in _agenda(turn, patience) if due <= now_ms), None):
        turn, actions = plan(turn, now_ms)
        done += actions
    return turn, done


def hushed(turn: Turn, now_ms: int) -> Turn:
    """We fell silent, and what was heard so far needs no answer; the next word is the first."""
    return Turn(Phase.LISTENING, since_ms=now_ms, number=turn.number, heard_to_ms=turn.heard_to_ms, sign_ms=now_ms)


def answering(turn: Turn, now_ms: int) -> Turn:
    """Something is said without having been asked for."""
    return replace(hushed(turn, now_ms), phase=Phase.THINKING, asked_ms=now_ms)


def deadline(turn: Turn, patience: Patience) -> int | None:
    """When a Tick is needed if nothing else happens; None when the call is over."""
    return min((due for due, _ in _agenda(turn, patience)), default=None)


def _note(turn: Turn, signal: Signal, now_ms: int, patience: Patience) -> Turn:
    match signal:
        case VoiceOn(at_ms):
            return replace(turn, voice_ms=at_ms, spoke_ms=at_ms, sign_ms=now_ms, mark="")
        case VoiceOff(at_ms, bursts) if turn.voice_ms is not None:
            if at_ms - turn.voice_ms < patience.barge_in_ms:  # a click, unless words come of it
                return replace(turn, voice_ms=None)
            earlier = turn.stretches if turn.quiet_ms is not None else ()
            stretches = (*earlier, Stretch(turn.voice_ms, at_ms, bursts))
            return replace(turn, voice_ms=None, quiet_ms=at_ms, stretches=stretches, sign_ms=now_ms)
        case OwnVoice(from_ms, to_ms):
            return replace(turn, voice_ms=None, own_ms=(from_ms, _GOES_ON_MS if to_ms is None else to_ms))
        case Heard(final=False, text=text, mark=mark):
            if not text:
                return replace(turn, mark=mark or turn.mark)
            from_ms, to_ms = signal.started_ms or now_ms, signal.ended_ms or now_ms
            turn = replace(turn, partial=text, partial_from_ms=from_ms, partial_to_ms=to_ms, repeats=turn.repeats + 1)
            return replace(turn, mark=mark, interims=True, words_ms=now_ms, sign_ms=now_ms)
        case Heard():
            to_ms = max(turn.heard_to_ms, signal.ended_ms or now_ms)
            turn = replace(turn, partial="", repeats=0, mark=signal.mark, heard_to_ms=to_ms)
            if not signal.text:
                return turn
            return replace(turn, heard=(*turn.heard, signal), words_ms=now_ms, sign_ms=now_ms)
        case Keyed(digit):
            return replace(turn, keys=turn.keys + digit, keyed_ms=now_ms, sign_ms=now_ms)
        case MustEnd(reason) if turn.closing is None:
            return replace(turn, closing=reason, closing_ms=now_ms)
        case ReplyBegan(protected, line) if turn.replying:
            if turn.number == 0 and turn.phase is Phase.THINKING:  # a wordless hello before our first word
                turn = replace(turn, quiet_ms=None)
            since_ms = turn.since_ms if turn.phase is Phase.SPEAKING else now_ms
            air = turn.air.beginning(line, now_ms)
            return replace(turn, phase=Phase.SPEAKING, since_ms=since_ms, protected=protected, air=air)
        case ReplyEnded() if turn.replying:
            if turn.quiet_ms is not None and not turn.text and now_ms - turn.quiet_ms > patience.trailing_ms:
                turn = replace(turn, quiet_ms=None)  # a sound that nobody waits for words of any more
            return replace(turn, phase=Phase.LISTENING, since_ms=now_ms, protected=False)
        case _:  # Tick, and whatever came too late to matter
            return turn


# --- what is due ------------------------------------------------------------------------------------------------------


def _agenda(turn: Turn, patience: Patience) -> Iterator[tuple[int, Plan]]:
    """What we will do and when, if nothing else happens; what comes first goes first when several are due."""
    if turn.phase is Phase.OVER:
        return
    yield patience.call_ms + patience.goodbye_ms, _end(turn.closing or "too_long")
    if turn.closing is None:
        yield patience.call_ms, _close("too_long")
    else:
        yield turn.closing_ms + patience.goodbye_ms, _end(turn.closing)
    if turn.draft is not None and turn.draft != normal(turn.text):
        yield turn.words_ms, _drop
    if turn.volume is not Volume.FULL and not (turn.replying and turn.cuttable):
        yield turn.since_ms, over_us.restore
    if turn.replying:
        if turn.cuttable:
            yield from _reasons_to_stop(turn, patience)
    elif turn.text and over_us.echoes(turn):
        yield turn.words_ms, over_us.dismiss
    elif turn.deaf:
        yield turn.closing_ms + (0 if turn.voice_ms is None else _HEAR_OUT_MS), _say_goodbye
    elif turn.keys:
        yield _keys_due(turn, patience), _answer_keys
    elif turn.voice_ms is not None:
        yield turn.voice_ms + patience.turn_ms, _answer_words
        if turn.mark == "ended" and turn.heard and not turn.partial:  # that voice says nothing
            pause_ms = patience.pause_after(turn.text, ended=True)
            yield max(turn.words_ms, turn.voice_ms) + pause_ms + patience.noise_ms, _answer_words
        yield from _drafting(turn, patience)
    elif turn.text or turn.quiet_ms is not None:
        yield _words_due(turn, patience), _answer_words
        yield from _drafting(turn, patience)
    elif turn.closing is not None:
        yield turn.closing_ms, _say_goodbye
    elif turn.misses >= patience.misses:
        yield turn.since_ms, _close("silence")
    else:
        yield turn.sign_ms + patience.quiet_limit_ms, _close("silence")
        spent = turn.nudges >= patience.nudges
        yield turn.since_ms + patience.silence_ms, _close("silence") if spent else _nudge


def _reasons_to_stop(turn: Turn, patience: Patience) -> Iterator[tuple[int, Plan]]:
    if turn.keys:
        yield turn.keyed_ms, over_us.cut(turn.keyed_ms)
    yield from over_us.reasons(turn, patience)
    if turn.closing is not None and turn.asked_ms < turn.closing_ms:  # what is asked for later gets its answer first
        yield turn.closing_ms, over_us.cut(turn.closing_ms, by_caller=False)


def _keys_due(turn: Turn, patience: Patience) -> int:
    complete = turn.keys.endswith("#") or 0 < patience.keys <= len(turn.keys)
    return turn.keyed_ms if complete else turn.keyed_ms + patience.key_gap_ms


def _drafting(turn: Turn, patience: Patience) -> Iterator[tuple[int, Plan]]:
    """When to begin the answer: as soon as the words sound as if they were all, whoever says so."""
    if turn.draft is not None:
        if turn.mark == "resumed":
            yield turn.words_ms, _drop
        return
    if not turn.text or turn.drafts >= patience.drafts or turn.mark == "resumed":
        return
    ending = patience.ending(turn.text)
    if ending is Ending.OPEN or (turn.partial and spoken_digits(turn.text) >= _MANY_DIGITS):
        return
    if turn.mark in ("eager", "ended"):
        yield turn.words_ms, _draft
    elif turn.voice_ms is None and turn.quiet_ms is not None:
        if turn.words_ms > turn.spoke_ms:  # words of the last voice, not of the one before
            yield max(turn.quiet_ms, turn.words_ms), _draft
    elif ending is Ending.CLOSED and turn.drafts < patience.early_drafts:
        yield turn.words_ms, _draft


def _words_due(turn: Turn, patience: Patience) -> int:
    """After the caller's pause; later while words of the last voice may still come."""
    ended = turn.mark == "ended"
    pause_ms = patience.pause_after(turn.text, ended=ended, stretches=turn.stretches, heard=turn.heard)
    if turn.quiet_ms is None:
        return turn.words_ms + (patience.unheard_ms if turn.partial else pause_ms)
    if turn.partial or turn.heard_to_ms < turn.quiet_ms - SLACK_MS:
        return turn.quiet_ms + patience.unheard_ms
    return turn.quiet_ms + pause_ms


# --- doing it ---------------------------------------------------------------------------------------------------------


def _end(reason: str) -> Plan:
    def plan(turn: Turn, now_ms: int) -> tuple[Turn, Actions]:
        cut = (CutReply(now_ms, by_caller=False),) if turn.replying else ()
        over = replace(turn, phase=Phase.OVER, since_ms=now_ms, draft=None)
        return over, (*cut, *_without_draft(turn), EndCall(reason))

    return plan


def _close(reason: str) -> Plan:
    def plan(turn: Turn, now_ms: int) -> tuple[Turn, Actions]:
        return replace(turn, closing=reason, closing_ms=now_ms), ()

    return plan


def _say_goodbye(turn: Turn, now_ms: int) -> tuple[Turn, Actions]:
    reason = turn.closing or "finished"
    asked = _ask(turn, now_ms, goodbye=True)
    return asked, (*_without_draft(turn), Reply(Closing(asked.number, reason), now_ms))


def _nudge(turn: Turn, now_ms: int) -> tuple[Turn, Actions]:
    asked = _ask(turn, now_ms, nudges=turn.nudges + 1)
    return asked, (*_without_draft(turn), Reply(Silent(asked.number, asked.nudges), now_ms))


def _answer_keys(turn: Turn, now_ms: int) -> tuple[Turn, Actions]:
    """Words said meanwhile stay open: they may be what matters more, such as an opt-out."""
    asked = _ask(turn, now_ms, keys="", nudges=0, misses=0)
    digits = turn.keys.removesuffix("#") or "#"
    return asked, (*_without_draft(turn), Reply(Pressed(asked.number, digits), turn.keyed_ms))


def _answer_words(turn: Turn, now_ms: int) -> tuple[Turn, Actions]:
    """An empty text when there was voice and no words: the dialogue asks again."""
    text = turn.text
    misses = 0 if text else turn.misses + 1
    asked = _ask(turn, now_ms, quiet_ms=None, heard=(), partial="", nudges=0, misses=misses)
    stopped_ms = turn.quiet_ms if turn.quiet_ms is not None else min(turn.words_ms or now_ms, now_ms)
    drafted = turn.draft is not None and turn.draft == normal(text)
    reply = Reply(_said(turn), stopped_ms, turn.heard, drafted)
    return asked, (reply,) if drafted else (*_without_draft(turn), reply)


def _draft(turn: Turn, now_ms: int) -> tuple[Turn, Actions]:
    return replace(turn, draft=normal(turn.text), drafts=turn.drafts + 1), (Draft(_said(turn)),)


def _drop(turn: Turn, now_ms: int) -> tuple[Turn, Actions]:
    return replace(turn, draft=None), (DropDraft(),)


def _without_draft(turn: Turn) -> Actions:
    return (DropDraft(),) if turn.draft is not None else ()


def _said(turn: Turn) -> Said:
    """The open words as the caller's next turn."""
    return Said(turn.number + 1, turn.text, min((heard.confidence for heard in turn.heard), default=0.0))


def _ask(turn: Turn, now_ms: int, **changes: Any) -> Turn:
    """The voice that is still on belongs to the turn just taken: only a new one may cut the reply."""
    asked = replace(turn, phase=Phase.THINKING, since_ms=now_ms, asked_ms=now_ms, number=turn.number + 1, voice_ms=None)
    return replace(asked, protected=False, air=SILENCE, repeats=0, mark="", draft=None, drafts=0, **changes)
