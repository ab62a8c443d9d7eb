"""Which question is open next, how it is put, and what kind of answer to listen for."""

from __future__ import annotations

from app.dialog.moves import Expectation
from app.dialog.script import NO_PROMPT, Playbook, Prompt
from app.dialog.state import State


def next_topic(state: State, book: Playbook) -> str:
    """The playbook's goals in order, with what the caller wants first."""
    if state.leaving:
        return "leaving"
    if state.confirming:
        return f"confirm:{state.confirming}"
    if not state.route:
        return "menu"
    if state.wants_info and state.whatsapp is None:
        return "whatsapp"
    if state.route == "human" and state.callback is None:
        return "callback"
    if state.route == "human" and (topic := _to_prepare(state, book)):
        return topic
    if state.route == "sales":
        if state.eager and not state.visit_settled:
            return "appointment"
        if topic := _next_goal(state, book):
            return topic
    if state.route == "human" and "whatsapp" in book.goals and state.whatsapp is None:
        return "whatsapp"
    return "closing"


def _to_prepare(state: State, book: Playbook) -> str:
    """What the person who calls back should know, each asked once: who wants a person is not questioned."""
    for name in book.callback.prepare:
        topic = f"ask:{name}"
        if name not in state.facts and name not in state.skipped and topic not in state.put:
            return topic
    return ""


def _next_goal(state: State, book: Playbook) -> str:
    for goal in book.goals:
        if goal == "facts":
            missing = [fact for fact in book.facts if fact.name not in state.facts and fact.name not in state.skipped]
            if missing:
                wanted = next((fact for fact in missing if fact.name == state.wanted), missing[0])
                return f"ask:{wanted.name}"
        elif goal == "appointment" and not state.visit_settled:
            return "appointment"
        elif goal == "whatsapp" and state.whatsapp is None:
            return "whatsapp"
    return ""


def occasion(state: State) -> str:
    """Which follow-up message fits: "booked", "human" or "qualified"."""
    if state.visit:
        return "booked"
    return "human" if state.human_asked else "qualified"


def prompt_for(topic: str, book: Playbook) -> Prompt:
    """How a topic's question is put. A read-back has its own words: see `WantedFact.confirm`."""
    about, _, name = topic.partition(":")
    if about == "ask":
        return book.fact(name).prompt
    known = {
        "menu": book.menu.prompt,
        "appointment": book.appointment.prompt,
        "callback": book.callback.prompt,
        "whatsapp": book.whatsapp.prompt,
        "closing": book.closing.prompt,
        "leaving": Prompt(book.lines.opt_out_question, book.lines.opt_out_question, book.lines.opt_out_question),
    }
    return known.get(about, NO_PROMPT)


def expectation(state: State, book: Playbook, phrases: tuple[str, ...] = ()) -> Expectation:
    """What to listen for now. `digits` is how many keys complete the answer; 0 ends it by a pause or "#"."""
    about, _, name = state.topic.partition(":")
    if about != "ask":
        kind = {"confirm": "yes_no", "whatsapp": "yes_no", "leaving": "yes_no", "closing": "open",
                "appointment": "time", "callback": "day", "menu": "choice"}.get(about, "open")  # fmt: skip
        return Expectation(state.topic or "open", kind, phrases, 1)
    fact = book.fact(name)
    if fact.type == "digits":
        return Expectation(state.topic, "digits", phrases, fact.length, len(state.so_far))
    if fact.type == "number":
        return Expectation(state.topic, "number", phrases, 0)
    if fact.type == "email":
        return Expectation(state.topic, "email", phrases, 0)
    kind = "yes_no" if fact.yes_no else fact.type
    return Expectation(state.topic, kind, phrases, 1)
