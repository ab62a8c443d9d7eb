"""The faults F07 to F13: how each strikes, and what it has to show. Criteria are those of the fault table.

A fault strikes a seed's world, which its calls share, or each call by itself, always at a moment the seed chooses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import ClassVar, TypeVar

from app.chaos import measures
from app.chaos.caller import Asking
from app.chaos.figures import Figure
from app.chaos.hold import Held
from app.chaos.world import WORDS, CallWorld, World
from app.dialog.events import AgentHeard, AgentSaid, CallerSaid, ProviderFailed
from app.exchange.completions import Completion
from app.exchange.elevenlabs import SpeechFaults
from app.exchange.listening import ListenFaults
from app.exchange.sound import FRAME_MS

F = TypeVar("F")

STRUCK = 1  # which of a caller's questions the fault strikes in
LONGER = "Most homes pay between ten and twenty eight thousand dollars. Do you own your home?"
_LOOK_S = 0.005
_FILLING = ("acknowledge", "filler")
_MS_PER_LETTER = 60  # of the emulated voice


@dataclass(slots=True)
class Seed:
    """One seed's calls and what was noted while they were held."""

    number: int
    dice: Random
    world: World
    held: list[Held] = field(default_factory=list)
    struck_at: float = 0.0  # the loop's time, where the world was struck
    noted: dict[str, list[float]] = field(default_factory=dict)

    def note(self, what: str, value: float) -> None:
        self.noted.setdefault(what, []).append(value)


class Fault:
    """Strikes nothing."""

    name: ClassVar[str]
    what: ClassVar[str]
    asks: ClassVar[int] = 3
    quiet_ms: ClassVar[int] = 1200

    async def strike_call(self, seed: Seed, call: CallWorld, asking: Asking) -> None:
        """Once `asking` began. Over before the caller has said it."""

    async def strike_world(self, seed: Seed) -> None:
        """As soon as a call of the seed comes to the question in which it strikes."""

    def figures(self, seed: Seed) -> Iterator[Figure]:
        yield from promise(seed.held)

    async def _within(self, seed: Seed, asking: Asking) -> None:
        """Somewhere in the middle of it."""
        await asyncio.sleep(asking.seconds * seed.dice.uniform(0.2, 0.8))


def take_over(seed: Seed, since: float = 0.0) -> Figure:
    """An answer, whoever gives it, within the turn; a filler is none. `since` a loop's time."""
    found = [wait for held in seed.held for wait in answer_waits(held, since)]
    return Figure("answer within the turn", max(found), 2.5)


def promise(held: Sequence[Held]) -> Iterator[Figure]:
    """P2 under a single fault: from the caller's last sound to some speech."""
    found = [wait for each in held for wait in measures.waits(each.record)]
    yield Figure("speech after the caller", max(found) / 1000, 4.0)
    yield Figure("turns with speech in 2.5 s", 100 * sum(wait <= 2500 for wait in found) / len(found), 99, "%", True)
    lost = sum(each.reason not in ("caller_hung_up", "finished") for each in held)
    yield Figure("calls that ended otherwise", lost, 0, "")


class ReconnectingEars(Fault):
    name, what = "F07", "speech to text: socket reset in mid-utterance"

    async def strike_call(self, seed: Seed, call: CallWorld, asking: Asking) -> None:
        await self._within(seed, asking)
        before, now = len(call.ears.connections), asyncio.get_running_loop().time
        call.ears.faults, began = ListenFaults(reset_after_ms=0, resets=before), now()
        seed.note("reconnected", await _until(lambda: len(call.ears.connections) > before, most_s=5.0) - began)
        call.ears.faults = ListenFaults()

    def figures(self, seed: Seed) -> Iterator[Figure]:
        yield take_over(seed)
        shares, doubled = [], 0
        for held in seed.held:
            understood = " ".join(said.text for said in facts(held, CallerSaid))
            shares.append(measures.present(held.world.lines[STRUCK], understood))
            doubled = max(doubled, measures.doubled(" ".join(held.world.lines), understood))
        yield Figure("words of the utterance present", 100 * min(shares), 95, "%", at_least=True)
        yield Figure("words heard twice", doubled, 0, "")
        yield Figure("reconnected", max(seed.noted["reconnected"]), 1.0)
        yield from promise(seed.held)


class DeafEars(Fault):
    name, what = "F08", "speech to text: takes audio, returns nothing"

    async def strike_call(self, seed: Seed, call: CallWorld, asking: Asking) -> None:
        await self._within(seed, asking)
        call.spare_hears_from(STRUCK)
        call.ears.faults = ListenFaults(silent=True)

    def figures(self, seed: Seed) -> Iterator[Figure]:
        yield take_over(seed)
        seen = [
            max(0.0, failed_at(held, "stt") - held.caller.askings[STRUCK].ended_at) if failed(held, "stt") else 99.0
            for held in seed.held
        ]
        yield Figure("noticed after the speech", max(seen), 3.0)
        understood = [" ".join(said.text for said in facts(held, CallerSaid)) for held in seed.held]
        shares = [
            measures.present(held.world.lines[STRUCK], text) for held, text in zip(seed.held, understood, strict=True)
        ]
        yield Figure("words of the utterance present", 100 * min(shares), 95, "%", at_least=True)
        yield from promise(seed.held)


class RefusingModel(Fault):
    """For `LASTS_S`, which is long enough for breakers to open and short enough for five seeds."""

    name, what = "F09", "language model: 429 with Retry-After, 500 or 503"
    asks = 4
    LASTS_S: ClassVar[float] = 15.0

    async def strike_world(self, seed: Seed) -> None:
        now = asyncio.get_running_loop().time
        status = seed.dice.choice((429, 500, 503))
        seed.world.model.replies = [Completion(status=status, retry_after="5" if status == 429 else "")]
        seed.note("requests before", len(seed.world.model.requests))
        began = now()
        seed.note("opened", await _until(lambda: _is_open(seed), most_s=self.LASTS_S) - began)
        await asyncio.sleep(max(0.0, began + self.LASTS_S - now()))
        seed.world.model.replies = [seed.world.usual]
        recovered = now()
        seed.note("closed", await _until(lambda: not _is_open(seed), most_s=20.0) - recovered)

    def figures(self, seed: Seed) -> Iterator[Figure]:
        yield take_over(seed)
        asked = [str(served.body["messages"]) for served in seed.world.model.requests if served.body.get("tools")]
        yield Figure("breaker opened", max(seed.noted["opened"]), 10.0)
        yield Figure("breaker closed after recovery", max(seed.noted["closed"]), 15.0)
        yield Figure("requests that were retries", 100 * (1 - len(set(asked)) / max(1, len(asked))), 10, "%")
        yield from promise(seed.held)


class LateModel(Fault):
    name, what = "F10", "language model: first token after 8 s"
    quiet_ms = 2200

    async def strike_world(self, seed: Seed) -> None:
        seed.world.model.replies = [Completion("This comes late. It depends on your roof.", first_s=8.0)]

    def figures(self, seed: Seed) -> Iterator[Figure]:
        yield take_over(seed, seed.struck_at)
        late, first = 0, 0
        for held in seed.held:
            first = max([first, *(wait for wait, at in timed_waits(held) if at >= seed.struck_at)])
            late += sum("late" in heard.heard_text.lower() for heard in facts(held, AgentHeard))
        yield Figure("filler or acknowledgement", first / 1000, 2.5)
        yield Figure("late answers spoken", late, 0, "")
        yield from promise(seed.held)


class BreakingModel(Fault):
    name, what = "F11", "language model: stream stops after 5 tokens"
    quiet_ms = 2200

    async def strike_world(self, seed: Seed) -> None:
        text = seed.dice.choice((WORDS, LONGER))
        trouble = seed.dice.choice(("stalls", "idles", "breaks", "ends"))
        seed.world.model.replies = [Completion(text, trouble=trouble, at=5, first_s=0.3, token_s=0.01)]

    def figures(self, seed: Seed) -> Iterator[Figure]:
        yield take_over(seed)
        odd = sum(_word_by_word(held) != measures.Resumption(0, 0) for held in seed.held)
        yield Figure("calls with a word cut in two", odd, 0, "")
        yield Figure("silence before the rest", _longest_pause(seed) / 1000, 2.5)
        yield from promise(seed.held)


class StallingVoice(Fault):
    name, what = "F12", "text to speech: stalls in mid-sentence"
    quiet_ms = 2200

    async def strike_world(self, seed: Seed) -> None:
        seed.world.mouth.faults = SpeechFaults(stall_after_ms=seed.dice.choice((480, 960)))

    def figures(self, seed: Seed) -> Iterator[Figure]:
        yield take_over(seed)
        found = [_word_by_word(held) for held in seed.held]
        yield Figure("calls whose words do not fit", sum(each is None for each in found), 0, "")
        yield Figure("words repeated", max((each.repeated for each in found if each), default=0), 3, "")
        yield Figure("words left out", max((each.missing for each in found if each), default=0), 0, "")
        clicks = sum(ms < 2 * FRAME_MS for held in seed.held for _, ms in measures.sounds(held.record))
        yield Figure("clicks and half frames", clicks, 0, "")
        yield Figure("underrun seen", max(_seen_after_dry(held) for held in seed.held), 0.5)
        yield Figure("silence before the rest", _longest_pause(seed) / 1000, 2.5)
        yield from promise(seed.held)


class Outage(Fault):
    name, what = "F13", "speech to text, language model and text to speech all down"
    asks = 2

    async def strike_call(self, seed: Seed, call: CallWorld, asking: Asking) -> None:
        await self._within(seed, asking)
        for ears in (call.ears, call.spare_ears):
            ears.faults = ListenFaults(status=503, reset_after_ms=0, resets=99)

    async def strike_world(self, seed: Seed) -> None:
        seed.world.model.replies = [Completion(status=500)]
        for mouth in (seed.world.mouth, seed.world.spare_mouth):
            mouth.faults = SpeechFaults(status=503, error="internal_error")

    def figures(self, seed: Seed) -> Iterator[Figure]:
        first, offer, impolite = [], [], 0
        for held in seed.held:
            ended = held.caller.askings[STRUCK].ended_at
            offers = [at for fact, at in timed(held) if isinstance(fact, AgentSaid) and "call you back" in fact.text]
            first.append(max(0.0, heard_from(held, ended) - ended))
            offer.append(max(0.0, heard_from(held, max(offers)) - ended) if offers else 99.0)
            impolite += not any("Goodbye" in heard.heard_text and heard.complete for heard in facts(held, AgentHeard))
        yield Figure("speech from a recording", max(first), 4.0)
        yield Figure("offer to call back", max(offer), 6.0)
        yield Figure("calls without a goodbye heard out", impolite, 0, "")
        others = sum(held.reason != "provider_outage" for held in seed.held)
        yield Figure("calls not ended as provider_outage", others, 0, "")


FAULTS: tuple[Fault, ...] = (
    ReconnectingEars(),
    DeafEars(),
    RefusingModel(),
    LateModel(),
    BreakingModel(),
    StallingVoice(),
    Outage(),
)


# --- what the log and the tape of a call say -------------------------------------------------------------------------


def timed(held: Held) -> Iterator[tuple[object, float]]:
    """Facts with the loop's time they were written at."""
    journal = held.world.journal
    return zip((entry.fact for entry in journal.entries), journal.written_at, strict=True)


def facts(held: Held, kind: type[F]) -> list[F]:
    return [fact for fact, _ in timed(held) if isinstance(fact, kind)]


def failed(held: Held, stage: str) -> bool:
    return any(each.stage == stage for each in facts(held, ProviderFailed))


def failed_at(held: Held, stage: str) -> float:
    return next(at for fact, at in timed(held) if isinstance(fact, ProviderFailed) and fact.stage == stage)


def heard_from(held: Held, at: float) -> float:
    """When the caller next heard something."""
    from_ms = (at - held.record.answered_at) * 1000
    began = [stretch.from_ms for stretch in held.record.handset.heard if stretch.to_ms > from_ms]
    return held.record.answered_at + max(from_ms, min(began)) / 1000 if began else at + 99


def timed_waits(held: Held) -> list[tuple[int, float]]:
    """Each wait with when it began."""
    waits = measures.waits(held.record)
    spoken = held.record.handset.spoken[: len(waits)]
    return [(wait, held.record.answered_at + said.to_ms / 1000) for wait, said in zip(waits, spoken, strict=True)]


def answer_waits(held: Held, since: float) -> Iterator[float]:
    """From the end of each question to the first sound of what is more than a filler; long, where there was none."""
    for asking in held.caller.askings:
        if asking.ended_at >= since:
            lines = [
                at
                for fact, at in timed(held)
                if isinstance(fact, AgentSaid) and fact.purpose not in _FILLING and at >= asking.ended_at - 0.5
            ]
            yield max(0.0, heard_from(held, min(lines)) - asking.ended_at) if lines else 99.0


async def _until(holds: Callable[[], bool], *, most_s: float) -> float:
    """When it came to hold; long after, if it did not."""
    now = asyncio.get_running_loop().time
    give_up = now() + most_s
    while not holds():
        if now() >= give_up:
            return give_up + 99
        await asyncio.sleep(_LOOK_S)
    return now()


def _is_open(seed: Seed) -> bool:
    return any(True for _ in seed.world.fuses.open(asyncio.get_running_loop().time()))


def _struck_ms(held: Held) -> int:
    return held.record.handset.spoken[STRUCK].to_ms


def _longest_pause(seed: Seed) -> int:
    return max(max(measures.pauses(held.record, _struck_ms(held)), default=0) for held in seed.held)


def _word_by_word(held: Held) -> measures.Resumption | None:
    """Of all that was said from the stricken question on."""
    struck = held.caller.askings[STRUCK].ended_at - 0.5
    said = [fact.text for fact, at in timed(held) if isinstance(fact, AgentSaid) and at >= struck]
    expected = [len(word) * _MS_PER_LETTER for text in said for word in text.split()]
    return measures.resumption(expected, [ms for _, ms in measures.sounds(held.record, _struck_ms(held))])


def _seen_after_dry(held: Held) -> float:
    """From where the line fell silent to the failure in the log; 0 when it was seen before, or never came to it."""
    if not failed(held, "tts"):
        return 0.0
    at_ms = (failed_at(held, "tts") - held.record.answered_at) * 1000
    quiet_ms = [stretch.to_ms for stretch in held.record.handset.heard if stretch.to_ms <= at_ms]
    speaking = any(stretch.from_ms <= at_ms < stretch.to_ms for stretch in held.record.handset.heard)
    asked_ms = _struck_ms(held)
    return 0.0 if speaking or not quiet_ms or quiet_ms[-1] < asked_ms else (at_ms - quiet_ms[-1]) / 1000
