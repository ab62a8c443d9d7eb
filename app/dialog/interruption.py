"""The caller makes a sound while we speak: what it means so far, and what to do about it.

As people do it, in two steps. At a voice we soften ours at once, which costs nothing if it was only a cough. We stop
for words that take the turn; "mm-hm" is a listener's word, and our own voice coming back is nobody's. A voice without a
word that lasts longer than any "mm-hm" holds us back too, but then nothing is lost: the reply waits, and goes on from
where the caller stopped hearing it if no words come of the voice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum
from functools import lru_cache
from itertools import pairwise

from app.dialog.guards import opts_out
from app.dialog.patience import Patience
from app.dialog.words import normal


class Volume(Enum):
    """How the caller hears us. HELD: not at all, and what is to be said waits."""

    FULL = "full"
    LOW = "low"
    HELD = "held"


class Meaning(Enum):
    """What words over our own speech are."""

    NOTHING = "nothing"  # there are none
    ECHO = "echo"  # ours
    BACKCHANNEL = "backchannel"  # "go on, I am listening"
    ANSWER = "answer"  # to the question we are just asking: it may wait until we have
    TURN = "turn"  # the caller takes the turn


class Verdict(Enum):
    DUCK = "duck"
    HOLD = "hold"
    RESTORE = "restore"
    IGNORE = "ignore"  # restore, and take no more notice of this voice
    TAKE = "take"
    DISMISS = "dismiss"  # the caller's words, or a sound without words, make no turn


# --- words ------------------------------------------------------------------------------------------------------------

_LETTER_MS = 65  # of ordinary speech
_ASKED_MS = 2500  # a question over this long is not what "yes" answers any more
_ECHO_MS = 3000  # our words come back within this, recogniser included
_ECHO_WORDS = 3  # fewer in a row anybody may say
_ECHO_OPT_OUT = 4  # the same for a request we must not overhear
_ECHO_SHARE = 0.75
_LONGEST = 6  # words of a listener

# English and Spanish, as `normal` writes them.
_MURMURS = frozenset(
    {
        "mm", "mmm", "mhm", "hm", "hmm", "mm hm", "mm hmm", "uh huh", "uh", "um", "ah", "oh", "aha", "huh", "ajá",
        "aja", "eh",
    }
)  # fmt: skip
_AGREEMENTS = frozenset(
    {
        "yes", "yeah", "yep", "yup", "right", "okay", "ok", "sure", "i see", "got it", "i know", "true", "exactly",
        "alright", "all right", "of course", "fine", "good", "great", "cool", "nice", "really", "wow", "interesting",
        "makes sense", "that makes sense", "fair enough", "understood", "i understand", "absolutely", "definitely",
        "go on", "go ahead", "that is right", "sí", "si", "claro", "vale", "bueno", "ya", "ya veo", "entiendo",
        "entendido", "de acuerdo", "está bien", "esta bien", "exacto", "perfecto", "muy bien", "correcto", "siga",
        "por supuesto", "así es", "asi es", "qué bien", "que bien",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class InTheAir:
    """What the caller has begun to hear of a reply: each line, and when its first sound was at the ear."""

    lines: tuple[tuple[str, int], ...] = ()

    def beginning(self, line: str, at_ms: int) -> InTheAir:
        return InTheAir((*self.lines, (line, at_ms)))

    def spoken(self, at_ms: int) -> list[str]:
        """Our words that may come back as echo by then."""
        return [
            word
            for line, began_ms in self.lines
            if began_ms <= at_ms and at_ms - began_ms - len(line) * _LETTER_MS <= _ECHO_MS
            for word in normal(line).split()
        ]

    def question_over_ms(self, at_ms: int) -> int | None:
        """When the question is, or was, over that a yes at `at_ms` would answer; by the pace of ordinary speech."""
        over = None
        for line, began_ms in self.lines:
            for begin, end in _sentences(line):
                from_ms, to_ms = began_ms + begin * _LETTER_MS, began_ms + end * _LETTER_MS
                if line[:end].rstrip().endswith("?") and from_ms <= at_ms <= to_ms + _ASKED_MS:
                    over = to_ms
        return over


def _sentences(line: str) -> Iterator[tuple[int, int]]:
    ends = [place + 1 for place, letter in enumerate(line) if letter in ".?!"]
    return pairwise(dict.fromkeys((0, *ends, len(line))))


SILENCE = InTheAir()


@lru_cache(maxsize=256)  # turn-taking asks again with every signal
def meaning(said: str, at_ms: int, air: InTheAir) -> Meaning:
    """Of all the words said over us so far; `at_ms` is when the caller began with them."""
    text = normal(said)
    words = text.split()
    if not words:
        return Meaning.NOTHING
    run = _ours(words, air.spoken(at_ms))
    if opts_out(said):
        return Meaning.ECHO if run == len(words) >= _ECHO_OPT_OUT else Meaning.TURN
    if run >= max(_ECHO_WORDS, _ECHO_SHARE * len(words)):
        return Meaning.ECHO
    kinds = _listening(words)
    if not kinds:
        return Meaning.TURN
    over_ms = air.question_over_ms(at_ms) if "agreement" in kinds else None
    if over_ms is None:
        return Meaning.BACKCHANNEL
    return Meaning.TURN if over_ms <= at_ms else Meaning.ANSWER


def _ours(words: list[str], spoken: list[str]) -> int:
    """How many of the words are ours, in our order."""
    blocks = SequenceMatcher(None, words, spoken, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks if block.size > 1)


def _listening(words: list[str]) -> set[str]:
    """Which kinds of a listener's words these are; none when there is any other word among them."""
    if len(words) > _LONGEST:
        return set()
    kinds, at = set(), 0
    while at < len(words):
        for size in (3, 2, 1):
            phrase = " ".join(words[at : at + size])
            if phrase in _MURMURS or phrase in _AGREEMENTS:
                kinds.add("murmur" if phrase in _MURMURS else "agreement")
                at += size
                break
        else:
            return set()
    return kinds


# --- time -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Overlap:
    """What the caller has done over our reply. `voice_ms`: the voice is on, since then; `quiet_ms`: it ended then."""

    volume: Volume
    audible: bool  # the caller hears us, or would if we were not held back
    voice_ms: int | None
    quiet_ms: int | None
    words: Meaning
    words_ms: int  # when they came
    sure: bool  # they are final, or came twice
    settled: bool  # speech to text is done with the voice that ended
    interims: bool  # words come while the caller speaks, as far as we know
    held_ms: int  # when we were held back
    question_ms: int | None = None  # when the question is over that they answer


def verdicts(over: Overlap, patience: Patience) -> Iterator[tuple[int, Verdict]]:
    """What to do and when, if nothing else happens."""
    if over.words is Meaning.TURN:
        yield from _for_a_turn(over, patience)
        return
    if over.words is Meaning.ANSWER and over.question_ms is not None:
        yield over.question_ms + patience.answer_ms, Verdict.TAKE
    if over.voice_ms is not None:
        yield from _for_a_voice(over, over.voice_ms, patience)
        return
    ended_ms = over.quiet_ms or 0
    if over.volume is Volume.LOW or (over.volume is Volume.HELD and (over.settled or over.quiet_ms is None)):
        yield ended_ms, Verdict.RESTORE
    elif over.volume is Volume.HELD:
        yield ended_ms + (patience.trailing_ms if over.interims else patience.recognised_ms), Verdict.RESTORE
    if over.words is not Meaning.ANSWER and (over.quiet_ms is not None or over.words is not Meaning.NOTHING):
        yield max(ended_ms, over.words_ms) + patience.answer_ms, Verdict.DISMISS


def _for_a_turn(over: Overlap, patience: Patience) -> Iterator[tuple[int, Verdict]]:
    """Silence at the first such word; the reply is given up when it is certain, or the caller has finished."""
    if over.sure or over.voice_ms is None:
        yield over.words_ms, Verdict.TAKE
        return
    if over.volume is not Volume.HELD:
        yield over.words_ms, Verdict.HOLD
    yield over.words_ms + patience.unheard_ms, Verdict.TAKE


def _for_a_voice(over: Overlap, voice_ms: int, patience: Patience) -> Iterator[tuple[int, Verdict]]:
    """On, and no words that take the turn so far."""
    if over.volume is Volume.HELD:
        if over.interims:  # words would have come: it is a television, or somebody humming
            yield max(over.held_ms, over.words_ms) + patience.wordless_ms, Verdict.IGNORE
        else:
            yield voice_ms + patience.turn_ms, Verdict.TAKE
    elif not over.audible:
        yield voice_ms, Verdict.HOLD
    else:
        if over.volume is Volume.FULL:
            yield voice_ms, Verdict.DUCK
        longest_ms = patience.takeover_ms if not over.interims else patience.wordless_ms
        yield max(voice_ms, over.words_ms if over.words is not Meaning.NOTHING else 0) + longest_ms, Verdict.HOLD
