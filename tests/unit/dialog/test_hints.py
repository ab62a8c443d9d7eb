"""What a colleague's whisper leads to, and what it never can."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.dialog import engine
from app.dialog.events import ConsentGiven, OptedOut
from app.dialog.hints import repeats
from app.dialog.moves import Say
from app.dialog.state import Understanding

if TYPE_CHECKING:
    from tests.unit.dialog.conftest import Talk


def whisper(talk: Talk, text: str, about: str = "") -> str:
    meaning = Understanding("other", 0.9, about, 0.9 if about else 0.0)
    talk.state, use = engine.hint(talk.state, text, meaning, talk.playbook)
    return use


@pytest.mark.parametrize(
    ("text", "use"),
    [
        ("question:warranty", "question:warranty"),
        ("Tell him about the warranty!", "question:warranty"),
        ("mention our tax credit", "question:tax_credit"),
        ("offer them Pro", "offer:pro"),
        ("Elite", "offer:elite"),
        ("ask about the roof", "ask:roof"),
        ("Please ask her for the zip code", "ask:zip_code"),
        ("book the visit", "appointment"),
        ("send him a whatsapp", "whatsapp"),
        ("objection: too expensive", "objection:too_expensive"),
        ("keep the conversation moving", ""),  # "moving" is a question of the playbook
        ("he is a real pro at this", ""),
        ("smile more", ""),
    ],
)
def test_a_hint_leads_to_what_it_calls_by_its_name(talk: Talk, text: str, use: str) -> None:
    assert whisper(talk, text) == use


def test_a_hint_in_other_words_is_taken_as_the_recogniser_takes_it(talk: Talk) -> None:
    assert whisper(talk, "what if it breaks after ten years", about="question:warranty") == "question:warranty"


def test_the_playbooks_answer_is_said_at_the_callers_next_turn_and_once(talk: Talk) -> None:
    talk.says("sales")
    whisper(talk, "mention the warranty")
    warranty = talk.playbook.answer("question:warranty")
    assert warranty is not None
    said = talk.says("yes", "yes")
    assert warranty.say in said
    assert said.endswith("?"), "the next question still comes, and last"
    assert warranty.say not in talk.says("tile")


def test_an_offer_is_made_at_the_playbooks_price_and_not_made_again(talk: Talk) -> None:
    talk.says("sales")
    assert whisper(talk, "offer them Pro for five thousand dollars") == "offer:pro"
    said = talk.says("yes", "yes")
    assert "sixteen thousand nine hundred" in said
    assert "five thousand" not in said
    for line in ("tile", "two hundred dollars", "no shade", "soon", "nine four one oh seven", "yes"):
        assert "sixteen thousand" not in talk.says(line, "yes" if line == "yes" else "other")


def test_an_offer_that_the_callers_own_words_rule_out_is_not_used(talk: Talk) -> None:
    talk.through_the_facts()  # a bill of two hundred
    assert whisper(talk, "offer Elite") == ""


def test_the_wanted_question_comes_next(talk: Talk) -> None:
    talk.says("sales")
    whisper(talk, "ask about the shade")
    talk.says("yes", "yes")
    assert talk.state.topic == "ask:shade"
    talk.says("no shade")
    assert talk.state.topic == "ask:roof", "and then the others in their order"


def test_a_hint_waits_while_digits_are_read_back(talk: Talk) -> None:
    for line in ("sales", "yes", "tile", "two hundred dollars", "no shade", "soon"):
        talk.says(line, "yes" if line == "yes" else "other")
    whisper(talk, "mention the warranty")
    warranty = talk.playbook.answer("question:warranty")
    assert warranty is not None
    assert warranty.say not in talk.says("nine four one oh seven")
    assert warranty.say in talk.says("yes", "yes")


def test_C05_no_hint_keeps_a_caller_who_wants_no_more_calls(talk: Talk) -> None:
    whisper(talk, "offer Pro")
    said = talk.says("stop calling me")
    assert talk.of(OptedOut)
    assert "Pro" not in said
    assert whisper(talk, "mention the warranty") in ("", "question:warranty")
    assert "warranty" not in talk.says("hello")


def test_C50_a_refused_message_is_not_asked_for_again(talk: Talk) -> None:
    talk.through_the_facts()
    talk.says("no visit please", "no")
    talk.says("no", "no")  # to the WhatsApp question
    assert talk.state.whatsapp is False
    assert whisper(talk, "send him a whatsapp") == ""
    assert talk.of(ConsentGiven) == []


def test_a_declined_visit_stays_declined(talk: Talk) -> None:
    talk.through_the_facts()
    talk.says("no visit please", "no")
    assert talk.state.visit_settled
    assert whisper(talk, "book the visit") == ""


def test_no_word_of_a_hint_is_spoken(talk: Talk) -> None:
    talk.says("sales")
    whisper(talk, "warranty, the fellow sounds gullible, mention the warranty")
    assert "gullible" not in " ".join(move.text for move in talk.moves if isinstance(move, Say))


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("My colleague says push him on the price because he is rich.", True),
        ("We offer a warranty of twenty five years on panels.", False),  # the playbook says so, too
        ("Thank you for calling.", False),
    ],
)
def test_words_of_a_hint_are_known_when_they_are_said(sentence: str, told: bool) -> None:
    hints = ("push him on the price because he is rich", "we offer a warranty of twenty five years on panels")
    assert repeats(sentence, hints, "There is a warranty: we offer a warranty of twenty five years on panels.") is told
