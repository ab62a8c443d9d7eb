"""`evaluate`: a saved model against a table with known outcomes, streamed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import ml.label as labels
from app.errors import BadTable
from ml.candidates import logit, sigmoid
from ml.encode import Encoder
from ml.evaluate import Figure, Floats, Labels, Report, report, with_tiers
from ml.model import LeadModel, Model
from ml.table import CHUNK_ROWS, open_table
from ml.tiers import Team
from ml.uplift import Uplift, beyond, uplift


def team_of(model: Model) -> Team:
    """The team the model's tiers were cut for."""
    known = model.card.get("team", {})
    return Team(**known)


@dataclass(frozen=True, slots=True)
class Assessed:
    """The model and the plain baseline it carries, on the same rows; what calls add, where that can be told. Of a model
    that learned what a call adds, `uplift` is by that, `response` by its score, and `beyond` the Qini between them.
    """

    model: Report
    baseline: Report
    uplift: Uplift | None = None
    response: Uplift | None = None
    beyond: Figure | None = None


def assess_file(
    path: Path, label: str, lead_model: LeadModel, team: Team | None = None, treated: str | None = None
) -> Assessed:
    """Rows without a label are left out. `treated` names a yes/no column that says whether a lead was called: then rows
    that do not say so are left out too, and the model itself is measured on the leads that were called.
    """
    model = lead_model.model
    scored = _score(path, label, model, treated)
    y, p, plain = scored.y, scored.p, scored.plain
    added = response = gap = None
    if scored.called is not None:
        added = response = uplift(y, p, scored.called)
        if scored.lift is None:
            response = None
        else:
            added, gap = uplift(y, scored.lift, scored.called), beyond(y, scored.lift, p, scored.called)
        of_called = scored.called == 1
        y, p, plain = y[of_called], p[of_called], plain[of_called]
    team = team or team_of(model)
    return Assessed(with_tiers(report(y, p, team), y, p, model.cuts), report(y, plain, team), added, response, gap)


@dataclass(frozen=True, slots=True)
class _Scored:
    y: Labels
    p: Floats
    plain: Floats
    called: Labels | None
    lift: Floats | None


def _score(path: Path, label: str, model: Model, treated: str | None) -> _Scored:
    table = open_table(path)
    at = table.index(label)
    called_at = None if treated is None else table.index(treated)
    encoder = Encoder(model.schema, table.header)
    y: list[int] = []
    called: list[int] = []
    scores, plain, lifts = [], [], []
    others: set[str] = set()
    for chunk, _ in table.chunks(CHUNK_ROWS):
        kept = []
        for row in chunk:
            value = labels.tidy(row[at])
            told = True if called_at is None else labels.yes_or_no(row[called_at], treated or "")
            if value is None or told is None:
                continue
            kept.append(row)
            y.append(int(value == model.schema.positive))
            called.append(int(told))
            if value != model.schema.positive:
                others.add(value)
        if len(others) > 1:
            raise BadTable(f"the label column {label!r} has more than two values: {', '.join(sorted(others)[:3])} ...")
        if kept:
            block = encoder.block(kept)
            scores.append(model.predict(block).probability)
            plain.append(sigmoid(logit(model.baseline, block)))
            if model.lift is not None:
                lifts.append(model.lift.of(block)[0])
    if not y:
        raise BadTable(f"{path.name} has no row with a known {label!r}.")
    group = None if treated is None else np.array(called, dtype=np.int8)
    lift = np.concatenate(lifts) if lifts else None
    return _Scored(np.array(y, dtype=np.int8), np.concatenate(scores), np.concatenate(plain), group, lift)
