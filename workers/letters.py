"""What a follow-up says: the playbook's message with its gaps filled from the outcome of the call. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.dialog import offers, phrases
from app.dialog.script import Playbook
from app.sales.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Letter:
    """`text` as the person reads it; `template` the name it was approved under, `variables` what fills it, in order."""

    text: str
    template: str
    variables: tuple[str, ...]


def compose(book: Playbook, name: str, outcome: Outcome) -> Letter | None:
    """None when the playbook has no such message."""
    if name not in {message.name for message in book.messages}:
        return None
    message, filled = book.message(name), values(book, outcome)
    return Letter(
        text=message.render(filled),
        template=template_name(book.name, name),
        variables=tuple(filled.get(gap) or "-" for gap in dict.fromkeys(phrases.gaps(message.text))),
    )


def template_name(playbook: str, message: str) -> str:
    """Under what a message is approved at WhatsApp, which takes lower case, digits and underscores."""
    return f"{playbook}_{message}"


def approved_text(text: str) -> str:
    """A message of a playbook as WhatsApp wants a template: {name} becomes {{1}}, and so on in order of appearance."""
    places = {gap: f"{{{{{place}}}}}" for place, gap in enumerate(dict.fromkeys(phrases.gaps(text)), start=1)}
    return phrases.fill(text, places)


def values(book: Playbook, outcome: Outcome) -> Mapping[str, str]:
    """Every gap a message may have (MESSAGE_GAPS in dialog/playbook.py, and the facts)."""
    offer = offers.suiting(book, outcome.facts)
    filled = {
        "business": book.business.name,
        "phone": book.business.phone,
        "callback": outcome.facts.get("callback", "as soon as possible").replace("_", " "),
    }
    missing = [fact.name.replace("_", " ") for fact in book.facts if fact.written and fact.name not in outcome.facts]
    if missing:
        filled["missing"] = " and ".join(missing)
    if outcome.appointment:
        filled["slot"] = phrases.slot_in_writing(datetime.fromisoformat(outcome.appointment))
    if offer:
        filled |= {"offer": offer.title, "price": f"{offer.price:,.0f}"}
    return dict(outcome.facts) | filled
