"""Models of words: what a sentence is about, how sure that is, and when it is none of the labels.

The names below are all that other packages use; each is imported when first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml.text.sales import Reading, read
    from ml.text.store import load

__all__ = ["Reading", "load", "read"]

_HOME = {"Reading": "ml.text.sales", "load": "ml.text.store", "read": "ml.text.sales"}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'ml.text' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
