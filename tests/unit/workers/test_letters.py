"""What a follow-up says."""

from __future__ import annotations

from importlib import resources

import pytest

from app.dialog.playbook import parse
from app.dialog.script import Playbook
from app.sales.outcome import Outcome, Result
from workers.letters import approved_text, compose


@pytest.fixture(scope="module")
def book() -> Playbook:
    text = resources.files("app.playbooks").joinpath("northlight_solar.yaml").read_text(encoding="utf-8")
    return parse(text, "northlight_solar.yaml")


def outcome(**changes: object) -> Outcome:
    known = {"monthly_bill": "200"}
    return Outcome(**{"call_sid": "CA1", "result": Result.BOOKED, "reason": "finished", "facts": known, **changes})  # type: ignore[arg-type]


def test_the_visit_is_written_out(book: Playbook) -> None:
    letter = compose(book, "appointment_summary", outcome(appointment="2026-11-24T10:00"))
    assert letter is not None
    assert "a free solar visit on Tuesday, November 24 at 10:00 AM" in letter.text
    assert "{" not in letter.text


def test_the_offer_and_its_price_follow_from_the_facts(book: Playbook) -> None:
    small = compose(book, "offer_summary", outcome(facts={"monthly_bill": "80"}))
    large = compose(book, "offer_summary", outcome(facts={"monthly_bill": "500"}))
    assert small is not None
    assert large is not None
    assert small.text != large.text


@pytest.mark.parametrize("name", ["appointment_summary", "callback_summary", "offer_summary"])
def test_C51_the_template_with_its_variables_reads_as_the_text(book: Playbook, name: str) -> None:
    letter = compose(book, name, outcome(appointment="2026-11-24T10:00"))
    assert letter is not None
    read = approved_text(book.message(name).text)
    for place, value in enumerate(letter.variables, start=1):
        read = read.replace(f"{{{{{place}}}}}", value)
    assert read == letter.text


def test_a_message_the_playbook_lacks_is_none(book: Playbook) -> None:
    assert compose(book, "birthday", outcome()) is None
