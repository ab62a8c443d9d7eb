"""What the offer tier works from: a playbook's offers, and what the log of a call says was told."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.dialog.events import CallerSaid, Entry, FactLearned
from app.dialog.script import Offer, Playbook
from app.sales.offer import Assortment, Condition, Package, Told

_SHORTEST = 5  # letters; shorter words tell packages apart by chance
_NUMBER_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand"
)
_NUMBERS = frozenset(_NUMBER_WORDS.split())


def assortment_of(book: Playbook) -> Assortment:
    """In the playbook's order: the first whose conditions hold suits by its rules."""
    return Assortment(tuple(_package(offer, book.offers) for offer in book.offers), tuple(_besides(book)))


def told_in(entries: Iterable[Entry]) -> Told:
    """A fact that was corrected counts as it was said last; words that may not be kept are not in the log."""
    facts: dict[str, str] = {}
    words: list[str] = []
    for entry in entries:
        match entry.fact:
            case FactLearned(name=name, value=value):
                facts[name] = value
            case CallerSaid(text=text) if text:
                words.append(text)
    return Told(facts, tuple(words))


def _package(offer: Offer, offers: Iterable[Offer]) -> Package:
    elsewhere = set[str]().union(*(_words_of(other) for other in offers if other is not offer))
    own = (*re.findall(r"[^\W\d_]+", offer.title.lower()), *_words_of(offer))
    words = tuple(dict.fromkeys(word for word in own if word not in elsewhere))
    conditions = tuple(Condition(fit.fact, fit.below, fit.at_least, fit.equal) for fit in offer.fits)
    return Package(offer.name, offer.title, offer.price, conditions, words)


def _words_of(offer: Offer) -> list[str]:
    found = re.findall(r"[^\W\d_]+", f"{offer.title} {offer.say}".lower())
    return [word for word in found if len(word) >= _SHORTEST and word not in _NUMBERS]


def _besides(book: Playbook) -> Iterable[str]:
    for answer in book.answers:
        yield from answer.examples
    for choice in (*book.menu.choices, *book.callback.choices, *(c for fact in book.facts for c in fact.choices)):
        yield from choice.examples
    for fact in book.facts:
        yield from fact.examples
