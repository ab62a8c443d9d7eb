import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialog.sentences import Sentences


def spoken(*tokens: str, **limits: int) -> list[str]:
    sentences = Sentences(**limits)
    return [phrase for token in tokens for phrase in sentences.feed(token)] + sentences.flush()


@pytest.mark.parametrize(
    ("tokens", "phrases"),
    [
        (["Hello. How are you?"], ["Hello.", "How are you?"]),
        (["Hel", "lo", ".", " How", " are you", "?"], ["Hello.", "How are you?"]),
        (["It takes 3.", "5 days. Fine?"], ["It takes 3.5 days.", "Fine?"]),
        (["It costs $1,250.50 a year. Yes."], ["It costs $1,250.50 a year.", "Yes."]),
        (["Dr. Lee comes at 9 a.m. on Monday. Good?"], ["Dr. Lee comes at 9 a.m. on Monday.", "Good?"]),
        (["Ask J. Smith. He knows."], ["Ask J. Smith.", "He knows."]),
        (['He said "yes." Then he left.'], ['He said "yes."', "Then he left."]),
        (["Well... maybe. Ok!"], ["Well...", "maybe.", "Ok!"]),
        (["One\nTwo"], ["One", "Two"]),
        (["", " ", "\n"], []),
    ],
)
def test_a_phrase_ends_where_a_voice_would_fall(tokens, phrases):
    assert spoken(*tokens) == phrases


def test_the_first_phrase_may_end_at_a_comma_and_later_ones_not_so_soon():
    text = "Thanks for calling, let me look. A roof like yours, if it faces south, is fine."
    assert spoken(text) == [
        "Thanks for calling,",
        "let me look.",
        "A roof like yours, if it faces south, is fine.",
    ]


def test_nothing_is_held_back_for_ever():
    assert max(map(len, spoken("word " * 200, longest=50))) <= 100


@given(st.lists(st.text("ab. ,!?\n3", max_size=12), max_size=30))
def test_whatever_way_the_text_is_cut_up_every_letter_is_spoken_once_in_order(tokens):
    phrases = spoken(*tokens)
    assert "".join("".join(phrases).split()) == "".join("".join(tokens).split())
    assert all(phrase == phrase.strip() and phrase for phrase in phrases)
