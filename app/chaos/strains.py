"""F17, F22 and F26: a carrier that reads slowly, a crowd, and few descriptors. Criteria are those of the fault table.

Each is played to a service of its own, one seed after the other or, where they do not disturb each other, all at once.
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from app.chaos.crowd import Desk, Heard, p95_ms
from app.chaos.figures import Figure
from app.chaos.waits import waits
from app.exchange.faults import Faults

OUR_LIMITS = {"STROWGER_MAX_BUSY": "0.85", "STROWGER_MAX_LAG_MS": "50"}  # as in production
SLOWER = 1.25  # at most, than the same turns had been before (P8)


@dataclass(frozen=True, slots=True)
class Found:
    """What one seed came to, and a line about it."""

    seed: int
    line: str
    figures: tuple[Figure, ...]


class Strain:
    """`env` is what its service is told besides the usual."""

    name: ClassVar[str]
    env: ClassVar[Mapping[str, str]] = {}

    def play(self, desk: Desk, pid: int, seeds: int) -> AsyncIterator[Found]:
        raise NotImplementedError


class SlowCarrier(Strain):
    """In the middle of the opening the link becomes slow; somebody breaks in, and then it is free again."""

    name = "F17"
    SLOW_FROM_MS, SLOW_MS, BREAK_IN_MS, OTHERS = 1_500, 6_500, 2_000, 5

    async def play(self, desk: Desk, pid: int, seeds: int) -> AsyncIterator[Found]:
        usual = await desk.hold(desk.talkers(self.OTHERS, 15))
        dice = Random(self.name)
        free_at = [self.SLOW_FROM_MS + self.SLOW_MS + dice.randrange(0, 1500, 20) for _ in range(seeds)]
        callers = [desk.breaks_in(ms - self.BREAK_IN_MS) for ms in free_at]
        faults = [Faults(slow_read_ms=(ms - self.SLOW_MS, ms)) for ms in free_at]
        async with asyncio.TaskGroup() as group:
            slow = group.create_task(desk.hold(callers, faults=faults), name="slow links")
            others = group.create_task(desk.hold(desk.talkers(self.OTHERS, 15)), name="others")
        for seed, held in enumerate(slow.result(), start=1):
            figures = (
                Figure("clear, after the link is free", held.cleared_s, 0.3),
                Figure("piled up in front of the carrier", held.piled_bytes / 1024, 256, "KiB"),
                *as_usual(usual, others.result(), "others'"),
            )
            yield Found(seed, f"link free {free_at[seed - 1] / 1000:.1f} s into the stream", figures)


class Crowd(Strain):
    """Ten times as many people as there are seats dial within ten seconds."""

    name = "F22"
    SEATS, OFFERED, WITHIN_S = 16, 160, 10.0
    env: ClassVar[Mapping[str, str]] = {**OUR_LIMITS, "STROWGER_MAX_CALLS": str(SEATS)}

    async def play(self, desk: Desk, pid: int, seeds: int) -> AsyncIterator[Found]:
        usual = await desk.hold(desk.talkers(self.SEATS, 10))
        for seed in range(1, seeds + 1):
            dice = Random(f"{self.name} {seed}")
            when_s = sorted(dice.uniform(0, self.WITHIN_S) for _ in range(self.OFFERED))
            async with waits(pid) as kept:
                crowd = await desk.hold(desk.talkers(self.OFFERED, 0), when_s)
            taken = [one for one in crowd if not one.ear.refused]
            after = await desk.hold(desk.talkers(self.SEATS, 10))
            figures = (*strained(usual, crowd, taken), *recovered(usual, after))
            yield Found(seed, f"{len(taken)} of {len(crowd)} callers taken on{_troubles(taken)}; {kept}", figures)


class FewFiles(Strain):
    """A hundred people dial at once, and the process may open no more than 256 files."""

    name = "F26"
    env: ClassVar[Mapping[str, str]] = OUR_LIMITS
    FILES, LIVE, ATTEMPTS, LATER_S = 256, 8, 100, 12.0

    async def play(self, desk: Desk, pid: int, seeds: int) -> AsyncIterator[Found]:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (self.FILES, self.FILES))
        usual = await desk.hold(desk.talkers(self.LIVE, 15))
        for seed in range(1, seeds + 1):
            dice = Random(f"{self.name} {seed}")
            when_s = [self.LATER_S + dice.uniform(0, 1) for _ in range(self.ATTEMPTS)]
            async with asyncio.TaskGroup() as group:
                living = group.create_task(desk.hold(desk.talkers(self.LIVE, 20)), name="live calls")
                crowding = group.create_task(desk.hold(desk.talkers(self.ATTEMPTS, 0), when_s), name="attempts")
            live, crowd = living.result(), crowding.result()
            after = await desk.hold(desk.talkers(self.LIVE, 10))
            taken = [one for one in crowd if not one.ear.refused]
            figures = (*strained(usual, [*live, *crowd], [*live, *taken]), *recovered(usual, after))
            line = f"{len(taken)} of {len(crowd)} callers taken on beside {len(live)}{_troubles([*live, *taken])}"
            yield Found(seed, line, figures)


STRAINS: Sequence[Strain] = (SlowCarrier(), Crowd(), FewFiles())


def _troubles(people: Sequence[Heard]) -> str:
    found = Counter(one.trouble for one in people if one.trouble)
    return "".join(f"; {times} times {trouble}" for trouble, times in found.items())


def strained(usual: Sequence[Heard], everybody: Sequence[Heard], taken: Sequence[Heard]) -> Iterator[Figure]:
    refused = [one.answered_s for one in everybody if one.ear.refused]
    yield Figure("spoken answer to whom there was no seat for", max(refused, default=0.0), 1.0)
    yield Figure("taken on and then dropped", sum(bool(one.trouble) for one in taken), 0, "")
    yield Figure("gaps in what they heard", sum(one.ear.underruns for one in taken), 0, "")
    yield from as_usual(usual, taken, "their")
    yield Figure("webhooks that failed", sum(bool(one.record.alerts) for one in everybody), 0, "")


def recovered(usual: Sequence[Heard], after: Sequence[Heard]) -> Iterator[Figure]:
    yield Figure("callers without a seat afterwards", sum(one.ear.refused for one in after), 0, "")
    yield from as_usual(usual, [one for one in after if not one.ear.refused], "later")


def as_usual(usual: Sequence[Heard], now: Sequence[Heard], whose: str) -> Iterator[Figure]:
    yield Figure(f"{whose} turns, p95, of the usual {p95_ms(usual)} ms", p95_ms(now) / p95_ms(usual), SLOWER, "times")
