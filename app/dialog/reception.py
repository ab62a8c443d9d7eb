"""What we do about who answered: hang up, leave a message after the beep, press a key, or say who is calling and why.

    PERSON     we converse; machines are looked out for          --> any of the others
    DOUBT      a machine, and what it says will tell which: silent until then  --> any, or over
    WAITING    a mailbox: silent until its beep has ended        --> LEAVING
    LEAVING    the message is spoken                             --> over; --> WAITING when the beep came only now
    MENU       a keypad menu: silent until it pauses, then a key --> PERSON
    SCREENING  silent until it pauses, then who we are and why   --> PERSON

While in charge, turn-taking rests: what a machine says is no turn of a conversation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from app.dialog.answered import Answered, Kind, Verdict
from app.dialog.events import AnsweredBy, HungUp, MustEnd, ReplyEnded, Signal
from app.dialog.turns import EndCall

_NO_BEEP_MS = 3000  # of silence after a greeting: it will not beep, or we did not hear it
_GREETING_LIMIT_MS = 60_000  # a mailbox that has not got to its beep by then is none
_MENU_PAUSE_MS = 800
_DOUBT_PAUSE_MS = 1500  # its words would be here by then
_DOUBT_MS = 10_000
_SURE = 0.9
_BOTH_HANG_UP = ("hang_up", "hang_up")
_SCREENING_PAUSE_MS = 700
_LOOK_OUT_MS = 45_000  # a machine that has not shown itself by then will not
_SECOND_THOUGHTS_MS = 6000  # after somebody was taken for a person


@dataclass(frozen=True, slots=True)
class MachineWish:
    """What a campaign wants done instead of what its playbook says; None is no wish. `key` belongs to press_key."""

    voicemail: str | None = None
    menu: str | None = None
    key: str | None = None


NO_WISH = MachineWish()


@dataclass(frozen=True, slots=True)
class Strategy:
    """What a playbook wants done about machines. `voicemail`: hang_up or leave_message; `ivr`: hang_up or press_key,
    and which `key`; `screening`: hang_up or say_who."""

    voicemail: str = "hang_up"
    ivr: str = "hang_up"
    key: str = ""
    screening: str = "hang_up"

    def wished(self, wish: MachineWish) -> Strategy:
        voicemail = wish.voicemail or self.voicemail
        if wish.menu is None:
            return replace(self, voicemail=voicemail)
        return replace(self, voicemail=voicemail, ivr=wish.menu, key=wish.key or "")


HANG_UP = Strategy()


@dataclass(frozen=True, slots=True)
class Learned:
    """Write this down."""

    fact: AnsweredBy


@dataclass(frozen=True, slots=True)
class Hush:
    """Fall silent; what was heard so far needs no answer."""


@dataclass(frozen=True, slots=True)
class SayTo:
    """Say what is meant for this kind of machine: "voicemail" or "screening"."""

    kind: str


@dataclass(frozen=True, slots=True)
class Press:
    keys: str


Act = Learned | Hush | SayTo | Press | EndCall


class _Stage(Enum):
    PERSON = "person"
    DOUBT = "doubt"
    WAITING = "waiting"
    LEAVING = "leaving"
    MENU = "menu"
    SCREENING = "screening"
    OVER = "over"


class Reception:
    """One outbound call's. Feed every signal of the call, and a Tick when `deadline` has come."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy
        self._answered = Answered()
        self._stage = _Stage.PERSON
        self._kind: Kind | None = None
        self._since_ms = 0
        self._speaking = False
        self._beep_ms = -1  # of the beep we spoke after

    @property
    def in_charge(self) -> bool:
        return self._stage is not _Stage.PERSON

    def listens(self, now_ms: int) -> bool:
        """Whether tones still matter."""
        return self.in_charge or self._looks_out(now_ms)

    def deadline(self, now_ms: int) -> int | None:
        if not self.listens(now_ms):
            return None
        due = [self._answered.deadline(now_ms)]
        quiet_ms = self._answered.quiet_since_ms()
        wait = {
            _Stage.DOUBT: _DOUBT_PAUSE_MS,
            _Stage.WAITING: _NO_BEEP_MS,
            _Stage.MENU: _MENU_PAUSE_MS,
            _Stage.SCREENING: _SCREENING_PAUSE_MS,
        }
        if self._stage in wait:
            due.append(self._since_ms + (_DOUBT_MS if self._stage is _Stage.DOUBT else _GREETING_LIMIT_MS))
            if quiet_ms is not None and not self._speaking:
                due.append(quiet_ms + wait[self._stage])
        return min((at for at in due if at is not None and at > now_ms), default=None)

    def step(self, signal: Signal, now_ms: int) -> tuple[Act, ...]:
        """What to do now, in order."""
        if self._stage is _Stage.OVER:
            return ()
        self._answered.note(signal)
        match signal:
            case HungUp(lost=False) if self.in_charge:
                return self._end("voicemail" if self._kind is Kind.VOICEMAIL else str(self._kind))
            case MustEnd(reason) if self.in_charge:
                return self._end(reason)
            case ReplyEnded(reason=reason) if self._speaking:
                return self._spoken(reason)
        acts: tuple[Act, ...] = ()
        if self.in_charge or self._looks_out(now_ms):
            acts = self._think(self._answered.verdict(now_ms), now_ms)
        return (*acts, *self._act(now_ms))

    def _looks_out(self, now_ms: int) -> bool:
        """For machines. A person has been talking for a while: a secretary may ask us to leave a message, too."""
        if self._kind is Kind.HUMAN:
            return now_ms - self._since_ms <= _SECOND_THOUGHTS_MS
        return now_ms <= _LOOK_OUT_MS + self._since_ms

    def _think(self, verdict: Verdict | None, now_ms: int) -> tuple[Act, ...]:
        """Somebody else than we thought: what follows at once."""
        if verdict is None or verdict.kind is self._kind or self._stage is _Stage.LEAVING:
            return ()
        if self._kind is not None and self._kind.machine and not verdict.kind.machine:
            return ()  # machines pause, too
        self._kind = verdict.kind
        if not self.in_charge:
            self._since_ms = now_ms
        learned = Learned(AnsweredBy(verdict.kind.value, verdict.confidence, now_ms))
        if not verdict.kind.machine:
            return (learned,)
        stage = self._stage_for(verdict)
        hush = () if self.in_charge else (Hush(),)
        if stage is None:
            return (learned, *hush, *self._end(verdict.kind.value))
        self._stage = stage
        return (learned, *hush)

    def _stage_for(self, verdict: Verdict) -> _Stage | None:
        """None: hang up."""
        wanted = self._strategy
        match verdict.kind:
            case Kind.VOICEMAIL if wanted.voicemail == "leave_message":
                return _Stage.WAITING
            case Kind.VOICEMAIL if verdict.confidence < _SURE and (wanted.ivr, wanted.screening) != _BOTH_HANG_UP:
                return _Stage.DOUBT
            case Kind.IVR if wanted.ivr == "press_key" and wanted.key:
                return _Stage.MENU
            case Kind.SCREENING if wanted.screening == "say_who":
                return _Stage.SCREENING
        return None

    def _act(self, now_ms: int) -> tuple[Act, ...]:
        """What a machine's pause, or its beep, is the time for."""
        quiet_ms = self._answered.quiet_since_ms()
        pause = -1 if quiet_ms is None else now_ms - quiet_ms
        match self._stage:
            case _Stage.DOUBT:
                verdict = self._answered.verdict(now_ms)
                sure = verdict is not None and verdict.confidence >= _SURE
                if sure or pause >= _DOUBT_PAUSE_MS or now_ms - self._since_ms >= _DOUBT_MS:
                    return self._end(str(self._kind))
            case _Stage.WAITING:
                beep = self._answered.beep()
                if beep is not None or pause >= _NO_BEEP_MS:
                    self._stage, self._speaking = _Stage.LEAVING, True
                    self._beep_ms = beep.to_ms if beep else -1
                    return (SayTo(Kind.VOICEMAIL.value),)
            case _Stage.LEAVING if (beep := self._answered.beep()) and beep.to_ms != self._beep_ms:
                if self._beep_ms < 0:  # we were too early: what we said so far was not recorded
                    self._beep_ms = beep.to_ms
                    return (Hush(), SayTo(Kind.VOICEMAIL.value))
            case _Stage.MENU if pause >= _MENU_PAUSE_MS:
                self._begin_again()
                return (Press(self._strategy.key),)
            case _Stage.SCREENING if pause >= _SCREENING_PAUSE_MS and not self._speaking:
                self._speaking = True
                return (SayTo(Kind.SCREENING.value),)
        if self.in_charge and not self._speaking and now_ms - self._since_ms >= _GREETING_LIMIT_MS:
            return self._end(str(self._kind))
        return ()

    def _spoken(self, reason: str) -> tuple[Act, ...]:
        self._speaking = False
        if self._stage is _Stage.SCREENING:
            self._begin_again()
            return ()
        return self._end(reason)

    def _begin_again(self) -> None:
        """Whoever is on the line next is somebody else; a machine only if it says so, for the last one may go on."""
        self._answered = Answered(by_pattern=False)
        self._stage, self._kind = _Stage.PERSON, None

    def _end(self, reason: str) -> tuple[Act, ...]:
        self._stage = _Stage.OVER
        return (EndCall(reason),)
