"""The lead model of this process: loaded when the first lead is scored, then kept.

Loading may train it first, when there is none yet: one process does, the others wait and then load what it saved.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import TYPE_CHECKING

from app.sales.lead import LeadHistory, Score

if TYPE_CHECKING:
    from ml.artifacts import LeadModel


class Model:
    """`Model(data_dir)(history)` is a score. Raises ModelRefused when no model may be used (F30)."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._loaded: LeadModel | None = None

    def __call__(self, history: LeadHistory) -> Score:
        from ml.features import lead_row

        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded.score(lead_row(history))

    def _load(self) -> LeadModel:
        from ml import default_model

        self._data_dir.mkdir(parents=True, exist_ok=True)
        with (self._data_dir / "model.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # freed by the kernel, also when this process is killed
            return default_model(self._data_dir)
