"""The history of a lead as one row: the same function feeds training on own outcomes and scoring after a call.

Only what was done and said in the conversation, never who the person is: no name, number, place, voice or feeling.
"""

from __future__ import annotations

from app.sales.lead import LeadHistory

NUMBERS = (
    "calls",
    "talk_share",
    "caller_turns",
    "questions",
    "objections",
    "facts_volunteered",
    "facts_known",
    "interruptions",
    "minutes",
    "objections_resolved",
    "volunteered",
    "sentiment_trend",
    "commitments",
)
READ = ("objecting_turns", "welcome", "welcome_trend")  # known where a model of words read the caller's turns
CATEGORIES = ("source", "price_talk", "appointment_asked", "callback_asked", "human_asked", "opted_out")


def lead_row(history: LeadHistory) -> dict[str, object]:
    """One value per name in NUMBERS, READ and CATEGORIES. `minutes` are of the last call, `talk_share` the caller's."""
    last, read = history.last, history.last.spoken
    return {
        "source": history.source,
        "calls": history.calls,
        "talk_share": round(last.talk_share, 4),
        "caller_turns": last.caller_turns,
        "questions": last.questions,
        "objections": last.objections,
        "facts_volunteered": last.facts,
        "facts_known": len(history.facts),
        "interruptions": last.interruptions,
        "minutes": round(last.seconds / 60, 3),
        "objections_resolved": last.objections_resolved,
        "volunteered": last.volunteered,
        "sentiment_trend": round(last.sentiment_trend, 4),
        "commitments": last.commitments,
        "objecting_turns": read.objecting if read else None,
        "welcome": round(read.welcome, 4) if read else None,
        "welcome_trend": round(read.trend, 4) if read else None,
        "price_talk": _yes(last.price_talk),
        "appointment_asked": _yes(last.commitment),
        "callback_asked": _yes(last.callback_asked),
        "human_asked": _yes(last.human_asked),
        "opted_out": _yes(last.opted_out),
    }


def _yes(value: bool) -> str:
    return "yes" if value else "no"
