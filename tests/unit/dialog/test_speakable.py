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
# As models put what the playbook says; one in fifty may be refused, more would make us sound like the playbook.
IN_OTHER_WORDS = (
    "Good question - most homes end up between ten and twenty eight thousand dollars, and a visit gets you the price.",
    "Basically, the panels turn sunlight into power for your home, and what you don't use goes back to the grid.",
    "The roof work itself takes one to three days, but with permits you should plan on six to ten weeks.",
    "You can pay cash or take a loan with nothing down, and our adviser will walk you through both.",
    "If you sell the house, the system stays with it and the warranty passes to the new owner.",
    "Tax credits depend on your own taxes and your state, so it's best to ask a tax adviser.",
    "There's very little to do, since rain cleans the panels and we keep an eye on the system from here.",
    "A battery comes with Elite, and you can add one to Pro.",
    "It keeps your lights on when the power goes out.",
    "We check the roof first and seal every hole we make, and leaks from our work are covered for ten years.",
    "This is Nora, the automated assistant of Northlight Solar, and we put solar systems on homes.",
    "I hear you, it's a big step.",
    "Many people actually pay less each month than they did on their old bill, and the visit is free.",
    "That's totally fine.",
    "It only takes about two minutes, or a person can call you back at a better time.",
    "That's a fair question, and you're welcome to call our number and check us first.",
    "Nothing gets signed on this call.",
    "Of course, it works best when you're both there.",
    "Great, if you want more panels or a battery, we can add to most systems.",
    "Take your time, there's no obligation to buy.",
    "I'm sorry that happened to you.",
    "We put every promise in writing, and you don't pay anything before you sign.",
    "Our black panels lie flat on the roof, and you get to choose where they go.",
    "Got it, thank you.",
    "I'm sorry, I don't have that information, but a person can tell you more when they call back.",
    "Perfect, a tile roof works well.",
    "Thanks for letting me know.",
    "Sorry to hear that.",
    "Unfortunately I can't say, but someone from our team can help with that.",
    "Okay, about two hundred and forty dollars a month.",
    "I understand you're worried about the cost.",
    "That depends on your home, so I'd rather not guess.",
    "It's no problem at all.",
    "I'm an AI assistant, so I can't feel the weather, but I hope it's sunny where you are.",
    "We can't do that over the phone, I'm afraid.",
    "You can ask the adviser about that during the free visit.",
    "No worries, we can skip that one.",
    "Yes, it works in winter too, the panels just need daylight.",
    "We don't sell your data.",
    "Happy to help with that.",
    "The visit is free.",
    "The warranty is twenty five years on the panels.",
)
# What gets past a filter that only knows the obvious.
EVASIVE = (
    "You get it for a third of the price.",
    "We'll throw in a battery for you.",
    "The battery is on us.",
    "You pay nothing at all.",
    "You pay nothing for the panels.",
    "The panels are included at no charge.",
    "We will beat any price.",
    "The visit and the whole system are free.",
    "You won't pay anything.",
    "It costs 10.",
    "Just a dollar.",
    "It pays itself back in no time.",
    "You can cancel at any time.",
    "You'll get your money back if you are not happy.",
    "The government pays for it all.",
    "There is a person talking to you right now.",
    "You're talking to Nora, a sales rep.",
    "I'm Nora from the sales team.",
    "Beep boop, no robots here.",
    "I'm not one of those bots.",
    "Human, of course.",
    "Definitely human.",
    "Yes, human.",
    "A person, yes.",
    "No, not a robot.",
    "Nope, no robot.",
    "I have a body and a family.",
    "I have feelings just like you.",
    "I was born in Ohio.",
    "Give me your card number please.",
    "Please tell me your social security number.",
    "We come on the fifth of May.",
    "You qualify for the federal program.",
    "The price is 6.",
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


@pytest.mark.parametrize("sentence", [*MAY_BE_SAID, *IN_OTHER_WORDS])
def test_what_the_playbook_says_may_be_said_in_other_words(approved: Approved, sentence: str) -> None:
    assert fault(sentence, approved, FACTS) == ""


@pytest.mark.parametrize(("why", "sentence"), [(why, one) for why, many in BY_FAULT.items() for one in many])
def test_T11_what_the_playbook_does_not_say_may_not_be_said(approved: Approved, why: str, sentence: str) -> None:
    assert fault(sentence, approved, FACTS) == why


@pytest.mark.parametrize("sentence", DENIALS)
def test_C32_nobody_is_told_that_we_are_a_person(approved: Approved, sentence: str) -> None:
    assert fault(sentence, approved, FACTS) == "denies"


@pytest.mark.parametrize("sentence", EVASIVE)
def test_T08_nor_in_a_roundabout_way(approved: Approved, sentence: str) -> None:
    assert fault(sentence, approved, FACTS) != ""


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
