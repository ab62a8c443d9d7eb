"""How long we wait for what, as one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from app.dialog import dictation, email
from app.dialog.completeness import Ending, ending
from app.dialog.deadlines import DEADLINES
from app.dialog.events import Heard
from app.dialog.moves import Expectation


@dataclass(frozen=True, slots=True)
class Patience:
    """Milliseconds unless the name says otherwise. The defaults suit a sales call on the telephone network; those that
    keep the line from going silent are the deadlines (deadlines.py).

    The last four depend on what we listen for; `expecting` sets them.
    """

    barge_in_ms: int = 120  # a shorter voice is a click, unless words come of it
    takeover_ms: int = 850  # longer than an "mm-hm" and the noticing of its end: a voice over ours silences us ...
    wordless_ms: int = 1500  # ... before its words are known; where words come while it speaks, one that brings none
    recognised_ms: int = 1000  # after a voice over ours, for its words; then we go on. Words that came as it spoke are
    trailing_ms: int = 600  # all there sooner; a sound this shortly before our end may still bring some
    answer_ms: int = 1000  # a listener's "yes" this shortly before our end is an answer
    prompt_ms: int = 200  # quiet after words that sound finished until the turn is ours
    pause_ms: int = 500  # the same after words that may be finished or not
    agreed_pause_ms: int = 400  # the same when speech to text believes that the caller is through
    open_pause_ms: int = 1200  # the same after words that something must follow: pauses to think are 700 ms and more
    noise_ms: int = 400  # more, when words are through and a voice goes on without any: a television
    drafts: int = 5  # answers drafted in one turn at most ...
    early_drafts: int = 2  # ... and of them while the voice is on, when the words sound finished
    dictation_pause_ms: int = 1800  # the same while digits are dictated and some are surely missing
    dictation_done_ms: int = 350  # the same once they are surely complete; between the two it depends
    dictation_risk: float = 0.03  # share of a dictation's pauses we may cut into
    unheard_ms: int = 1800  # quiet after a voice without words until we ask again: promise P2 leaves 2500 for all
    silence_ms: int = 6000  # quiet after our own words until we nudge
    nudges: int = 2  # then a polite end
    misses: int = 6  # turns without a word in a row, then a polite end: hold music, a television
    key_gap_ms: int = 2500  # between the keys of one number
    turn_ms: int = 20_000  # a caller who does not stop is answered all the same
    quiet_limit_ms: int = 90_000  # not a sign of life, whatever we said meanwhile
    call_ms: int = 1_800_000
    goodbye_ms: int = 20_000  # from deciding to end the call until it ends, heard out or not
    acknowledge_ms: int = round(DEADLINES.acknowledge_s * 1000)
    late_ms: int = round(DEADLINES.late_s * 1000)
    filler_ms: int = round(DEADLINES.filler_s * 1000)
    give_up_ms: int = round(DEADLINES.give_up_s * 1000)
    commit_ms: int = round(DEADLINES.commit_s * 1000)

    expected: Expectation = field(default_factory=Expectation)
    keys: int = 1  # how many complete an answer; 0: until a gap or "#"
    dictated: bool = False
    digits: int = 0  # how many complete a dictation; 0: unknown

    def expecting(self, answer: Expectation) -> Patience:
        counted = answer.kind in ("digits", "number")
        return replace(
            self,
            expected=answer,
            keys=answer.digits or (0 if counted else 1),
            dictated=answer.kind == "digits",
            digits=answer.digits - answer.had,
        )

    def pause_after(
        self,
        words: str,
        *,
        ended: bool = False,
        stretches: Sequence[dictation.Stretch] = (),
        heard: Sequence[Heard] = (),
    ) -> int:
        """Quiet after `words` until the turn is ours. `ended`: speech to text takes the caller for through. `stretches`
        are the voice they were said with, `heard` those of them that are final."""
        if self.digits and self.dictated and stretches:
            least_ms, most_ms = self.dictation_done_ms, self.dictation_pause_ms
            risk = self.dictation_risk
            return dictation.wait_ms(stretches, heard, self.digits, least_ms=least_ms, most_ms=most_ms, risk=risk)
        match self.ending(words):
            case Ending.OPEN if self.dictated:
                return self.dictation_pause_ms
            case Ending.OPEN:
                return self.open_pause_ms
            case Ending.CLOSED:
                return self.prompt_ms
            case Ending.UNSURE:
                return self.agreed_pause_ms if ended else self.pause_ms

    def ending(self, words: str) -> Ending:
        """How finished words look. A dictation is until its digits are complete."""
        if self.dictated:
            complete = 0 < self.digits <= dictation.spoken_digits(words)
            return Ending.UNSURE if complete else Ending.OPEN
        if self.expected.kind in ("email", "name") and email.begun(words):
            return Ending.OPEN
        return ending(words, self.expected)
