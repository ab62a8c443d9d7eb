"""May this be said? What a language model wants to say, held against the playbook, sentence by sentence.

The model is asked to keep to the playbook; this makes sure. A sentence is refused when it

    denies      that we are a machine, or that the call is recorded
    figure      names an amount, a date or a telephone number that neither playbook nor facts hold
    asks        wants to know what nobody is asked for on the phone
    promise     promises what the playbook does not promise in this connection (free, discount, guarantee ...)
    deed        claims that something was done that only code can do (booked, sent, transferred ...)
    address     names an address of the net
    markup      holds what is not speech
    instructions  tells of its own instructions

It errs on the side of silence: a refused sentence costs a phrase of the playbook instead, which is always at hand.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files

from app.dialog import phrases
from app.dialog.figures import Figure, figures
from app.dialog.guards import read_rules
from app.dialog.script import Playbook
from app.dialog.words import holds_any, normal

_RULES = read_rules((files("app.dialog") / "data" / "speakable_rules.txt").read_text(encoding="utf-8"))
_TIMES = (
    *phrases.WEEKDAYS, "tomorrow", "tonight", "today", "noon", "midnight", "january", "february", "april", "june",
    "july", "august", "september", "october", "november", "december", "o'clock",
)  # fmt: skip  # "march" and "may" are words too
_COMMON = _RULES["common"]
_MARKS = re.compile(r"[*#•]+|(?<!\w)_+|_+(?!\w)")
_BETWEEN = re.compile(r"[,;:.?!](?=\s|$)|\s[-–—]\s|\b(?:and|but|so|or|because)\b")
_JUDGED = ("unopened", "denies", "deeds", "asks", "promises", "instructions")
_WORDS_ALONE = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?(?:,? [^\W\d_]+(?:['’][^\W\d_]+)?)*")
_LONGEST_LETTERS = 400
ENOUGH_OF_CLAUSE = 0.6


@dataclass(frozen=True, slots=True)
class Approved:
    """What a playbook lets one say. Made once per playbook."""

    figures: frozenset[Figure]
    clauses: tuple[frozenset[str], ...]  # the words of each

    @classmethod
    def by(cls, book: Playbook) -> Approved:
        lines = [line for line in spoken_lines(book) if line]
        numbers = frozenset(figure for line in lines for figure in figures(line))
        ours = frozenset(Figure(form) for number in (book.business.phone, book.business.toll_free)
                         for form in (number.lstrip("+"), number.lstrip("+")[1:]))  # fmt: skip
        clauses = [clause for line in lines for part in phrases.constant_parts(line) for clause in _clauses(part)]
        return cls(numbers | ours, tuple(frozenset(content_words(clause)) for clause in clauses))


def spoken_lines(book: Playbook) -> Iterable[str]:
    """The statements of a playbook, questions and legal lines included."""
    yield from (offer.say for offer in book.offers)
    yield from (f"{offer.price:g} dollars" for offer in book.offers)
    yield from (offer.title for offer in book.offers)
    yield from (answer.say for answer in book.answers)
    yield from (prompt.ask for prompt in (*(fact.prompt for fact in book.facts), book.appointment.prompt))
    yield from (choice.reply for fact in book.facts for choice in fact.choices)
    yield book.callback.promise


def plain(text: str) -> str:
    """As it can be spoken: no control characters, no emphasis marks, no emoji."""
    kept = "".join(
        " " if letter.isspace() else letter
        for letter in unicodedata.normalize("NFKC", text)
        if unicodedata.category(letter)[0] in "LMNPZ" or letter.isspace() or letter in "$+%<>=^|`~"
    )
    return re.sub(r"\s+", " ", _MARKS.sub("", kept)).strip()


def content_words(text: str) -> frozenset[str]:
    """Without those that every sentence has."""
    return frozenset(word for word in normal(text.replace("-", " ")).split() if not _COMMON.fullmatch(word))


def fault(sentence: str, approved: Approved, facts: Mapping[str, str], lines: Iterable[str] = ()) -> str:
    """Why this may not be said; "" when it may. `facts` are those we learned, `lines` what the playbook says here."""
    said = normal(sentence.replace("-", " "))
    if len(sentence) > _LONGEST_LETTERS or _RULES["markup"].search(sentence):
        return "markup"
    if _RULES["address"].search(sentence.lower()):
        return "address"
    if _RULES["denies"].search(said):
        return "denies"
    if _RULES["instructions"].search(said):
        return "instructions"
    if _RULES["asks"].search(said):
        return "asks"
    here = normal(" ".join(lines))
    if (found := _RULES["deeds"].search(said)) and found[0] not in here:
        return "deed"
    if _unknown_figure(sentence, approved, facts, lines) or _unknown_time(said, here):
        return "figure"
    return "promise" if _unknown_promise(sentence, approved) else ""


def may_open(words: str, lines: Iterable[str]) -> bool:
    """Whether a sentence may be begun with these before the rest is known: words of what the playbook says here, or
    such as lead up to anything; none that is judged by what follows it."""
    said = normal(words.replace("-", " "))
    if not _WORDS_ALONE.fullmatch(words) or figures(words) or any(_RULES[rule].search(said) for rule in _JUDGED):
        return False
    rest = [word for word in said.split() if not _RULES["leads"].fullmatch(word)]
    content = content_words(" ".join(rest))
    return not rest or (bool(content) and content <= content_words(" ".join(lines)))


def _unknown_figure(sentence: str, approved: Approved, facts: Mapping[str, str], lines: Iterable[str]) -> bool:
    told = {
        Figure(figure.value, unit) for fact in facts.values() for figure in figures(fact) for unit in ("", "dollar")
    }
    known = approved.figures | told | {figure for line in lines for figure in figures(line)}
    return not all(
        figure in known or (figure.unit in ("", "dollar") and _held(figure, known)) for figure in figures(sentence)
    )


def _held(figure: Figure, known: frozenset[Figure]) -> bool:
    """An amount of money may come with or without its unit; a small number without one counts something else."""
    return len(figure.value) >= 3 and any(Figure(figure.value, unit) in known for unit in ("", "dollar"))


def _unknown_time(said: str, here: str) -> bool:
    named = any(holds_any(said, (time, f"{time}s")) and not holds_any(here, (time,)) for time in _TIMES)
    return named or bool(_RULES["dates"].search(said) and not _RULES["dates"].search(here))


def _unknown_promise(sentence: str, approved: Approved) -> bool:
    """A word of promise stands only in a clause that says most of what the playbook says with it."""
    for clause in _clauses(sentence.replace("%", " percent ")):
        words = content_words(clause)
        for found in _RULES["promises"].finditer(normal(clause.replace("-", " "))):
            promised = content_words(found[0]) or frozenset(found[0].split())
            if not any(promised <= one and len(one & words) >= ENOUGH_OF_CLAUSE * len(one) for one in approved.clauses):
                return True
    return False


def _clauses(sentence: str) -> list[str]:
    return [clause for clause in _BETWEEN.split(sentence) if clause.strip()]
