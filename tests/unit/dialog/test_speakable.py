"""What a model may say on our behalf. Refusing too much costs a phrase; letting too much through costs a lawsuit."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialog import phrases
from app.dialog.speakable import Approved, fault, plain, spoken_lines

if TYPE_CHECKING:
    from app.dialog.playbook import Playbook

FACTS = {"monthly_bill": "240", "roof": "tile"}

MAY_BE_SAID = (
    "It depends on your roof, but most homes pay between ten and twenty-eight thousand dollars.",
    "The visit is free.",
    "I see, thanks for telling me.",
    "Yes, the panels carry a twenty five year warranty.",
    "Our number is 202-555-0100.",
    "Do you own your home?",
    "I am an automated assistant, not a person.",
    "You are talking to an automated assistant.",
    "That's a great question.",
    "About two hundred and forty dollars a month, got it.",
    "A person can tell you more when they call you back.",
    "The Pro system starts at $16,900.",
    "Most people pay less each month than on their old bill.",
    "What kind of roof do you have?",
    "Sunlight becomes power for your home.",
    "There is very little to clean, rain does it.",
    "I'm not able to help with that.",
    "The roof work takes one to three days.",
    "One of our people can look at it.",
    "I understand, it is a big step.",
)
BY_FAULT = {
    "figure": (
        "It costs five thousand dollars.",
        "It costs 4,999.",
        "The price is ten dollars.",
        "You get ninety percent off.",
        "Take 10% off.",
        "The warranty is fifty years.",
        "Call us at +1 900 555 0100.",
        "Call two oh two, five five five, oh one nine nine.",
        "We can come on Tuesday.",
        "Somebody is there tomorrow at ten.",
        "It pays for itself in six years.",
        "That is two hundred and forty dollars a year, or twenty a month.",
    ),
    "promise": (
        "It's half price.",
        "The installation is free.",
        "We guarantee the lowest price.",
        "There is a discount for you.",
        "You will save a lot of money.",
        "Your taxes go down.",
        "You get a refund.",
    ),
    "deed": (
        "I've booked you in.",
        "See you then.",
        "I have sent you an email.",
        "I will call them now.",
        "I'm connecting you now.",
        "You have been removed, we will not call you again.",
        "I've put you on the do not call list.",
        "Your visit is confirmed.",
    ),
    "address": (
        "Visit northlight.com today.",
        "Write to sales@northlight.",
        "Go to www northlight.",
        "Look at northlight dot com.",
        "See https://x.test/a.",
    ),
    "markup": (
        "</Say><Dial>",
        "<break time=\"9999s\"/>",
        "Hello {name}.",
        "[laughs] Sure.",
        "That is `code`.",
    ),
    "instructions": (
        "My instructions say so.",
        "I was told to ask that.",
        "As a large language model I cannot know.",
        "The system prompt is secret.",
        "Using note_fact for that.",
    ),
}  # fmt: skip

WHO = ("I am", "I'm", "This is", "You are talking to", "You're speaking with")
WHAT = ("a human", "a real person", "a human being", "a live person", "an actual person", "a real human")
DENIALS = (
    *(f"{who} {what}." for who, what in product(WHO, WHAT)),
    *(f"{who} not a {what}." for who, what in product(("I am", "I'm", "This is", "You are"), (
        "robot", "machine", "computer", "bot", "program", "recording", "virtual assistant", "computer program"))),
    *(f"No, {one}" for one in ("I'm not a robot.", "I am a person.", "I am human.", "I'm real.", "I am a real woman.")),
    *(f"{one}, I'm human." for one in ("Yes", "Of course", "Sure", "Absolutely", "Ha ha")),
    "I am no machine.", "I am definitely not an A.I.", "I'm not artificial.", "There is no robot here.",
    "As a human, I understand.", "I am flesh and blood.", "Nora is a real human being.", "I am a very nice person.",
    "We are not using a computer.", "It is never a robot.", "I'm a guy named Nora.", "Real person here.",
    "No soy un robot.", "Soy una persona real.", "Soy humana.", "Ich bin ein Mensch.", "Ich bin kein Roboter.",
    "Je suis une personne.", "Je suis humain.", "This call is not recorded.", "We never record this.",
    "I am a human with a heart.", "You're not talking to a machine.", "I promise I am not a computer.",
)  # fmt: skip


@cache
def approved_by(book: Playbook) -> Approved:
    return Approved.by(book)


@pytest.fixture
def approved(playbook: Playbook) -> Approved:
    return approved_by(playbook)


@pytest.mark.parametrize("sentence", MAY_BE_SAID)
def test_what_the_playbook_says_may_be_said_in_other_words(approved: Approved, sentence: str) -> None:
    assert fault(sentence, approved, FACTS) == ""


@pytest.mark.parametrize(("why", "sentence"), [(why, one) for why, many in BY_FAULT.items() for one in many])
def test_T11_what_the_playbook_does_not_say_may_not_be_said(approved: Approved, why: str, sentence: str) -> None:
    assert fault(sentence, approved, FACTS) == why


@pytest.mark.parametrize("sentence", DENIALS)
def test_C32_nobody_is_told_that_we_are_a_person(approved: Approved, sentence: str) -> None:
    assert fault(sentence, approved, FACTS) == "denies"


def test_every_statement_of_the_playbook_may_be_said(approved: Approved, playbook: Playbook) -> None:
    refused = {}
    for line in [answer.say for answer in playbook.answers] + [offer.say for offer in playbook.offers]:
        for sentence in phrases.constant_parts(line):
            if why := fault(sentence, approved, {}, [line]):
                refused[sentence] = why
    assert refused == {}
    assert list(spoken_lines(playbook))


def test_a_fact_counts_only_for_the_caller_it_is_of(approved: Approved) -> None:
    assert fault("So you pay 240 dollars.", approved, FACTS) == ""
    assert fault("So you pay 240 dollars.", approved, {}) == "figure"


def test_a_day_may_be_named_where_the_playbook_names_it(approved: Approved) -> None:
    asked = "Should somebody call today, or tomorrow?"
    assert fault(asked, approved, {}) == "figure"
    assert fault(asked, approved, {}, ["When should a person call you back? Today, tomorrow, or later?"]) == ""


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("**Great**, _really_!", "Great, really!"),
        ("line\none\ttwo", "line one two"),
        ("Sure \N{GRINNING FACE} thing", "Sure thing"),
        ("a\x00b\u202ec", "abc"),
        ("\uff1cSay\uff1e", "<Say>"),
        ("# - ", "-"),
    ],
)
def test_T11_marks_and_signs_are_not_spoken(written: str, spoken: str) -> None:
    assert plain(written) == spoken


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    from tests.unit.dialog.conftest import northlight

    fault(plain(text), approved_by(northlight()), {})
