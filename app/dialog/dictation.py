"""How long to wait while a number of known length is dictated. Pure.

A pause in a dictation says little by its length: callers stop between groups for as long as others wait to be answered.
What tells is how many digits are still missing. Two witnesses count them, and neither is believed blindly:

    sound   the bursts of each stretch of voice; about one a digit when digits are said one at a time, fewer in fluent
            speech, seldom more
    words   what speech to text made of the stretch; it comes later, or never, and drops or invents short words

Their counts become the probability of every number of digits, and the wait is the shortest one that cuts fewer than
`risk` of such pauses: short once the number is probably complete, up to `most_ms` while digits are probably missing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from app.dialog import words
from app.dialog.events import Heard

# Burst counts against true digits, on digits of four recorded speakers put together to numbers in five manners: the
# error of a stretch grows with its length. A second of unknown structure holds about two digits.
_SOUND_SPREAD, _SOUND_SPREAD_PER_DIGIT = 0.25, 0.07
_DURATION_SPREAD, _DURATION_SPREAD_PER_DIGIT = 0.35, 0.25
_MS_PER_DIGIT, _DIGITS_MORE = 550, 0.4
_FLUENT = 0.15  # share of stretches in which digits run together, so that down to half of the bursts are missing
_NO_DIGIT = 0.02  # share of stretches without words that are a cough or an "um"
_WHOLE = 6.0  # a caller stops so much more often at the end of the number than at any one place inside it
_TOO_MANY = 0.3  # of the weight of one fewer: a country code, or a burst too many
_SURE, _UNSURE = 0.97, 0.05  # speech to text is never quite right, nor quite useless

# Pauses between the groups of a number, log-normal, while nothing is known of this caller.
_PAUSE_MS, _PAUSE_SPREAD = 700, 0.45
_USUAL_WEIGHT = 2  # of what is usual, in pauses of this caller
_GROUP_GAP_MS = 350  # a shorter one lies inside a group
_SLACK_MS = 150  # words and voice are timed by different ears

_DIGIT_WORDS = frozenset(
    ["zero", "oh", "o", "nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
     "cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"]
)  # fmt: skip
_TWO_DIGITS = frozenset([*list(words.UNITS)[10:], *words.TENS])
_REPEATS = {"double": 1, "triple": 2, "hundred": 2}


@dataclass(frozen=True, slots=True)
class Stretch:
    """One stretch of the caller's voice; `bursts` is 0 where nobody counted them."""

    began_ms: int
    ended_ms: int
    bursts: int = 0


@dataclass(frozen=True, slots=True)
class _Witness:
    """What is known of some of the voice: bursts, or the length of the voice in their place, and the words."""

    bursts: float
    counted: bool
    digits: int | None  # that the words hold; None when there are no words
    others: int  # words that are no digits
    confidence: float


def spoken_digits(text: str) -> int:
    """How many digits words hold: "five five double one" and "551 1" both have four, "eight hundred" has three."""
    return _counted(text)[0]


def chance_complete(stretches: Sequence[Stretch], heard: Sequence[Heard], expected: int) -> float:
    """The probability that at least `expected` digits have been said. `heard` are the final words so far."""
    return _chance(tuple(stretches), tuple(heard), expected)


def wait_ms(
    stretches: Sequence[Stretch],
    heard: Sequence[Heard],
    expected: int,
    *,
    least_ms: int,
    most_ms: int,
    risk: float,
) -> int:
    """Quiet after the last stretch until the turn is ours, so that a share `risk` of such pauses is cut at most.

    Between `least_ms` and `most_ms`; somebody who has paused for longer before is given that much again.
    """
    missing = 1 - chance_complete(stretches, heard, expected)
    if missing <= risk:
        return least_ms
    own = own_pauses(stretches)
    wanted = pause_quantile(1 - risk / missing, own)
    most_ms = max([most_ms, *(round(1.25 * pause) for pause in own)])
    return round(min(max(wanted, least_ms), most_ms))


def own_pauses(stretches: Sequence[Stretch]) -> tuple[int, ...]:
    """The pauses this caller has made between groups."""
    gaps = (after.began_ms - before.ended_ms for before, after in pairwise(stretches))
    return tuple(gap for gap in gaps if gap >= _GROUP_GAP_MS)


def pause_quantile(share: float, own: Sequence[int] = ()) -> float:
    """The length that `share` (0..1) of pauses between groups stay below, in ms. The caller's own lengthen it: short
    ones so far do not promise that the next is short."""
    learned = (_USUAL_WEIGHT * math.log(_PAUSE_MS) + sum(map(math.log, own))) / (_USUAL_WEIGHT + len(own))
    middle = max(learned, math.log(_PAUSE_MS))
    return math.exp(middle + _PAUSE_SPREAD * _normal_quantile(min(max(share, 1e-6), 1 - 1e-6)))


@lru_cache(maxsize=512)
def _chance(stretches: tuple[Stretch, ...], heard: tuple[Heard, ...], expected: int) -> float:
    most = expected + 4
    total = [1.0] + [0.0] * most
    for witness in _witnesses(stretches, heard):
        likely = [_likelihood(witness, digits) for digits in range(most + 1)]
        scale = sum(likely) or 1.0
        total = [sum(total[n - k] * likely[k] for k in range(n + 1)) / scale for n in range(most + 1)]
    whole = total[expected] * _WHOLE
    beyond = sum(total[expected + extra] * _WHOLE * _TOO_MANY**extra for extra in range(1, most - expected + 1))
    missing = sum(total[:expected])
    return (whole + beyond) / ((whole + beyond + missing) or 1.0)


def _witnesses(stretches: tuple[Stretch, ...], heard: tuple[Heard, ...]) -> list[_Witness]:
    """Stretches joined where the same words belong to several of them; words without a voice stand alone."""
    groups: list[tuple[tuple[Stretch, ...], tuple[Heard, ...]]] = [((stretch,), ()) for stretch in stretches]
    for said in heard:
        voice: tuple[Stretch, ...] = ()
        spoken: tuple[Heard, ...] = (said,)
        apart = []
        for group in groups:
            if any(_overlap(stretch, said) for stretch in group[0]):
                voice, spoken = voice + group[0], group[1] + spoken
            else:
                apart.append(group)
        groups = [*apart, (voice, spoken)]
    return [_witness(voice, spoken) for voice, spoken in groups]


def _overlap(stretch: Stretch, said: Heard) -> bool:
    """Words without a time belong to all the voice there was."""
    if not said.ended_ms:
        return True
    return said.started_ms < stretch.ended_ms + _SLACK_MS and stretch.began_ms - _SLACK_MS < said.ended_ms


def _witness(voice: Sequence[Stretch], heard: Sequence[Heard]) -> _Witness:
    counted = all(stretch.bursts for stretch in voice)
    if counted:
        bursts = float(sum(stretch.bursts for stretch in voice))
    else:
        bursts = sum((stretch.ended_ms - stretch.began_ms) / _MS_PER_DIGIT + _DIGITS_MORE for stretch in voice)
    spoken = [said for said in heard if said.text]
    if not spoken:
        return _Witness(bursts, counted, None, 0, 0.0)
    digits, others = _counted(" ".join(said.text for said in spoken))
    sure = min(said.confidence for said in spoken)
    return _Witness(bursts, counted and bool(voice), digits, others, min(max(sure, _UNSURE), _SURE))


def _likelihood(seen: _Witness, digits: int) -> float:
    """How well so many digits explain what was heard."""
    by_words = 1.0
    if seen.digits is not None:
        off = abs(digits - seen.digits)
        by_words = (1 - seen.confidence) * 0.5**off if off else seen.confidence
    if not seen.bursts:
        return by_words
    units = digits + seen.others
    if units == 0:
        return by_words * _NO_DIGIT
    flat, growing = (
        (_SOUND_SPREAD, _SOUND_SPREAD_PER_DIGIT) if seen.counted else (_DURATION_SPREAD, _DURATION_SPREAD_PER_DIGIT)
    )
    spread = flat + growing * units
    careful = math.exp(-0.5 * ((seen.bursts - units) / spread) ** 2) / spread
    fluent = 1 / units if units / 2 <= seen.bursts <= units else 0.0
    return by_words * ((1 - _FLUENT) * careful + _FLUENT * fluent + 1e-6)


def _counted(text: str) -> tuple[int, int]:
    """Digits, and words that are none."""
    digits = others = 0
    tens = False
    for token in re.findall(r"\d|[^\W\d_]+", text.lower()):
        if token.isdigit() or (token in _DIGIT_WORDS and not tens):
            digits += 1
        elif token in _TWO_DIGITS:
            digits += 2
        elif token in _REPEATS:
            digits += _REPEATS[token]
        elif token not in _DIGIT_WORDS:
            others += 1
        tens = token in words.TENS
    return digits, others


def _normal_quantile(share: float) -> float:
    """By bisection: four digits are plenty here."""
    low, high = -5.0, 5.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        below = 0.5 * (1 + math.erf(middle / math.sqrt(2))) < share
        low, high = (middle, high) if below else (low, middle)
    return (low + high) / 2
