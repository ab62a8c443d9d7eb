"""A telephone number asked for on a call: dictated at once or in parts, read back, mended, typed."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.dialog.playbook import Playbook, parse
from app.dialog.routing import expectation

PHONE = """
  phone:
    type: digits
    length: 10
    ask: "And what is your telephone number?"
    again: "Please say your telephone number once more."
    keypad: "Please type your ten digit number on the keypad."
    confirm: "I heard {digits}. Is that right?"
    cues: [telephone]
"""


@pytest.fixture(scope="module")
def phone_book() -> Playbook:
    path = Path(__file__).parents[3] / "app" / "playbooks" / "northlight_solar.yaml"
    head, _, rest = path.read_text(encoding="utf-8").partition("\nfacts:\n")
    facts, _, tail = rest.partition("\n# Which offer")
    owner = facts.partition("  roof:\n")[0]
    bill = "  monthly_bill:\n" + facts.partition("  monthly_bill:\n")[2].partition("  shade:\n")[0]
    return parse(f"{head}\nfacts:\n{owner}{bill}{PHONE}\n# Which offer{tail}", "phone.yaml")


@pytest.fixture
def asked(phone_book, new_talk):
    """Somebody who has just been asked for the number."""
    caller = new_talk(phone_book)
    caller.says("i want to buy", "interested")
    caller.says("i own it")
    assert "telephone number" in caller.says("two hundred dollars")
    return caller


def known(caller) -> str | None:
    return caller.state.facts.get("phone")


def test_a_number_is_read_back_in_groups_and_kept_when_agreed(asked):
    line = asked.says("five five five zero one two three four five six")
    assert line == "I heard five five five, zero one two, three four five six. Is that right?"
    asked.says("yes", "yes")
    assert known(asked) == "5550123456"


def test_who_stops_early_is_asked_for_the_rest_and_not_read_back_nonsense(asked):
    assert asked.says("five five five zero one two three") == (
        "I have five five five, zero one two three so far. Please go on."
    )
    listening = expectation(asked.state, asked.playbook)
    assert (listening.kind, listening.digits, listening.had) == ("digits", 10, 7)
    assert "three four five six. Is that right?" in asked.says("four five six")
    assert known(asked) is None


def test_who_begins_again_is_not_counted_twice(asked):
    asked.says("five five five zero one two")
    assert "I heard five five five, zero one two," in asked.says("five five five zero one two three four five six")


def test_parts_that_do_not_fit_are_asked_for_anew(asked):
    asked.says("five five five zero one two")
    asked.says("one two three four five six seven")
    assert asked.state.so_far == ""
    assert asked.state.topic == "ask:phone"


def test_a_question_in_between_does_not_lose_the_digits(asked):
    asked.says("five five five zero one two")
    assert "five five five, zero one two so far" in asked.says("how much does it cost", "price", "question:price")
    asked.says("three four five six")
    asked.says("yes", "yes")
    assert known(asked) == "5550123456"


def test_the_caller_mends_what_was_read_back(asked):
    asked.says("five five five zero one two three four five six")
    assert "three four five seven. Is that right?" in asked.says("no it's seven at the end", "no")
    asked.says("yes", "yes")
    assert known(asked) == "5550123457"


def test_after_two_failures_the_keypad_is_offered_and_completes_what_was_said(asked):
    for _ in range(2):
        asked.says("five five five zero one two three four five six")
        line = asked.says("no", "no")
    assert "keypad" in line
    asked.presses("5550123457")
    assert known(asked) == "5550123457"


def test_the_rest_of_a_number_may_be_typed(asked):
    asked.says("five five five zero one two")
    asked.presses("3456")
    assert known(asked) == "5550123456"


def test_a_short_number_is_said_in_one_breath_or_again(talk):
    talk.through_the_facts()
    assert talk.state.facts["zip_code"] == "94107"
    talk.state = replace(talk.state, facts={**talk.state.facts}, topic="ask:zip_code", asked=True)
    talk.says("nine four one")
    assert talk.state.so_far == ""
