"""Own outcomes into a model with its papers: the parts that the nightly job and the drill share."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import lru_cache
from importlib import metadata
from pathlib import Path

import numpy as np

from app.sales.registry import TARGET, Entry, Lineage, Stage
from ml.card import Card
from ml.dataset import Dataset
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


def data_hash(dataset: Dataset) -> str:
    """Of columns, cells, labels and evidence beside them, in their order: the same rows have the same hash."""
    digest = hashlib.sha256(dataset.schema.to_json().encode())
    arrays = [dataset.block.numbers, dataset.block.codes, dataset.y]
    if dataset.beside is not None:
        arrays += [dataset.beside.block.numbers, dataset.beside.block.codes, dataset.beside.y, dataset.beside.weight]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


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
