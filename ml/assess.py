"""`evaluate`: a saved model against a table with known outcomes, streamed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import ml.label as labels
from app.errors import BadTable
from ml.candidates import logit, sigmoid
from ml.encode import Encoder
from ml.evaluate import Report, report, with_tiers
from ml.model import LeadModel, Model
from ml.table import CHUNK_ROWS, open_table
from ml.tiers import Team


def team_of(model: Model) -> Team:
    """The team the model's tiers were cut for."""
    known = model.card.get("team", {})
    return Team(**known)


def assess_file(path: Path, label: str, lead_model: LeadModel, team: Team | None = None) -> tuple[Report, Report]:
    """The model and the plain baseline it carries, on the same rows. Rows without a label are left out."""
    model = lead_model.model
    table = open_table(path)
    at = table.index(label)
    encoder = Encoder(model.schema, table.header)
    y: list[int] = []
    scores, plain = [], []
    others: set[str] = set()
    for chunk, _ in table.chunks(CHUNK_ROWS):
        known = [(row, labels.tidy(row[at])) for row in chunk]
        kept = [row for row, value in known if value is not None]
        y += [int(value == model.schema.positive) for _, value in known if value is not None]
        others.update(value for _, value in known if value not in (None, model.schema.positive))
        if len(others) > 1:
            raise BadTable(f"the label column {label!r} has more than two values: {', '.join(sorted(others)[:3])} ...")
        if kept:
            block = encoder.block(kept)
            scores.append(model.predict(block).probability)
            plain.append(sigmoid(logit(model.baseline, block)))
    if not y:
        raise BadTable(f"{path.name} has no row with a known {label!r}.")
    truth = np.array(y, dtype=np.int8)
    team = team or team_of(model)
    p = np.concatenate(scores)
    found = with_tiers(report(truth, p, team), truth, p, model.cuts)
    return found, report(truth, np.concatenate(plain), team)
