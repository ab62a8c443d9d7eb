"""`python -m app.chaos.load`: F17, F22 and F26 against `strowger serve`, while people phone in over real sockets.

The providers are those of `strowger bench`, and what a caller hears is measured as there. The worst seed counts. Exit
code 1 if a criterion does not hold.
"""

from __future__ import annotations

import argparse
import sys
import time

import uvloop
from rich.console import Console

from app.bench import Bench, configurations, opened
from app.chaos import report
from app.chaos.crowd import Desk
from app.chaos.figures import Figure, worst
from app.chaos.rows import Finding, written
from app.chaos.strains import STRAINS, Strain


async def strike(bench: Bench, strain: Strain, seeds: int, console: Console) -> Finding:
    """Raises ServiceNotStarted."""
    found: list[tuple[int, Figure]] = []
    async with bench.ready(next(iter(configurations().values())), strain.env) as (line, service):
        desk, began = Desk(line.exchange, line.providers.register, bench.numbers), time.monotonic()
        async for one in strain.play(desk, service.role.pid, seeds):
            found += [(one.seed, figure) for figure in one.figures]
            console.print(f"{strain.name} seed {one.seed}: {one.line}, {time.monotonic() - began:.0f} s")
            line.providers.forget()
    return Finding(strain.name, "load", seeds, tuple(worst(found)))


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m app.chaos.load", description=__doc__)
    arguments.add_argument("--faults", default=",".join(strain.name for strain in STRAINS))
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--json", action="store_true", help="print one JSON document")
    asked = arguments.parse_args()
    console = Console(stderr=asked.json)
    wanted = [strain for strain in STRAINS if strain.name in asked.faults.split(",")]
    with opened() as bench:
        findings = [uvloop.run(strike(bench, strain, asked.seeds, console)) for strain in wanted]
    if asked.json:
        sys.stdout.write(written(findings))
    else:
        report.criteria(console, findings)
    return 0 if all(finding.met for finding in findings) else 1


if __name__ == "__main__":
    raise SystemExit(main())
