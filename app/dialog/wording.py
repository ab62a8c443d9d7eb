"""Which lines of a reply a language model may put into its own words, and which are spoken as written.

The engine has decided what the reply says before any model is asked. Whatever has legal weight, reads something back or
names a price or a time stays as it is written: disclosures, opt-out, the robot's answer, read-backs, offers,
appointments, consent, goodbyes. What is left is talk: answers, objections, acknowledgements, the next plain question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from app.dialog import phrases
from app.dialog.moves import Commit, Finish, Move, Note, Say
from app.dialog.routing import prompt_for
from app.dialog.script import Playbook
from app.dialog.speakable import content_words

ASKS = ("menu", "ask", "callback", "closing")  # topics whose question a model may word
STATEMENTS = ("answer", "objection", "reply", "acknowledge", "unclear", "no_answer", "move_on", "respect")
SUBSTANCE = ("answer", "objection", "reply", "respect")  # must be said even when a tool changed what comes next
ENOUGH_OF_QUESTION = 0.5  # share of a question's own words that makes it the same question


@dataclass(frozen=True, slots=True)
class Wording:
    """A reply in its order: `logs`, then `statements` and `question` in the model's words, then `after` as written."""

    logs: tuple[Move, ...]
    statements: tuple[Say, ...]
    question: Say | None
    after: tuple[Move, ...]

    @property
    def for_model(self) -> bool:
        """A bare "thank you" before written lines is not worth waiting for."""
        substance = [line for line in self.statements if line.purpose != "acknowledge"]
        return bool(substance) or self.question is not None

    @property
    def as_written(self) -> tuple[Move, ...]:
        question = (self.question,) if self.question else ()
        return (*self.statements, *question, *self.after)

    @property
    def lines(self) -> tuple[str, ...]:
        """What the playbook says here, for whoever checks the model's words."""
        return tuple(move.text for move in self.as_written if isinstance(move, Say))


def divide(moves: Sequence[Move], book: Playbook) -> Wording:
    """A reply that ends the call, or begins with what is spoken as written, is spoken as written altogether."""
    logs = tuple(move for move in moves if isinstance(move, Note | Commit))
    rest = tuple(move for move in moves if isinstance(move, Say | Finish))
    lines = tuple(move for move in rest if isinstance(move, Say))
    if len(lines) != len(rest):
        return Wording(logs, (), None, rest)
    statements = tuple(takewhile(_is_statement, lines))
    after = lines[len(statements) :]
    question = after[0] if len(after) == 1 and _may_be_asked_freely(after[0], book) else None
    return Wording(logs, statements, question, after[1:] if question else after)


def _is_statement(line: Say) -> bool:
    return not line.protected and line.purpose.partition(":")[0] in STATEMENTS


def _may_be_asked_freely(line: Say, book: Playbook) -> bool:
    """Not once the keypad is offered, for keys have to be named as they are; nor what reads digits back."""
    free = not line.protected and line.purpose.partition(":")[0] in ASKS
    prompt = prompt_for(line.purpose, book)
    dictating = line.purpose.startswith("ask:") and line.text not in (prompt.ask, prompt.again)
    return free and not dictating and line.text != prompt.keypad


def is_substance(line: Say) -> bool:
    return line.purpose.partition(":")[0] in SUBSTANCE


def same_question(asked: str, line: Say, book: Playbook) -> bool:
    """Whether the model's question is the one the engine wants put: an answer is going to be taken as its answer."""
    prompt = prompt_for(line.purpose, book)
    said = content_words(asked)
    forms = (line.text, prompt.ask, prompt.again)
    parts = [part for form in forms for part in phrases.constant_parts(form) if part.endswith("?")]
    for question in (*forms, *parts):
        wanted = content_words(question)
        if wanted and len(wanted & said) >= ENOUGH_OF_QUESTION * len(wanted):
            return _same_choices(said, line, book)
    return False


def _same_choices(said: frozenset[str], line: Say, book: Playbook) -> bool:
    """A question with three or more choices names them all, or none."""
    about, _, name = line.purpose.partition(":")
    names = (
        [content_words(choice.name.replace("_", " ")) for choice in book.fact(name).choices] if about == "ask" else []
    )
    named = sum(bool(choice & said) for choice in names)
    return len(names) < 3 or named in (0, len(names))
