"""Models that say who to call next: trained on a CSV, scored one lead or a million at a time.

The names below are all that other packages use; each is imported when first asked for, because scikit-learn is heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml.artifacts import load
    from ml.default import default_model
    from ml.features import lead_row
    from ml.model import LeadModel

__all__ = ["LeadModel", "default_model", "lead_row", "load"]

_HOME = {
    "LeadModel": "ml.model",
    "default_model": "ml.default",
    "lead_row": "ml.features",
    "load": "ml.artifacts",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'ml' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
