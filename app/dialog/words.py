"""What spoken words mean: yes and no, amounts, digit strings. Input is text as a recogniser gives it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_SHORT = {
    "i'm": "i am", "it's": "it is", "that's": "that is", "what's": "what is", "who's": "who is", "how's": "how is",
    "there's": "there is", "he's": "he is", "she's": "she is", "let's": "let us", "we're": "we are",
    "you're": "you are", "they're": "they are", "i've": "i have", "we've": "we have", "you've": "you have",
    "i'd": "i would", "we'd": "we would", "i'll": "i will", "we'll": "we will", "you'll": "you will",
    "don't": "do not", "doesn't": "does not", "didn't": "did not", "can't": "can not", "cannot": "can not",
    "won't": "will not", "wouldn't": "would not", "shouldn't": "should not", "couldn't": "could not",
    "isn't": "is not", "aren't": "are not", "wasn't": "was not", "haven't": "have not", "hasn't": "has not",
    "gonna": "going to", "wanna": "want to", "gotta": "got to", "lemme": "let me", "gimme": "give me",
    "dont": "do not", "cant": "can not", "wont": "will not", "im": "i am", "ive": "i have", "thats": "that is",
    "whats": "what is", "isnt": "is not", "doesnt": "does not", "didnt": "did not", "youre": "you are",
}  # fmt: skip


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


UNITS = {word: number for number, word in enumerate(_words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"))}  # fmt: skip
TENS = {word: 10 * number for number, word in enumerate(_words(
    "twenty thirty forty fifty sixty seventy eighty ninety"), start=2)}  # fmt: skip
DIGIT_WORDS = {
    **{word: str(number) for word, number in UNITS.items() if number < 10},
    "oh": "0",
    "o": "0",
    "nought": "0",
}
REPEATS = {"double": 2, "triple": 3}

_YES = frozenset(
    _words(
        "yes yeah yep yup sure okay ok absolutely definitely certainly correct right exactly indeed alright please si "
        "sí claro vale"
    )
)
_NO = frozenset(_words("no nope nah not never wrong incorrect negative neither"))
_YES_PHRASES = (
    "go ahead", "of course", "sounds good", "i guess so", "i think so", "that is fine", "that works", "uh huh",
    "mm hmm", "you may", "you can", "be my guest", "works for me", "do that", "that is it", "you bet", "fine with me",
    "i agree", "that is right", "that is correct", "por supuesto", "está bien",
)  # fmt: skip
_YES_ALONE = frozenset({"i do", "we do", "it is", "i would", "i am", "we are", "we would", "fine", "good", "great"})
_YES_DESPITE_NO = ("no problem", "not a problem", "why not", "do not mind", "do not see why not")
_FILLER = frozenset(_words("uh um er erm hmm well oh ah and then dash hyphen space like"))


@lru_cache(maxsize=256)  # what is being said is looked at again and again
def normal(text: str) -> str:
    """Lower case, no punctuation, contractions written out: "It's  TILE, I think." -> "it is tile i think"."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", plain)
    plain = re.sub(r"(?<!\d)\.|\.(?!\d)|[^\w\s$:'.]|_", " ", plain)
    plain = re.sub(r"\b([ap])\s?\.?\s?m\b\.?", r"\1m", plain)
    words = (_SHORT.get(word, word.strip("'")) for word in plain.split())
    return " ".join(word for word in words if word)


def holds(text: str, phrase: str) -> int:
    """Where a phrase of whole words begins in a normal text; -1 when it is not there."""
    return f" {text} ".find(f" {phrase} ")


def holds_any(text: str, phrases: Iterable[str]) -> bool:
    return any(holds(text, phrase) >= 0 for phrase in phrases)


def yes_or_no(text: str) -> bool | None:
    """A plain yes or no at the start of what was said; None for anything else, also for both at once."""
    opening = [word for word in normal(text).split() if word not in _FILLER][:5]
    first = " ".join(opening)
    if not opening:
        return None
    if holds_any(first, _YES_DESPITE_NO):
        return True
    if any(word in _NO for word in opening) or first.startswith("i would rather"):
        hesitant = opening[0] in ("yes", "yeah", "yep", "sí", "si") and opening[1] != "not"
        return None if hesitant else False
    agrees = opening[0] in _YES or holds_any(first, _YES_PHRASES) or first in _YES_ALONE
    return True if agrees else None


def digits(text: str) -> str:
    """The longest run of spoken or written digits: "ninety four one double oh" -> "94100"; "" when there is none."""
    return max(digit_runs(text), key=len, default="")


def digit_runs(text: str) -> list[str]:
    """The runs of spoken or written digits, with other words between them."""
    tokens = normal(text).split()
    runs, run, at = [""], "", 0
    while at < len(tokens):
        word, after = tokens[at], tokens[at + 1] if at + 1 < len(tokens) else ""
        at += 1
        if word.isdecimal():
            run += word
        elif word in DIGIT_WORDS:
            run += DIGIT_WORDS[word]
        elif word in REPEATS and (after in DIGIT_WORDS or after.isdecimal()):
            run += DIGIT_WORDS.get(after, after) * REPEATS[word]
            at += 1
        elif word in TENS:
            unit = UNITS.get(after, 0)
            run += str(TENS[word] + (unit if 1 <= unit <= 9 else 0))
            at += 1 <= unit <= 9
        elif word in UNITS:
            run += str(UNITS[word])
        elif word == "hundred" and run:
            run += "00"
        elif word not in _FILLER:
            runs.append(run)
            run = ""
    return [found for found in (*runs, run) if found]


def number(text: str) -> float | None:
    """The amount meant: "about one twenty" -> 120, "between one fifty and two hundred" -> 175, "$1,250" -> 1250."""
    tokens = normal(text).replace("$", " ").split()
    found: list[tuple[int, int, float]] = []
    at = 0
    while at < len(tokens):
        after, value = _number_at(tokens, at)
        if value is not None:
            found.append((at, after, value))
        at = max(after, at + 1)
    if not found:
        return None
    first = found[0]
    if len(found) > 1 and tokens[first[1] : found[1][0]] in (["to"], ["and"], ["or"], ["maybe"]):
        return round((first[2] + found[1][2]) / 2)
    if len(found) > 1 and tokens[first[1] : found[1][0]][-1:] in (["no"], ["sorry"], ["mean"]):
        return found[1][2]
    return first[2]


def _number_at(tokens: list[str], at: int) -> tuple[int, float | None]:
    """The number that begins at a token, and where it ends."""
    if tokens[at] == "hundred":
        return _after_hundred(tokens, at + 1, 100)
    if tokens[at] in ("a", "couple") and "hundred" in tokens[at + 1 : at + 3]:
        count = 2 if "couple" in tokens[at : at + 2] else 1
        return _after_hundred(tokens, tokens.index("hundred", at) + 1, count * 100)
    if re.fullmatch(r"\d+(\.\d+)?", tokens[at]):
        value = float(tokens[at])
        if at + 1 < len(tokens) and tokens[at + 1] in ("hundred", "thousand"):
            return at + 2, value * (100 if tokens[at + 1] == "hundred" else 1000)
        return at + 1, value
    after, small = _below_hundred(tokens, at)
    if small is None:
        return at, None
    if after < len(tokens) and tokens[after] == "hundred":
        return _after_hundred(tokens, after + 1, small * 100)
    if after < len(tokens) and tokens[after] == "thousand":
        return _after_thousand(tokens, after + 1, small * 1000)
    then, second = _below_hundred(tokens, after)
    if second is not None and second >= 10 and small >= 1 and small < 100:
        return then, small * 100 + second  # "two fifty", "twelve fifty"
    spelled = _spelled(tokens, at)
    return spelled if spelled else (after, small)


def _spelled(tokens: list[str], at: int) -> tuple[int, float] | None:
    """ "one five zero" -> 150."""
    end = at
    while end < len(tokens) and tokens[end] in DIGIT_WORDS:
        end += 1
    return (end, float("".join(DIGIT_WORDS[word] for word in tokens[at:end]))) if end - at >= 2 else None


def _after_hundred(tokens: list[str], at: int, so_far: float) -> tuple[int, float]:
    start = at + 1 if at < len(tokens) and tokens[at] == "and" else at
    after, rest = _below_hundred(tokens, start)
    if rest is None or (after < len(tokens) and tokens[after] in ("hundred", "thousand")):
        return at, so_far
    following = _below_hundred(tokens, after)[1]
    if start > at and following is not None:
        return at, so_far  # "two hundred and two fifty" are two numbers
    return after, so_far + rest


def _after_thousand(tokens: list[str], at: int, so_far: float) -> tuple[int, float]:
    after, rest = _number_at(tokens, at) if at < len(tokens) else (at, None)
    return (after, so_far + rest) if rest is not None and rest < 1000 else (at, so_far)


def _below_hundred(tokens: list[str], at: int) -> tuple[int, float | None]:
    if at >= len(tokens):
        return at, None
    if tokens[at] in UNITS:
        return at + 1, UNITS[tokens[at]]
    if tokens[at] in TENS:
        unit = UNITS.get(tokens[at + 1], 0) if at + 1 < len(tokens) else 0
        return (at + 2, TENS[tokens[at]] + unit) if 1 <= unit <= 9 else (at + 1, TENS[tokens[at]])
    return at, None
