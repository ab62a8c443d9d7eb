"""What a key of the fallback menu does. One transaction: the caller is told only what is durable."""

from __future__ import annotations

from datetime import datetime

from app import observe
from app.dialog.events import CallEnded, CallerKeyed, Entry, Fact, HumanRequested, OptedOut
from app.errors import NotFound
from app.store import call_events, calls, finish, promises
from app.store.connect import Connection
from app.telephony.ivr import Wish


def grant(db: Connection, call_sid: str, wish: Wish, digits: str, now: datetime) -> None:
    """Writes the wish and the end of the call to its log, and the outcome. A second delivery changes nothing."""
    calls.one_at_a_time(db, call_sid)
    call = calls.get(db, call_sid)
    if call is None:
        raise NotFound(f"no call {call_sid}")
    log = call_events.read(db, call_sid)
    if log and isinstance(log[-1].fact, CallEnded) and log[-1].fact.reason != "media_lost":
        return
    facts: list[Fact] = [CallerKeyed(turn=0, digits=digits[:1])] if digits else []
    reason = "media_lost"
    match wish:
        case Wish.OPT_OUT:
            words = f"pressed {digits[:1]} in the keypad menu"
            facts.append(OptedOut(words))
            reason = "opted_out"
            observe.OPT_OUTS.labels("keypad").inc()
        case Wish.CALL_BACK:
            facts.append(HumanRequested())
    facts.append(CallEnded(reason))
    seq, at_ms = (log[-1].seq, log[-1].at_ms) if log else (0, 0)
    entries = tuple(Entry(seq + offset, at_ms, fact) for offset, fact in enumerate(facts, start=1))
    call_events.append(db, call.id, entries)
    promises.keep(db, call, entries, now)  # also when the outcome was written before
    finish.finish_call(db, call, (*log, *entries))
