"""Takes card, social security and bank numbers out of what was said, written or spoken, before anything is kept.

Telephone numbers, zip codes and order numbers stay. Sources: PCI DSS 4.0.1 requirement 3.3.1; Luhn's check digit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.dialog.words import DIGIT_WORDS, REPEATS, TENS, UNITS

_WORD = re.compile(r"\d+|[^\W\d_]+(?:'\w+)?")
_SPANISH = {word: str(digit) for digit, word in enumerate(
    ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"))}  # fmt: skip
_ONE_DIGIT = {**DIGIT_WORDS, **_SPANISH}
_REPEATS = {**REPEATS, "quadruple": 4, "doble": 2, "triple": 3}
_BETWEEN = frozenset(
    {"uh", "um", "er", "erm", "hmm", "and", "then", "dash", "hyphen", "space", "dot", "point", "next", "y"}
)

_CARD = re.compile(
    r"\b(?:credit|debit|visa|master ?card|amex|american express|discover|card)\b(?!.{0,12}\bonly\b)|\btarjeta\b"
)
_SECURITY_CODE = re.compile(
    r"\b(?:c\.?\s?v\.?\s?[vc]\.?2?|security code|card code|verification (?:code|number|value)|code on the back|"
    r"(?:three|3|four|4) (?:digits|numbers) on the (?:back|front)|código de seguridad)(?!\w)"
)
_SOCIAL = re.compile(r"\b(?:social security|s\.?\s?s\.?\s?n\.?|my social|the social|seguro social)(?!\w)")
_BANK = re.compile(
    r"\b(?:bank account|account number|routing|iban|checking account|savings account|sort code|cuenta bancaria)\b"
)
_SOCIAL_WRITTEN = re.compile(r"\b\d{3}[- ]\d{2}[- ]\d{4}\b")
NEAR = 60  # characters between a cue such as "security code" and the digits it belongs to


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    digits: str


def redact(text: str) -> str:
    """The text with each sensitive number replaced by its kind in brackets; everything else is left as it was."""
    lower = text.lower()
    cut: list[tuple[int, int, str]] = [
        (m.start(), m.end(), "social security number") for m in _SOCIAL_WRITTEN.finditer(text)
    ]
    for run in _runs(lower):
        cut.extend(_sensitive(lower, run))
    out, at = [], 0
    for start, end, kind in sorted(cut):
        if start >= at:
            out += [text[at:start], f"[{kind}]"]
            at = end
    return "".join([*out, text[at:]])


def _sensitive(text: str, run: list[_Token]) -> Iterator[tuple[int, int, str]]:
    cards = list(_cards(run, stated=bool(_CARD.search(text))))
    yield from ((start, end, "card number") for start, end in cards)
    for part in _apart(run, cards):
        count = sum(len(token.digits) for token in part)
        start, end = part[0].start, part[-1].end
        if 3 <= count <= 4 and _near(text, _SECURITY_CODE, start, end):
            yield start, end, "card code"
        elif count == 9 and _SOCIAL.search(text):
            yield start, end, "social security number"
        elif 6 <= count <= 34 and _near(text, _BANK, start, end):
            yield start, end, "bank number"


def _near(text: str, cue: re.Pattern[str], start: int, end: int) -> bool:
    return any(-NEAR <= found.start() - end <= NEAR or 0 <= start - found.end() <= NEAR for found in cue.finditer(text))


def _runs(text: str) -> Iterator[list[_Token]]:
    """Stretches of nothing but digits, digit words and hesitation."""
    run: list[_Token] = []
    words = list(_WORD.finditer(text))
    at = 0
    while at < len(words):
        used, digits = _digits_at([word[0] for word in words[at : at + 3]])
        if digits:
            run.append(_Token(words[at].start(), words[at + used - 1].end(), digits))
        elif words[at][0] not in _BETWEEN and run:
            yield run
            run = []
        at += max(used, 1)
    if run:
        yield run


def _digits_at(words: list[str]) -> tuple[int, str]:
    """How many words the number at the front takes, and its digits; (0, "") when there is none."""
    first, second = words[0], words[1] if len(words) > 1 else ""
    if first.isdecimal():
        return 1, first
    if first in _REPEATS and (second in _ONE_DIGIT or (second.isdecimal() and len(second) == 1)):
        return 2, _ONE_DIGIT.get(second, second) * _REPEATS[first]
    if first in _ONE_DIGIT:
        return 1, _ONE_DIGIT[first]
    if first in TENS:
        unit = UNITS.get(second, 0)
        return (2, str(TENS[first] + unit)) if 1 <= unit <= 9 else (1, str(TENS[first]))
    if first in UNITS:
        return 1, str(UNITS[first])
    return (1, "00") if first == "hundred" else (0, "")


def _cards(run: list[_Token], *, stated: bool) -> Iterator[tuple[int, int]]:
    """Card numbers inside a run. After the word "card" a number as long as one counts, whatever its check digit."""
    at = 0
    while at < len(run):
        for end in range(len(run), at, -1):
            digits = "".join(token.digits for token in run[at:end])
            if _is_card(digits) or (stated and 13 <= len(digits) <= 19 and digits[0] in "3456"):
                yield run[at].start, run[end - 1].end
                at = end - 1
                break
        at += 1


def _is_card(digits: str) -> bool:
    return len(digits) in _lengths(digits) and luhn(digits)


def _lengths(digits: str) -> tuple[int, ...]:
    """How long a card that begins like this may be (ISO/IEC 7812 ranges in use); () when none does."""
    two, four = digits[:2], int(digits[:4] or 0)
    if digits[:1] == "4":
        return 13, 16, 18, 19
    if "51" <= two <= "55" or 2221 <= four <= 2720:
        return (16,)
    if two in ("34", "37"):
        return (15,)
    if two in ("30", "36", "38", "39"):
        return (14, 16)
    if two in ("35", "60", "62", "64", "65"):
        return 16, 17, 18, 19
    return (13, 15, 16, 18, 19) if two in ("50", "56", "57", "58", "59", "61", "63", "66", "67", "68", "69") else ()


def luhn(digits: str) -> bool:
    """Whether the check digit holds."""
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def _apart(run: list[_Token], cards: list[tuple[int, int]]) -> Iterator[list[_Token]]:
    """What is left of a run when the cards are taken out."""
    part: list[_Token] = []
    for token in run:
        if any(start <= token.start < end for start, end in cards):
            if part:
                yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part
