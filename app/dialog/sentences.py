"""Tokens of a language model in, phrases that can be spoken out.

A phrase ends where a voice would fall: after a sentence, or, once it is long enough to be worth it, after a comma.
Points in numbers, abbreviations and initials end nothing, so a phrase is known to be over only when something follows.
The first phrase of a reply may be short: the caller is waiting for it. Whoever is sure that they may be said can have
its first words even before.
"""

from __future__ import annotations

import re

_ENDS = re.compile(r"[.!?…]+[\"')\]”’]*(?=\s)|\n+")
_BREATHS = re.compile(r"[,;:](?=\s)|\s[-–—](?=\s)")
_OPENING_LETTERS = 7  # in two words: nearly half a second of speech
_ABBREVIATIONS = frozenset(
    ["mr", "mrs", "ms", "dr", "prof", "st", "ave", "rd", "blvd", "jr", "sr", "vs", "dept", "a.m", "p.m", "e.g", "i.e"]
)


class Sentences:
    """Feed it text as it comes and `flush` at the end. Nothing but white space is lost on the way."""

    def __init__(self, *, first: int = 12, longest: int = 180) -> None:
        """`first`: letters after which the first phrase may end at a comma; `longest`: after which any may."""
        self._first, self._longest = first, longest
        self._waiting = ""
        self._spoken = False

    def feed(self, text: str) -> list[str]:
        """The phrases that are complete now."""
        self._waiting += text
        phrases = []
        while end := self._end():
            phrase, self._waiting = self._waiting[:end].strip(), self._waiting[end:]
            if phrase:
                phrases.append(phrase)
                self._spoken = True
        return phrases

    def opening(self) -> str:
        """The first words of a reply whose first phrase is not complete yet: whole ones, enough of them to last until
        the rest can be heard. "" when there are not, or something was spoken already."""
        words = self._waiting.rpartition(" ")[0].strip()
        enough = len(words) >= _OPENING_LETTERS and " " in words
        return words if enough and not self._spoken else ""

    def take(self, opening: str) -> None:
        """Those are spoken."""
        self._waiting = self._waiting.lstrip()[len(opening) :]
        self._spoken = True

    def flush(self) -> list[str]:
        """The rest; a new reply may follow."""
        rest, self._waiting, self._spoken = self._waiting.strip(), "", False
        return [rest] if rest else []

    def _end(self) -> int | None:
        ends = [found.end() for found in _ENDS.finditer(self._waiting) if not self._is_abbreviation(found)]
        least = self._longest if self._spoken else self._first
        breaths = [found.end() for found in _BREATHS.finditer(self._waiting) if found.start() >= least]
        if ends or breaths:
            return min(ends[:1] + breaths[:1])
        if len(self._waiting) > 2 * self._longest:  # no mark in sight: between two words is better than never
            return self._waiting.rfind(" ", 1, self._longest) + 1 or self._longest
        return None

    def _is_abbreviation(self, point: re.Match[str]) -> bool:
        if point.group() != ".":
            return False
        word = re.split(r"[\s(\"'“]", self._waiting[: point.start()])[-1].lower()
        return word in _ABBREVIATIONS or re.fullmatch(r"[a-z]", word) is not None
