"""`python -m ml.bench --in leads.csv --label converted`: the whole pipeline judged from outside, on any table.

Five random folds show how well it ranks leads of periods it knows. Walking forward (train on the past, score the next
block, train again) shows what a team gets that starts today. Beside it: a plain logistic regression trained again
before each block, and gradient boosting trained once before the first block. Without a table: speed alone, on
simulated leads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

import ml.candidates as learners
from app.errors import StrowgerError
from ml.candidates import BASELINE, Fold, logit, random_folds, sigmoid
from ml.card import table
from ml.dataset import Dataset, Wishes, read
from ml.evaluate import Report, report
from ml.model import Floats, LeadModel
from ml.pipeline import Plan, fit, one_thread, prepare
from ml.speed import Speed, rows_of, speed_of
from ml.trees import TreeSettings

BLOCKS = np.array([0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
FROZEN = tuple(
    learners.Candidate(f"{trees} trees of depth {depth}", TreeSettings("boosted", trees, depth, rate, leaf=20))
    for trees, depth, rate in ((100, 5, 0.1), (120, 3, 0.06), (150, 2, 0.07), (60, 2, 0.05))
)
Score = Callable[[Dataset, Dataset], Floats]


@dataclass(frozen=True, slots=True)
class Pair:
    """The same rows scored by the whole pipeline and by a plain logistic regression that was trained alike."""

    ours: Report
    plain: Report


def pipeline(train: Dataset, test: Dataset) -> Floats:
    """Everything `strowger train` does, on these rows alone."""
    return fit(prepare(train), Plan()).model.predict(test.block).probability


def plain(train: Dataset, test: Dataset) -> Floats:
    return sigmoid(logit(BASELINE.fit(train.schema, train.block, train.y), test.block))


def blocks(dataset: Dataset) -> list[Fold]:
    cuts = (BLOCKS * len(dataset)).astype(int)
    rows = np.arange(len(dataset))
    return [(rows[:a], rows[a:b]) for a, b in pairwise(cuts)]


def judged(dataset: Dataset, folds: Sequence[Fold], score: Score) -> Floats:
    """Scores of all tested rows, fold after fold."""
    return np.concatenate([score(dataset.take(train), dataset.take(test)) for train, test in folds])


def compared(dataset: Dataset, folds: Sequence[Fold]) -> Pair:
    team = Plan().team
    with one_thread():
        y = dataset.y[np.concatenate([test for _, test in folds])]
        return Pair(
            report(y, judged(dataset, folds, pipeline), team),
            report(y, judged(dataset, folds, plain), team),
        )


def in_period(dataset: Dataset) -> Pair:
    return compared(dataset, random_folds(dataset))


def walking_forward(dataset: Dataset) -> Pair:
    return compared(dataset, blocks(dataset))


def frozen(dataset: Dataset) -> dict[str, Report]:
    """Boosted trees trained once, before the first block, on the rows that walking forward scores."""
    first = blocks(dataset)[0][0]
    rest = np.arange(len(first), len(dataset))
    found = {}
    with one_thread():
        for candidate in FROZEN:
            part = candidate.fit(dataset.schema, dataset.block.take(first), dataset.y[first])
            p = sigmoid(logit(part, dataset.block.take(rest)))
            found[candidate.name] = report(dataset.y[rest], p, Plan().team)
    return found


def speed(dataset: Dataset, path: Path) -> Speed:
    with one_thread():
        return speed_of(LeadModel(fit(dataset, Plan()).model), rows_of(path))


def speed_on_simulated_leads() -> Speed:
    from ml.default import ROWS, simulated
    from ml.simulate import leads

    made_up = leads(ROWS)
    with one_thread():
        return speed_of(LeadModel(fit(simulated(made_up), Plan()).model), [lead.row for lead in made_up])


def bench(path: Path, wishes: Wishes, say: Callable[[str], None]) -> None:
    dataset = prepare(read(path, wishes))
    found = in_period(dataset)
    say(f"## Five random folds of {path.name} ({len(dataset):,} rows)\n")
    say(table(found.ours, found.plain) + "\n")
    found = walking_forward(dataset)
    say(f"## Walking forward over {len(BLOCKS) - 1} blocks ({found.ours.rows:,} rows scored)\n")
    say(table(found.ours, found.plain) + "\n")
    for name, figures in frozen(dataset).items():
        say(
            f"Frozen gradient boosting, {name}, on the same rows: AUC {figures.metrics['auc']}, "
            f"log loss {figures.metrics['log_loss']}."
        )
    say(f"\nSpeed of a model of this table: {speed(dataset, path)}.")


def main(
    in_: Annotated[Path | None, typer.Option("--in", help="Without one: speed alone.")] = None,
    label: Annotated[str | None, typer.Option("--label")] = None,
    time_column: Annotated[str | None, typer.Option()] = None,
) -> None:
    """Judge the pipeline on a table: five random folds, then walking forward in time. Takes some minutes."""
    try:
        if in_ is None or label is None:
            typer.echo(f"Speed on simulated leads: {speed_on_simulated_leads()}.")
        else:
            bench(in_, Wishes(label, time_column), typer.echo)
    except StrowgerError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)
