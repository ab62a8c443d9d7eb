"""Dictated numbers: put together from what was said in several turns, read back in groups, and mended by the caller.

    gathered("555", "zero one two", 10)            the parts so far, as one
    mended("5550123456", "no it is seven at the end")   "5550123457"

Nothing here decides that a number is right; the caller does, when he hears it.
"""

from __future__ import annotations

import re
from itertools import accumulate

from app.dialog import words
from app.dialog.phrases import DIGITS

ONE_BREATH = 5  # digits that need no groups
IN_PARTS = 6  # digits that may be said in several turns
REPEATED = 3  # the same first digits again: the caller has started over

_AGAIN = re.compile(r"\b(?:no|sorry|wait|i mean|i meant|correction|perdón|digo)\b")
_ORDINALS = {word: place for place, word in enumerate(
    ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
)}  # fmt: skip
_LEAD = re.compile(r"^(?:(?:no|nope|sorry|wait|actually|yes|yeah|but|and|it is|that is|not quite|almost|wrong) )+")
_ONE = r"(?: (?:one|digit|number))?"
_IS = r"(?: (?:is|are|should be|must be|was))?(?: an?)?"
_LAST = re.compile(rf"\blast(?P<count> two| three| four)?(?: ones?| digits?| numbers?)?{_IS} (?P<digits>.+)$")
_ENDS = re.compile(r"\b(?:ends|ending|finishes) (?:in|with|on)(?: an?)? (?P<digits>.+)$")
_AT_END = re.compile(r"(?P<digits>.+?) (?:at|in) the end$")
_STARTS = re.compile(r"\b(?:starts|begins|starting|beginning) with(?: an?)? (?P<digits>.+)$")
_AT_START = re.compile(r"(?P<digits>.+?) (?:at|in) the (?:beginning|start|front)$")
_PLACE = re.compile(rf"\b(?:the )?(?P<place>{'|'.join(_ORDINALS)}){_ONE}{_IS} (?P<digits>.+)$")
_NOT = re.compile(r"^(?P<right>.+?) (?:and )?(?:not|instead of|rather than) (?P<wrong>.+)$")
_NOT_BUT = re.compile(r"\bnot (?P<wrong>.+?) (?:but|it is) (?P<right>.+)$")


def groups(digits: str) -> tuple[str, ...]:
    """As such a number is spoken: "5550123456" -> ("555", "012", "3456")."""
    if len(digits) <= ONE_BREATH:
        return (digits,) if digits else ()
    sizes = {7: (3, 4), 8: (4, 4), 10: (3, 3, 4), 11: (1, 3, 3, 4)}.get(len(digits))
    sizes = sizes or (*(3,) * ((len(digits) - 2) // 3), len(digits) - 3 * ((len(digits) - 2) // 3))
    ends = list(accumulate(sizes))
    return tuple(digits[end - size : end] for size, end in zip(sizes, ends, strict=True))


def spoken(digits: str) -> tuple[str, ...]:
    """The words of a read-back, a comma after each group but the last: a pause to check it by. () for no number."""
    found: list[str] = []
    if not digits.isdecimal():
        return ()
    for group in groups(digits):
        if found:
            found[-1] += ","
        found += [DIGITS[int(digit)] for digit in group]
    return tuple(found)


def said(text: str) -> str:
    """All digits of a saying, in order; what follows a "no, sorry" takes the place of as many before it."""
    found = ""
    for part in _AGAIN.split(words.normal(text)):
        new = "".join(words.digit_runs(part))
        found = found[: max(len(found) - len(new), 0)] + new if found else new
    return found


def gathered(so_far: str, text: str, length: int) -> str:
    """The number as far as it is known now, of `length` at most; "" when the parts do not fit together."""
    new = said(text)
    if len(new) == length or (new and so_far.startswith(new[:REPEATED]) and len(new) >= max(len(so_far), REPEATED)):
        return new if len(new) <= length else ""
    whole = so_far + new
    return whole if len(whole) <= length else ""


def mended(digits: str, text: str) -> str | None:
    """The number as the caller corrects it; None when nothing in `text` says how."""
    heard = words.normal(text)
    whole = said(text)
    if len(whole) == len(digits):
        return whole
    heard = _LEAD.sub("", heard)
    for mend in (_exchanged, _at_place, _at_edge, _in_group):
        found = mend(digits, heard)
        if found is not None and found != digits:
            return found
    return None


def _digits(text: str) -> str:
    return "".join(words.digit_runs(text))


def _exchanged(digits: str, heard: str) -> str | None:
    """ "five, not nine"; only where the wrong one stands once."""
    found = _NOT_BUT.search(heard) or _NOT.search(heard)
    if not found:
        return None
    right, wrong = _digits(found["right"]), _digits(found["wrong"])
    if not right or len(right) != len(wrong) or digits.count(wrong) != 1:
        return None
    return digits.replace(wrong, right)


def _at_place(digits: str, heard: str) -> str | None:
    """ "the third digit is seven"."""
    found = _PLACE.search(heard)
    new = _digits(found["digits"]) if found else ""
    if not found or len(new) != 1 or _ORDINALS[found["place"]] >= len(digits):
        return None
    place = _ORDINALS[found["place"]]
    return digits[:place] + new + digits[place + 1 :]


def _at_edge(digits: str, heard: str) -> str | None:
    """ "seven at the end", "the last two are one four", "it starts with six"."""
    for form in (_AT_END, _ENDS, _LAST):
        found = form.search(heard)
        new = _digits(found["digits"]) if found else ""
        if 0 < len(new) < len(digits):
            return digits[: -len(new)] + new
    for form in (_AT_START, _STARTS):
        found = form.search(heard)
        new = _digits(found["digits"]) if found else ""
        if 0 < len(new) < len(digits):
            return new + digits[len(new) :]
    return None


def _in_group(digits: str, heard: str) -> str | None:
    """A group said again with one digit changed; only where one group alone is that near."""
    new = _digits(heard)
    if len(new) < 2 or len(heard.split()) > 2 * len(new):
        return None
    near, at = [], 0
    for group in groups(digits):
        if len(group) == len(new) and sum(a != b for a, b in zip(group, new, strict=True)) == 1:
            near.append(at)
        at += len(group)
    return digits[: near[0]] + new + digits[near[0] + len(new) :] if len(near) == 1 else None
