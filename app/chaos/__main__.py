"""`python -m app.chaos`: all parts of `make chaos` one after the other, and one row for every fault F01 to F30.

A part that fails does not keep the others from running. Exit code 1 if a criterion does not hold or a part did not come
to its end.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from json import JSONDecodeError

from rich.console import Console

from app.chaos import report
from app.chaos.rows import FAULTS, NOT_RUN, Finding, read


@dataclass(frozen=True, slots=True)
class Part:
    """A module that takes `--faults F07,F08 --json` and prints its findings on standard output, words beside it."""

    module: str
    faults: tuple[str, ...]
    most_s: float = 1800.0

    def run(self, wanted: Sequence[str]) -> tuple[list[Finding], str]:
        """Its findings, and why there are none where there are none."""
        argv = [sys.executable, "-m", self.module, "--json", "--faults", ",".join(wanted)]
        try:
            done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, timeout=self.most_s, check=False)  # noqa: S603 - ours
            return read(done.stdout), ""
        except subprocess.TimeoutExpired:
            return [], f"its part took more than {self.most_s:.0f} s"
        except (JSONDecodeError, KeyError, TypeError):
            return [], f"its part ended with code {done.returncode}"


STRUCK = (
    Part("app.chaos.providers", tuple(f"F{number:02}" for number in range(7, 14))),
    Part("app.chaos.load", ("F17", "F22", "F26")),
    Part("workers.chaos", ("F01", "F02", "F03")),
)
_ELSEWHERE = {fault for part in STRUCK for fault in part.faults} | NOT_RUN.keys()
PARTS = (*STRUCK, Part("app.chaos.tested", tuple(fault for fault in FAULTS if fault not in _ELSEWHERE)))


WIDE = 160  # columns: one line for each fault, in a file as well


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m app.chaos", description=__doc__)
    arguments.add_argument("--faults", default=",".join(FAULTS), help="F07,F22: these alone")
    asked = set(arguments.parse_args().faults.split(","))
    console = Console(width=max(WIDE, Console().width))
    findings: list[Finding] = []
    missing = {fault: "not asked for" for fault in FAULTS if fault not in asked}
    broken = False
    for part in PARTS:
        if wanted := [fault for fault in part.faults if fault in asked]:
            began = time.monotonic()
            console.print(f"{part.module}: {', '.join(wanted)}", style="bold")
            found, why = part.run(wanted)
            findings += found
            missing |= {fault: why for fault in wanted if why}
            broken = broken or bool(why)
            report.criteria(console, found)
            console.print(f"{part.module}: {time.monotonic() - began:.0f} s {why}")
    report.summary(console, findings, missing)
    return 1 if broken or not all(finding.met for finding in findings) else 0


if __name__ == "__main__":
    raise SystemExit(main())
