"""Every number in a text, written or spoken, with what it counts: "$9,900", "nine thousand nine hundred dollars".

Made for comparing what a model wants to say with what a playbook says, so the same reading is used on both sides and a
doubtful one is still a number: digits said one after the other are one long figure ("two oh two" -> 202).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.dialog.words import TENS, UNITS, normal

_SCALES = {"hundred": 100, "thousand": 1_000, "k": 1_000, "grand": 1_000, "million": 1_000_000, "billion": 10**9}
_COUNTED = {
    "percent": "percent", "per": "percent",
    "dollar": "dollar", "dollars": "dollar", "buck": "dollar", "bucks": "dollar", "usd": "dollar",
    "cent": "cent", "cents": "cent", "euro": "euro", "euros": "euro", "pounds": "pound", "pound": "pound",
    "year": "year", "years": "year", "month": "month", "months": "month", "week": "week", "weeks": "week",
    "day": "day", "days": "day", "hour": "hour", "hours": "hour", "minute": "minute", "minutes": "minute",
    "am": "clock", "pm": "clock", "o'clock": "clock", "times": "times", "fold": "times",
}  # fmt: skip
_MONEY = ("dollar", "cent", "euro", "pound")
_SIGNS = str.maketrans({"%": " percent ", "€": " euro ", "£": " pound ", "-": " ", "–": " ", "—": " ", "+": " "})
_WRITTEN = re.compile(r"\$?(\d+(?:\.\d+)?)(k|am|pm|st|nd|rd|th)?")


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` in digits as they would be dialled or written; `unit` is what is counted, "" when that is not said."""

    value: str
    unit: str = ""


def figures(text: str) -> frozenset[Figure]:
    """A lone "one" is a pronoun more often than an amount and is left out, unless it counts something."""
    tokens = normal(re.sub(r"(?<=\d),(?=\d{3})", "", text).translate(_SIGNS)).split()
    found: list[Figure] = []
    at, joined = 0, False
    while at < len(tokens):
        after, figure = _figure_at(tokens, at)
        if figure is None:
            at += 1
            joined = False
            continue
        if joined:
            found[-1] = _shared(found[-1], figure)
        found.append(figure)
        joined = after < len(tokens) - 1 and tokens[after] in ("and", "to", "or") and not figure.unit
        at = after + joined
    return frozenset(figure for figure in found if figure.unit or figure.value not in ("1", "0"))


def _shared(first: Figure, second: Figure) -> Figure:
    """ "between ten and twenty eight thousand dollars": the ten are thousands of dollars too."""
    thousands = second.value.endswith("000") and first.value.isdecimal() and int(first.value) < 1000
    return Figure(first.value + "000" if thousands else first.value, second.unit)


def _figure_at(tokens: list[str], at: int) -> tuple[int, Figure | None]:
    after, pieces, unit = _run(tokens, at)
    if not pieces:
        return at + 1, None
    unit = unit or (_COUNTED.get(tokens[after], "") if after < len(tokens) else "")
    return after, Figure("".join(pieces), unit)


def _run(tokens: list[str], at: int) -> tuple[int, list[str], str]:
    """Amounts that follow each other without a word between them."""
    pieces: list[str] = []
    unit = ""
    while at < len(tokens):
        after, value, counted = _amount(tokens, at, inside=bool(pieces))
        if value is None:
            break
        pieces.append(value)
        unit = unit or counted
        at = after
    return at, pieces, unit


def _amount(tokens: list[str], at: int, *, inside: bool) -> tuple[int, str | None, str]:
    token = tokens[at]
    if token in ("oh", "o"):
        follows = at + 1 < len(tokens) and (tokens[at + 1] in UNITS or tokens[at + 1].isdecimal())
        return (at + 1, "0", "") if inside or follows else (at, None, "")
    written = _WRITTEN.fullmatch(token.rstrip("."))
    if written:
        unit = "dollar" if token.startswith("$") else "clock" if written[2] in ("am", "pm") else ""
        if "." not in written[1] and written[1].startswith("0"):
            return at + 1, written[1], unit
        after, amount = _scaled(tokens, at + 1, float(written[1]) * (1000 if written[2] == "k" else 1))
        return after, _plain(amount), unit
    if tokens[at] == "a" and at + 1 < len(tokens) and _COUNTED.get(tokens[at + 1]) in _MONEY and not inside:
        return at + 1, "1", ""
    if tokens[at] == "a" and at + 1 < len(tokens) and tokens[at + 1] in _SCALES and not inside:
        after, amount = _scaled(tokens, at + 1, 1)
        return after, _plain(amount), ""
    after, small = _below_hundred(tokens, at)
    if small is None:
        return at, None, ""
    after, amount = _scaled(tokens, after, small)
    return after, _plain(amount), ""


def _scaled(tokens: list[str], at: int, amount: float) -> tuple[int, float]:
    """ "nine" + "thousand nine hundred" -> 9900; "nine hundred and fifty" -> 950."""
    total, group, least = 0.0, amount, float("inf")
    while at < len(tokens) and tokens[at] in _SCALES:
        scale = _SCALES[tokens[at]]
        at += 1
        if scale == 100:
            group *= scale
        else:
            total, group, least = total + group * scale, 0.0, scale
        start = at + 1 if at < len(tokens) and tokens[at] == "and" else at
        after, more = _below_hundred(tokens, start)
        if more is None or (start > at and after < len(tokens) and tokens[after] in _SCALES):
            continue
        if scale == 100 or least > 100:
            group += more
            at = after
    return at, total + group


def _below_hundred(tokens: list[str], at: int) -> tuple[int, int | None]:
    if at >= len(tokens):
        return at, None
    if tokens[at] in UNITS:
        return at + 1, UNITS[tokens[at]]
    if tokens[at] in TENS:
        unit = UNITS.get(tokens[at + 1], 0) if at + 1 < len(tokens) else 0
        return (at + 2, TENS[tokens[at]] + unit) if 1 <= unit <= 9 else (at + 1, TENS[tokens[at]])
    return at, None


def _plain(amount: float) -> str:
    return str(int(amount)) if amount == int(amount) else str(amount)
