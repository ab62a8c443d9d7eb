"""`strowger bench --find-capacity --processes N`: how much more do N processes hold than one?

With a core for each process and one more for the phones, both capacities are searched for and the ratio is measured.
With fewer cores the phones take from the service what they need, and a search would find the machine's limit and not
the service's: then one process and N are given the same calls, and what a call costs in each is measured. How many
calls N cores would hold at that cost is reckoned, and said to be.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import uvloop
from rich.console import Console

from app.bench import Configuration, chosen, configurations, opened
from app.bench_capacity import find
from app.bench_report import Findings
from app.dialog.transcript import percentile

WANTED = 1.7  # times what one process holds, with two
_SECONDS = 20.0
_SOME = 64  # calls; with few of them what a process costs without any would count as theirs


@dataclass(frozen=True, slots=True)
class EqualLoad:
    """The same calls, held by so many processes."""

    processes: int
    found: Findings

    @property
    def share_of_a_core(self) -> float:
        """What one call takes, the parent of several processes included."""
        return self.found.load.service_share / self.found.calls

    def sentence(self) -> str:
        replies = self.found.replies_ms
        return (
            f"{self.processes} process{'es' * (self.processes > 1)}: {self.found.calls} calls, "
            f"{100 * self.share_of_a_core:.2f} % of a core a call, p50 {percentile(replies, 0.5)} p99 "
            f"{percentile(replies, 0.99)} ms of {len(replies)} replies, {self.found.underruns} underruns, "
            f"{self.found.missed} missed replies"
        )

    def as_dict(self) -> dict[str, object]:
        replies = self.found.replies_ms
        return {
            "processes": self.processes,
            "calls": self.found.calls,
            "share_of_a_core_per_call": round(self.share_of_a_core, 4),
            "p50_ms": percentile(replies, 0.5),
            "p99_ms": percentile(replies, 0.99),
        }


def cost_ratio(one: EqualLoad, many: EqualLoad) -> float:
    """How many times the calls of one process on one core as many processes would hold on as many cores, as far as
    processor time decides."""
    return many.processes * one.share_of_a_core / many.share_of_a_core


def equal_load(what: Configuration, calls: int, processes: int) -> EqualLoad:
    """Raises ServiceNotStarted."""
    with opened(processes) as bench:
        return EqualLoad(processes, uvloop.run(bench.run(what, calls, _SECONDS, manners=False)))


def report(only: Sequence[str], begin: int, most: int, processes: int, *, as_json: bool) -> int:
    """Of the configurations chosen, the default one if none was."""
    console = Console(quiet=as_json)
    with opened(processes) as bench:
        apart = bool(bench.cores.service) and not set(bench.cores.service) & set(bench.cores.others)
        console.print(bench.cores.text, style="bold")
    for what in chosen(list(only) or list(configurations())[:1]):
        measured = _searched if apart else _shared
        body = measured(what, begin, most, processes, console)
        if as_json:
            sys.stdout.write(json.dumps({"configuration": what.name, **body}, indent=2) + "\n")
    return 0


def _searched(what: Configuration, begin: int, most: int, processes: int, console: Console) -> dict[str, object]:
    held = []
    for each in (1, processes):
        with opened(each) as bench:
            console.print(f"{what.name}, {each} of it", style="bold")
            held.append(uvloop.run(find(bench, what, begin, most, console)))
            console.print(held[-1].sentence(), style="bold")
    ratio = held[1].calls / held[0].calls if held[0].calls else 0.0
    console.print(f"{processes} processes hold {ratio:.2f} times the calls of one (wanted with two: {WANTED:g})")
    return {"one": held[0].as_dict(), "many": held[1].as_dict(), "ratio": round(ratio, 2)}


def _shared(what: Configuration, begin: int, most: int, processes: int, console: Console) -> dict[str, object]:
    calls = min(most, max(begin, _SOME))
    console.print(
        f"{processes} processes need {processes + 1} cores for this, the phones' included; here they share, and so the "
        f"ratio of what is held cannot be measured. The same {calls} calls instead, with one process and with "
        f"{processes}:"
    )
    one, many = (equal_load(what, calls, each) for each in (1, processes))
    ratio = cost_ratio(one, many)
    for each in (one, many):
        console.print(each.sentence())
    console.print(
        f"A call costs {many.share_of_a_core / one.share_of_a_core:.2f} times as much. At that, {processes} cores "
        f"would hold {ratio:.2f} times the calls of one: reckoned, not measured (wanted with two: {WANTED:g})."
    )
    return {"equal_load": [one.as_dict(), many.as_dict()], "ratio_reckoned": round(ratio, 2)}
