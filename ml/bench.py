"""`python -m ml.bench --in leads.csv --label converted`: the whole pipeline judged from outside, on any table.

Five random folds show how well it ranks leads of periods it knows. Walking forward (train on the past, score the next
block, train again) shows what a team gets that starts today. Beside it: a plain logistic regression trained again
before each block, and gradient boosting trained once before the first block.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from ml.evaluate import report
from ml.model import Floats
from ml.pipeline import Plan, fit, one_thread, prepare
from ml.trees import TreeSettings

BLOCKS = np.array([0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
FROZEN = learners.Candidate("frozen gradient boosting", TreeSettings("boosted", 100, 5, 0.1, leaf=20))
Score = Callable[[Dataset, Dataset], Floats]


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


def bench(path: Path, wishes: Wishes, say: Callable[[str], None]) -> None:
    dataset = prepare(read(path, wishes))
    team = Plan().team
    with one_thread():
        folds = random_folds(dataset)
        y = dataset.y[np.concatenate([test for _, test in folds])]
        ours, theirs = judged(dataset, folds, pipeline), judged(dataset, folds, plain)
        say(f"## Five random folds of {path.name} ({len(dataset):,} rows)\n")
        say(table(report(y, ours, team), report(y, theirs, team)) + "\n")
        folds = blocks(dataset)
        y = dataset.y[np.concatenate([test for _, test in folds])]
        ours, theirs = judged(dataset, folds, pipeline), judged(dataset, folds, plain)
        say(f"## Walking forward over {len(folds)} blocks ({len(y):,} rows scored)\n")
        say(table(report(y, ours, team), report(y, theirs, team)) + "\n")
        first = folds[0][0]
        frozen = FROZEN.fit(dataset.schema, dataset.block.take(first), dataset.y[first])
        rest = dataset.block.take(np.arange(len(first), len(dataset)))
        figures = report(y, sigmoid(logit(frozen, rest)), team).metrics
        say(f"Frozen gradient boosting on the same rows: AUC {figures['auc']}, log loss {figures['log_loss']}.")


def main(
    in_: Annotated[Path, typer.Option("--in")],
    label: Annotated[str, typer.Option("--label")],
    time_column: Annotated[str | None, typer.Option()] = None,
) -> None:
    """Judge the pipeline on a table: five random folds, then walking forward in time. Takes some minutes."""
    try:
        bench(in_, Wishes(label, time_column), typer.echo)
    except StrowgerError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)
