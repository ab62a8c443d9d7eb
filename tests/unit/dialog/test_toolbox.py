"""The model's tools: what the state allows, checked again on use, and nothing that reaches outside of this call."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialog.events import ConsentGiven, FactLearned, HumanRequested, OptedOut
from app.dialog.moves import Commit, Note
from app.dialog.state import State
from app.dialog.toolbox import NotAllowed, Tool, Used, tools_for, use
from tests.unit.dialog.conftest import FRIDAY, northlight

BOOK = northlight()
SALES = State(today=FRIDAY, route="sales", topic="ask:roof", asked=True)


def names(state: State, *, understood: bool = True) -> set[str]:
    return {tool.name for tool in tools_for(state, BOOK, understood=understood)}


@pytest.mark.parametrize(
    ("state", "missing"),
    [
        (replace(SALES, route="human"), {"note_fact", "offer_appointment"}),
        (replace(SALES, callback="today"), {"request_callback"}),
        (replace(SALES, visit_settled=True, visit=None, route="done"), {"note_fact", "offer_appointment"}),
        (replace(SALES, confirming="zip_code", unconfirmed="94107"), {"note_fact", "offer_appointment"}),
        (replace(SALES, facts={fact.name: "1" for fact in BOOK.facts}), {"note_fact"}),
        (replace(SALES, ended="opted_out"), {"note_fact", "offer_appointment", "request_callback", "end_call"}),
    ],
)
def test_T08_tools_come_and_go_with_the_state(state: State, missing: set[str]) -> None:
    assert names(SALES, understood=False) == {"note_fact", "offer_appointment", "request_callback", "end_call"}
    assert not names(state, understood=False) & missing


def test_the_call_is_ended_by_tool_only_when_nobody_else_understood_or_all_is_said() -> None:
    assert "end_call" not in names(SALES)
    assert "end_call" in names(replace(SALES, topic="closing"))


def test_T07_no_tool_takes_a_number_an_address_or_an_identity() -> None:
    tools = tools_for(SALES, BOOK, understood=False)
    assert {name for tool in tools for name in tool.choices} == {"fact", "value", "when", "slot"}
    free = [(tool.name, name) for tool in tools for name, values in tool.choices.items() if not values]
    assert free == [("note_fact", "value")], "and that one is checked by the type of the fact"


def test_schemas_are_closed() -> None:
    for tool in tools_for(SALES, BOOK, understood=False):
        schema = tool.schema()
        assert schema["additionalProperties"] is False
        assert schema["required"] == list(tool.choices)


def test_digits_are_read_back_before_they_count() -> None:
    tools = tools_for(SALES, BOOK, understood=False)
    used = use("note_fact", '{"fact": "zip_code", "value": "94107"}', tools, SALES, "nine four one oh seven", BOOK)
    assert isinstance(used, Used)
    assert used.state.confirming == "zip_code"
    assert "zip_code" not in used.state.facts


def test_the_log_keeps_the_callers_words_and_not_the_models() -> None:
    tools = tools_for(SALES, BOOK, understood=False)
    used = use("note_fact", '{"fact": "roof", "value": "metal"}', tools, SALES, "corrugated iron", BOOK)
    assert isinstance(used, Used)
    assert Note(FactLearned("roof", "metal", "corrugated iron")) in used.moves


def test_T10_a_tool_of_another_state_is_refused() -> None:
    tools = tools_for(replace(SALES, route="human"), BOOK, understood=True)
    assert isinstance(use("offer_appointment", '{"slot": "2026-11-24T14:00"}', tools, SALES, "x", BOOK), NotAllowed)


def test_a_visit_refused_before_is_not_offered_again() -> None:
    first = tools_for(SALES, BOOK, understood=True)
    slots = next(tool for tool in first if tool.name == "offer_appointment").choices["slot"]
    from datetime import datetime

    state = replace(SALES, refused=(datetime.fromisoformat(slots[0]),))
    later = next(tool for tool in tools_for(state, BOOK, understood=True) if tool.name == "offer_appointment")
    assert slots[0] not in later.choices["slot"]


OFFERED: tuple[Tool, ...] = tools_for(SALES, BOOK, understood=False)
ARGUMENTS = st.one_of(
    st.text(),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["fact", "value", "when", "slot", "to"]), inner, max_size=4)
        ),
    ).map(json.dumps),
    st.builds(
        lambda fact, value: json.dumps({"fact": fact, "value": value}),
        st.sampled_from([fact.name for fact in BOOK.facts]),
        st.text(max_size=8) | st.integers().map(str),
    ),
)


@given(st.sampled_from([*(tool.name for tool in OFFERED), "", "opt_out", "transfer"]), ARGUMENTS)
def test_T10_whatever_the_model_sends_nothing_of_legal_weight_happens(name: str, arguments: str) -> None:
    used = use(name, arguments, OFFERED, SALES, "hello", BOOK)
    if isinstance(used, NotAllowed):
        return
    assert not [move for move in used.moves if isinstance(move, Commit)]
    facts = [move.fact for move in used.moves if isinstance(move, Note)]
    assert not [fact for fact in facts if not isinstance(fact, FactLearned | HumanRequested)]
    assert not [fact for fact in facts if isinstance(fact, ConsentGiven | OptedOut)]
    for fact, value in used.state.facts.items():
        wanted = BOOK.fact(fact)
        assert not wanted.choices or value in {choice.name for choice in wanted.choices}
        assert wanted.type != "number" or wanted.between[0] <= float(value) <= wanted.between[1]
