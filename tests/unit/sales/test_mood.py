"""Words for, against and of decision; and what a call's log says of objections and facts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialog.events import (
    AgentSaid,
    AppointmentRequested,
    CallerSaid,
    Entry,
    Fact,
    FactLearned,
    ObjectionMet,
)
from app.sales import mood
from app.sales.conversation import conversation_of
from app.sales.lead import Conversation


def said(text: str) -> CallerSaid:
    return CallerSaid(1, text, 0.9, 0, 1, "x")


def of(*facts: Fact) -> Conversation:
    return conversation_of(Entry(seq, seq, fact) for seq, fact in enumerate(facts, 1))


@pytest.mark.parametrize(
    ("text", "balance"),
    [
        ("that sounds great", 1.0),
        ("that is not good", -1.0),
        ("this is a scam", -1.0),
        ("it is not a problem", 1.0),
        ("great but expensive", 0.0),
        ("about two hundred dollars", 0.0),
        ("", 0.0),
    ],
)
def test_the_balance_of_words(text: str, balance: float) -> None:
    assert mood.sentiment(text) == balance


@pytest.mark.parametrize("text", ["Let's do it", "sign me up please", "when can you start", "i'll take the big one"])
def test_words_that_commit(text: str) -> None:
    assert mood.commits(text)


@pytest.mark.parametrize("text", ["i will not let you book a visit", "do not sign me up", "let me think", ""])
def test_words_that_do_not(text: str) -> None:
    assert not mood.commits(text)


@given(st.text())
def test_any_text_has_a_balance_within_bounds(text: str) -> None:
    assert -1 <= mood.sentiment(text) <= 1


@given(st.lists(st.floats(-1, 1), max_size=9))
def test_the_trend_turns_with_the_turns(turns: list[float]) -> None:
    assert mood.trend(turns[::-1]) == pytest.approx(-mood.trend(turns))
    assert -2 <= mood.trend(turns) <= 2


def test_an_objection_is_resolved_when_a_later_turn_goes_on() -> None:
    objected = (said("too expensive"), ObjectionMet("too_expensive"))
    assert of(*objected).objections_resolved == 0
    assert of(*objected, said("tile"), FactLearned("roof", "tile", "")).objections_resolved == 1
    assert of(*objected, *objected, said("the first"), AppointmentRequested("x", "")).objections_resolved == 2


def test_a_fact_told_in_the_breath_of_an_objection_resolves_nothing() -> None:
    breath = (said("tile, but it is ugly"), ObjectionMet("ugly"), FactLearned("roof", "tile", ""))
    assert of(*breath).objections_resolved == 0
    assert of(said("too expensive"), ObjectionMet("too_expensive"), *breath).objections_resolved == 0


def test_what_was_not_asked_for_was_volunteered() -> None:
    asked = AgentSaid(1, 0, "What kind of roof?", "ask:roof")
    found = of(asked, said("tile, i own it"), FactLearned("roof", "tile", ""), FactLearned("owns_home", "yes", ""))
    assert (found.facts, found.volunteered) == (2, 1)


def test_a_call_that_warms_up_has_a_rising_trend() -> None:
    warming = of(said("this is annoying"), said("oh that is good"), said("perfect, let's do it"))
    assert warming.sentiment_trend > 1
    assert warming.commitments == 1
    assert of(said("can i afford it")).price_talk
