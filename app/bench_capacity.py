"""`strowger bench --find-capacity`: how many simultaneous calls one process on one core holds.

Held means: 99 of 100 replies come within 200 ms of what one call alone waits in the middle, nothing stutters, no reply
is missed. Found by doubling until that fails and halving the step from there on. The phones have limits of their own,
and it is said when those were reached first.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console

from app.bench import Bench, Configuration, chosen, configurations, opened
from app.bench_report import Findings
from app.dialog.transcript import percentile

_SLACK_MS = 200
_SECONDS, _ALONE_S = 15.0, 25.0
_OTHERS_SHARE = 0.1  # beyond it, what is measured is also the machine's other work
_STEP = 8  # calls; finer is noise
_PHONES_SHARE, _PHONES_LATE_MS = 0.92, 60.0  # beyond either it is the measuring side that is measured


class Search:
    """Which number to try next: twice as many while they are held, then halfway between held and not."""

    def __init__(self, begin: int, most: int) -> None:
        self._begin, self._most = min(begin, most), most
        self.held = 0
        self.failed: int | None = None  # the least that was not held

    def next(self) -> int | None:
        """None when it is known closely enough."""
        if self.failed is None:
            return None if self.held == self._most else min(2 * self.held or self._begin, self._most)
        return (self.held + self.failed) // 2 if self.failed - self.held > _STEP else None

    def tell(self, calls: int, *, held: bool) -> None:
        if held:
            self.held = calls
        else:
            self.failed = calls


@dataclass(frozen=True, slots=True)
class Trial:
    calls: int
    p99_ms: int | None
    limit_ms: int
    found: Findings

    @property
    def why_not(self) -> str:
        """What was not held; "" when all was."""
        found = self.found
        if found.refused:
            return f"{found.refused} callers never found a seat"
        if found.underruns:
            return f"{found.underruns} underruns"
        if found.missed:
            return f"{found.missed} missed replies"
        if found.strangers.sounds or found.alerts:
            return "; ".join(found.alerts) or "somebody else's sound"
        if self.p99_ms is None or self.p99_ms > self.limit_ms:
            return f"p99 {self.p99_ms} ms, above {self.limit_ms}"
        return ""

    @property
    def phones_at_limit(self) -> bool:
        return self.found.load.phones_share > _PHONES_SHARE or self.found.load.phones_late_ms > _PHONES_LATE_MS


@dataclass(frozen=True, slots=True)
class Capacity:
    """`calls` were held; `limit` is the trial that was not, None when nothing failed up to `most`."""

    calls: int
    limit: Trial | None
    trials: tuple[Trial, ...]

    def as_dict(self) -> dict[str, object]:
        return {
            "capacity": self.calls,
            "limited_by": self._limited_by(),
            "trials": [
                {"calls": trial.calls, "p99_ms": trial.p99_ms, "limit_ms": trial.limit_ms, "failed": trial.why_not}
                | {
                    "cpu_share": round(trial.found.load.service_share, 3),
                    "phones_share": round(trial.found.load.phones_share, 2),
                }
                for trial in self.trials
            ],
        }

    def _limited_by(self) -> str:
        if self.limit is None:
            return "nothing that was tried"
        if self.limit.found.load.others_share > _OTHERS_SHARE:
            return f"other programs on the service's core, and {self.limit.why_not}"
        return "the phones' core" if self.limit.phones_at_limit else self.limit.why_not

    def sentence(self) -> str:
        return f"{self.calls} calls at once are held; limited by {self._limited_by()}"


async def find(bench: Bench, what: Configuration, begin: int, most: int, console: Console) -> Capacity:
    """Raises ServiceNotStarted."""
    async with bench.ready(what) as (line, service):
        alone = await bench.talk(line, service, 1, _ALONE_S)
        middle = percentile(alone.replies_ms, 0.5)
        limit_ms = (middle or 0) + _SLACK_MS
        console.print(f"one call: p50 {middle} ms of {len(alone.replies_ms)} replies, so p99 may be {limit_ms} ms")
        trials: list[Trial] = []

        async def holds(calls: int) -> bool:
            found = await bench.talk(line, service, calls, _SECONDS)
            trial = Trial(calls, percentile(found.replies_ms, 0.99), limit_ms, found)
            trials.append(trial)
            console.print(
                f"{calls} calls: p50 {percentile(found.replies_ms, 0.5)} p99 {trial.p99_ms} ms of "
                f"{len(found.replies_ms)} replies, service {100 * found.load.service_share:.0f} % of a core, phones "
                f"{100 * found.load.phones_share:.0f} %, others on the service's core "
                f"{100 * found.load.others_share:.0f} %, {found.turned_away} times no seat at once: "
                f"{trial.why_not or 'held'}"
            )
            return not trial.why_not

        search = Search(begin, most)
        while (calls := search.next()) is not None:
            search.tell(calls, held=await holds(calls))
    limit = next((trial for trial in reversed(trials) if trial.calls == search.failed), None)
    return Capacity(search.held, limit, tuple(trials))


def report(only: Sequence[str], begin: int, most: int, processes: int, *, as_json: bool) -> int:
    """Of the configurations chosen, the default one if none was. Prints as it goes, unless for a program."""
    import uvloop

    console = Console(quiet=as_json)
    names = list(only) or list(configurations())[:1]
    with opened(processes) as bench:
        for what in chosen(names):
            console.print(f"{what.name}; {bench.cores.text}", style="bold")
            found = uvloop.run(find(bench, what, begin, most, console))
            console.print(found.sentence(), style="bold")
            if as_json:
                sys.stdout.write(json.dumps({"configuration": what.name, **found.as_dict()}, indent=2) + "\n")
    return 0
