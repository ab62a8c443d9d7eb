"""The decoder behind speech to text, and the pronunciations it is taught."""

from __future__ import annotations

import logging

import pytest

from app.exchange import voices
from app.providers.offline.language import Language
from app.providers.offline.pronunciation import dictionary, read, supplement
from app.providers.offline.recogniser import NOTHING, Recogniser

HOME = Language(("i own my home", "i rent"), ("stop calling me",))


def test_a_language_still_works_after_many_others_were_learnt() -> None:
    """The dictionary grows under models made before."""
    recogniser = Recogniser()
    clip = voices.clip("rms", "i own my home")
    first = recogniser.recognise(clip, HOME)
    for number, word in enumerate(list(dictionary())[1000:40000:500]):
        recogniser.recognise(b"\xff" * 1600, Language((f"{word} sales",), (f"number {number}",)))
    again = recogniser.recognise(clip, HOME)
    assert first.text == again.text == "i own my home"
    assert again.confidence == pytest.approx(first.confidence, abs=0.1)


def test_a_word_without_a_pronunciation_is_named_once_and_its_sayings_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    recogniser = Recogniser()
    with caplog.at_level(logging.WARNING):
        for other in ("yes", "no"):
            recogniser.recognise(b"\xff" * 1600, Language(("i own a zorblax", other)))
    assert [record.getMessage() for record in caplog.records if "zorblax" in record.getMessage()] == [
        "sayings with 'zorblax' are not listened for: it has no pronunciation; add one to words.dict"
    ]


def test_silence_has_no_words() -> None:
    assert Recogniser().recognise(b"\xff" * 1600, HOME).text == NOTHING.text


def test_the_supplement_has_only_words_the_dictionary_lacks() -> None:
    for word, phones in read(supplement().read_text(encoding="utf-8").splitlines()):
        assert dictionary()[word] == ((word, phones),)


def test_a_dictionary_line() -> None:
    assert list(read(["the(2) DH IY", "", "# nothing", "oh OW # as in zero"])) == [("the(2)", "DH IY"), ("oh", "OW")]
