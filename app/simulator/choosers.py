"""Made-up callers who would take a certain package, in words that no model was trained on.

What is true of a caller comes first: a size (each fact that the playbook's conditions ask for), and perhaps a purse or
needs that call for another package than the size does. That decides the package, whether or not it comes up in the
call: somebody who hangs up before telling, says nothing of the purse, or is a little off with a number, counts against
whoever guesses. The shares are our assumptions, not measurements.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.dialog.script import Playbook, WantedFact
from app.exchange.personas import Rule, Speak
from app.sales.offer import Assortment, Condition, Package
from app.sales.packages import assortment_of
from app.simulator.people import MadeUp, somebody

ANOTHER_PURSE, SAYS_SO, SAYS_IT_ANYWAY, TWICE = 0.25, 0.95, 0.2, 0.3
OFF_BY = 0.04  # standard deviation of a number said from memory, as a share of it
LITTLE = (
    "honestly i am looking for the cheapest option", "money is tight so keep it simple",
    "just the basics for us please", "i don't need anything fancy", "what is your lowest price option",
    "i'd rather not spend much", "we are a small household and only need a small one", "is there a budget version",
    "i would go for whatever costs the least", "we can only afford the small package",
    "with a new baby every dollar counts so the basic one", "i do not want to pay for things i will not use",
)  # fmt: skip
MIDDLE = (
    "i think the middle one would be right", "what do most of your customers choose", "we want the standard package",
    "neither the cheapest nor the most expensive", "the popular one sounds good to me",
    "something balanced for the money", "a regular one for a normal family", "give me the one most people go for",
    "a middle of the road system is what we had in mind", "nothing extreme just a regular setup",
)  # fmt: skip
MUCH = (
    "i'd like the very best you offer", "the price really is no problem for us", "we definitely want a battery too",
    "we need backup because the power goes out a lot here", "i want the premium package with everything",
    "we want the biggest system", "top quality matters most to me",
    "i want to be independent of the grid with all the extras", "we just bought a second electric car so make it big",
    "i would rather pay more and get the best",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chooser:
    """`package` is the name of what this caller would take."""

    package: str
    caller: MadeUp
    told: tuple[str, ...]  # what they would say about it, if they get to


def chooser(book: Playbook, dice: random.Random) -> Chooser:
    assortment = assortment_of(book)
    person = somebody(book, dice)
    truth = dict(person.truth)
    rules: list[Rule] = []
    for fact in book.facts:
        limits = _limits(assortment, fact)
        if limits:
            amount = _amount(limits, fact, dice)
            truth[fact.name] = str(amount)
            rules.append(_rule(f"ask:{fact.name}", f"about {_from_memory(amount, dice)} dollars"))
    suits = assortment.by_rules(truth)
    wants = _wanted(assortment, suits, dice)
    said: list[str] = []
    if dice.random() < (SAYS_IT_ANYWAY if wants == suits else SAYS_SO):
        said = dice.sample(_words(assortment.packages, wants), k=2 if dice.random() < TWICE else 1)
        moments = dice.sample([f"ask:{fact.name}" for fact in book.facts[:3]], k=len(said))
        rules[:0] = [_rule(moment, words, times=1) for moment, words in zip(moments, said, strict=True)]
    phone = replace(person.phone, rules=[*rules, *person.phone.rules])
    return Chooser(assortment.names[wants], MadeUp(person.wish, truth, phone), tuple(said))


def _wanted(assortment: Assortment, suits: int | None, dice: random.Random) -> int:
    """Without conditions everybody chooses freely."""
    places = [place for place in range(len(assortment.packages)) if place != suits]
    return dice.choice(places) if suits is None or dice.random() < ANOTHER_PURSE else suits


def _rule(moment: str, words: str, times: int | None = None) -> Rule:
    pattern, steps = rf"(?:^| ){moment}(?: |$)", (Speak(words),)
    return Rule(pattern, steps) if times is None else Rule(pattern, steps, times=times)


def _limits(assortment: Assortment, fact: WantedFact) -> list[float]:
    about: list[Condition] = [c for p in assortment.packages for c in p.conditions if c.fact == fact.name]
    return sorted({x for c in about for x in (c.below, c.at_least) if x is not None})


def _amount(limits: list[float], fact: WantedFact, dice: random.Random) -> int:
    low, high = max(fact.between[0], limits[0] * 0.3), min(fact.between[1], limits[-1] * 2.2)
    edges = [low, *limits, high]
    at = dice.randrange(len(edges) - 1)
    return int(dice.uniform(edges[at], edges[at + 1]) // 10 * 10) or int(low)


def _from_memory(amount: int, dice: random.Random) -> int:
    return max(10, round(amount * dice.gauss(1, OFF_BY) / 10) * 10)


def _words(packages: Sequence[Package], wanted: int) -> tuple[str, ...]:
    """By rank of price; of several in the middle the words do not tell which."""
    prices = [package.price for package in packages]
    price = packages[wanted].price
    return LITTLE if price == min(prices) else MUCH if price == max(prices) else MIDDLE
