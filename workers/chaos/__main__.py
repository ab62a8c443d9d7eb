"""`python -m workers.chaos`: calls end while pool children, the whole worker or the broker with its data are killed.

Afterwards each call must have one outcome, one score and one message. Exit code 1 if one has not, or not in time.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from random import Random

from rich.console import Console

from app.chaos import report
from app.chaos.figures import Figure, worst
from app.chaos.rows import Finding, written
from workers.chaos import ledger
from workers.chaos.faults import FAULTS, Fault, Times, figures
from workers.chaos.ledger import Ledger
from workers.chaos.scene import Scene, scene

GIVE_UP_S = 150.0  # after the last part was back
LOOK_S = 0.5


def strike(on: Scene, fault: Fault, dice: Random) -> tuple[Ledger, Times]:
    """Plays the fault while calls end, then waits for what they cause."""
    arrivals = [(fault.arrivals_s * place / fault.calls, place) for place in range(fault.calls)]
    script: list[tuple[float, Callable[[], object]]] = [
        *((at, lambda place=place: on.end_call(place)) for at, place in arrivals),
        *((at, lambda act=act: act(on)) for at, act in fault.steps(dice)),
    ]
    began = time.monotonic()
    for at, happens in sorted(script, key=lambda step: step[0]):
        time.sleep(max(0.0, began + at - time.monotonic()))
        happens()
    return _settled(on, fault)


def _settled(on: Scene, fault: Fault) -> tuple[Ledger, Times]:
    first: dict[str, float] = {}
    before = ledger.read(on.owner_url, on.workspace, on.box)
    while True:
        found = ledger.read(on.owner_url, on.workspace, on.box)
        after = time.monotonic() - on.back_at
        for what, holds in (
            ("outcomes", found.outcomes >= fault.calls),
            ("working", found.done > before.done or not found.open),
            ("all_done", found.complete(fault.calls)),
        ):
            if holds:
                first.setdefault(what, after)
        if "all_done" in first or after > GIVE_UP_S:
            return found, Times(**first)
        time.sleep(LOOK_S)


def rehearse(fault: Fault, seeds: int, console: Console) -> Finding:
    found: list[tuple[int, Figure]] = []
    for number in range(1, seeds + 1):
        with scene(fault.think_s) as on:
            began = time.monotonic()
            seen, times = strike(on, fault, Random(f"{fault.name} {number}"))
            these = list(figures(fault, seen, times))
            found += [(number, figure) for figure in these]
            console.print(
                f"{fault.name} seed {number}: {fault.calls} calls, {on.children_killed} pool children killed, "
                f"{seen.handed_out} jobs handed out, slowest outcome {float(seen.slowest_outcome_s or 0):.1f} s after "
                f"its call, {time.monotonic() - began:.0f} s"
            )
            if not all(figure.holds for figure in these):
                console.print(on.last_words(), markup=False)
    return Finding(fault.name, "jobs", seeds, tuple(worst(found)))


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m workers.chaos", description=__doc__)
    arguments.add_argument("--faults", default=",".join(fault.name for fault in FAULTS))
    arguments.add_argument("--seeds", type=int, default=1)
    arguments.add_argument("--json", action="store_true", help="print one JSON document")
    asked = arguments.parse_args()
    console = Console(stderr=asked.json)
    wanted = [fault for fault in FAULTS if fault.name in asked.faults.split(",")]
    findings = [rehearse(fault, asked.seeds, console) for fault in wanted]
    if asked.json:
        sys.stdout.write(written(findings))
    else:
        report.criteria(console, findings)
    return 0 if all(finding.met for finding in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
