"""Who answered a call we placed: a person, or which kind of machine.

People say a word or three and wait; machines go on talking, whistle, and say what machines say. Evidence comes from
voice activity, tones, words and the carrier's own detector; each adds to what is believed, and `Answered.verdict` says
it at any time. Until there is a reason to think otherwise the other side is treated as a person: cutting off a person
costs more than talking to a machine.

The limits are round numbers from the way people use telephones, not fitted to recordings.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from app.dialog import greetings
from app.dialog.events import CarrierReport, Heard, Signal, Toned, VoiceOff, VoiceOn

_GAP_MS = 700  # a pause as long ends what was being said: people wait for an answer then, announcements go on sooner
_HELLO_GAP_MS = 300  # the same once the words are those of a person
_LONG_MS = 2600  # nobody says hello for so long without a pause
_LAG_MS = 300  # a voice may have ended so long ago before we are told
_UNDECIDED_MS = 1700  # after the voice began: then we go on as with a person, whatever comes later
_SECOND_THOUGHT_MS = 1500  # a greeting may begin with "hi"; what comes so soon after it belongs to it
_SECOND_LONG_MS = 4000  # and makes it a machine's when it lasts so long
_BEEP_AFTER_MS = 5000  # of the last voice
_BEEP_MS = 120
_GREETING_MS = 1500  # of voice before a beep make it a machine's: a call waiting beeps, too
_FIRST_WORDS_MS = 30_000  # what is said later is conversation


class Kind(StrEnum):
    HUMAN = "human"
    VOICEMAIL = "voicemail"  # or an answering machine; also a machine nobody has understood a word of yet
    IVR = "ivr"  # a menu: press one for ...
    SCREENING = "screening"  # asks who is calling and why
    UNAVAILABLE = "unavailable"  # the network: no such number, out of service
    FAX = "fax"
    NOT_SURE = "not_sure"  # treated as a person

    @property
    def machine(self) -> bool:
        return self not in (Kind.HUMAN, Kind.NOT_SURE)


@dataclass(frozen=True, slots=True)
class Verdict:
    kind: Kind
    confidence: float  # 0..1


_WORDS = {
    greetings.VOICEMAIL: Verdict(Kind.VOICEMAIL, 0.95),
    greetings.IVR: Verdict(Kind.IVR, 0.9),
    greetings.SCREENING: Verdict(Kind.SCREENING, 0.9),
    greetings.UNAVAILABLE: Verdict(Kind.UNAVAILABLE, 0.95),
}
_CARRIER = {
    "human": Verdict(Kind.HUMAN, 0.8),
    "machine_start": Verdict(Kind.VOICEMAIL, 0.8),
    "machine_end_beep": Verdict(Kind.VOICEMAIL, 0.9),
    "machine_end_silence": Verdict(Kind.VOICEMAIL, 0.8),
    "machine_end_other": Verdict(Kind.VOICEMAIL, 0.8),
    "fax": Verdict(Kind.FAX, 0.9),
}
# Special information tones (ITU-T E.180): three, rising, each of two pitches or one.
_SIT = ((900, 1000), (1350, 1450), (1750, 1800))
_SIT_GAP_MS = 100
_CED = (2070, 2130)  # Hz: a fax machine that answers (ITU-T T.30), for 2.6 to 4 s
_CED_MS = 900


@dataclass(slots=True)
class _Stretch:
    """Voice without a pause of `_GAP_MS`."""

    from_ms: int
    to_ms: int

    @property
    def ms(self) -> int:
        return self.to_ms - self.from_ms


class Answered:
    """One call's. Feed signals as they come; times are milliseconds of the call. Not `by_pattern`: a machine must show
    itself by what it says, or by a beep."""

    def __init__(self, *, by_pattern: bool = True) -> None:
        self._machine_by_pattern = by_pattern
        self._voice: list[_Stretch] = []
        self._on = False
        self._said = ""  # final words
        self._partial = ""
        self._tones: list[Toned] = []
        self._carrier: Verdict | None = None

    def note(self, signal: Signal) -> None:
        match signal:
            case VoiceOn(at_ms):
                self._on = True
                last = self._voice[-1] if self._voice else None
                if last is None or at_ms - last.to_ms >= _GAP_MS:
                    self._voice.append(_Stretch(at_ms, at_ms))
            case VoiceOff(at_ms) if self._voice:
                self._on = False
                self._voice[-1].to_ms = max(at_ms, self._voice[-1].to_ms)
            case Heard(text=text, final=final, started_ms=started_ms) if text and started_ms < _FIRST_WORDS_MS:
                self._partial = "" if final else text
                self._said = f"{self._said} {text}".strip() if final else self._said
            case Toned():
                self._tones.append(signal)
            case CarrierReport(answered_by):
                self._carrier = _CARRIER.get(answered_by, self._carrier)

    @property
    def voice_ms(self) -> int | None:
        """When the first voice began; None when there was none."""
        return self._voice[0].from_ms if self._voice else None

    def quiet_since_ms(self) -> int | None:
        """When the last voice ended; None while it is on, and before the first."""
        return self._voice[-1].to_ms if self._voice and not self._on else None

    def deadline(self, now_ms: int) -> int | None:
        """When the verdict may change although nothing happens; None when it will not."""
        if not self._voice:
            return None
        first, last = self._voice[0], self._voice[-1]
        due = [first.from_ms + _UNDECIDED_MS]
        if self._on:
            due += [last.from_ms + _LONG_MS + _LAG_MS, last.from_ms + _SECOND_LONG_MS + _LAG_MS]
        else:
            due += [last.to_ms + _HELLO_GAP_MS, last.to_ms + _GAP_MS]
        return min((at for at in due if at > now_ms), default=None)

    def verdict(self, now_ms: int) -> Verdict | None:
        """What is believed now; None while there is nothing to go by, which means the same as not being sure."""
        words = greetings.kind_of(f"{self._said} {self._partial}".strip())
        tone = self._by_tones()
        if tone is not None:
            return tone
        if words != greetings.HUMAN and self.beep() is not None and sum(s.ms for s in self._voice) >= _GREETING_MS:
            return Verdict(Kind.VOICEMAIL, 0.95)
        if words in _WORDS:
            return _WORDS[words]
        pattern = self._by_pattern(now_ms, human_words=words == greetings.HUMAN)
        if words == greetings.HUMAN and pattern is not None and not pattern.kind.machine:
            return pattern
        if self._carrier is not None and (pattern is None or pattern.kind is Kind.NOT_SURE or not self._short_reply()):
            return self._carrier
        return pattern

    def beep(self) -> Toned | None:
        """The last tone that may have been a beep to speak after."""
        if not self._tones or not self._voice:
            return None
        tone = self._tones[-1]
        spoken_ms = max((s.to_ms for s in self._voice if s.from_ms < tone.from_ms), default=None)
        if spoken_ms is None or tone.to_ms - tone.from_ms < _BEEP_MS or tone.from_ms - spoken_ms > _BEEP_AFTER_MS:
            return None
        return tone

    def _by_tones(self) -> Verdict | None:
        for tone in self._tones:
            if _CED[0] <= tone.hertz <= _CED[1] and tone.to_ms - tone.from_ms >= _CED_MS:
                return Verdict(Kind.FAX, 0.95)
        for three in zip(self._tones, self._tones[1:], self._tones[2:], strict=False):
            near = all(later.from_ms - tone.to_ms <= _SIT_GAP_MS for tone, later in pairwise(three))
            if near and all(low <= tone.hertz <= high for tone, (low, high) in zip(three, _SIT, strict=True)):
                return Verdict(Kind.UNAVAILABLE, 0.95)
        return None

    def _by_pattern(self, now_ms: int, *, human_words: bool) -> Verdict | None:
        if not self._voice:
            return None
        human_words = human_words or not self._machine_by_pattern
        first, second = self._voice[0], self._voice[1] if len(self._voice) > 1 else None
        sure_to_ms = now_ms - _LAG_MS  # of a voice that is on
        first_ms = max(first.to_ms, sure_to_ms if self._on and second is None else 0) - first.from_ms
        if first_ms >= _LONG_MS and not human_words:
            return Verdict(Kind.VOICEMAIL, min(0.85, 0.5 + first_ms / 10_000))
        if second is not None and second.from_ms - first.to_ms <= _SECOND_THOUGHT_MS and not human_words:
            on = self._on and self._voice[-1] is second
            second_ms = max(second.to_ms, sure_to_ms if on else 0) - second.from_ms
            if second_ms >= _SECOND_LONG_MS:
                return Verdict(Kind.VOICEMAIL, 0.75)
        over = second is not None or (not self._on and now_ms - first.to_ms >= self._gap_ms(human_words))
        if over:
            return Verdict(Kind.HUMAN, 0.97 if human_words else 0.9)
        return Verdict(Kind.NOT_SURE, 0.5) if now_ms - first.from_ms >= _UNDECIDED_MS else None

    def _short_reply(self) -> bool:
        """One short saying is all there was: what the carrier's detector made of it is no better than our own."""
        return len(self._voice) == 1 and self._voice[0].ms < _LONG_MS and not self._on

    def _gap_ms(self, human_words: bool) -> int:
        return _HELLO_GAP_MS if human_words else _GAP_MS
