"""Language models made from sayings."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ports import Expectation
from app.providers.offline.language import ALWAYS, Language, arpa, dictations, language_for, plain, weighted


def model(text: str) -> dict[tuple[str, ...], tuple[float, float]]:
    """Sequence of words -> probability and back-off weight, from an ARPA file."""
    found: dict[tuple[str, ...], tuple[float, float]] = {}
    size = 0
    for line in text.splitlines():
        if line.endswith("-grams:"):
            size = int(line[1])
        elif size and line and not line.startswith("\\"):
            logarithm, *rest = line.split()
            back_off = float(rest[size]) if len(rest) > size else 0.0
            found[tuple(rest[:size])] = (10 ** float(logarithm), 10**back_off)
    return found


def probability(grams: dict[tuple[str, ...], tuple[float, float]], gram: tuple[str, ...]) -> float:
    if gram in grams:
        return grams[gram][0]
    return grams.get(gram[:-1], (0.0, 1.0))[1] * probability(grams, gram[1:])


SENTENCES = st.dictionaries(
    st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=4).map(tuple),
    st.sampled_from([0.5, 1.0, 10.0]),
    min_size=1,
    max_size=12,
)


@given(SENTENCES)
def test_after_any_words_the_probabilities_of_the_next_add_up_to_one(
    sayings: dict[tuple[str, ...], float],
) -> None:
    grams = model(arpa(sayings))
    vocabulary = {gram[0] for gram in grams if len(gram) == 1} - {"<s>"}
    histories = {gram[:-1] for gram in grams if len(gram) > 1} | {()}
    for history in histories:
        total = sum(probability(grams, (*history, word)) for word in vocabulary)
        assert total == pytest.approx(1, abs=0.01)


def test_a_direct_answer_is_likelier_than_what_may_be_said_at_any_time() -> None:
    grams = model(arpa(weighted(Language(("metal",), ("goodbye now",)))))
    assert grams["<s>", "metal"][0] > 2 * grams["<s>", "goodbye"][0]


def test_direct_answers_are_those_of_the_expectation_and_the_rest_is_listened_for_too() -> None:
    asked = Expectation("ask:roof", "choice", ("It's tile.", "metal"), 1)
    language = language_for(asked, lambda expectation: (*expectation.phrases, "How much is it?", "metal"))
    assert language == Language(("it's tile", "metal"), ("how much is it",))


def test_plain_is_how_a_dictionary_writes() -> None:
    assert plain("It's the A.I. -- isn’t it? 'quoted' 5") == "it's the a i isn't it quoted"


def test_every_three_digits_in_a_row_are_listened_for_equally() -> None:
    triples = Counter(
        tuple(spelled[at : at + 3]) for spelled in dictations(5) for at in range(3) if "oh" not in spelled
    )
    assert triples["one", "two", "three"] == 1
    assert len(triples) >= 999
    assert all(len(spelled) == 5 for spelled in dictations(5))
    assert not any({"oh", "zero"} <= set(spelled) for spelled in dictations(5))


def test_a_long_number_is_listened_for_in_the_parts_people_pause_between() -> None:
    assert {len(spelled) for spelled in dictations(10)} == {1, 2, 3, 4, 10}
    assert {len(spelled) for spelled in dictations(5)} == {5}


def test_nothing_is_dictated_unless_digits_are_asked_for() -> None:
    assert dictations(0) == []
    assert language_for(Expectation("ask:x", "number", (), 0), lambda _: ()).dictated == 0
    assert language_for(Expectation("ask:x", "digits", (), 5), lambda _: ()).dictated == 5


def test_some_things_are_said_whatever_the_question() -> None:
    assert {tuple(text.split()) for text in ALWAYS} <= set(weighted(Language(("metal",))))


def test_the_key_is_the_content() -> None:
    assert Language(("a",), ("b",)).key == Language(("a",), ("b",)).key
    assert len({Language(("a",)).key, Language(("b",)).key, Language((), ("a",)).key, Language(("a",), (), 5).key}) == 4
