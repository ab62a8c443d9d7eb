"""A language model for whoever measures: it says what its task wants said, never twice in the same words.

Tokens come at a fixed pace, ten to a sentence. What is to be said is taken from the task as our prompts put it (JSON
strings after `_TASK`); a caller of the server with another prompt hears a sentence about nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import count, product
from typing import Any

from app.exchange.completions import Completion

TOKENS = 10  # of a sentence
LEAD_WORDS = 3
_TASK = "Your reply now:"
_NOTHING = "a person of our company can tell you a lot more about that."
# Leads without a comma: they open no clause of their own, and make every reply one that was never said before.
_LEADS = ("well", "so", "actually", "really", "okay", "basically", "honestly", "surely", "clearly", "simply", "right",
          "then", "indeed", "truly", "naturally", "generally", "usually", "normally", "mostly", "often", "gladly",
          "plainly", "frankly")  # fmt: skip
_SENTENCE = re.compile(r"[^.!?]+[.!?]*")


class PromptModel:
    """Answers requests of a `ChatServer`: first token after `first_s`, or after `slow_s` where the caller's last words
    hold `slow_word`."""

    def __init__(self, *, first_s: float = 0.3, token_s: float = 0.01) -> None:
        self.first_s, self.token_s = first_s, token_s
        self.slow_s, self.slow_word = 3.0, "financing"
        self._lead = _leads()
        self.asked: dict[str, str] = {}  # by the first words of a reply, which no other has: what it answers

    def __call__(self, request: Mapping[str, Any]) -> Completion:
        messages = request["messages"]
        told, question = _task(str(messages[0]["content"]))
        last = str(messages[-1]["content"]).rpartition("caller said:")[2]
        lead = next(self._lead)
        self.asked[lead] = last
        text = f"{lead} {told[:1].lower()}{told[1:]} {question}".strip()
        slow = self.slow_word in last
        return Completion(
            text,
            words=tokens(text[:1].upper() + text[1:]),
            first_s=self.slow_s if slow else self.first_s,
            token_s=self.token_s,
        )


def tokens(text: str) -> tuple[str, ...]:
    """Ten to a sentence, however long it is; none of them empty. White space goes with the word that follows it."""
    found: list[str] = []
    for sentence in _SENTENCE.findall(text):
        words = re.findall(r"\s*\S+", sentence) or [sentence]
        while len(words) < TOKENS and max(len(word) for word in words) > 1:  # the longest word becomes two
            place = max(range(len(words)), key=lambda at: len(words[at]))
            word = words[place]
            words[place : place + 1] = [word[: len(word) // 2], word[len(word) // 2 :]]
        size = len(words) / TOKENS
        pieces = ["".join(words[round(at * size) : round((at + 1) * size)]) for at in range(TOKENS)]
        found += [piece for piece in pieces if piece]
    return tuple(found)


def _task(system: str) -> tuple[str, str]:
    """What is to be told and what to be asked; something to tell when there is nothing."""
    strings = list(_strings(system.rpartition(_TASK)[2])) if _TASK in system else []
    told = next((text for text in strings if not text.endswith("?")), _NOTHING)
    return told, next((text for text in strings if text.endswith("?")), "")


def _strings(text: str) -> Iterator[str]:
    decoder, at = json.JSONDecoder(), text.find('"')
    while at >= 0:
        try:
            found, end = decoder.raw_decode(text, at)
        except ValueError:
            return
        yield str(found)
        at = text.find('"', end)


def _leads() -> Iterator[str]:
    words = (
        " ".join(three)
        for _ in count()
        for three in product(_LEADS, repeat=LEAD_WORDS)
        if len(set(three)) == LEAD_WORDS
    )
    yield from words
