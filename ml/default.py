"""The model that ships with Strowger: trained on simulated calls when first needed, kept under the data folder.

Its version begins with `simulated-`, so wherever a score shows, its origin shows. Replace it with `strowger train` as
soon as there are own outcomes.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

import ml.artifacts as artifacts
from app.errors import ModelRefused
from ml.columns import Column, Schema
from ml.dataset import Dataset, arrange
from ml.encode import Encoder, cells_of
from ml.features import CATEGORIES, NUMBERS
from ml.model import LeadModel
from ml.pipeline import Plan, fit
from ml.simulate import SimulatedLead, leads
from ml.tiers import Cuts

ROWS, HELD_OUT = 5_000, 2_000
CUTS = Cuts(hot=0.4, warm=0.12)
NOTES = (
    "Trained on simulated calls: the figures show that the method works on the simulation, not how well it sells.",
    "Train a model on your own outcomes (`strowger train`) as soon as there are a few hundred.",
)
_LEVELS = {"source": ("inbound_call", "outbound_call", "referral", "web_form")}


def default_model(data_dir: Path) -> LeadModel:
    """Loaded once per process. Several processes may start at once: each writes the same file whole, and any one
    serves.

    A cached file that does not hold is trained anew.
    """
    return _cached(data_dir.resolve() / "models" / f"shipped-{_recipe()}{artifacts.SUFFIX}")


@lru_cache(maxsize=4)
def _cached(path: Path) -> LeadModel:
    if path.exists():
        try:
            return artifacts.load(path)
        except ModelRefused:
            pass  # damaged, or from another version: the recipe makes the same model again
    train_default(path)
    return artifacts.load(path)


@lru_cache(maxsize=1)
def _recipe() -> str:
    """A hash of the code that makes the model: new code, new model."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def train_default(path: Path) -> None:
    from ml.train import buyers_of, card_of, measure

    dataset = simulated(leads(ROWS))
    plan = Plan(quick=True, cuts=CUTS)
    fitted = fit(dataset, plan)
    unseen = simulated(leads(HELD_OUT, seed=7))
    card = card_of(dataset, fitted, plan, measure(fitted.model, unseen, plan, resamples=50), "simulated calls")
    card = replace(card, name="simulated", notes=NOTES, tiers=CUTS.to_json(), buyers=buyers_of(fitted.model, unseen))
    artifacts.save(replace(fitted.model, card=card.to_json()), path, card.to_markdown(), dataset.block)


def simulated(made_up: list[SimulatedLead]) -> Dataset:
    """Every column is allowed: these leads are scored after the call, when all of it is known."""
    names = (*NUMBERS, *CATEGORIES)
    columns = (
        *(Column(name, "number") for name in NUMBERS),
        *(Column(name, "category", _LEVELS.get(name, ("no", "yes"))) for name in CATEGORIES),
    )
    schema = Schema("converted", "1", columns)
    block = Encoder(schema, names).block([cells_of(lead.row, names) for lead in made_up])
    y = np.array([lead.converted for lead in made_up], dtype=np.int8)
    return arrange(schema, block, y, np.arange(len(y), dtype=np.float64), allow=names)
