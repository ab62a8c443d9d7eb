"""The chance of a sale while the call goes on, and what to do next."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialog.events import Estimated, from_record, to_record
from app.sales.lead import Conversation
from app.sales.live import shipped
from app.sales.next_action import Action, estimate, next_action

TOLD = Conversation(facts=4, questions=2)


@pytest.mark.parametrize(
    ("talk", "probability", "action"),
    [
        (Conversation(), 0.1, Action.ASK),
        (TOLD, 0.1, Action.ASK),
        (TOLD, 0.6, Action.OFFER),
        (replace(TOLD, commitments=1), 0.1, Action.OFFER),
        (replace(TOLD, objections=1), 0.9, Action.HANDLE),
        (replace(TOLD, objections=1, objections_resolved=1), 0.9, Action.OFFER),
        (replace(TOLD, objections=1, human_asked=True), 0.9, Action.HAND_OVER),
        (replace(TOLD, commitment=True, objections=1), 0.9, Action.CLOSE),
        (replace(TOLD, opted_out=True, human_asked=True), 0.0, Action.CLOSE),
    ],
)
def test_what_to_do_next(talk: Conversation, probability: float, action: Action) -> None:
    assert next_action(talk, probability) is action


def test_an_appointment_raises_it_and_an_opt_out_ends_it() -> None:
    before, booked, stop = (
        estimate(3, talk, shipped()) for talk in (TOLD, replace(TOLD, commitment=True), replace(TOLD, opted_out=True))
    )
    assert before.probability < booked.probability
    assert "an appointment raises it" in booked.because
    assert stop.probability == 0


def test_it_says_that_it_learned_from_a_simulation() -> None:
    assert estimate(1, TOLD, shipped()).model.startswith("live-simulated-")


@given(
    counts=st.fixed_dictionaries(
        {n: st.integers(0, 10_000) for n in ("questions", "objections", "facts", "commitments")}
    ),
    trend=st.floats(-2, 2),
)
def test_any_conversation_has_an_estimate_that_the_log_can_keep(counts: dict[str, int], trend: float) -> None:
    found = estimate(1, Conversation(**counts, sentiment_trend=trend), shipped())
    assert 0 <= found.probability <= 1
    assert found.next_action in tuple(Action)
    kind, body = to_record(found)
    assert from_record(kind, json.loads(json.dumps(body))) == found


def test_an_older_log_without_reasons_is_read() -> None:
    assert from_record("Estimated", {"turn": 1, "probability": 0.5, "next_action": "ask"}) == Estimated(1, 0.5, "ask")
