"""One reply under construction: what to log, what to say, and the state it leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.dialog import offers, phrases, readback, spelling, visits
from app.dialog.events import (
    AppointmentRequested,
    Fact,
    FactLearned,
    FollowUpPromised,
    HumanRequested,
    OptedOut,
)
from app.dialog.moves import Commit, Finish, Move, Note, Say
from app.dialog.routing import next_topic, occasion, prompt_for
from app.dialog.script import Playbook
from app.dialog.state import State

Gaps = Mapping[str, tuple[str, ...]]

INTERRUPTIONS_OF_DISCLOSURES = 2  # after that a disclosure is said to its end whatever the caller says


class Reply:
    """Logs come first, then lines, then the end: a reply cut short has still logged what it knows."""

    def __init__(self, state: State, book: Playbook) -> None:
        self.state, self.book = state, book
        self._logs: list[Commit | Note] = [Note(fact) for fact in state.news]
        self._lines: list[Say] = []
        self._finish: Finish | None = None
        self._invited = False
        self.change(news=())

    @property
    def over(self) -> bool:
        return self._finish is not None

    def change(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)

    def note(self, fact: Fact) -> None:
        self._logs.append(Note(fact))

    def commit(self, fact: Fact) -> None:
        self._logs.append(Commit(fact))

    def say(self, line: str, purpose: str, gaps: Gaps | None = None, *, protected: bool = False) -> None:
        if found := phrases.parts(line, gaps):
            self._lines.append(Say(found, purpose, protected))

    def finish(self, reason: str, goodbye: str, *, protected: bool = False) -> None:
        self.say(goodbye, "goodbye" if reason != "opted_out" else "opt_out", protected=protected)
        self.change(ended=reason)
        self._finish = Finish(reason)

    def moves(self) -> tuple[Move, ...]:
        return (*self._logs, *self._lines, *((self._finish,) if self._finish else ()))

    # --- what several kinds of turn lead to ---

    def opt_out(self, words: str) -> None:
        """Durable first, then a short confirmation that nothing interrupts, then the end (C05)."""
        self._lines.clear()
        self.commit(OptedOut(words))
        self.finish("opted_out", self.book.lines.opted_out, protected=True)

    def ask_for_human(self, *, prepare: bool = True) -> None:
        """`prepare`: the caller may be asked what that person should know (`Callback.prepare`)."""
        if not prepare:
            self.change(skipped=self.state.skipped | set(self.book.callback.prepare))
        if not self.state.human_asked:
            self.note(HumanRequested())
        self.change(route="human", human_asked=True, eager=False, visit_settled=True)

    def learn(self, name: str, value: str, said: str) -> None:
        self.note(FactLearned(name, value, said))
        self.state = self.state.learn(name, value)

    def book_visit(self, at: datetime, said: str) -> None:
        self.note(AppointmentRequested(at.isoformat(timespec="minutes"), said))
        self.change(visit=at, visit_settled=True, eager=False)
        self.say(self.book.appointment.confirm, "appointment_confirmed", {"slot": phrases.slot(at)})
        self.promise()

    def promise(self) -> None:
        """Says in the log which message will follow, once the caller agreed; again when a better one is due."""
        message = self.book.message_for(occasion(self.state))
        if self.state.whatsapp and message and message.name != self.state.promised:
            self.note(FollowUpPromised(message.name))
            self.change(promised=message.name)

    def thank(self) -> None:
        thanks = self.book.lines.acknowledge
        self.say(thanks[self.state.thanks % len(thanks)], "acknowledge")
        self.change(thanks=self.state.thanks + 1)

    def invite(self) -> None:
        """The caller has something to ask and is told to go on: no second question on top."""
        self.say(self.book.closing.go_on, "closing")
        self._invited = True

    def disclose(self) -> None:
        """What the law wants heard and was interrupted is said again before anything else."""
        if self.over or not self.state.undisclosed:
            return
        protected = self.state.disclosings >= INTERRUPTIONS_OF_DISCLOSURES
        due = [line for line in self.book.opening(self.state.direction) if line.purpose in self.state.undisclosed]
        earlier, self._lines = self._lines, []
        self.say(self.book.lines.before_we_go_on, "acknowledge")
        for line in due:
            self.say(line.again, line.purpose, protected=protected)
        self._lines += earlier
        self.change(disclosings=self.state.disclosings + 1)

    def ask(self, *, keypad: bool = False) -> None:
        """Puts the next open question, as briefly as what was heard before allows."""
        if self.over or self._invited:
            return
        topic = next_topic(self.state, self.book)
        if topic == "appointment" and not self._offer_times():
            topic = next_topic(self.state, self.book)
        self._offer(topic)
        prompt = prompt_for(topic, self.book)
        heard_before = topic in self.state.put
        if topic.startswith("confirm:"):
            fact = self.book.fact(self.state.confirming)
            line = fact.confirm
        elif self.state.so_far and not keypad and topic.startswith("ask:"):
            line = self.book.lines.so_far
        else:
            line = prompt.keypad if keypad else prompt.again if heard_before else prompt.ask
        gaps: dict[str, tuple[str, ...]] = {"digits": readback.spoken(self.state.unconfirmed or self.state.so_far)}
        gaps["spelled"] = spelling.spoken(self.state.unconfirmed)
        if self.state.visits:
            gaps |= {"first": phrases.slot(self.state.visits[0]), "second": phrases.slot(self.state.visits[1])}
        self.say(line, topic, gaps)
        if topic != self.state.topic:
            self.change(unclear=0)
        self.change(topic=topic, asked=False)

    def _offer(self, topic: str) -> None:
        """Names the suiting offer once the facts are in, before the talk turns to anything else."""
        if (
            self.state.offered
            or any(line.purpose == "offer" for line in self._lines)
            or self.state.route != "sales"
            or "offer" not in self.book.goals
            or (self.state.advised == "handle" and self.book.next_action == "follow")
            or topic.startswith("ask:")
        ):
            return
        offer = offers.suiting(self.book, self.state.facts)
        if offer and topic in ("appointment", "whatsapp", "closing"):
            self.say(offer.say, "offer")

    def _offer_times(self) -> bool:
        """False when there is no pair of times left: a person will find one instead."""
        if self.state.visits:
            return True
        times = visits.available(self.book.appointment, self.state.today)
        pair = visits.two_of(tuple(at for at in times if at not in self.state.refused))
        if not pair:
            self.say(self.book.appointment.none_fit, "appointment")
            self.ask_for_human()
            return False
        self.change(visits=pair)
        return True
