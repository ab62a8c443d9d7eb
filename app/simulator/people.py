"""Made-up callers: what is true of them, what they want, and how they answer. The same seed makes the same people."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from app.dialog import phrases
from app.dialog.script import Playbook, WantedFact
from app.exchange.personas import HangUp, Press, ReactivePersona, Rule, Silence, Speak, Step, Temper
from app.exchange.sound import murmured

WISHES = {"buy": 0.6, "person": 0.15, "opt out": 0.1, "leave": 0.15}
ASKS, OBJECTS, INTERRUPTS, KEYS, HESITATES = 0.5, 0.35, 0.4, 0.1, 0.1
OPT_OUTS = ("please take me off your list", "stop calling me", "do not call me again", "remove my number")
PEOPLE = ("can i speak to a human", "i want to talk to a person", "please have someone call me back")


@dataclass(frozen=True, slots=True)
class MadeUp:
    """`wish` is buy, person, opt out or leave; `truth` the facts a good listener would have at the end."""

    wish: str
    truth: Mapping[str, str]
    phone: ReactivePersona


def somebody(book: Playbook, dice: random.Random) -> MadeUp:
    """Hears what a line of ours is for (its purpose), and answers that."""
    wish = dice.choices(tuple(WISHES), tuple(WISHES.values()))[0]
    truth: dict[str, str] = {}
    rules = [*_turns_of_mind(book, wish, dice)]
    for fact in book.facts:
        rules.append(_rule(f"confirm:{fact.name}", _say("yes that is right", "1", dice)))
        rules.append(_rule(f"ask:{fact.name}", _answer(fact, truth, dice)))
    rules += [
        _rule("menu", _of(book.menu.choices[0].examples, book.menu.choices[0].key, dice)),
        _rule("appointment", _say(dice.choice(["the first one", "the second one please"]), "1", dice)),
        _rule("callback", _of(book.callback.choices[0].examples, book.callback.choices[0].key, dice)),
        _rule("whatsapp", _say(dice.choice(["yes please", "no thank you"]), "1", dice)),
        _rule("closing", _say("no that is all", "2", dice)),
    ]
    temper = Temper(reply_ms=dice.randrange(300, 1200), patience_s=25.0)
    return MadeUp(wish, truth, ReactivePersona(wish, "murmur", murmured, rules, temper=temper))


def _turns_of_mind(book: Playbook, wish: str, dice: random.Random) -> list[Rule]:
    """What this person does once, wherever the conversation is by then."""
    moments = [f"ask:{fact.name}" for fact in book.facts] + ["menu", "appointment"]
    questions = [answer for answer in book.answers if answer.kind == "question"]
    objections = [answer for answer in book.answers if answer.kind == "objection" and not answer.closes_when_repeated]
    rules = []
    if wish == "opt out":
        rules.append(_once(dice.choice(moments), _words(dice.choice(OPT_OUTS)), dice))
    elif wish == "person":
        rules.append(_once(dice.choice(moments), _words(dice.choice(PEOPLE)), dice))
    elif wish == "leave":
        rules.append(_once(dice.choice(moments), (HangUp(),), dice))
    if dice.random() < ASKS:
        rules.append(_once(dice.choice(moments), _words(dice.choice(dice.choice(questions).examples)), dice))
    if dice.random() < OBJECTS and objections:
        rules.append(_once(dice.choice(moments), _words(dice.choice(dice.choice(objections).examples)), dice))
    if dice.random() < HESITATES:
        rules.append(_once(dice.choice(moments), (Silence(9000),), dice))
    return rules


def _answer(fact: WantedFact, truth: dict[str, str], dice: random.Random) -> tuple[Step, ...]:
    if fact.choices:
        choice = dice.choice([choice for choice in fact.choices if not choice.ends])
        truth[fact.name] = choice.name
        return _of(choice.examples, choice.key, dice)
    if fact.type == "digits":
        digits = "".join(str(dice.randrange(10)) for _ in range(fact.length))
        truth[fact.name] = digits
        return _say(" ".join(phrases.spell(digits)), digits, dice)
    return _of(fact.examples, "200#", dice)


def _rule(moment: str, steps: tuple[Step, ...]) -> Rule:
    return Rule(rf"(?:^| ){moment}(?: |$)", steps)


def _once(moment: str, steps: tuple[Step, ...], dice: random.Random) -> Rule:
    breaks_in = dice.randrange(400, 2000) if dice.random() < INTERRUPTS else None
    return Rule(rf"(?:^| ){moment}(?: |$)", steps, interrupt_ms=breaks_in, times=1)


def _of(examples: tuple[str, ...], keys: str, dice: random.Random) -> tuple[Step, ...]:
    return _say(dice.choice(examples), keys, dice)


def _say(text: str, keys: str, dice: random.Random) -> tuple[Step, ...]:
    return (Press(keys),) if dice.random() < KEYS else _words(text)


def _words(text: str) -> tuple[Step, ...]:
    return (Speak(text),)
