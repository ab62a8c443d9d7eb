"""What a recogniser listens for in one state of the conversation, as a trigram language model made from sayings. Pure.

A grammar would take a whole sentence or nothing; a small model of word sequences also takes "yes please send me the
price" when it knows "yes please" and "send me the price". Direct answers weigh more than what may be said at any time.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log10

from app.ports import Expectation

GrammarSource = Callable[[Expectation], Sequence[str]]
"""Everything likely to be said when this is expected. `Expectation.phrases` are the direct answers among it."""

Words = tuple[str, ...]

ANSWER_WEIGHT = 10.0
OTHER_WEIGHT = 1.0
DICTATED_WEIGHT = 3.0
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LONGEST_BREATH = 6  # digits that are said without a pause; a longer number is said in parts of up to LONGEST_PART
LONGEST_PART = 4
DISCOUNT = 0.7  # of a count of one, left for words not seen in that place
EVENLY = 0.1  # share of the single words' probability spread over the whole vocabulary
POLITE = ("{} please", "yes {}", "no {}", "well {}", "sorry {}")
ALWAYS = (
    "yes", "no", "yeah", "okay", "sure", "hello", "hi", "hello are you there", "thank you", "thanks", "sorry", "what",
    "wait a moment", "hold on", "right", "goodbye", "bye", "thank you goodbye", "no thank you", "yes please",
    "do not record this call", "please do not record this", "i do not want to be recorded", "stop recording",
    "is this call recorded", "is this call being recorded", "before you go on", "sorry before you go on",
    "sorry to interrupt", "just a question", "i have a question", "can i ask you something", "one more question",
)  # fmt: skip
"""What people say whatever the question was."""


@dataclass(frozen=True, slots=True)
class Language:
    """`answers` are the likely sayings, `others` the possible ones; `dictated` is how many digits may be spelled."""

    answers: tuple[str, ...]
    others: tuple[str, ...] = ()
    dictated: int = 0

    @property
    def in_parts(self) -> bool:
        """Listens for a number too long for one breath."""
        return self.dictated > LONGEST_BREATH

    @property
    def key(self) -> str:
        """The same for the same content, in every process."""
        return hashlib.sha256(repr((self.answers, self.others, self.dictated)).encode()).hexdigest()[:24]


def language_for(expectation: Expectation, source: GrammarSource) -> Language:
    answers = dict.fromkeys(filter(None, map(plain, expectation.phrases)))
    others = dict.fromkeys(filter(None, map(plain, source(expectation))))
    dictated = (expectation.digits or 1) if expectation.kind == "digits" else 0
    return Language(tuple(answers), tuple(text for text in others if text not in answers), dictated)


def plain(text: str) -> str:
    """As a recogniser's dictionary writes it: "It's A.I., 5!" -> "it's a i"."""
    return " ".join(re.findall(r"[a-z]+(?:'[a-z]+)*", text.lower().replace("’", "'")))


def weighted(language: Language) -> dict[Words, float]:
    """Every saying with its weight; short answers also in polite company."""
    found: dict[Words, float] = {}
    for text in (*language.others, *ALWAYS):
        found[tuple(text.split())] = OTHER_WEIGHT
    for text in language.answers:
        if len(text.split()) <= 3:
            for form in POLITE:
                found.setdefault(tuple(form.format(text).split()), OTHER_WEIGHT)
        found[tuple(text.split())] = ANSWER_WEIGHT
    for spelled in dictations(language.dictated):
        found[spelled] = DICTATED_WEIGHT
    return found


def dictations(length: int) -> list[Words]:
    """Digit strings of that length; of a number too long for one breath also the parts people pause between.

    Of each length they hold every three digits in a row equally often; some hundreds of them. 0 is "zero" in some and
    "oh" in others, never both in one: nobody mixes the two.
    """
    parts = range(1, LONGEST_PART + 1) if length > LONGEST_BREATH else ()
    return [spelled for size in (*parts, length) if size for spelled in _spelled(size)]


def _spelled(length: int) -> list[Words]:
    cycle = [DIGITS[index] for index in _de_bruijn(len(DIGITS), 3)]
    step = max(1, length - 2)
    runs = [[cycle[(start + at) % len(cycle)] for at in range(length)] for start in range(0, len(cycle), step)]
    both = (tuple(zero if word == "zero" else word for word in run) for zero in ("zero", "oh") for run in runs)
    return list(dict.fromkeys(both))


def _de_bruijn(symbols: int, length: int) -> list[int]:
    """The shortest cycle with every run of `length` symbols in it once (Lyndon words in order)."""
    cycle: list[int] = []
    word = [-1]
    while word:
        word[-1] += 1
        if length % len(word) == 0:
            cycle += word
        size = len(word)
        while len(word) < length:
            word.append(word[-size])
        while word and word[-1] == symbols - 1:
            word.pop()
    return cycle


def arpa(sayings: Mapping[Words, float]) -> str:
    """The model in ARPA format: interpolated Witten-Bell, up to three words. At least one saying is needed."""
    counts = _counts(sayings.items())
    total = sum(counts[0].values())
    vocabulary = {gram[0] for gram in counts[0]}
    single: dict[Words, float] = {
        (word,): (1 - EVENLY) * counts[0][(word,)] / total + EVENLY / len(vocabulary) for word in vocabulary
    }
    levels: list[dict[Words, float]] = [single]
    backoffs: dict[Words, float] = {}

    def probability(gram: Words) -> float:
        level = levels[len(gram) - 1] if len(gram) <= len(levels) else {}
        if gram in level:
            return level[gram]
        return backoffs.get(gram[:-1], 1.0) * probability(gram[1:])

    for order in counts[1:]:
        followers: dict[Words, list[tuple[Words, float]]] = defaultdict(list)
        for gram, count in order.items():
            followers[gram[:-1]].append((gram, count))
        level: dict[Words, float] = {}
        spare: dict[Words, float] = {}
        for history, seen in followers.items():
            mass = sum(count for _, count in seen)
            kept = mass / (mass + DISCOUNT * len(seen))
            below = [probability(gram[1:]) for gram, _ in seen]
            for (gram, count), lower in zip(seen, below, strict=True):
                level[gram] = kept * count / mass + (1 - kept) * lower
            left = 1 - sum(level[gram] for gram, _ in seen)
            spare[history] = max(left, 1e-6) / max(1 - sum(below), 1e-6)
        levels.append(level)
        backoffs.update(spare)
    return _written(levels, backoffs)


def runs(words: Words, size: int) -> list[Words]:
    """Every `size` words in a row, with the marks of beginning and end."""
    sentence = ("<s>", *words, "</s>")
    return [sentence[start : start + size] for start in range(len(sentence) - size + 1)]


def _counts(sayings: Iterable[tuple[Words, float]]) -> list[dict[Words, float]]:
    counts: list[dict[Words, float]] = [defaultdict(float) for _ in range(3)]
    for words, weight in sayings:
        for size in (1, 2, 3):
            for gram in runs(words, size):
                counts[size - 1][gram] += weight
    counts[0].pop(("<s>",), None)  # never predicted
    return counts


def _written(levels: Sequence[Mapping[Words, float]], backoffs: Mapping[Words, float]) -> str:
    lines = ["\\data\\", *(f"ngram {size}={len(level) + (size == 1)}" for size, level in enumerate(levels, 1))]
    for size, level in enumerate(levels, 1):
        lines += ["", f"\\{size}-grams:"]
        if size == 1:
            lines.append(f"-99 <s> {log10(backoffs.get(('<s>',), 1.0)):.4f}")
        for gram in sorted(level):
            backoff = f" {log10(backoffs.get(gram, 1.0)):.4f}" if size < len(levels) else ""
            lines.append(f"{log10(level[gram]):.4f} {' '.join(gram)}{backoff}")
    return "\n".join([*lines, "", "\\end\\", ""])
