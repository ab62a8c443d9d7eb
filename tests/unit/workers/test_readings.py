"""What the caller's turns are about: which entries are read, in which languages."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.resources import files
from pathlib import Path

import pytest

from app.dialog.events import CallerKeyed, CallerSaid, Entry, Fact, FactLearned, ObjectionMet, Understood
from ml.text.sales import reader
from workers.readings import SaidTurn, language_of, reader_in, said_by_caller


def heard(seq: int, text: str) -> Entry:
    return Entry(seq, seq, CallerSaid(1, text, 0.9, 0, 100, "offline"))


def test_only_words_of_the_caller_are_read() -> None:
    entries = [heard(1, "how much is it"), heard(2, "  "), heard(4, "no thanks")]
    assert said_by_caller(entries) == (SaidTurn(1, "how much is it"), SaidTurn(4, "no thanks"))


@pytest.fixture
def data_dir(made_once: Callable[..., Path]) -> Path:
    made_once(partial(reader, "es"))
    return made_once(partial(reader, "en"))


def test_an_answer_to_what_was_asked_is_about_nothing(data_dir: Path) -> None:
    facts: list[Fact] = [
        CallerSaid(1, "homeowner", 0.9, 0, 100, "offline"),
        FactLearned("owns_home", "yes", "homeowner"),
        CallerSaid(2, "i own it but that is far too expensive for us", 0.9, 0, 100, "offline"),
        FactLearned("owns_home", "yes", "i own it"),
        ObjectionMet("too_expensive"),
        CallerSaid(3, "can i see a person about that", 0.9, 0, 100, "offline"),
        CallerKeyed(4, "1"),
        FactLearned("roof", "flat", "keys 1"),
        CallerSaid(5, "no thank you", 0.9, 0, 100, "offline"),
        Understood(5, "no", 0.9),
        CallerSaid(6, "no never call me again", 0.9, 0, 100, "offline"),
        Understood(6, "no", 0.9),
    ]
    turns = said_by_caller([Entry(seq, seq, fact) for seq, fact in enumerate(facts, start=1)])
    assert [turn.answer for turn in turns] == [True, False, False, True, True]
    found = reader_in(data_dir)("en", turns)
    assert [found[at].intent for at in (0, 1, 3, 4)] == ["answer", "price", "answer", "stop_calling"]


def test_a_call_is_read_turn_by_turn_in_its_language(data_dir: Path) -> None:
    read = reader_in(data_dir)
    english = read("en", [SaidTurn(3, "that is far too expensive for us"), SaidTurn(7, "please never call me again")])
    assert [(one.seq, one.intent) for one in english] == [(3, "price"), (7, "stop_calling")]
    assert english[0].objection > 0.5 > 0 > english[1].sentiment
    assert english[0].model_version.startswith("sales-en-")
    (spanish,) = read("es", [SaidTurn(2, "me parece muy interesante cuénteme más")])
    assert (spanish.intent, spanish.sentiment > 0) == ("interested", True)


def test_C05_what_the_rules_take_for_a_wish_is_one_whatever_the_model_says(data_dir: Path) -> None:
    (one,) = reader_in(data_dir)("en", [SaidTurn(1, "nine")])
    assert (one.intent, one.probability, one.objection) == ("stop_calling", 1.0, 1.0)


def test_a_language_without_sentences_of_ours_is_not_read(tmp_path: Path) -> None:
    read = reader_in(tmp_path)
    assert read("fi", [SaidTurn(1, "moi")]) == ()
    assert read("en", []) == ()
    assert list(tmp_path.iterdir()) == []


def test_the_language_is_the_playbooks() -> None:
    text = (files("app") / "playbooks" / "northlight_solar.yaml").read_text(encoding="utf-8")
    assert language_of(text, "northlight_solar") == "en"
