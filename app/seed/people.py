"""Who phoned: made-up names, numbers of the block kept for fiction (555-01xx), where leads came from."""

from __future__ import annotations

import random
from dataclasses import dataclass

_FIRST = (
    "Amara", "Ben", "Carla", "Dmitri", "Elena", "Farid", "Grace", "Hugo", "Imani", "Jonas", "Keiko", "Luis", "Maya",
    "Noah",
    "Olga", "Pablo", "Quinn", "Rosa", "Sven", "Tara", "Uma", "Victor", "Wren", "Ximena", "Yusuf", "Zoe",
)  # fmt: skip
_LAST = (
    "Abbott", "Brook", "Castillo", "Dale", "Ellery", "Finch", "Garza", "Holt", "Ibarra", "Jansen", "Keller", "Lind",
    "Moreno",
    "Novak", "Okafor", "Perrin", "Quist", "Reyes", "Sato", "Thorne", "Underhill", "Vance", "Weber", "Yates", "Zamora",
)  # fmt: skip
_AREAS = ("202", "303", "404", "512", "617", "702", "804", "919")
_SOURCES = {"web_form": 5, "inbound_call": 3, "referral": 2, "home_show": 2, "flyer": 1}
_TAGS = ("storm damage", "new roof", "call after 5", "neighbour of a customer", "asked for Spanish", "has a heat pump")
NOTES = (
    "Wants the offer in writing before the visit.",
    "Asked whether the roof must be replaced first. Sent the leaflet.",
    "Prefers mornings. The dog is friendly.",
    "Compares with two other companies; decides next week.",
)


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    phone: str
    source: str
    tags: tuple[str, ...]


def people(count: int, seed: int) -> tuple[Person, ...]:
    """Different numbers; the same people every time."""
    dice = random.Random(seed)
    numbers = [f"+1{area}55501{last:02d}" for area in _AREAS for last in range(20, 100)]
    names = [f"{first} {last}" for first in _FIRST for last in _LAST]
    return tuple(
        Person(
            name,
            phone,
            dice.choices(tuple(_SOURCES), tuple(_SOURCES.values()))[0],
            tuple(dice.sample(_TAGS, dice.choices((0, 1, 2), (6, 3, 1))[0])),
        )
        for name, phone in zip(dice.sample(names, count), dice.sample(numbers, count), strict=True)
    )
