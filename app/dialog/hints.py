"""What a colleague who listens in whispers to the agent, and what the playbook has it lead to.

A hint names something; what is said then is the playbook's own line, at the playbook's price, and never the hint. It
opens nothing the caller has closed: no visit that was declined, no message that was refused, no offer that what they
told us rules out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from app.dialog.reply import Reply
from app.dialog.script import Offer, Playbook
from app.dialog.state import State, Understanding
from app.dialog.words import holds, normal

SURE = 0.8  # of what a recogniser made of a hint that names nothing
MOST_WAITING = 3  # the oldest goes first
RUN = 5  # words of a hint in a row that nobody says by chance
_GOALS = {"appointment": ("appointment", "visit"), "whatsapp": ("whatsapp",)}
_LEADS = "about|offer|mention|explain|suggest|propose|answer|book|send"
_BETWEEN = "the|our|a|an|them|him|her|their|his|on|for|about"
_CLOSED = ("human", "done")  # routes on which nothing is sold any more


def meant(hint: str, state: State, book: Playbook, meaning: Understanding) -> str:
    """What it leads to: "offer:NAME", "question:NAME", "objection:NAME", "ask:FACT", "appointment" or "whatsapp"; ""
    for nothing. `meaning` is what a recogniser makes of its words, for hints that call nothing by its name."""
    said = normal(hint.replace("_", " ").replace(":", " "))
    named = [label for label in _labels(book) if _names(said, label, book)]
    about = [meaning.about] if meaning.about and meaning.about_confidence >= SURE else []
    return next((label for label in (*named, *about) if _possible(label, state, book)), "")


def keep(state: State, label: str) -> tuple[str, ...]:
    """What waits for the caller's next turn, with this."""
    return (*(one for one in state.hinted if one != label), label)[-MOST_WAITING:]


def follow(reply: Reply) -> None:
    """Says, before the next question, what the hints that wait lead to. What meanwhile was said, or ruled out by the
    caller, is left."""
    if reply.over or reply.state.confirming:
        return
    waiting = reply.state.hinted
    reply.change(hinted=())
    for label in waiting:
        if _possible(label, reply.state, reply.book):
            _do(reply, label)


def repeats(sentence: str, hints: Iterable[str], approved: str) -> bool:
    """Whether it says a good part of a hint word for word that our own lines do not say."""
    said, ours = normal(sentence), normal(approved)
    for hint in hints:
        words = normal(hint).split()
        length = min(RUN, len(words))
        runs = (" ".join(words[at : at + length]) for at in range(len(words) - length + 1))
        if length >= 3 and any(holds(said, run) >= 0 and holds(ours, run) < 0 for run in runs):
            return True
    return False


def _labels(book: Playbook) -> Iterator[str]:
    """What is dearest first: a hint that names an offer and a question means the offer."""
    yield from (f"offer:{offer.name}" for offer in book.offers)
    yield from (f"objection:{answer.name}" for answer in book.answers if answer.kind == "objection")
    yield from (f"ask:{fact.name}" for fact in book.facts)
    yield from _GOALS
    yield from (f"question:{answer.name}" for answer in book.answers if answer.kind == "question")


def _names(hint: str, label: str, book: Playbook) -> bool:
    """Whether the hint is its name, or has the name after a word that asks for it: "moving" alone may be any word."""
    kind, _, name = label.partition(":")
    names = {normal(name.replace("_", " "))} if name else set(_GOALS[label])
    if kind == "offer":
        names.add(normal(_offer(name, book).title))
    leads = "ask" if kind == "ask" else f"{_LEADS}|{kind}"
    called = "|".join(re.escape(one) for one in names)
    return bool(re.search(rf"^(?:{called})$|\b(?:{leads})(?: (?:{_BETWEEN}))* (?:{called})\b", hint))


def _possible(label: str, state: State, book: Playbook) -> bool:
    kind, _, name = label.partition(":")
    match kind:
        case "offer":
            return not state.offered and state.route not in _CLOSED and _fits(_offer(name, book), state)
        case "question":
            return name not in state.told and book.answer(label) is not None
        case "objection":
            return name not in state.met and state.route != "done" and book.answer(label) is not None
        case "ask":
            return name not in state.facts and state.route not in _CLOSED
        case "appointment":
            return not state.visit_settled and state.route not in _CLOSED and "appointment" in book.goals
        case "whatsapp":
            return state.whatsapp is None and "whatsapp" in book.goals
    return False


def _offer(name: str, book: Playbook) -> Offer:
    return next(offer for offer in book.offers if offer.name == name)


def _fits(offer: Offer, state: State) -> bool:
    """Nothing that the caller told speaks against it."""
    return all(fit.holds(state.facts[fit.fact]) for fit in offer.fits if fit.fact in state.facts)


def _do(reply: Reply, label: str) -> None:
    kind, _, name = label.partition(":")
    match kind:
        case "offer":
            reply.say(_offer(name, reply.book).say, "offer")
        case "question" | "objection":
            answer = reply.book.answer(label)
            assert answer is not None
            reply.say(answer.say, f"{'answer' if kind == 'question' else kind}:{name}")
            if kind == "question":
                reply.change(told=reply.state.told | {name})
            else:
                reply.change(met=(*reply.state.met, name))
        case "ask":
            reply.change(wanted=name, skipped=reply.state.skipped - {name})
        case "appointment":
            reply.change(eager=True)
        case "whatsapp":
            reply.change(wants_info=True)
