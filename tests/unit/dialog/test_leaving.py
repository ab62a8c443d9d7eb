"""Words that may ask not to be called again: asked about, and never assumed. The rules stay first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from app.dialog.advice import FOLLOW
from app.dialog.events import FactLearned, OptedOut, Understood
from app.dialog.leaving import ASK_FROM, MAYBE
from app.dialog.moves import Said
from app.dialog.state import Understanding
from tests.unit.dialog.conftest import northlight

if TYPE_CHECKING:
    from tests.unit.dialog.conftest import Talk

DOUBTFUL = "strike this household from whatever you keep"
QUESTION = northlight().lines.opt_out_question


@pytest.fixture
def asked(talk: Talk) -> Talk:
    """The caller was asked about the roof, and says something that may be an opt-out."""
    talk.says("sales")
    return talk


def hears(talk: Talk, text: str, stop: float, heard: float = 1.0, intent: str = "other") -> str:
    talk.turn += 1
    return talk.does(Said(talk.turn, text), Understanding(intent, 0.5, stop=stop), heard)


def test_C05_what_may_be_an_opt_out_is_asked_about_and_yes_is_one_in_the_first_words(asked: Talk) -> None:
    assert hears(asked, DOUBTFUL, ASK_FROM).endswith(QUESTION)
    assert asked.of(OptedOut) == []
    assert (MAYBE, ASK_FROM) in [(one.intent, one.confidence) for one in asked.of(Understood)]
    assert hears(asked, "yes", 0.0) == northlight().lines.opted_out
    assert [fact.words for fact in asked.of(OptedOut)] == [DOUBTFUL]


@pytest.mark.parametrize("answer", ["no", "no you can call me"])
def test_C05_no_is_no_opt_out_and_the_talk_goes_on_where_it_was(asked: Talk, answer: str) -> None:
    before = asked.state.topic
    hears(asked, DOUBTFUL, 0.9)
    hears(asked, answer, 0.9)
    assert asked.of(OptedOut) == []
    assert (asked.state.topic, asked.state.leaving) == (before, "")


def test_C05_saying_it_again_is_an_opt_out(asked: Talk) -> None:
    hears(asked, DOUBTFUL, 0.6)
    hears(asked, "this household off your ledger", 0.6)
    assert len(asked.of(OptedOut)) == 1


def test_C05_the_rule_needs_no_question_also_while_we_ask(asked: Talk) -> None:
    hears(asked, DOUBTFUL, 0.6)
    hears(asked, "stop calling me", 0.0)
    assert [fact.words for fact in asked.of(OptedOut)] == ["stop calling me"]


def test_other_words_close_the_question_and_mean_what_they_mean(asked: Talk) -> None:
    hears(asked, DOUBTFUL, 0.6)
    hears(asked, "how much is it", 0.0)
    assert (asked.of(OptedOut), asked.state.leaving) == ([], "")


def test_a_question_that_was_not_heard_is_put_again_and_yes_means_nothing_before(asked: Talk) -> None:
    hears(asked, DOUBTFUL, 0.6, heard=0.0)
    assert hears(asked, "yes", 0.0).endswith(QUESTION)
    assert (asked.of(OptedOut), asked.of(FactLearned)) == ([], [])


def test_it_is_asked_twice_at_most(asked: Talk) -> None:
    for _ in range(4):
        hears(asked, DOUBTFUL, 0.6)
        hears(asked, "no", 0.0)
    assert [one.intent for one in asked.of(Understood)].count(MAYBE) == 2


@pytest.mark.parametrize(("key", "leaves"), [("1", True), ("2", False), ("9", True)])
def test_C05_keys_answer_it_too(asked: Talk, key: str, leaves: bool) -> None:
    hears(asked, DOUBTFUL, 0.6)
    asked.presses(key)
    assert (len(asked.of(OptedOut)), asked.state.leaving == "") == (int(leaves), not leaves)


def test_without_an_answer_the_talk_goes_on(asked: Talk) -> None:
    hears(asked, DOUBTFUL, 0.6)
    for _ in range(3):
        hears(asked, "  ", 0.0)
    assert (asked.of(OptedOut), asked.state.leaving) == ([], "")


@pytest.mark.parametrize("stop", [0.0, ASK_FROM - 0.01])
def test_a_weak_opinion_asks_nothing(asked: Talk, stop: float) -> None:
    assert QUESTION not in hears(asked, "remove the old tiles first", stop)


def test_a_playbook_without_the_line_asks_nothing(new_talk: type[Talk]) -> None:
    book = northlight()
    talk = new_talk(replace(book, lines=replace(book.lines, opt_out_question="")))
    talk.says("sales")
    hears(talk, DOUBTFUL, 0.9)
    assert (talk.state.leaving, talk.of(OptedOut)) == ("", [])


def test_nothing_else_is_put_forward_while_we_ask(new_talk: type[Talk]) -> None:
    talk = new_talk(replace(northlight(), next_action=FOLLOW))
    talk.says("sales")
    talk.state = replace(talk.state, advised="close")
    assert hears(talk, DOUBTFUL, 0.6) == QUESTION
    assert not talk.state.eager
