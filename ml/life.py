"""Own outcomes into a model with its papers: the parts that the nightly job and the drill share."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from app.errors import BadTable
from app.sales.registry import TARGET, Entry, Lineage, Stage
from ml.card import Card
from ml.dataset import Dataset, data_hash
from ml.features import CATEGORIES, NUMBERS, READ
from ml.model import Model
from ml.pipeline import Fitted, Plan
from ml.train import card_of

QUICK = Plan(quick=True)  # a second for 20,000 rows, so that a night's work fits in a task


def card_for(dataset: Dataset, fitted: Fitted, trained_on: str) -> Card:
    return replace(card_of(dataset, fitted, QUICK, (None, None), trained_on), name="own")


def entry_of(model: Model, dataset: Dataset, file_sha256: str, card: Card, target: str = TARGET) -> Entry:
    return Entry(
        version=model.version,
        target=target,
        stage=Stage.CANDIDATE,
        file_sha256=file_sha256,
        features=len(model.schema.features),
        lineage=Lineage(card.trained_on, data_hash(dataset), code_version(), len(dataset), int(dataset.y.sum())),
        metrics={"positive_rate": round(card.positive_rate, 6)},
        card=card.to_markdown().replace("{version}", model.version),
    )


def entry_from(model: Model, file_sha256: str, target: str = TARGET) -> Entry:
    """Of a model that `strowger train` made, by its own card. It must read what is known of a call here.

    Raises BadTable where it needs a column that is not.
    """
    strange = sorted({c.name for c in model.schema.features} - {*NUMBERS, *CATEGORIES, *READ})
    if strange and target == TARGET:
        raise BadTable(f"this model needs {', '.join(strange[:5])}, which no call tells: see ml/features.py.")
    card = model.card
    rows = int(card.get("rows", 1))
    positives = round(rows * float(card.get("positive_rate", model.base_rate)))
    lineage = Lineage(
        str(card.get("trained_on", "a table")),
        str(card.get("data_sha256") or file_sha256),
        code_version(),
        rows,
        min(positives, rows),
    )
    metrics = {"positive_rate": round(model.base_rate, 6), "uplift": model.lift is not None}
    return Entry(model.version, target, Stage.CANDIDATE, file_sha256, len(model.schema.features), lineage, metrics)


@lru_cache(maxsize=1)
def code_version() -> str:
    """The release, and a hash of the code that trains."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    try:
        release = metadata.version("strowger")
    except metadata.PackageNotFoundError:
        release = "0"
    return f"{release}+{digest.hexdigest()[:12]}"
