"""What a key does. 9 stops all calls and 0 asks for a person, at any moment of the call."""

from __future__ import annotations

from app.dialog import answers, leaving, listening
from app.dialog.reply import Reply
from app.dialog.routing import expectation
from app.dialog.script import Choice

OPT_OUT, HUMAN, REPEAT = "9", "0", "*"


def press(reply: Reply, digits: str) -> bool:
    """False when the keys mean nothing here."""
    keys = digits.strip("#")
    single = expectation(reply.state, reply.book).digits == 1
    if keys == OPT_OUT or (single and OPT_OUT in keys):
        reply.opt_out(f"key {keys}")
    elif keys == HUMAN or (single and keys[:1] == HUMAN):
        reply.thank()
        reply.ask_for_human(prepare=False)  # who presses keys wants no talk
    elif keys == REPEAT:
        reply.change(put=reply.state.put - {reply.state.topic})
    else:
        return _answer(reply, keys[:1] if single else keys)
    return True


def _answer(reply: Reply, keys: str) -> bool:
    about, _, name = reply.state.topic.partition(":")
    agreed = {"1": True, "2": False}.get(keys)
    match about:
        case "ask":
            return _fact(reply, name, keys)
        case "confirm":
            return listening.confirm(reply, agreed, keys)
        case "menu":
            choice = _by_key(reply.book.menu.choices, keys)
            if choice:
                listening.go(reply, choice, f"key {keys}")
            return choice is not None
        case "callback":
            choice = _by_key(reply.book.callback.choices, keys)
            if choice:
                listening.call_back(reply, choice.name.replace("_", " "))
            return choice is not None
        case "appointment":
            return _visit(reply, keys)
        case "leaving" if agreed is not None:
            leaving.settle(reply, agreed)
            return True
        case "whatsapp" if agreed is not None:
            return listening.consent(reply, agreed)
        case "closing" if agreed is False:
            reply.finish("finished", reply.book.closing.goodbye)
            return True
        case "closing" if agreed:
            reply.invite()
            return True
    return False


def _by_key(choices: tuple[Choice, ...], key: str) -> Choice | None:
    return next((choice for choice in choices if choice.key == key), None)


def _fact(reply: Reply, name: str, keys: str) -> bool:
    fact = reply.book.fact(name)
    value: str | None = None
    if fact.type == "choice":
        choice = _by_key(fact.choices, keys)
        value = choice.name if choice else None
    elif fact.type == "number" and keys.isdecimal():
        value = answers.as_amount(fact, float(keys))
    elif fact.type == "digits" and keys.isdecimal():
        whole = [number for number in (keys, reply.state.so_far + keys) if len(number) == fact.length]
        value = whole[0] if whole else None
    if value is None:
        return False
    listening.take(reply, fact, value, f"keys {keys}", sure=True)
    return True


def _visit(reply: Reply, keys: str) -> bool:
    if keys in ("1", "2"):
        reply.book_visit(reply.state.visits[int(keys) - 1], f"key {keys}")
    elif keys == "3":
        listening.other_times(reply)
    else:
        return False
    return True
