"""What the log of one call says about the sale."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.dialog.events import (
    AgentHeard,
    AppointmentRequested,
    CallerKeyed,
    CallerSaid,
    CallerVoice,
    Entry,
    FactLearned,
    HumanRequested,
    Interrupted,
    ObjectionMet,
    OptedOut,
    QuestionAnswered,
)
from app.sales.lead import Conversation

_MONEY = re.compile(r"pric|cost|expens|financ|pay|quote|budget")  # in the names a playbook gives


def conversation_of(entries: Iterable[Entry]) -> Conversation:
    """Counts and shares only: nothing of who the person is or how they sound."""
    caller_ms = agent_ms = turns = interruptions = last_ms = 0
    questions: list[str] = []
    objections: list[str] = []
    facts: set[str] = set()
    commitment = callback = human = opted_out = False
    for entry in entries:
        last_ms = max(last_ms, entry.at_ms)
        match entry.fact:
            case CallerVoice(started_ms, ended_ms):
                caller_ms += max(0, ended_ms - started_ms)
            case AgentHeard(heard_ms=heard_ms):
                agent_ms += heard_ms
            case CallerSaid(text=text, confidence=confidence) if text or confidence > 0:
                turns += 1
            case CallerKeyed():
                turns += 1
            case Interrupted():
                interruptions += 1
            case QuestionAnswered(name):
                questions.append(name)
            case ObjectionMet(name):
                objections.append(name)
            case FactLearned(name=name):
                facts.add(name)
            case AppointmentRequested():
                commitment = True
            case HumanRequested(when):
                human, callback = True, callback or bool(when)
            case OptedOut():
                opted_out = True
    spoken_ms = caller_ms + agent_ms
    return Conversation(
        talk_share=caller_ms / spoken_ms if spoken_ms else 0.0,
        caller_turns=turns,
        questions=len(questions),
        objections=len(objections),
        facts=len(facts),
        interruptions=interruptions,
        price_talk=any(_MONEY.search(name) for name in (*questions, *objections)),
        commitment=commitment,
        callback_asked=callback,
        human_asked=human,
        opted_out=opted_out,
        seconds=last_ms / 1000,
    )
