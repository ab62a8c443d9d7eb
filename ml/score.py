"""`score`: a CSV of leads in, a CSV of scores out, chunk by chunk, so that the size of the file does not matter."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import BadTable
from ml.encode import Encoder
from ml.explain import REASONS, explainer
from ml.model import LeadModel
from ml.table import CHUNK_ROWS, Table, open_table

ROW_ID = "row_id"
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Scored:
    """`unusable` counts cells that were no number, `unseen` categories unknown to the model, both by column."""

    rows: int
    tiers: dict[str, int] = field(default_factory=dict)
    unusable: dict[str, int] = field(default_factory=dict)
    unseen: dict[str, int] = field(default_factory=dict)
    new_period: int = 0


def score_file(
    table: Path, out: Path, model: LeadModel, progress: Progress = lambda _: None, chunk_rows: int = CHUNK_ROWS
) -> Scored:
    """One line per row, in order. The id is the first column that ends in `_id`, else the row's number as `row_id`.

    `out` appears whole or not at all. Raises BadTable with one sentence.
    """
    source = open_table(table)
    encoder = Encoder(model.model.schema, source.header)
    if out.exists() and out.samefile(table):
        raise BadTable("--out is the same file as --in: choose another name.")
    if out.is_dir():
        raise BadTable(f"{out} is a folder: name a file for the scores.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    except OSError as error:
        raise BadTable(f"{out} cannot be written: {error.strerror or error}.") from None
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            scored = _write(
                source, encoder, model, csv.writer(file, lineterminator="\n").writerows, progress, chunk_rows
            )
        unfinished.chmod(0o644)
        unfinished.replace(out)
    except OSError as error:
        raise BadTable(f"{out} cannot be written: {error.strerror or error}.") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return scored


def _write(
    source: Table,
    encoder: Encoder,
    model: LeadModel,
    write: Callable[[list[list[object]]], None],
    progress: Progress,
    chunk_rows: int,
) -> Scored:
    identity = source.id_column()
    at = source.index(identity) if identity else None
    explain = explainer(model.model.schema, *model.model.quartiles)
    cuts = model.model.cuts
    lift = model.model.lift
    adds = ["uplift", "uplift_lower", "uplift_upper"] if lift else []
    write([[identity or ROW_ID, "score", "tier", "lower", "upper", *_reason_names(), "model_version", *adds]])
    rows = new = 0
    tiers: dict[str, int] = {}
    for chunk, done in source.chunks(chunk_rows):
        block = encoder.block(chunk)
        found = model.model.predict(block)
        lines: list[list[object]] = []
        for row, p, low, high, why in zip(
            chunk,
            found.probability.tolist(),
            found.lower.tolist(),
            found.upper.tolist(),
            explain.reasons(block, found.moves),
            strict=True,
        ):
            rows += 1
            probability = round(p, 6)
            tier = cuts.tier(probability).value
            tiers[tier] = tiers.get(tier, 0) + 1
            reasons = [*why, *[""] * (REASONS - len(why))]
            key: object = row[at] if at is not None else rows
            lines.append([key, f"{probability:.6f}", tier, f"{low:.6f}", f"{high:.6f}", *reasons, model.version])
        if lift is not None:
            for line, added in zip(lines, zip(*lift.of(block), strict=True), strict=True):
                line += [f"{value:.6f}" for value in added]
        new += int(found.new.sum())
        write(lines)
        progress(done)
    if rows == 0:
        raise BadTable(f"{source.path.name} has a header but no rows.")
    return Scored(rows, tiers, dict(encoder.unusable), dict(encoder.unseen), new)


def _reason_names() -> list[str]:
    return [f"reason_{k}" for k in range(1, REASONS + 1)]
