"""Made-up people whose package is known: what the offer tier learns from before anybody has corrected it.

Facts are drawn so that every condition of the playbook comes up on both sides. Most people suit the package the
playbook's conditions name; some have less or more in mind, and most of those say so. These numbers are our assumptions,
not measurements; that the words are read by a model which has not learned from them is seen to by `appetite.unseen`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

import ml.appetite as appetite
from app.sales.offer import Assortment, Package, Told

_WANTS_ANOTHER, _SAYS_SO, _SAYS_IT_ANYWAY, _TELLS, _NAMES_IT = 0.3, 0.92, 0.15, 0.8, 0.3
_WISHES = (appetite.LITTLE, appetite.MIDDLE, appetite.MUCH)
Person = tuple[Told, str]


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """Sentences by what they want."""

    said: Mapping[int, Sequence[str]]

    def any(self, wish: int, rng: np.random.Generator) -> str:
        return self.said[wish][int(rng.integers(len(self.said[wish])))]


def phrasebook(examples: Sequence[tuple[str, int]]) -> Phrasebook:
    return Phrasebook(
        {wish: [sentence for sentence, wanted in examples if wanted == wish] for wish in (*_WISHES, appetite.NOTHING)}
    )


def wish_for(packages: Sequence[Package], place: int) -> int:
    """By rank of price: the cheapest is little, the dearest much, all between are the middle."""
    if all(packages[place].price <= other.price for other in packages):
        return appetite.LITTLE
    return appetite.MUCH if all(packages[place].price >= other.price for other in packages) else appetite.MIDDLE


def people(assortment: Assortment, book: Phrasebook, count: int, seed: int) -> list[Person]:
    """The same people for the same arguments."""
    rng = np.random.default_rng(seed)
    return [_person(assortment, book, rng) for _ in range(count)]


def _person(assortment: Assortment, book: Phrasebook, rng: np.random.Generator) -> Person:
    packages = assortment.packages
    facts = _facts(packages, rng)
    suits = assortment.by_rules(facts)
    wants = suits
    if wants is None or rng.random() < _WANTS_ANOTHER:
        others = [place for place in range(len(packages)) if place != suits]
        wants = others[int(rng.integers(len(others)))]
    said = [book.any(appetite.NOTHING, rng) for _ in range(int(rng.poisson(4)))]
    if rng.random() < (_SAYS_IT_ANYWAY if wants == suits else _SAYS_SO):
        named = packages[wants].words
        if named and rng.random() < _NAMES_IT:
            said.append(f"i would like {named[int(rng.integers(len(named)))]}")
        else:
            said.append(book.any(wish_for(packages, wants), rng))
    told = facts if rng.random() < _TELLS else {}
    return Told(told, tuple(said)), packages[wants].name


def _facts(packages: Sequence[Package], rng: np.random.Generator) -> dict[str, str]:
    facts: dict[str, str] = {}
    conditions = [condition for package in packages for condition in package.conditions]
    for name in sorted({condition.fact for condition in conditions}):
        about = [condition for condition in conditions if condition.fact == name]
        limits = sorted({x for c in about for x in (c.below, c.at_least) if x is not None})
        if limits:
            at = int(rng.integers(len(limits) + 1))  # one of the stretches between the limits
            low = limits[at - 1] if at else min(0.0, limits[0] * 2) if limits[0] <= 0 else limits[0] / 4
            high = limits[at] if at < len(limits) else max(limits[-1] * 2.5, limits[-1] + 1)
            facts[name] = f"{rng.uniform(low, high):.0f}"
        else:
            facts[name] = str(rng.choice([*(str(c.equal) for c in about), "other"]))
    return facts
