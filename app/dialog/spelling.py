"""Words spelled aloud: "b as in bravo r o w n" is brown, and the other way round for a read-back."""

from __future__ import annotations

import re
import string

from app.dialog import words

_ALPHABET = {
    "xray": "x",
    **{name: name[0] for name in (
        "alpha", "alfa", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "juliett",
        "kilo", "lima", "mike", "november", "oscar", "papa", "quebec", "romeo", "sierra", "tango", "uniform", "victor",
        "whiskey", "yankee", "zulu",
    )},
}  # fmt: skip
_SPANISH = {"be": "b", "ce": "c", "de": "d", "efe": "f", "ge": "g", "hache": "h", "jota": "j", "ka": "k", "ele": "l",
            "eme": "m", "ene": "n", "pe": "p", "cu": "q", "erre": "r", "ese": "s", "te": "t", "uve": "v", "equis": "x",
            "zeta": "z"}  # fmt: skip
_AS_IN = re.compile(r"\b(?:([a-z]) )?(?:as in|like in|is for|de) ([a-z]+)\b")
_ALONE = re.compile(r"^[a-z]$")
_SIGNS = {".": "dot", "_": "underscore", "-": "dash", "+": "plus", "@": "at"}
_KNOWN = ("gmail", "hotmail", "outlook", "yahoo", "icloud", "com", "org", "net", "edu", "es", "mx")


VOCABULARY = (*string.ascii_uppercase, *list(words.UNITS)[:10], *_SIGNS.values(), *_KNOWN)
"""The parts a read-back is made of."""


def letters(text: str) -> str:
    """What is spelled in `text`, in lower case; "" when less than two letters are."""
    found = as_letters(words.normal(text).split())
    spelled = [token for token in found if _ALONE.match(token)]
    return "".join(spelled) if len(spelled) >= 2 else ""


def as_letters(tokens: list[str]) -> list[str]:
    """Tokens with spelled letters as one letter each: ["b", "as", "in", "bravo", "double", "l"] -> ["b", "l", "l"]."""
    plain = _AS_IN.sub(lambda match: match[1] or match[2][0], " ".join(tokens))
    found: list[str] = []
    repeat = 1
    for token in plain.split():
        if token in words.REPEATS:
            repeat = words.REPEATS[token]
            continue
        letter = _ALPHABET.get(token, token)
        found += [letter] * (repeat if len(letter) == 1 else 1)
        repeat = 1
    return found


def from_spanish(tokens: list[str]) -> list[str]:
    """Names of letters that are also English words count only where the caller speaks Spanish."""
    return [_SPANISH.get(token, token) for token in tokens]


def spoken(value: str) -> tuple[str, ...]:
    """A read-back, sign by sign: "jo_1@gmail.com" -> J, O, underscore, one, "at", gmail, dot, com."""
    found: list[str] = []
    for piece in re.findall(r"[^\W_]+|[._+@-]|\s", value):
        if piece.isspace():
            found[-1:] = [f"{found[-1]},"] if found else []
        elif piece in _SIGNS:
            if piece == "@" and found:
                found[-1] += ","
            found.append(_SIGNS[piece])
        elif piece.lower() in _KNOWN:
            found.append(piece.lower())
        else:
            found += [words_of(letter) for letter in piece]
    return tuple(found)


def words_of(letter: str) -> str:
    return list(words.UNITS)[int(letter)] if letter in "0123456789" else letter.upper()
