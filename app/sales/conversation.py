"""What the log of one call says about the sale."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.dialog.events import (
    AgentHeard,
    AgentSaid,
    AppointmentRequested,
    CallerKeyed,
    CallerSaid,
    CallerVoice,
    ConsentGiven,
    Entry,
    FactLearned,
    HumanRequested,
    Interrupted,
    ObjectionMet,
    OptedOut,
    QuestionAnswered,
)
from app.sales import mood
from app.sales.lead import Conversation

_MONEY = re.compile(r"pric|cost|expens|financ|pay|quote|budget")  # in the names a playbook gives


def conversation_of(entries: Iterable[Entry]) -> Conversation:
    """Counts and shares only: nothing of who the person is or how they sound."""
    caller_ms = agent_ms = turns = interruptions = last_ms = commitments = 0
    asked: list[str] = []
    moods: list[float] = []
    commitment = callback = human = opted_out = money = False
    open_topic = ""
    facts: dict[str, bool] = {}  # whether it was volunteered
    objections = _Objections()
    for entry in entries:
        last_ms = max(last_ms, entry.at_ms)
        match entry.fact:
            case CallerVoice(started_ms, ended_ms):
                caller_ms += max(0, ended_ms - started_ms)
            case AgentHeard(heard_ms=heard_ms):
                agent_ms += heard_ms
            case AgentSaid(purpose=purpose):
                open_topic = purpose
            case CallerSaid(text=text, confidence=confidence) if text or confidence > 0:
                turns += 1
                objections.begin_turn()
                if text:
                    moods.append(mood.sentiment(text))
                    commitments += mood.commits(text)
                    money = money or mood.talks_money(text)
            case CallerKeyed():
                turns += 1
                objections.begin_turn()
            case Interrupted():
                interruptions += 1
            case QuestionAnswered(name):
                asked.append(name)
                objections.go_on()
            case ObjectionMet(name):
                objections.meet(name)
            case FactLearned(name=name):
                facts.setdefault(name, open_topic not in (f"ask:{name}", f"confirm:{name}"))
                objections.go_on()
            case AppointmentRequested():
                commitment = True
                objections.go_on()
            case ConsentGiven():
                objections.go_on()
            case HumanRequested(when):
                human, callback = True, callback or bool(when)
            case OptedOut():
                opted_out = True
    spoken_ms = caller_ms + agent_ms
    return Conversation(
        talk_share=caller_ms / spoken_ms if spoken_ms else 0.0,
        caller_turns=turns,
        questions=len(asked),
        objections=len(objections.met),
        facts=len(facts),
        interruptions=interruptions,
        price_talk=money or any(_MONEY.search(name) for name in (*asked, *objections.met)),
        commitment=commitment,
        callback_asked=callback,
        human_asked=human,
        opted_out=opted_out,
        seconds=last_ms / 1000,
        objections_resolved=objections.resolved,
        volunteered=sum(facts.values()),
        sentiment_trend=mood.trend(moods),
        commitments=commitments,
    )


class _Objections:
    """An objection is resolved when a later turn of the caller's goes on with the conversation and does not object."""

    def __init__(self) -> None:
        self.met: list[str] = []
        self.resolved = 0
        self._before, self._now = 0, 0  # unresolved ones of earlier turns, and of this one

    def begin_turn(self) -> None:
        self._before, self._now = self._before + self._now, 0

    def meet(self, name: str) -> None:
        self.met.append(name)
        self._now += 1

    def go_on(self) -> None:
        if not self._now:
            self.resolved, self._before = self.resolved + self._before, 0
