"""Do these words sound finished? A pause in the middle of a sentence is as long as one at its end; the words differ.

Judged by how a saying ends, for English and Spanish, as a recogniser writes it: without capitals, with or without
marks. What was asked matters: "yes" finishes the answer to a yes-or-no question, "fifty" not that to a dictation.
A full stop is weak evidence, for recognisers put one wherever they stop listening.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from functools import lru_cache
from importlib.resources import files

from app.dialog.moves import Expectation
from app.dialog.words import DIGIT_WORDS, TENS, UNITS, normal, yes_or_no


class Ending(Enum):
    """OPEN: something must follow. CLOSED: a listener would answer now. UNSURE: it may be either."""

    OPEN = "open"
    UNSURE = "unsure"
    CLOSED = "closed"


def _read() -> dict[str, tuple[str, ...]]:
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in (files("app.dialog") / "data" / "endings.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            current.append(line)
    return {name: tuple(lines) for name, lines in sections.items()}


def _words(lines: Iterable[str]) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


_DATA = _read()
_FILLERS = _words(_DATA["fillers"])
_OPEN_EN, _OPEN_ES = _words(_DATA["open-en"]), _words(_DATA["open-es"])
_OPEN_TAILS, _CLOSED_TAILS, _SHORT = _DATA["open-tails"], _DATA["closed-tails"], _DATA["short-answers"]

_WH = _words(["what who whom which where how why when whose"])
_HELPERS = _words(["do does did is are am was were can could will would should shall may might have has had"])
_BE = _words(["is are was were am"])
_ARTICLES = _words(["the a an my your our their his her its these those this that"])
_AGREES = _words(["yes yeah yep no nope sure sí"])
_PRONOUNS = _words(["i you we they he she it this that there me him her us them"])
_STRANDED = _words(["for about from with to at in on like of"])  # "what is this about"
_WH_ES = _words(["qué quién dónde cuándo cómo cuánto cuánta cuántos cuántas cuál cuáles"])
_ES = _OPEN_ES | _WH_ES | _words(["sí señor señora gracias casa cuesta hola buenos días luz bien noches techo el no"])
_EN = _OPEN_EN | _WH | _HELPERS | _PRONOUNS | _words(["yes no okay on house roof my not do"])
_FIGURES = frozenset(UNITS) | frozenset(TENS) | frozenset(DIGIT_WORDS) | _words(["hundred thousand million point and"])
_WHEN = _words(
    [
        "monday tuesday wednesday thursday friday saturday sunday tomorrow today tonight morning afternoon evening",
        "noon lunes martes miércoles jueves viernes sábado domingo mañana hoy tarde noche",
    ]
)
_SUBORDINATE = re.compile(
    r"^(?:(?:and|but|so|well|yes|yeah|no|okay|y|pero) )*"
    r"(?:if|when|because|since|although|unless|as soon as|si|cuando|aunque|porque) (?P<rest>.*)$"
)
_MAIN = re.compile(
    r"\b(?:then|what|how|who|where|would|will|can|could|should|does|please|entonces|puedo|puede|cuánto|qué|quiero)\b"
    r"|\b\w+ (?:i|you|we|they|it) (?:want|need|am|are|is|have|do|call|get|think|guess|will|would)\b"
)
_TELEPHONE_DIGITS = 7  # a number that was announced has at least so many
_SHORT_WORDS = 4  # a direct answer has no more
_SENTENCE_WORDS = 5  # with a full stop after them we believe it


@lru_cache(maxsize=64)  # turn-taking asks for the same few words at every sign of life
def ending(words: str, answer: Expectation | None = None) -> Ending:
    """How finished `words` look, given what was asked."""
    said, written = normal(words), words.rstrip()
    tokens = said.split()
    if not tokens:
        return Ending.UNSURE
    if tokens[-1] in _FILLERS or written.endswith(("-", "–", "…", "...", ",")):
        return Ending.OPEN
    expected = answer or Expectation()
    for judged in (_as_answer(said, tokens, expected), _by_tail(said, tokens), _by_shape(said, tokens)):
        if judged is not None:
            return judged
    if written.endswith(("?", "!")) or (written.endswith(".") and len(tokens) >= _SENTENCE_WORDS):
        return Ending.CLOSED
    return Ending.UNSURE


def _as_answer(said: str, tokens: list[str], expected: Expectation) -> Ending | None:
    """What was asked for, at the end of what was said."""
    last = tokens[-1]
    if "number is" in said and 0 < _digits(tokens) < _TELEPHONE_DIGITS:
        return Ending.OPEN
    if expected.kind in ("number", "digits", "time") and (last in _FIGURES or last[-1:].isdigit()):
        return Ending.UNSURE  # more figures may follow
    if expected.kind in ("day", "time") and (last in _WHEN or re.fullmatch(r"\d+(?::\d\d)?[ap]m", last)):
        return Ending.CLOSED
    if expected.kind == "choice" and any(_ends_with(said, normal(phrase)) for phrase in expected.phrases):
        return Ending.CLOSED
    if any(_ends_with(said, short) for short in _SHORT):
        answers = tokens[0] in _AGREES or (expected.kind == "yes_no" and len(tokens) <= _SHORT_WORDS)
        return Ending.CLOSED if answers else Ending.OPEN
    leads_up = len(tokens) > 1 and tokens[0] == "si"  # "if"; yes has an accent
    leads_up = leads_up or any(_ends_with(said, tail) for tail in _OPEN_TAILS)
    if len(tokens) <= _SHORT_WORDS and not leads_up and yes_or_no(said) is not None and last not in _OPEN_EN | _OPEN_ES:
        return Ending.CLOSED
    return None


def _by_tail(said: str, tokens: list[str]) -> Ending | None:
    closed = max((len(tail) for tail in _CLOSED_TAILS if _ends_with(said, tail)), default=0)
    tail = max((tail for tail in _OPEN_TAILS if _ends_with(said, tail)), key=len, default="")
    if closed > len(tail):  # the longer one says more
        return Ending.CLOSED
    if tail:
        if tail.split()[0] in _BE and not _WH.isdisjoint(tokens[: -len(tail.split())]):
            return Ending.CLOSED  # "how much is it"
        return Ending.UNSURE if said == tail and tokens[0] in _WH else Ending.OPEN
    last, spanish = tokens[-1], _is_spanish(tokens)
    if not spanish and _left_behind(tokens):
        return Ending.CLOSED
    if last not in (_OPEN_ES if spanish else _OPEN_EN):
        return None
    return Ending.UNSURE if len(tokens) == 1 and last in _WH else Ending.OPEN  # "what" alone: say it again


def _by_shape(said: str, tokens: list[str]) -> Ending | None:
    """A clause that only leads up to another is not finished; a question that has its words is."""
    if found := _SUBORDINATE.match(said):
        return None if _MAIN.search(found["rest"]) else Ending.OPEN
    if _is_spanish(tokens):
        return Ending.CLOSED if tokens[0] in _WH_ES and len(tokens) >= 3 else None
    opening = next((at for at, word in enumerate(tokens) if word not in ("and", "but", "so", "well", "okay")), 0)
    asked = tokens[opening:]
    if _lacks_verb(asked):
        return Ending.OPEN
    if len(asked) >= 4 and asked[0] in _WH and not _HELPERS.isdisjoint(asked[1:4]):
        return Ending.CLOSED
    if len(asked) >= 5 and asked[0] in _WH and asked[1] not in _OPEN_EN:  # "what happens to the panels"
        return Ending.CLOSED
    if len(asked) >= 4 and asked[0] in _HELPERS and (asked[1] in _PRONOUNS or len(asked) > 4):
        return Ending.CLOSED
    return None


def _lacks_verb(asked: list[str]) -> bool:
    """A question that has come to its subject: "will the panels", "how long does the installation"."""
    at = next((at for at, word in enumerate(asked[:4]) if word in _HELPERS), None)
    if at is None or (at and asked[0] not in _WH):
        return False
    subject = asked[at + 1 :]
    named = len(subject) == 2 and subject[0] in _ARTICLES
    return named and (at == 0 or asked[at] not in _BE)  # "what is the price" has all it needs


def _left_behind(tokens: list[str]) -> bool:
    """A question may end in its preposition: "what is this about", "who am i speaking to"."""
    if tokens[-1] not in _STRANDED or len(tokens) < 4 or _WH.isdisjoint(tokens[:2]):
        return False
    before = tokens[-2]
    return before in _PRONOUNS or before.endswith("ing")


def _is_spanish(tokens: list[str]) -> bool:
    return sum(word in _ES for word in tokens) > sum(word in _EN for word in tokens)


def _digits(tokens: list[str]) -> int:
    return sum(len(token) if token.isdigit() else token in DIGIT_WORDS for token in tokens)


def _ends_with(said: str, tail: str) -> bool:
    return bool(tail) and (said == tail or said.endswith(f" {tail}"))
