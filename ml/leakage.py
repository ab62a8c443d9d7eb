"""Columns that are known only after the call. A model that reads them looks brilliant and cannot be used.

They are put aside unless allowed by name. Two signs: the name says so (`duration`, `disposition`, `converted_at`), or
the column alone all but tells the label. A column about an *earlier* call (`previous_outcome`, `last_duration`) is
fine.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

SUSPICIOUS_AUC = 0.95
_EARLIER = {"previous", "prev", "prior", "last", "past", "earlier", "former", "expected", "estimated", "planned"}
_LENGTH = {"duration", "talktime", "handletime", "aht", "billsec"}
_RESULT = {
    "outcome", "disposition", "result", "conversion", "converted", "sold", "won", "closed", "signed", "purchased",
    "hangup", "transcript", "recording", "wrapup",
}  # fmt: skip
_PAIRS = (
    ({"talk", "call", "handle", "conversation"}, {"seconds", "secs", "minutes", "length", "time_seconds"}),
    ({"call", "ended", "end"}, {"end", "ended"}),
)


def words_of(name: str) -> list[str]:
    """`callDuration_sec` and `call.duration sec` are both call, duration, sec."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [w for w in re.split(r"[^a-z0-9]+", spaced.casefold()) if w]


def named_after_the_call(name: str, label: str) -> str | None:
    """Why the name says that the column is known only afterwards; None when it does not."""
    words = set(words_of(name))
    if words & _EARLIER:
        return None
    if words & _LENGTH or (words & _PAIRS[0][0] and words & _PAIRS[0][1]):
        return "its name says the length of the call, known only afterwards"
    if words & _RESULT:
        return "its name says the result of the call, known only afterwards"
    if words & _PAIRS[1][0] and words & _PAIRS[1][1] and "at" in words:
        return "its name says when the call ended, known only afterwards"
    target = {w for w in words_of(label) if len(w) > 2}
    if target and target <= words and words != target:
        return f"its name contains the label's ({label})"
    return None


def single_auc(values: NDArray[np.float64], y: NDArray[np.int8], *, category: bool) -> float:
    """How well this column alone ranks the label, in either direction or, in twenty groups, in any shape.

    `values` may hold NaN for missing, which is a group of its own. Groups with fewer than ten rows count as average.
    """
    if category:
        groups = np.unique(np.where(np.isnan(values), np.inf, values), return_inverse=True)[1]
    else:
        known = values[~np.isnan(values)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, 21)[1:-1])) if len(known) else np.empty(0)
        groups = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right"))
    count = np.bincount(groups)
    rate = np.where(count >= 10, np.bincount(groups, y) / np.maximum(count, 1), y.mean())
    best = auc(y, rate[groups])
    if not category:
        ranked = auc(y, np.where(np.isnan(values), np.nanmedian(values) if len(known) else 0.0, values))
        best = max(best, ranked, 1 - ranked)
    return best


def auc(y: NDArray[np.int8], score: NDArray[np.float64]) -> float:
    """Area under the ROC curve with ties counted half; 0.5 when only one class is there."""
    positives = int(y.sum())
    negatives = len(y) - positives
    if not positives or not negatives:
        return 0.5
    _, inverse, count = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[inverse]
    return float((ranks[y == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def reasons(
    names: Collection[str],
    label: str,
    aucs: dict[str, float],
    allowed: Collection[str],
) -> dict[str, str]:
    """Column to reason, for every column that must not be used."""
    found: dict[str, str] = {}
    for name in names:
        if name in allowed:
            continue
        why = named_after_the_call(name, label)
        if why is None and aucs.get(name, 0.0) >= SUSPICIOUS_AUC:
            why = f"it alone all but tells the label (AUC {aucs[name]:.3f}): a sign that it is known only afterwards"
        if why is not None:
            found[name] = f"{why}; allow it with --allow {name}" if " " not in name else f"{why}; allow it by name"
    return found
