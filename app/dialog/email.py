"""E-mail addresses as people say them: "john dot smith at example dot com" is john.smith@example.com. English, Spanish.

An address is only taken when it is one: something at a domain with a dot. It is read back sign by sign, and a caller
who is not understood twice writes it instead.
"""

from __future__ import annotations

import re
import unicodedata

from app.dialog import spelling, words

_WRITTEN = re.compile(r"[a-z0-9][a-z0-9._%+-]*@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}")
_SIGNS = (
    (r"(?:guion|guión) bajo|under ?score", "_"),
    (r"arroba|\bat sign\b", "@"),
    (r"\b(?:dot|point|period|punto|full stop)\b", "."),
    (r"\b(?:dash|hyphen|minus|guion|guión)\b", "-"),
    (r"\b(?:plus sign|plus|más)\b", "+"),
)
_NOISE = re.compile(r"\b(?:all (?:one word|lower ?case|together|small)|no spaces|todo junto|en minúsculas|capital)\b")
_NAMES = (
    (r"\bg mail\b", "gmail"),
    (r"\bhot mail\b", "hotmail"),
    (r"\bout look\b", "outlook"),
    (r"\bi cloud\b", "icloud"),
)
_LEAD = re.compile(r"^.*\b(?:is|es|sería|write to|send it to)\b ")
_FILLER = frozenset(["um", "uh", "er", "and", "then", "so", "okay", "yes", "no", "well", "sorry"])
_DIGITS_ES = {word: str(digit) for digit, word in enumerate(
    ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"]
)}  # fmt: skip
_SPANISH = re.compile(r"arroba|punto|correo|guion|guión")


def address(text: str) -> str | None:
    """The address in `text`, in lower case; None when there is none, or only a part of one."""
    lower = unicodedata.normalize("NFC", text).lower()
    if found := _WRITTEN.search(lower):
        return found[0]
    said = re.sub(r"[,;:!?\"]", " ", lower)
    said = re.sub(r"\.(?=\s|$)", " ", said)
    said = re.sub(r"\bit's\b", "it is", said)
    said = _NOISE.sub(" ", said)
    spanish = bool(_SPANISH.search(said))
    for pattern, sign in _SIGNS:
        said = re.sub(pattern, f" {sign} ", said)
    for pattern, name in _NAMES:
        said = re.sub(pattern, name, said)
    before, at, domain = _split(said)
    if not at:
        return None
    local = _LEAD.sub("", f"{' '.join(before.split())} ")
    written = f"{_joined(local, spanish)}@{_joined(domain, spanish)}"
    return written if _WRITTEN.fullmatch(written) else None


def begun(text: str) -> bool:
    """Somebody is in the middle of an address."""
    said = words.normal(text)
    signs = re.search(r"\b(?:dot|punto|at|arroba|underscore|guion|dash)$|\b(?:at|arroba) \w+$|@", said)
    return address(text) is None and bool(signs or spelling.letters(said))


def _split(said: str) -> tuple[str, bool, str]:
    """Around the sign: written, or the last "at" that a domain with a dot follows."""
    if "@" in said:
        before, _, after = said.partition("@")
        return before, True, after
    found = [match for match in re.finditer(r"\bat\b", said) if "." in said[match.end() :]]
    return (said[: found[-1].start()], True, said[found[-1].end() :]) if found else (said, False, "")


def _joined(said: str, spanish: bool) -> str:
    tokens = [token for token in said.split() if token not in _FILLER]
    tokens = spelling.as_letters(spelling.from_spanish(tokens) if spanish else tokens)
    found, at = "", 0
    while at < len(tokens):
        tens = words.TENS.get(tokens[at], 0)
        unit = words.UNITS.get(tokens[at + 1], 0) if at + 1 < len(tokens) else 0
        if tens:
            found += str(tens + (unit if 1 <= unit <= 9 else 0))
            at += 2 if 1 <= unit <= 9 else 1
            continue
        token = tokens[at]
        found += words.DIGIT_WORDS.get(token, "") if len(token) > 1 and token in words.DIGIT_WORDS else _plain(token)
        at += 1
    return found


def _plain(token: str) -> str:
    """A word as it is written in an address: without accents."""
    if token in words.UNITS:
        return str(words.UNITS[token])
    if token in _DIGITS_ES:
        return _DIGITS_ES[token]
    bare = "".join(sign for sign in unicodedata.normalize("NFD", token) if not unicodedata.combining(sign))
    return re.sub(r"[^a-z0-9._%+-]", "", bare)
