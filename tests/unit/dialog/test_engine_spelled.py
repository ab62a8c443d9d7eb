"""E-mail addresses and names: read back sign by sign, and left to a message when they are not understood twice."""

from pathlib import Path

import pytest

from app.dialog.completeness import Ending
from app.dialog.events import ConsentGiven, FollowUpPromised
from app.dialog.patience import Patience
from app.dialog.playbook import Playbook, parse
from app.dialog.routing import expectation

ASKED = """
  email:
    type: email
    ask: "What is your e-mail address?"
    again: "Please say it again, like john dot smith at example dot com."
    keypad: "Please say your e-mail address once more."
    confirm: "I have {spelled}. Is that right?"
  surname:
    type: name
    ask: "And your last name?"
    again: "Please spell your last name."
    keypad: "Please say your last name once more."
    confirm: "I have {spelled}. Is that right?"
"""


@pytest.fixture(scope="module")
def spelled_book() -> Playbook:
    path = Path(__file__).parents[3] / "app" / "playbooks" / "northlight_solar.yaml"
    head, _, rest = path.read_text(encoding="utf-8").partition("\nfacts:\n")
    facts, _, tail = rest.partition("\n# Which offer")
    bill = "  monthly_bill:\n" + facts.partition("  monthly_bill:\n")[2].partition("  shade:\n")[0]
    return parse(f"{head}\nfacts:\n{bill}{ASKED}\n# Which offer{tail}", "spelled.yaml")


@pytest.fixture
def asked(spelled_book, new_talk):
    """Somebody who has just been asked for the address."""
    caller = new_talk(spelled_book)
    caller.says("i want to buy", "interested")
    assert "e-mail" in caller.says("two hundred dollars")
    return caller


def test_an_address_is_read_back_and_kept_when_agreed(asked):
    assert asked.says("jo dot lee at gmail dot com") == "I have J O dot L E E, at gmail dot com. Is that right?"
    assert "last name" in asked.says("yes", "yes")
    assert asked.state.facts["email"] == "jo.lee@gmail.com"


def test_a_better_address_takes_the_place_of_the_one_read_back(asked):
    asked.says("joe dot lee at gmail dot com")
    assert "J O dot L E E" in asked.says("no it is jo dot lee at gmail dot com", "no")


def test_what_is_not_understood_twice_is_left_to_a_message(asked):
    asked.says("j o hmm")
    line = asked.says("mumble mumble")
    assert line.startswith("Let us do that in writing.")
    assert "May Northlight Solar send you a WhatsApp message" in line
    asked.says("yes", "yes")
    assert asked.of(ConsentGiven)
    assert "email" in asked.state.skipped
    assert asked.state.topic == "ask:surname"


def test_two_wrong_read_backs_lead_there_too(asked):
    for _ in range(2):
        asked.says("jo dot lee at gmail dot com")
        line = asked.says("no", "no")
    assert "in writing" in line


def test_who_agreed_to_messages_before_is_not_asked_again(asked):
    asked.says("send me something on whatsapp", "send_info")
    asked.says("yes", "yes")
    asked.says("mumble mumble")
    line = asked.says("mumble mumble")
    assert "in writing" in line
    assert "WhatsApp" not in line
    assert asked.of(FollowUpPromised)


def test_who_wants_no_message_is_not_offered_one(asked):
    asked.says("send me something on whatsapp", "send_info")
    asked.says("no", "no")
    asked.says("mumble mumble")
    assert "in writing" not in asked.says("mumble mumble")
    assert asked.state.topic == "ask:surname"


def test_a_spelled_name_is_read_back_as_it_was_spelled(asked):
    asked.says("jo dot lee at gmail dot com")
    asked.says("yes", "yes")
    assert asked.says("brown b r o w n e") == "I have B R O W N E. Is that right?"
    assert "B R O W N." in asked.says("no b as in bravo r o w n", "no")
    asked.says("yes", "yes")
    assert asked.state.facts["surname"] == "Brown"


@pytest.mark.parametrize(
    ("words", "ending"),
    [
        ("jo dot lee at", Ending.OPEN),
        ("jo dot lee at gmail", Ending.OPEN),
        ("j o", Ending.OPEN),
        ("jo dot lee at gmail dot com", Ending.UNSURE),
    ],
)
def test_half_an_address_is_waited_for(asked, words, ending):
    patience = Patience().expecting(expectation(asked.state, asked.playbook))
    assert patience.ending(words) is ending
