"""What of a call's log is told to those who watch it, and in which words."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

from app.api.feed import Feed
from app.dialog.events import (
    AgentHeard,
    AgentSaid,
    CallBegan,
    CallEnded,
    CallerKeyed,
    CallerSaid,
    CameBack,
    ColleagueSaid,
    Entry,
    Estimated,
    FactLearned,
    Hinted,
    HumanRequested,
    Interrupted,
    ObjectionMet,
    OptedOut,
    Signalled,
    SteppedAside,
)
from app.store.calls import CallRow

News = tuple[str, Mapping[str, Any]]  # kind, body

_EVENTS = (FactLearned, HumanRequested, Interrupted, ObjectionMet, OptedOut)


def news_of(entry: Entry) -> News | None:
    """None for what nobody needs to see as it happens."""
    match entry.fact:
        case CallBegan(direction=direction, caller=caller, called=called, playbook=playbook):
            person = "•••• " + (caller if direction == "inbound" else called)[-4:]
            return "call", {"state": "live", "direction": direction, "person": person, "playbook": playbook}
        case SteppedAside(who=who):
            return "call", {"state": "live", "taken_by": who}
        case CameBack():
            return "call", {"state": "live", "taken_by": None}
        case CallEnded(reason):
            return "call", {"state": "ended", "reason": reason}
        case CallerSaid(text=text) if text:
            return _said("caller", text)
        case CallerKeyed(digits=digits):
            return _said("caller", f"[{digits}]")
        case AgentSaid(text=text):
            return _said("agent", text)
        case AgentHeard(heard_text=text, complete=False) if text:
            return _said("agent", f"{text} ...", cut=True)
        case ColleagueSaid(text=text) if text:
            return "said", {"by": "colleague", "text": text, "final": True, "use": "spoken"}
        case Hinted(text=text, use=use):
            return "said", {"by": "colleague", "text": text, "final": True, "use": use}
        case Signalled(signal="Heard", told=told):
            return _interim(told)
        case Estimated(probability=probability, next_action=next_action):
            return "score", {"probability": probability, "next_action": next_action}
        case fact if isinstance(fact, _EVENTS):
            body = {"seq": entry.seq, "at_ms": entry.at_ms, "fact": type(fact).__name__, **dataclasses.asdict(fact)}
            return "event", body
    return None


def tell(feed: Feed, call: CallRow, entry: Entry) -> None:
    """Numbers of people are told by their end: everybody of the workspace hears the same."""
    news = news_of(entry) if feed.wanted(call.workspace_id) else None
    if news is not None:
        kind, body = news
        feed.tell(call.workspace_id, kind, body, call.call_sid)


def lines_of(entries: Iterable[Entry]) -> list[Mapping[str, Any]]:
    """What was said so far, for somebody who begins to watch."""
    found = []
    for entry in entries:
        told = news_of(entry)
        if told is not None and told[0] == "said" and told[1]["final"] and "cut" not in told[1]:
            found.append(told[1])
    return found


def _said(by: str, text: str, *, cut: bool = False) -> News:
    return "said", {"by": by, "text": text, "final": True} | ({"cut": True} if cut else {})


def _interim(told: str) -> News | None:
    """Words on their way: they may still change."""
    heard = json.loads(told)
    if heard.get("final") or not heard.get("text"):
        return None
    return "said", {"by": "caller", "text": heard["text"], "final": False}
