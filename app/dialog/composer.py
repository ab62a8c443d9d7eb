"""A language model's words on their way to the caller: cut into phrases, checked, and with the right question last.

Only the engine's question is asked: another one is dropped, for its answer would be taken as an answer to ours. After a
phrase that may not be said nothing more of the model's is, and the playbook's lines take over. The first words of a
reply are spoken before its first phrase is complete, when nothing that may come after them could make them wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.dialog.hints import repeats
from app.dialog.moves import Say
from app.dialog.prompt import MOST_WORDS, tells_the_rules
from app.dialog.script import Playbook
from app.dialog.sentences import Sentences
from app.dialog.speakable import Approved, fault, may_open, plain, spoken_lines
from app.dialog.wording import Wording, is_substance, same_question

PATIENCE_WITH_WORDS = 15  # more than asked for, so that a sentence is not lost for a word

_WHOLE = ("stop", "tool_calls", "function_call")


class Composer:
    """One reply. `feed` the words as they come, `end` once, and then say what `unsaid` returns."""

    def __init__(
        self,
        wording: Wording,
        book: Playbook,
        approved: Approved,
        facts: Mapping[str, str],
        whispers: tuple[str, ...] = (),
    ) -> None:
        """`whispers` are colleagues' hints to the model: never for the caller's ear."""
        self._whispers = whispers
        self._wording, self._book, self._approved, self._facts = wording, book, approved, facts
        self._sentences = Sentences()
        self._sentence = ""  # as far as it has come
        self._words = 0
        self.said = False
        self.asked = False
        self.refused = ""  # why a phrase was, as in `speakable.fault`
        self.over = False  # nothing more of the model's will be spoken

    def feed(self, text: str) -> Iterator[Say]:
        for phrase in self._sentences.feed(text):
            yield from self._take(phrase)
        if not self.over and (words := self._sentences.opening()) and may_open(words, self._wording.lines):
            self._sentences.take(words)
            yield from self._take(words)

    def end(self, reason: str) -> Iterator[Say]:
        """A reply that was cut off (by its length, by a filter) ends with its last whole sentence."""
        for phrase in self._sentences.flush():
            if reason in _WHOLE or phrase[-1:] in ".!?":
                yield from self._take(phrase)
        if reason == "content_filter":
            self.refused = self.refused or reason

    def unsaid(self, *, failed: bool = False) -> tuple[Say, ...]:
        """Statements of the playbook that still have to be spoken; the question is not among them."""
        if self.asked:
            return ()
        if not self.said:
            return self._wording.statements
        return self.substance() if failed or self.refused else ()

    def substance(self) -> tuple[Say, ...]:
        """What the caller has a right to hear: the answer to a question of his, not a "thank you"."""
        return tuple(line for line in self._wording.statements if is_substance(line))

    def _take(self, phrase: str) -> Iterator[Say]:
        phrase = plain(phrase)
        if self.over or not any(letter.isalnum() for letter in phrase):
            return
        sentence = f"{self._sentence} {phrase}".strip()
        why = fault(sentence, self._approved, self._facts, self._wording.lines)
        if why := why or ("instructions" if tells_the_rules(sentence) else "") or self._tells_a_whisper(sentence):
            self.refused, self.over = why, True
        elif phrase.rstrip("\"')”’").endswith("?"):
            yield from self._question(phrase, sentence)
        elif self._words + len(phrase.split()) > MOST_WORDS + PATIENCE_WITH_WORDS:
            self.over = True
        else:
            self._words += len(phrase.split())
            self._sentence = "" if phrase[-1] in ".!…" else sentence
            self.said = True
            yield Say((phrase,), self._purpose())

    def _tells_a_whisper(self, sentence: str) -> str:
        if not self._whispers:
            return ""
        ours = " ".join((*spoken_lines(self._book), *self._wording.lines))
        return "whisper" if repeats(sentence, self._whispers, ours) else ""

    def _question(self, phrase: str, sentence: str) -> Iterator[Say]:
        self.over = True
        question = self._wording.question
        if question is None or not same_question(sentence, question, self._book):
            return
        if not self.said:
            yield from self.substance()
        self.asked = True
        yield Say((phrase,), question.purpose)

    def _purpose(self) -> str:
        purposes = [line.purpose for line in self._wording.statements]
        return next((purpose for purpose in purposes if purpose != "acknowledge"), "talk")
