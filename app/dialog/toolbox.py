"""What a language model may do besides talk: four tools, fewer in most states, each checked again when it is used.

No tool takes a telephone number, an address or an identity: whose call this is, is known here. None books, sends,
gives consent or stops calls: a visit is only put on the table, and the caller's own words choose it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.dialog import answers, email, listening, phrases, visits
from app.dialog.moves import Move
from app.dialog.reply import Reply
from app.dialog.script import Playbook, WantedFact
from app.dialog.state import State
from app.dialog.words import holds, normal

UNDECIDED = "not_said"
MOST_SLOTS = 8


@dataclass(frozen=True, slots=True)
class Tool:
    """`choices`: argument -> allowed values; an empty tuple allows any short text."""

    name: str
    description: str
    choices: Mapping[str, tuple[str, ...]]

    def schema(self) -> dict[str, object]:
        """Strict JSON schema of the arguments."""
        properties = {
            name: {"type": "string", "enum": list(values)} if values else {"type": "string"}
            for name, values in self.choices.items()
        }
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }


@dataclass(frozen=True, slots=True)
class Used:
    """What a tool led to: the new state and what to do."""

    state: State
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """A call that changes nothing; `why` in a few words, without the model's own."""

    why: str


def tools_for(state: State, book: Playbook, *, understood: bool) -> tuple[Tool, ...]:
    """`understood` is whether the engine made sense of the caller's words itself."""
    if state.ended:
        return ()
    found = []
    open_facts = [fact for fact in book.facts if fact.name not in state.facts]
    if open_facts and state.route in ("", "sales") and not state.confirming:
        found.append(_note_fact(open_facts))
    if state.callback is None:
        found.append(_request_callback(book))
    if _visit_possible(state, book):
        found.append(_offer_appointment(state, book))
    if state.topic == "closing" or not understood:
        found.append(Tool("end_call", "The caller wants to end this call now. We say goodbye ourselves.", {}))
    return tuple(found)


def use(
    name: str, arguments: str, tools: tuple[Tool, ...], state: State, said: str, book: Playbook
) -> Used | NotAllowed:
    """`said` are the caller's words of this turn; they are logged, never the model's."""
    tool = next((tool for tool in tools if tool.name == name), None)
    if tool is None:
        return NotAllowed("no such tool here")
    given = _arguments(tool, arguments)
    if given is None:
        return NotAllowed(f"{tool.name}: arguments outside of its schema")
    reply = Reply(state, book)
    if not _DEEDS[tool.name](reply, given, said):
        return NotAllowed(f"{tool.name}: not what the caller said or the playbook allows")
    if not reply.over:
        reply.change(unclear=0)
        reply.ask()
    return Used(reply.state, reply.moves())


def _arguments(tool: Tool, text: str) -> dict[str, str] | None:
    """None unless they are exactly what the schema says; servers may ignore `strict`."""
    try:
        given = json.loads(text or "{}")
    except ValueError:
        return None
    if not isinstance(given, dict) or set(given) != set(tool.choices):
        return None
    for name, allowed in tool.choices.items():
        if not isinstance(given[name], str) or len(given[name]) > 60 or (allowed and given[name] not in allowed):
            return None
    return given


# --- the tools -------------------------------------------------------------------------------------------------------


def _note_fact(facts: list[WantedFact]) -> Tool:
    values = "; ".join(f"{fact.name}: {_values(fact)}" for fact in facts)
    return Tool(
        "note_fact",
        f"Keep one thing the caller has just said about himself. The value must be one of these. {values}",
        {"fact": tuple(fact.name for fact in facts), "value": ()},
    )


def _values(fact: WantedFact) -> str:
    match fact.type:
        case "choice":
            return " | ".join(choice.name for choice in fact.choices)
        case "number":
            return f"a number from {fact.between[0]:g} to {fact.between[1]:g}, in digits"
        case "digits":
            return f"{fact.length} digits"
        case "email":
            return "an e-mail address"
    return "the name as the caller said it"


def _do_note_fact(reply: Reply, given: Mapping[str, str], said: str) -> bool:
    fact = reply.book.fact(given["fact"])
    value = _value(fact, given["value"], said)
    if value is None:
        return False
    listening.take(reply, fact, value, said)
    if not reply.state.route:
        reply.change(route="sales")
    return True


def _value(fact: WantedFact, value: str, said: str) -> str | None:
    match fact.type:
        case "choice":
            return value if value in {choice.name for choice in fact.choices} else None
        case "number":
            return answers.as_amount(fact, float(value)) if value.isascii() and value.isdecimal() else None
        case "digits":
            return value if value.isascii() and value.isdecimal() and len(value) == fact.length else None
        case "email":
            return email.address(value)
    return value.title() if normal(value) and holds(normal(said), normal(value)) >= 0 else None


def _request_callback(book: Playbook) -> Tool:
    times = tuple(choice.name for choice in book.callback.choices)
    return Tool(
        "request_callback",
        "The caller wants a person: to call back, or to take over. `when` as the caller put it, else not_said.",
        {"when": (*times, UNDECIDED)},
    )


def _do_request_callback(reply: Reply, given: Mapping[str, str], said: str) -> bool:
    reply.thank()
    reply.ask_for_human()
    if given["when"] != UNDECIDED:
        listening.call_back(reply, given["when"].replace("_", " "))
    return True


def _visit_possible(state: State, book: Playbook) -> bool:
    wanted = "appointment" in book.goals and state.visit is None and state.route in ("", "sales")
    return wanted and not state.confirming and len(_slots(state, book)) >= 2


def _slots(state: State, book: Playbook) -> tuple[datetime, ...]:
    times = visits.available(book.appointment, state.today)
    return tuple(at for at in times if at not in state.refused)[:MOST_SLOTS]


def _offer_appointment(state: State, book: Playbook) -> Tool:
    slots = _slots(state, book)
    listed = "; ".join(f"{at.isoformat(timespec='minutes')} is {' '.join(phrases.slot(at))}" for at in slots)
    return Tool(
        "offer_appointment",
        "The caller wants a visit: offer this time, and one more. The caller then chooses; nothing is booked by it. "
        + listed,
        {"slot": tuple(at.isoformat(timespec="minutes") for at in slots)},
    )


def _do_offer_appointment(reply: Reply, given: Mapping[str, str], said: str) -> bool:
    first = datetime.fromisoformat(given["slot"])
    others = [at for at in _slots(reply.state, reply.book) if at != first]
    reply.change(
        visits=tuple(sorted((first, others[0]))),
        eager=True,
        visit_settled=False,
        route="sales",
        put=reply.state.put - {"appointment"},
    )
    return True


def _do_end_call(reply: Reply, given: Mapping[str, str], said: str) -> bool:
    reply.finish("finished", reply.book.closing.goodbye)
    return True


_DEEDS: Mapping[str, Callable[[Reply, Mapping[str, str], str], bool]] = {
    "note_fact": _do_note_fact,
    "request_callback": _do_request_callback,
    "offer_appointment": _do_offer_appointment,
    "end_call": _do_end_call,
}
