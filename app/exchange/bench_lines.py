"""Did every caller hear his own answers and nobody else's? By the marks under the lines of the emulated voice."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence

from app.exchange.bench_ear import Ear
from app.exchange.prompt_model import LEAD_WORDS
from app.exchange.prompt_voice import Made, is_shared


def strange_lines(ears: Sequence[Ear], made: Sequence[Made], asked: Mapping[str, str]) -> tuple[int, int]:
    """Lines for one caller that were heard by a second, or answer what he did not ask; and how many were looked at.

    `asked` tells by the first words of an answer to what the model gave it. Lines without an answer's first words,
    as those of the playbook, are said to everybody.
    """
    by_number: dict[int, list[Made]] = defaultdict(list)
    for one in made:
        by_number[one.number].append(one)
    hearers: dict[int, set[int]] = defaultdict(set)
    strange = looked_at = 0
    for place, ear in enumerate(ears):
        said = " ".join(ear.asked)
        for number, at_s in ear.lines:
            if is_shared(number):
                continue
            line = _made_last(by_number[number], at_s)
            if line is None:
                strange += 1
                continue
            looked_at += 1
            hearers[id(line)].add(place)
            question = asked.get(" ".join(line.text.lower().split()[:LEAD_WORDS]))
            strange += question is not None and not _was_said(question, said)
    return strange + sum(len(callers) > 1 for callers in hearers.values()), looked_at


def _made_last(lines: Sequence[Made], before_s: float) -> Made | None:
    place = bisect_right(lines, before_s, key=lambda line: line.at_s)
    return lines[place - 1] if place else None


def _was_said(question: str, said: str) -> bool:
    """Its words are among those of the call: what the model is told may hold some of a sentence, or of two."""
    words = "".join(letter if letter.isalnum() or letter == "'" else " " for letter in question.lower()).split()
    return set(words) <= set(said.replace("-", " ").split())
