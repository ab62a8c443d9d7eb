"""Which package suits a caller, as values: what there is to choose from, what was told, and what is suggested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NOT_KNOWN = "not enough known yet"


@dataclass(frozen=True, slots=True)
class Condition:
    """On one fact; None does not bind. `below` is exclusive, `at_least` inclusive."""

    fact: str
    below: float | None = None
    at_least: float | None = None
    equal: str | None = None

    def holds(self, value: str | None) -> bool:
        """False while the fact is unknown, or is no number where one is needed."""
        if value is None:
            return False
        if self.equal is not None:
            return value == self.equal
        try:
            number = float(value)
        except ValueError:
            return False
        return (self.below is None or number < self.below) and (self.at_least is None or number >= self.at_least)


@dataclass(frozen=True, slots=True)
class Package:
    """One offer of a playbook. `words` are those of its title and description that no other package has."""

    name: str
    title: str
    price: float
    conditions: tuple[Condition, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assortment:
    """What a playbook has to offer, the first that fits first. `besides` are sentences callers say whichever package
    they want: the playbook's own examples of questions, objections and answers."""

    packages: tuple[Package, ...]
    besides: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(package.name for package in self.packages)

    def by_rules(self, facts: Mapping[str, str]) -> int | None:
        """The place of the first package whose conditions hold; None while they cannot be told, or where there are
        none at all."""
        if not any(package.conditions for package in self.packages):
            return None
        for place, package in enumerate(self.packages):
            if any(condition.fact not in facts for condition in package.conditions):
                return None
            if all(condition.holds(facts[condition.fact]) for condition in package.conditions):
                return place
        return None


@dataclass(frozen=True, slots=True)
class Told:
    """What a caller has told: facts, and sentences in their own words. Never who they are or how they sound."""

    facts: Mapping[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`package` is a name, or None: not enough known yet, and `candidates` are what it may still be.

    Advice for a person and a conversation; it sets no price and refuses nobody (C45).
    """

    package: str | None
    probability: float
    candidates: tuple[str, ...]
    reasons: tuple[str, ...]
    model_version: str = ""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A person's word on which package suits: what it was said of, and the package."""

    told: Told
    package: str
