"""What a caller is likely to say in each state of the conversation, so that a recogniser can listen for it."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from itertools import product

from app.dialog import phrases, readback, words
from app.dialog.moves import Expectation
from app.dialog.script import Answer, Choice, Playbook, WantedFact

_ALWAYS = ("stop_calling", "wants_human", "is_robot", "repeat", "goodbye", "not_interested", "no_time", "dont_know",
           "call_back_later", "send_info", "book_appointment", "wrong_number")  # fmt: skip
_MENU = ("interested", "greeting", "trust", "who_is_this")
_KEYS = tuple(phrases.DIGITS)
_CORRECTIONS = ("no i said {}", "no i meant {}", "actually it is {}", "i mean {}", "sorry {}")
_MENDS = tuple(
    form.format(digit)
    for form in ("it is {} at the end", "no it is {} at the end", "the last one is {}", "no the last one is {}")
    for digit in phrases.DIGITS
)


@cache
def general(language: str = "en") -> dict[str, tuple[str, ...]]:
    """Intent -> our own example sayings (`data/sayings.csv`)."""
    found: dict[str, tuple[str, ...]] = {}
    text = (files("app.dialog") / "data" / "sayings.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        if row["language"] == language:
            found[row["intent"]] = (*found.get(row["intent"], ()), row["text"])
    return found


@cache
def more(language: str = "en") -> tuple[tuple[str, str], ...]:
    """More sentences of ours with their intents: models learn from them, no recogniser of speech listens for them."""
    found = []
    for name in ("phrasings.csv", "lookalikes.csv"):
        text = (files("app.dialog") / "data" / name).read_text(encoding="utf-8")
        rows = csv.DictReader(text.splitlines())
        found += [(row["text"], row["intent"]) for row in rows if row["language"] == language]
    return tuple(found)


def sayings_for(playbook: Playbook, expectation: Expectation) -> tuple[str, ...]:
    """Likely sayings for a recogniser that expects this: answers first, then what callers may say at any time.

    Topics are those of the engine: "menu", "ask:FACT", "confirm:FACT", "appointment", "callback", "whatsapp",
    "closing" and "open". Contractions come both ways ("it's", "it is"). Digit strings cannot be listed: for kind
    "digits" add a loop over the digit words.
    """
    found = [*answers_for(playbook, expectation.topic), *anytime(playbook)]
    if expectation.topic in ("menu", "open"):
        found += [saying for intent in _MENU for saying in general()[intent]]
    both = (form for saying in found for form in (saying.lower(), words.normal(saying)))
    return tuple(form for form in dict.fromkeys(both) if form)


def answers_for(playbook: Playbook, topic: str) -> tuple[str, ...]:
    """Direct answers to the question that is open."""
    about, _, name = topic.partition(":")
    agree = (*general()["yes"], *general()["no"])
    match about:
        case "ask":
            return _fact(playbook.fact(name))
        case "confirm":
            mends = _MENDS if playbook.fact(name).length >= readback.IN_PARTS else ()
            return (*agree, *_KEYS, *mends)
        case "menu":
            return (*_choices(playbook.menu.choices), *_KEYS, *_volunteered(playbook))
        case "callback":
            return (*_choices(playbook.callback.choices), *_days(playbook), *_KEYS)
        case "appointment":
            return (*_visits(playbook), *agree)
        case "whatsapp":
            return (*agree, "yes you may", "yes send it", "yes please send it", "no whatsapp", "i do not use whatsapp")
        case "leaving":
            return (*agree, "yes please do", "yes take me off", "no do not", "no you can call")
        case "closing":
            return (*agree, *general()["done"], *general()["goodbye"])
    return _volunteered(playbook)


@cache
def _general_anytime() -> tuple[str, ...]:
    return tuple(saying for intent in _ALWAYS for saying in general()[intent])


def anytime(playbook: Playbook) -> tuple[str, ...]:
    """Questions, objections, and the requests every caller may make at any moment."""
    return (*(example for answer in playbook.answers for example in _asked(answer)), *_general_anytime())


def _asked(answer: Answer) -> tuple[str, ...]:
    lead = ("yes but {}", "okay {}", "first {}") if answer.kind == "question" else ("{} sorry",)
    return (*answer.examples, *(form.format(answer.examples[0]) for form in lead))


def _choices(choices: tuple[Choice, ...]) -> tuple[str, ...]:
    return tuple(example for choice in choices for example in choice.examples)


def _fact(fact: WantedFact) -> tuple[str, ...]:
    examples = (*fact.examples, *_choices(fact.choices))
    if fact.type == "choice":
        short = [example for example in examples if len(example.split()) <= 3]
        forms = ("it is {}", "i think {}", "i have {}", "we have {}", "{} i think", *_CORRECTIONS)
        agree = (*general()["yes"], *general()["no"]) if fact.yes_no else ()
        return (*examples, *(form.format(example) for form, example in product(forms, short)), *agree, *_KEYS)
    if fact.type == "number":
        return (*examples, *_amounts())
    if fact.type == "digits":
        return (*examples, *_KEYS, "oh", "double", "my zip code is", "it is")
    return examples


@cache
def _amounts() -> tuple[str, ...]:
    """Amounts of money as they are said, from twenty to nine hundred and ninety."""
    found = []
    for amount in range(20, 1000, 10):
        for said in _said(amount):
            found += [said, f"about {said}", f"{said} dollars", f"about {said} dollars"]
    return tuple(found)


def _said(amount: int) -> list[str]:
    tens = {value: word for word, value in words.TENS.items()} | {10: "ten"}
    hundreds, rest = divmod(amount, 100)
    if not hundreds:
        return [tens[rest]]
    count = phrases.DIGITS[hundreds]
    if not rest:
        return [f"{count} hundred", *(["a hundred"] if hundreds == 1 else [])]
    return [f"{count} {tens[rest]}", f"{count} hundred {tens[rest]}", f"{count} hundred and {tens[rest]}"]


def _days(playbook: Playbook) -> tuple[str, ...]:
    days = (*phrases.WEEKDAYS, "today", "tomorrow")
    return (*(f"{day} {part}".strip() for day, part in product(days, ("", "morning", "afternoon", "evening"))),)


def _visits(playbook: Playbook) -> tuple[str, ...]:
    """Days and times of the visits on offer, alone and together, and ways to choose or turn down."""
    found = ["the first one", "the second one", "first", "second", "the earlier one", "the later one", "either one",
             "either is fine", "neither", "none of those", "something else", "another day", "do you have another time",
             "neither works for me", "the first", "the second", "in the morning", "in the afternoon", "morning",
             "afternoon", "any time", "one", "two", "three"]  # fmt: skip
    for day, at in playbook.appointment.slots:
        hour, _, part = phrases.clock(at).removeprefix("at ").partition(" in the ")
        name = phrases.WEEKDAYS[day]
        for form in ("{d}", "{d} at {t}", "{d} {t}", "{d} {p}", "at {t}", "{t}", "{t} in the {p}", "{d} at {t} please",
                     "{d} works", "{d} is fine", "{d} please", "let us do {d}", "{d} at {t} works for me",
                     "how about {d}", "do you have {d}"):  # fmt: skip
            found += [form.format(d=name, t=hour, p=part)]
    return tuple(found)


def _volunteered(playbook: Playbook) -> tuple[str, ...]:
    """What callers say about themselves before anyone asks."""
    found = []
    for fact in playbook.facts:
        found += [example for example in (*_choices(fact.choices), *fact.examples) if len(example.split()) >= 2]
    return tuple(found)
