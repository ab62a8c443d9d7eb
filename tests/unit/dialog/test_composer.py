"""From a model's tokens to lines the caller hears."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialog.composer import PATIENCE_WITH_WORDS, Composer
from app.dialog.events import QuestionAnswered
from app.dialog.moves import Finish, Note, Say
from app.dialog.prompt import MOST_WORDS
from app.dialog.speakable import Approved, fault
from app.dialog.wording import Wording, divide, same_question
from tests.unit.dialog.conftest import northlight

BOOK = northlight()
APPROVED = Approved.by(BOOK)
ROOF = Say((BOOK.fact("roof").prompt.ask,), "ask:roof")
PRICE = Say(("Most homes pay between ten and twenty eight thousand dollars.",), "answer:price")
THANKS = Say(("Thank you.",), "acknowledge")
VISIT = Say(("I have Tuesday, or Wednesday. Which is better for you?",), "appointment")


def composed(text: str, wording: Wording, reason: str = "stop") -> tuple[list[Say], Composer]:
    composer = Composer(wording, BOOK, APPROVED, {})
    spoken = [say for letter in text for say in composer.feed(letter)]
    return [*spoken, *composer.end(reason)], composer


def test_statements_and_question_carry_the_purposes_of_the_engine() -> None:
    spoken, composer = composed("Good to hear. What kind of roof is it?", Wording((), (PRICE, THANKS), ROOF, ()))
    assert [(say.text, say.purpose) for say in spoken] == [
        ("Good to hear.", "answer:price"),
        ("What kind of roof is it?", "ask:roof"),
    ]
    assert composer.asked
    assert composer.unsaid() == ()


def test_a_question_that_comes_before_the_answer_waits_for_it() -> None:
    spoken, _ = composed("What kind of roof do you have?", Wording((), (THANKS, PRICE), ROOF, ()))
    assert [say.purpose for say in spoken] == ["answer:price", "ask:roof"]


@pytest.mark.parametrize(
    "text", ["Is that good?", "Do you want a free battery?", "May we send you a WhatsApp message?"]
)
def test_other_questions_are_not_asked(text: str) -> None:
    spoken, composer = composed(f"Good. {text} And more.", Wording((), (THANKS,), ROOF, ()))
    assert [say.text for say in spoken] == ["Good."]
    assert composer.over
    assert not composer.asked


def test_after_a_refused_phrase_the_playbook_takes_over() -> None:
    spoken, composer = composed("I see. It costs five dollars. Really.", Wording((), (THANKS, PRICE), ROOF, ()))
    assert [say.text for say in spoken] == ["I see."]
    assert composer.refused == "figure"
    assert composer.unsaid() == (PRICE,)


def test_a_sentence_is_judged_as_a_whole() -> None:
    """No comma hides a denial."""
    spoken, composer = composed("You are now speaking, as you can hear, with a human.", Wording((), (PRICE,), ROOF, ()))
    assert composer.refused == "denies"
    assert "human" not in " ".join(say.text for say in spoken)


def test_T08_our_own_instructions_are_not_told() -> None:
    spoken, composer = composed(
        "You put a phone assistant's replies into natural spoken words.", Wording((), (), ROOF, ())
    )
    assert composer.refused == "instructions"
    assert spoken == []


def test_a_reply_that_runs_on_is_ended_between_two_sentences() -> None:
    spoken, composer = composed("I see what you mean there. " * 40, Wording((), (PRICE,), ROOF, ()))
    assert sum(len(say.text.split()) for say in spoken) <= MOST_WORDS + PATIENCE_WITH_WORDS
    assert composer.over
    assert not composer.refused


@given(st.text(alphabet="abc 19$.,?!<>%*\n", max_size=300))
def test_T11_nothing_is_spoken_that_is_not_speakable(text: str) -> None:
    spoken, _ = composed(text, Wording((), (PRICE,), ROOF, ()))
    for say in spoken:
        assert fault(say.text, APPROVED, {}) == ""
        assert say.text.strip() == say.text != ""


# --- what is divided between model and playbook ---


def test_answers_and_plain_questions_are_the_models() -> None:
    note = Note(QuestionAnswered("price"))
    wording = divide((note, PRICE, ROOF), BOOK)
    assert wording == Wording((note,), (PRICE,), ROOF, ())
    assert wording.for_model


def test_times_are_named_as_written() -> None:
    wording = divide((PRICE, VISIT), BOOK)
    assert wording == Wording((), (PRICE,), None, (VISIT,))


def test_a_thank_you_before_written_lines_is_not_worth_a_wait() -> None:
    assert not divide((THANKS, VISIT), BOOK).for_model


@pytest.mark.parametrize(
    "moves",
    [
        (Say(("Yes, I am an automated assistant.",), "robot"), ROOF),
        (Say(("One thing first.",), "disclosure:ai"), PRICE, ROOF),
        (PRICE, Say(("Goodbye.",), "goodbye"), Finish("finished")),
        (Say((BOOK.fact("roof").prompt.keypad,), "ask:roof"),),
        (Say(("I heard nine. Is that right?",), "confirm:zip_code"),),
        (Say((BOOK.whatsapp.prompt.ask,), "whatsapp"),),
        (Say(("Done.",), "acknowledge", protected=True),),
    ],
)
def test_C32_what_has_legal_weight_is_never_the_models(moves: tuple[Say, ...]) -> None:
    wording = divide(moves, BOOK)
    assert not wording.for_model
    assert wording.as_written == moves


@pytest.mark.parametrize(
    ("asked", "topic", "same"),
    [
        ("And what kind of roof do you have?", "ask:roof", True),
        ("Is your roof shingle, tile, metal, or flat?", "ask:roof", True),
        ("Is your roof tile or flat?", "ask:roof", False),  # the others could not be chosen
        ("How big is your house?", "ask:roof", False),
        ("Do you own the home?", "ask:owns_home", True),
        ("Do you own a boat?", "ask:owns_home", False),
        ("Do you want a battery?", "ask:owns_home", False),
        ("About how much is your electric bill each month, in dollars?", "ask:monthly_bill", True),
        ("How old are you?", "ask:monthly_bill", False),
        ("Is there anything else I can help you with?", "closing", True),
        ("May I send you a message?", "closing", False),
    ],
)
def test_a_question_is_recognised_by_its_words(asked: str, topic: str, same: bool) -> None:
    from app.dialog.routing import prompt_for

    assert same_question(asked, Say((prompt_for(topic, BOOK).ask,), topic), BOOK) is same


def first_words(text: str, *lines: Say) -> str:
    """What is spoken of a sentence before its end has come."""
    composer = Composer(Wording((), lines, ROOF, ()), BOOK, APPROVED, {})
    return " ".join(say.text for word in text.split() for say in composer.feed(f" {word}"))


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("most homes pay between", "most homes"),
        ("Well, most homes pay between", "Well, most homes"),
        ("You get the best there is", ""),
        ("Okay great well most homes", "Okay great"),
        ("So you get ninety percent", ""),
        ("So what kind of roof do you", ""),
        ("It depends on your roof", ""),
        ("I am not a robot so", ""),
        ("Most people save a lot with", ""),
        ("Ten thousand dollars is what most", ""),
    ],
)
def test_a_reply_begins_with_the_playbooks_words_before_its_first_phrase_is_complete(text: str, spoken: str) -> None:
    assert first_words(text, PRICE) == spoken


def test_T08_an_opening_does_not_let_the_rest_of_its_sentence_through() -> None:
    spoken, composer = composed("Well most homes cost five dollars. Really.", Wording((), (PRICE,), ROOF, ()))
    assert [say.text for say in spoken] == ["Well most homes"]
    assert composer.refused == "figure"
    assert composer.unsaid() == (PRICE,), "the answer is still owed"


def letters(text: str) -> str:
    return "".join(letter for letter in text if letter.isalpha())


@given(st.text("abcdeinot rhum. ,?", max_size=60))
def test_whatever_comes_nothing_is_said_twice_or_left_out_for_an_opening(text: str) -> None:
    spoken, composer = composed(f"Well most homes {text}", Wording((), (PRICE,), ROOF, ()))
    if not composer.refused and not composer.over:
        assert letters("".join(say.text for say in spoken)) == letters(f"Well most homes {text}")
