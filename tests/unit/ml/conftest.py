"""One small table of made-up leads whose truth is known, and one model trained on it, for all tests of this folder."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from ml import artifacts
from ml.dataset import Wishes
from ml.model import LeadModel
from ml.pipeline import Plan
from ml.train import train_file

HEADER = ["lead_id", "called_at", "visits", "plan", "age", "duration", "converted"]


def truth(visits: float, plan: str) -> float:
    return float(1 / (1 + np.exp(-(-2.5 + 0.6 * visits + {"pro": 1.5, "basic": 0.0, "": -0.5}[plan]))))


def made_up_rows(count: int, seed: int = 3) -> list[list[str]]:
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(count):
        visits, plan = int(rng.poisson(2)), str(rng.choice(["pro", "basic", ""]))
        bought = rng.random() < truth(visits, plan)
        age = str(int(rng.integers(18, 80))) if rng.random() > 0.1 else "unknown"
        day = f"2024-{1 + i * 12 // count:02d}-{1 + i % 28:02d}"
        rows.append([f"L{i}", day, str(visits), plan, age, str(300 if bought else 20), "yes" if bought else "no"])
    return rows


def write_csv(path: Path, rows: list[list[str]], header: list[str] | None = None, **how: str) -> Path:
    with path.open("w", encoding=how.get("encoding", "utf-8"), newline="") as file:
        csv.writer(file, delimiter=how.get("delimiter", ",")).writerows([header or HEADER, *rows])
    return path


@dataclass(frozen=True, slots=True)
class Trained:
    model: LeadModel
    path: Path
    table: Path
    notices: tuple[str, ...]


Rows = list[list[str]]


@pytest.fixture(scope="session")
def rows_of() -> Callable[..., Rows]:
    return made_up_rows


@pytest.fixture(scope="session")
def write() -> Callable[..., Path]:
    return write_csv


@pytest.fixture(scope="session")
def chance() -> Callable[[float, str], float]:
    return truth


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("ml")
    table = write_csv(folder / "leads.csv", made_up_rows(1_200))
    done = train_file(table, folder / "lead.strowger", Wishes("converted"), Plan(quick=True))
    return Trained(artifacts.load(done.path), done.path, table, done.notices)
