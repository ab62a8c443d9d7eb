"""What all turns of a call together say, and the row that models see."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.sales.lead import Conversation, LeadHistory
from app.sales.reading import Spoken, TurnReading, spoken
from ml.features import READ, lead_row


def reading(seq: int, objection: float, sentiment: float) -> TurnReading:
    return TurnReading(seq, "price", 0.9, objection, sentiment, "m1")


def row(found: Spoken | None) -> dict[str, object]:
    history = LeadHistory(UUID(int=1), "web", {}, 1, Conversation(spoken=found))
    return {name: value for name, value in lead_row(history).items() if name in READ}


def test_turns_are_counted_together() -> None:
    readings = [reading(3, 0.9, -0.75), reading(5, 0.5, -0.25), reading(9, 0.49, 0.5), reading(12, 0.0, 0.5)]
    assert spoken(readings) == Spoken(turns=4, objecting=2, welcome=0.0, trend=1.0)
    assert row(spoken(readings)) == {"objecting_turns": 2, "welcome": 0.0, "welcome_trend": 1.0}


def test_what_was_not_read_is_not_known_rather_than_nothing() -> None:
    assert spoken([]) is None
    assert row(None) == {"objecting_turns": None, "welcome": None, "welcome_trend": None}


@pytest.mark.parametrize(
    ("intent", "probability", "sentiment", "topic", "mood"),
    [
        ("price", 0.8, 0.0, "price", None),
        ("price", 0.79, 0.0, None, None),
        ("other", 1.0, 0.9, None, "welcome"),
        ("trust", 0.9, -0.8, "trust", "unwelcome"),
        ("answer", 1.0, -1.0, None, None),
    ],
)
def test_only_what_is_sure_is_shown(
    intent: str, probability: float, sentiment: float, topic: str | None, mood: str | None
) -> None:
    one = TurnReading(1, intent, probability, 0.0, sentiment, "m1")
    assert (one.topic, one.mood) == (topic, mood)


def test_answers_say_nothing_of_the_offer() -> None:
    home = TurnReading(1, "answer", 1.0, 0.9, -0.9, "m1")  # "homeowner"
    assert spoken([home, reading(2, 0.1, 0.5), reading(3, 0.8, -0.25)]) == Spoken(3, 1, 0.125, -0.75)
    assert spoken([home]) == Spoken(1, 0, 0.0, 0.0)
