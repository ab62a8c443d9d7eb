"""What the offer tier works from: a playbook's offers, and what a log says was told."""

from __future__ import annotations

import pytest

from app import playbooks
from app.dialog.events import CallerSaid, Entry, FactLearned
from app.dialog.offers import suiting
from app.dialog.playbook import parse
from app.sales.packages import assortment_of, told_in

BOOK = parse(playbooks.text_of("northlight_solar"), "northlight_solar")
ASSORTMENT = assortment_of(BOOK)


@pytest.mark.parametrize("bill", ["10", "119", "120", "299", "300", "4000"])
def test_the_conditions_are_those_the_conversation_goes_by(bill: str) -> None:
    place, offer = ASSORTMENT.by_rules({"monthly_bill": bill}), suiting(BOOK, {"monthly_bill": bill})
    assert place is not None
    assert offer is not None
    assert ASSORTMENT.names[place] == offer.name


@pytest.mark.parametrize("facts", [{}, {"roof": "tile"}, {"monthly_bill": "a lot"}])
def test_nothing_is_decided_before_the_fact_is_known(facts: dict[str, str]) -> None:
    assert ASSORTMENT.by_rules(facts) is None


def test_a_package_has_the_words_that_no_other_has() -> None:
    words = {package.name: package.words for package in ASSORTMENT.packages}
    assert words == {"essential": ("essential",), "pro": ("pro",), "elite": ("elite", "battery")}


def test_the_last_word_on_a_fact_counts_and_empty_words_do_not() -> None:
    facts = [FactLearned("bill", "90", ""), CallerSaid(1, "", 0.9, 0, 1, "x"), CallerSaid(2, "no, 190", 0.9, 0, 1, "x")]
    told = told_in(Entry(i + 1, i, fact) for i, fact in enumerate([*facts, FactLearned("bill", "190", "")]))
    assert told.facts == {"bill": "190"}
    assert told.words == ("no, 190",)
