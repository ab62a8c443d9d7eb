"""`train`, `evaluate` and `score`: as functions, and as commands for a terminal.

A fault in what was given is one sentence on standard error and exit code 2. Results go to standard output, everything
else to standard error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from app.errors import BadTable, StrowgerError

if TYPE_CHECKING:  # imported where used: `strowger --help` must not wait for numerical libraries
    from ml.assess import Assessed
    from ml.columns import Schema
    from ml.evaluate import Report
    from ml.score import Progress, Scored
    from ml.tiers import Team
    from ml.train import Trained
    from ml.uplift import Uplift

app = typer.Typer(help="Models for people with a CSV: train, evaluate, score.", no_args_is_help=True)


class _ModelUnlessNamed(TyperGroup):
    """`evaluate` alone is about a model of leads and needs its options; with the name of something else it does not.
    So are `train` and `score`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if any(arg in self.commands for arg in args[:1]):
            for parameter in self.params:
                parameter.required = False
        return super().parse_args(ctx, args)


training, evaluation, scoring = (
    typer.Typer(cls=_ModelUnlessNamed, invoke_without_command=True, subcommand_metavar="[WHAT]") for _ in range(3)
)
app.add_typer(training, name="train")
app.add_typer(evaluation, name="evaluate")
app.add_typer(scoring, name="score")


def train(
    in_: Path,
    label: str,
    model: Path,
    time_column: str | None = None,
    *,
    allow: tuple[str, ...] = (),
    positive: str | None = None,
    schema: Path | None = None,
    treated: str | None = None,
    team: Team | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Trains on a CSV and writes the model with its schema and card beside it. Raises StrowgerError."""
    from ml.dataset import Wishes
    from ml.pipeline import Plan
    from ml.tiers import Team
    from ml.train import train_file

    wishes = Wishes(label, time_column, positive, allow, _schema(schema) if schema else None, treated)
    return train_file(in_, model, wishes, Plan(team or Team()), say)


def evaluate(in_: Path, label: str, model: Path, *, team: Team | None = None, treated: str | None = None) -> Assessed:
    """The model's figures on a labelled CSV, the plain baseline's, and what calls add. Raises StrowgerError."""
    from ml.artifacts import load
    from ml.assess import assess_file

    return assess_file(in_, label, load(model), team, treated)


def score(in_: Path, out: Path, model: Path | None = None, *, progress: Progress = lambda _: None) -> Scored:
    """Scores a CSV; without a model, with the shipped one (trained on simulated calls). Raises StrowgerError."""
    from ml.artifacts import load
    from ml.default import default_model
    from ml.score import score_file
    from ml.table import open_table

    open_table(in_)  # a file that cannot be read is the first thing to hear about
    lead_model = load(model) if model is not None else default_model(_data_dir())
    return score_file(in_, out, lead_model, progress)


def _data_dir() -> Path:
    import os

    return Path(os.environ.get("STROWGER_DATA_DIR") or ".strowger")


def _schema(path: Path) -> Schema:
    from ml.columns import schema_from

    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadTable(f"the schema {path} cannot be read: {error}.") from None
    return schema_from(body)


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except StrowgerError as error:
        typer.echo(" ".join(str(error).split()), err=True)
        raise typer.Exit(2) from None


In = Annotated[Path, typer.Option("--in", help="A CSV file with a header.", show_default=False)]
Label = Annotated[
    str, typer.Option("--label", help="The column to predict: yes/no, true/false or 0/1.", show_default=False)
]
ModelPath = Annotated[Path, typer.Option("--model", help="The model file.", show_default=False)]
Capacity = Annotated[float, typer.Option(help="Share of the leads that the team can call first.")]
Value = Annotated[float, typer.Option(help="What a sale is worth.")]
Cost = Annotated[float, typer.Option(help="What a call costs, in the same currency.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@training.callback()
def train_command(
    context: typer.Context,
    in_: In,
    label: Label,
    model: ModelPath,
    time_column: Annotated[str | None, typer.Option(help="The column that puts rows in time order.")] = None,
    allow: Annotated[
        list[str] | None, typer.Option(help="Use this column although it looks like a leak. Repeatable.")
    ] = None,
    positive: Annotated[
        str | None, typer.Option(help="The label value to predict, when it is not plainly yes or 1.")
    ] = None,
    schema: Annotated[
        Path | None, typer.Option(help="Use this schema (as written beside a model) for the columns.")
    ] = None,
    treated: Annotated[
        str | None,
        typer.Option(
            help="A yes/no column: was the lead called? Learns what a call adds from leads left uncalled by lot."
        ),
    ] = None,
    capacity: Capacity = 0.2,
    value: Value = 100.0,
    cost: Cost = 5.0,
    most_missed: Annotated[
        float | None, typer.Option(help="Share of the buyers that may end up cold, such as 0.05.", show_default="any")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a model on a CSV. Columns known only after the call are put aside and named."""
    if context.invoked_subcommand is not None:
        return
    from ml.tiers import Team

    with _one_sentence(), _spinner() as say:
        trained = train(
            in_,
            label,
            model,
            time_column,
            allow=tuple(allow or ()),
            positive=positive,
            schema=schema,
            treated=treated,
            team=Team(capacity, value, cost, most_missed),
            say=say,
        )
    for notice in trained.notices:
        typer.echo(f"Note: {notice}.", err=True)
    if as_json:
        _print_json(
            {"model": str(trained.path), "version": trained.model.version, "card": _short(trained.card.to_json())}
        )
        return
    _tell_trained(trained)


def _tell_trained(trained: Trained) -> None:
    typer.echo(f"Trained {trained.model.version} on {trained.card.rows:,} rows -> {trained.path}")
    typer.echo(f"Learner: {trained.card.forward}")
    if trained.card.inside:
        typer.echo(f"Learner for periods seen in training: {trained.card.inside}")
    if trained.card.later is not None:
        typer.echo("On the last fifth in time, trained on the rows before it:")
        _print_report(trained.card.later, trained.card.later_baseline)
    if trained.card.lift:
        chosen = next(trial for trial in trained.card.lift if trial.chosen)
        typer.echo(f"What a call adds: {chosen.name}, Qini {chosen.qini:.4f} on rows not seen in fitting")
    if trained.card.lift_later is not None:
        _print_uplift(trained.card.lift_later)
    typer.echo(f"Card and schema: {trained.path}.card.md, {trained.path}.schema.json")


@evaluation.callback()
def evaluate_command(
    context: typer.Context,
    in_: In,
    label: Label,
    model: ModelPath,
    capacity: Annotated[
        float | None, typer.Option(help="Share of the leads that can be called.", show_default="the model's")
    ] = None,
    value: Annotated[float | None, typer.Option(help="What a sale is worth.", show_default="the model's")] = None,
    cost: Annotated[float | None, typer.Option(help="What a call costs.", show_default="the model's")] = None,
    treated: Annotated[
        str | None, typer.Option(help="A yes/no column: was the lead called? With an uncalled group, drawn by lot.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure a model on a CSV with known outcomes, each figure with a 95 % interval."""
    if context.invoked_subcommand is not None:
        return
    from ml.artifacts import load
    from ml.assess import assess_file, team_of
    from ml.tiers import Team

    with _one_sentence():
        loaded = load(model)
        known = team_of(loaded.model)
        team = Team(
            known.capacity if capacity is None else capacity,
            known.value if value is None else value,
            known.cost if cost is None else cost,
            known.most_missed,
        )
        found = assess_file(in_, label, loaded, team, treated)
    if as_json:
        _print_json({"version": loaded.version, **asdict(found)})
        return
    typer.echo(f"{loaded.version} on {in_.name}: {found.model.rows:,} rows, {found.model.positives:,} positive")
    _print_report(found.model, found.baseline)
    if found.uplift is not None:
        _print_uplift(found.uplift)
    if found.response is not None and found.uplift is not None:
        by_score = found.response.qini
        typer.echo(f"Qini by what a call adds {found.uplift.qini}, by the score alone {by_score}: {found.beyond} more")


@evaluation.command("models")
def models_command(
    data: Annotated[
        Path | None, typer.Option(help="A folder with bank_marketing/train.csv and telco_churn/train.csv.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="bank, telco, drill, speed, memory or files. Repeatable; all if left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What the models must show, each met or not met. Exit code 1 when something is not."""
    from ml.verdicts import PARTS, verdicts

    unknown = sorted(set(only or ()) - set(PARTS))
    found = []
    with _one_sentence():
        if unknown:
            raise BadTable(f"--only {unknown[0]} is not one of {', '.join(PARTS)}.")
        for verdict in verdicts(data, tuple(only or PARTS)):
            found.append(verdict)
            if not as_json:
                typer.echo(str(verdict))
    if as_json:
        _print_json([asdict(verdict) for verdict in found])
    if any(verdict.met is False for verdict in found):
        raise typer.Exit(1)


@scoring.callback()
def score_command(
    context: typer.Context,
    in_: In,
    out: Annotated[Path, typer.Option("--out", help="Where to write the scores.", show_default=False)],
    model: Annotated[Path | None, typer.Option("--model", help="A model file; without it, the shipped model.")] = None,
    as_json: Json = False,
) -> None:
    """Score every row of a CSV: probability, tier, bounds, three reasons, model version."""
    if context.invoked_subcommand is not None:
        return
    with _one_sentence(), _bar() as progress:
        scored = score(in_, out, model, progress=progress)
    for name, count in scored.unusable.items():
        typer.echo(f"Note: {count} values of {name!r} are not numbers and count as not known.", err=True)
    for name, count in scored.unseen.items():
        typer.echo(f"Note: {count} values of {name!r} are rare or new to the model and count as such.", err=True)
    if model is None:
        typer.echo("Note: this model was trained on simulated calls; train one on your own outcomes.", err=True)
    if as_json:
        _print_json(asdict(scored))
        return
    tiers = ", ".join(f"{count:,} {tier}" for tier, count in sorted(scored.tiers.items(), key=lambda t: _TIERS[t[0]]))
    typer.echo(f"{scored.rows:,} rows scored ({tiers}) -> {out}")


TextColumn = Annotated[str, typer.Option("--text", help="The column with the texts.")]


@training.command("text")
def train_text_command(
    in_: In,
    label: Annotated[str, typer.Option("--label", help="The column with one label a text.", show_default=False)],
    model: ModelPath,
    text: TextColumn = "text",
    outside: Annotated[
        str, typer.Option(help="The label of texts that are about none of the others.", show_default="none")
    ] = "",
    licence: Annotated[str, typer.Option(help="The licence of the texts, for the card.")] = "not said",
    as_json: Json = False,
) -> None:
    """Train a model of words on texts with labels. The card says how good it is on each text left out in turn."""
    from ml.text.files import Source, train_on

    with _one_sentence(), _spinner() as say:
        trained = train_on(Source(in_, label, text, outside, licence), model, say)
    if as_json:
        _print_json({"model": str(model), "version": trained.version, "card": trained.card})
        return
    card = trained.card
    typer.echo(f"Trained {trained.version} on {card['texts']:,} texts, {card['labels']} labels -> {model}")
    which = "Each text" if card["left_out"] == card["texts"] else f"{card['left_out']:,} of the texts"
    typer.echo(f"{which} left out in turn, {card['held_out_accuracy']:.1%} are told right.")
    typer.echo(f"Card: {model}.card.md")


@scoring.command("text")
def score_text_command(
    in_: In,
    out: Annotated[Path, typer.Option("--out", help="Where to write the labels.", show_default=False)],
    model: ModelPath,
    text: TextColumn = "text",
    as_json: Json = False,
) -> None:
    """Label every text of a CSV: label, probability, model version."""
    from ml.text.files import label_file

    with _one_sentence(), _spinner() as say:
        count = label_file(in_, out, model, text, say)
    if as_json:
        _print_json({"rows": count})
        return
    typer.echo(f"{count:,} texts labelled -> {out}")


_TIERS = {"hot": 0, "warm": 1, "cold": 2}


def _short(card: dict[str, Any]) -> dict[str, Any]:
    """Without the scores of buyers, of which there may be a thousand: they are in the file."""
    return {name: value for name, value in card.items() if name != "buyers"}


def _print_json(body: object) -> None:
    typer.echo(json.dumps(body, indent=2, ensure_ascii=False, default=str))


def _print_report(found: Report, baseline: Report | None) -> None:
    from rich.console import Console
    from rich.table import Table

    from ml.evaluate import METRICS

    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 140)
    figures = Table("figure", "model [95 %]", "plain logistic regression [95 %]")
    for key, name in METRICS.items():
        figures.add_row(name, _bare(found.metrics[key]), _bare(baseline.metrics[key]) if baseline else "")
    console.print(figures)
    money = Table(
        "calling the best", "profit [95 %]", "above random [95 %]", "at random", "plain logistic regr.", "knowing all"
    )
    for i, p in enumerate(found.profits):
        other = _bare(baseline.profits[i].model) if baseline else ""
        best = f"{p.oracle:,.0f} ({p.of_oracle.value:.0%} reached)"
        money.add_row(f"{p.share:.0%}", _bare(p.model), _bare(p.above_random), f"{p.random:,.0f}", other, best)
    console.print(money)
    if found.misses is not None:
        tiers = Table("tier", "leads", "of them bought", "of all buyers")
        for t in found.tiers:
            bought = f"{t.buyers:,} ({t.buyers / max(1, t.rows):.1%})"
            tiers.add_row(t.tier.value, f"{t.rows:,}", bought, f"{t.buyers / max(1, found.positives):.1%}")
        console.print(tiers)
        console.print(f"Buyers that ended up cold: {found.misses} ({found.misses.confidence:.0%} confidence)")


def _print_uplift(found: Uplift) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 140)
    console.print(
        f"What a call adds ({found.called:,} called, {found.uncalled:,} not): {_bare(found.effect)} sales per lead; "
        f"AUUC {_bare(found.auuc)}, Qini {_bare(found.qini)}"
    )
    table = Table("calling the best", "sales added per 1,000 leads [95 %]", "at random")
    for one in found.added:
        table.add_row(f"{one.share:.0%}", _bare(one.model), f"{one.random:.1f}")
    console.print(table)
    if not found.fair:
        console.print("The scores tell the called from the uncalled: no lot decided, and these figures may mislead.")


def _bare(figure: object) -> str:
    """Square brackets would be read as markup."""
    return str(figure).replace("[", "\\[")


@contextmanager
def _spinner() -> Iterator[Callable[[str], None]]:
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("starting") as status:
        yield lambda step: status.update(step)


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("scoring", total=1.0)
        yield lambda done: bar.update(task, completed=done)
