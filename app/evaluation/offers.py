"""`strowger evaluate offers`: whole calls with made-up people whose package is known, and which one was suggested."""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.progress import track
from rich.table import Table

from app import playbooks
from app.dialog.playbook import parse
from app.providers.offline.intents import Intents
from app.providers.offline.tts import OfflineTextToSpeech
from app.sales.offer import NOT_KNOWN
from app.sales.packages import assortment_of, told_in
from app.settings import load
from app.simulator.choosers import chooser
from app.simulator.hold import Business, hold
from app.simulator.run import TODAY


@dataclass(frozen=True, slots=True)
class Found:
    """`named` is None for "not enough known yet"; `told` whether the call got as far as a deciding fact."""

    true: str
    named: str | None
    told: bool


@dataclass(frozen=True, slots=True)
class OfPackage:
    """`precision` of those it was named for, `recall` of those it truly suits and a package was named."""

    name: str
    callers: int
    named: int
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class Figures:
    """`right` is the share among those where a package was named, `right_of_all` counts the others as wrong.
    `plain` is `right` of the playbook's conditions alone, of the calls in which they name a package."""

    calls: int
    named: int
    not_known: float
    right: float
    right_of_all: float
    told: int
    right_of_told: float
    packages: tuple[OfPackage, ...]


def report(*, calls: int, seed: int, playbook: str | None, as_json: bool) -> int:
    from ml.offers import train

    settings = load()
    name = playbook or settings.playbook
    book = parse(playbooks.text_of(name), name)
    business = Business(book, Intents.load(book, settings.data_dir), OfflineTextToSpeech(), TODAY)
    assortment = assortment_of(book)
    model = train(assortment)
    deciding = {condition.fact for package in assortment.packages for condition in package.conditions}
    console = Console(stderr=True)
    found, plain = [], []
    for number in track(range(calls), "Calls", console=console, disable=not console.is_terminal):
        person = chooser(book, random.Random(f"offers {seed} {number}"))
        told = told_in(hold(business, person.caller.phone))
        knows = bool(deciding & told.facts.keys())
        place = assortment.by_rules(told.facts)
        found.append(Found(person.package, model.suggest(told).package, knows))
        plain.append(Found(person.package, None if place is None else assortment.names[place], knows))
    figures, rules = figures_of(assortment.names, found), figures_of(assortment.names, plain)
    if as_json:
        sys.stdout.write(
            json.dumps({"model": model.version, **asdict(figures), "rules": asdict(rules)}, indent=2) + "\n"
        )
    else:
        _show(Console(), assortment.names, found, figures, rules, model.version)
    return 0


def figures_of(names: Sequence[str], found: Sequence[Found]) -> Figures:
    named = [one for one in found if one.named is not None]
    told = [one for one in found if one.told]
    return Figures(
        calls=len(found),
        named=len(named),
        not_known=1 - len(named) / max(1, len(found)),
        right=_right(named),
        right_of_all=_right(found),
        told=len(told),
        right_of_told=_right(told),
        packages=tuple(_of_package(name, found) for name in names),
    )


def _right(found: Sequence[Found]) -> float:
    return sum(one.named == one.true for one in found) / max(1, len(found))


def _of_package(name: str, found: Sequence[Found]) -> OfPackage:
    suits = [one for one in found if one.true == name]
    named = [one for one in found if one.named == name]
    return OfPackage(
        name, len(suits), len(named), _right(named), _right([one for one in suits if one.named is not None])
    )


def _show(
    console: Console, names: Sequence[str], found: Sequence[Found], figures: Figures, rules: Figures, version: str
) -> None:
    table = Table(title=f"{figures.calls} simulated calls with a known package", title_justify="left", box=None)
    for title in ("", version, "conditions alone"):
        table.add_column(title, justify="left" if not title else "right", overflow="fold")
    rows = (
        ("a package was named", [f"{of.named} of {of.calls} ({1 - of.not_known:.1%})" for of in (figures, rules)]),
        ("right, where one was named", [f"{of.right:.1%}" for of in (figures, rules)]),
        (f"right, of {figures.told} who told a deciding fact", [f"{of.right_of_told:.1%}" for of in (figures, rules)]),
        ("right, of all callers", [f"{of.right_of_all:.1%}" for of in (figures, rules)]),
    )
    for label, cells in rows:
        table.add_row(label, *cells)
    console.print(table)
    console.print(_confusion(names, found, figures))


def _confusion(names: Sequence[str], found: Sequence[Found], figures: Figures) -> Table:
    counts = Counter((one.true, one.named or NOT_KNOWN) for one in found)
    table = Table(title="true package (rows) and the one named", title_justify="left", box=None)
    for title in ("", *names, NOT_KNOWN, "named right", "named of it right"):
        table.add_column(title, justify="left" if not title else "right")
    for of in figures.packages:
        cells = [str(counts[of.name, named]) for named in (*names, NOT_KNOWN)]
        table.add_row(of.name, *cells, f"{of.recall:.1%}", f"{of.precision:.1%}")
    return table
