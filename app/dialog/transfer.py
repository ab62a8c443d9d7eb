"""A person for a caller whom we can serve no longer: what is offered, and what counts as an answer.

Keys count whatever has failed; words only where somebody still understands them.
"""

from __future__ import annotations

from app.dialog.events import Heard, Keyed, Signal
from app.dialog.words import yes_or_no

KEY = "1"
WAIT_S = 6.0  # for an answer once the offer was heard

# By language: offered, taken, and said by the carrier when nobody answered.
DEFAULTS: dict[str, tuple[str, str, str]] = {
    "en": (
        "I am sorry, we have a technical problem. To speak to a person now, press one, or say yes. "
        "If you do not, a person will call you back.",
        "Thank you. I am putting you through now.",
        "I am sorry, nobody can take your call right now. A person will call you back. Goodbye.",
    ),
    "es": (
        "Lo siento, tenemos un problema técnico. Para hablar ahora con una persona, pulse uno o diga sí. "
        "Si no, una persona le devolverá la llamada.",
        "Gracias. Le paso ahora mismo.",
        "Lo siento, nadie puede atenderle en este momento. Una persona le devolverá la llamada. Adiós.",
    ),
}


def defaults(language: str) -> tuple[str, str, str]:
    """English for a language that has none of its own."""
    return DEFAULTS.get(language.partition("-")[0], DEFAULTS["en"])


def choice(signal: Signal, offered_ms: int) -> bool | None:
    """Whether the caller wants a person; None for what says neither. Words from before the offer answer nothing."""
    match signal:
        case Keyed(digit):
            return digit == KEY
        case Heard(final=True, text=text, started_ms=started_ms) if started_ms >= offered_ms:
            return yes_or_no(text)
    return None
