"""What stands at the end of `make chaos`: every criterion of a part, and one row for each fault."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.table import Table

from app.chaos.rows import FAULTS, NOT_RUN, Finding


def criteria(console: Console, findings: Iterable[Finding]) -> None:
    table = Table("fault", "criterion", "limit", "worst", "seed", "")
    for finding in findings:
        name = finding.fault
        for seed, figure in finding.figures:
            table.add_row(name, *figure.written(), str(seed), "" if figure.holds else "FAILS")
            name = ""
        table.add_section()
    console.print(table)


def summary(console: Console, findings: Iterable[Finding], missing: Mapping[str, str]) -> None:
    """`missing`: faults whose part was not run or did not come to its end, and why."""
    known = {finding.fault: finding for finding in findings}
    table = Table("fault", "what happens", "by", "seeds", "worst seed", "figure", "limit", "met")
    for fault, what in FAULTS.items():
        finding = known.get(fault)
        if finding is None or not finding.figures:
            table.add_row(fault, what, "", "", "", missing.get(fault) or NOT_RUN.get(fault, "not run"), "", "not run")
            continue
        seed, figure = finding.shown
        criterion, limit, value = figure.written()
        seeds, worst = (str(finding.seeds), str(seed)) if finding.seeds else ("", "")
        met = "yes" if finding.met else "NO"
        table.add_row(fault, what, finding.how, seeds, worst, f"{criterion}: {value}", limit, met)
    console.print(table)
    done = [finding for finding in known.values() if finding.figures]
    kept = sum(finding.met for finding in done)
    console.print(f"{kept} of {len(done)} faults met their criteria; {len(FAULTS) - len(done)} were not run.")
