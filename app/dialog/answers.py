"""Finds facts in what the caller said: answers to the open question, things volunteered, and corrections."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from app.dialog import email, readback, spelling, words
from app.dialog.script import Choice, Playbook, WantedFact

_CORRECTS = re.compile(r"\b(?:no|not|actually|said|meant|i mean|sorry|correction|wait|change|wrong|mistake)\b")
_ABOUT_SELF = re.compile(r"\b(?:i|my|we|our|us|mine|it is|there is|there are|it has|me)\b")
# "how" and "what" ask wherever they stand, "is" and "can" only where a sentence begins: "it is a tile roof" tells.
_ASKS = re.compile(
    r"\b(?:how|what|why|which|who)\b|^(?:\w+ ){0,2}?(?:when|where|if)\b"
    r"|^(?:(?:so|and|but|ok|okay|well|um|uh|yes|yeah|no|sorry|alright|also|then) ){0,2}"
    r"(?:can|could|do|does|did|is|are|will|would|should)\b"
)
_NEGATION = re.compile(r"\b(?:not|no|isn't|never|than)(?: an?| the| really| actually)?$")
_NAME = re.compile(r"\b(?:my name is|name is|this is|i am|call me|it is)\s+((?:[^\W\d_]+ ?){1,3})$")


def is_question(text: str) -> bool:
    """Sounds like a question from the caller rather than a statement."""
    return bool(_ASKS.search(words.normal(text)))


def is_correction(text: str) -> bool:
    return bool(_CORRECTS.search(words.normal(text)))


def choose(choices: Iterable[Choice], text: str) -> Choice | None:
    """The choice whose example was said, not counting "not tile"; the later one when the caller changed his mind."""
    said = words.normal(text)
    found: list[tuple[int, int, Choice]] = []
    for choice in choices:
        for example in {*map(words.normal, choice.examples), choice.name.replace("_", " ")} - {"yes", "no"}:
            hits = re.finditer(rf"(?<!\S){re.escape(example)}(?!\S)", said)
            found += [(hit.start(), hit.end(), choice) for hit in hits]
    kept = [hit for hit in found if not any(_covers(other, hit) for other in found)]
    meant = [hit for hit in kept if not _NEGATION.search(said[: hit[0]].strip())]
    return max(meant, key=lambda hit: hit[0])[2] if meant else None


def _covers(longer: tuple[int, int, Choice], hit: tuple[int, int, Choice]) -> bool:
    return longer[0] <= hit[0] and hit[1] <= longer[1] and longer[1] - longer[0] > hit[1] - hit[0]


def read(fact: WantedFact, text: str) -> str | None:
    """The answer to this fact's question in explicit words; yes and no are the caller's to say elsewhere."""
    if fact.type == "choice":
        choice = choose(fact.choices, text)
        return choice.name if choice else None
    if fact.type == "number":
        return as_amount(fact, words.number(text))
    if fact.type == "digits":
        meant = [digits for digits in (words.digits(text), readback.said(text)) if len(digits) == fact.length]
        return meant[0] if meant else None
    if fact.type == "email":
        return email.address(text)
    if spelled := spelling.letters(text):
        return spelled.title()
    name = _NAME.search(words.normal(text))
    if name:
        return name[1].strip().title()
    plain = words.normal(text).split()
    return " ".join(plain).title() if 1 <= len(plain) <= 3 else None


def as_amount(fact: WantedFact, amount: float | None) -> str | None:
    """The amount as kept, when it lies within the fact's bounds."""
    low, high = fact.between
    return f"{amount:g}" if amount is not None and low <= amount <= high else None


def volunteered(playbook: Playbook, text: str, known: Mapping[str, str], asking: str) -> dict[str, str]:
    """Facts nobody asked for: said about oneself, and not in a question ("does it work on a flat roof?")."""
    said = words.normal(text)
    if not _ABOUT_SELF.search(said) or (is_question(said) and not re.search(r"\b(?:my|our|i have|we have)\b", said)):
        return {}
    found: dict[str, str] = {}
    for fact in playbook.facts:
        if fact.name in known or fact.name == asking or fact.written:
            continue
        cued = words.holds_any(said, (*fact.cues, *fact.name.split("_")))
        value = read(fact, text) if cued else _in_full(fact, text)
        if value is not None:
            found[fact.name] = value
    return found


def _in_full(fact: WantedFact, text: str) -> str | None:
    """Without a cue only examples of two words and more are taken at their word."""
    longer = [
        Choice(choice.name, choice.key, tuple(example for example in choice.examples if " " in example))
        for choice in fact.choices
    ]
    said = choose(longer, text)
    return said.name if said and said.name != words.normal(text) else None


def corrected(playbook: Playbook, text: str, known: Mapping[str, str]) -> tuple[str, str] | None:
    """ "No, I said tile": a fact we know with another value than we took, and that value."""
    if not is_correction(text):
        return None
    for fact in reversed(playbook.facts):
        if fact.name in known and fact.type == "choice":
            choice = choose(fact.choices, text)
            if choice and choice.name != known[fact.name]:
                return fact.name, choice.name
    numbers = [fact for fact in playbook.facts if fact.name in known and fact.type == "number"]
    cued = [fact for fact in numbers if words.holds_any(words.normal(text), fact.cues)]
    if re.search(r"\b(?:said|meant|actually|i mean|correction|wrong|mistake)\b", words.normal(text)):
        cued = cued or numbers
    for fact in cued:
        amount = as_amount(fact, words.number(text))
        if amount is not None and amount != known[fact.name]:
            return fact.name, amount
    return None
