"""What models of words show on labelled sets: one table, asked beside seen.

A wish not to be called again is told by rule or by model: that is what a call acts on, so that is what is measured.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import typer

from app.dialog.guards import opts_out
from app.errors import BadTable
from app.evaluation import asking
from ml.text.trials.verdicts import parts, verdicts
from ml.verdicts import Verdict

WORDS = {True: "met", False: "NOT MET", None: "not measured"}


def report(data: Path | None, only: tuple[str, ...], as_json: bool) -> int:
    """Prints the table; 1 when something asked is not met. Progress goes to standard error. Raises BadTable."""
    if data is None:
        raise BadTable("--data is missing: the folder with the labelled sets, such as --data ./data.")
    known = {**parts(opts_out), "live": lambda data, say: asking.verdicts(say)}
    found = list(verdicts(data, only, known, lambda step: typer.echo(step, err=True)))
    if as_json:
        typer.echo(json.dumps([asdict(verdict) for verdict in found], indent=2, ensure_ascii=False))
    else:
        _print(found)
    return int(any(verdict.met is False for verdict in found))


def _print(found: Iterable[Verdict]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("figure", "asked", "seen", "")
    for verdict in found:
        table.add_row(verdict.what, verdict.needed, verdict.found, WORDS[verdict.met])
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else 160).print(table)
