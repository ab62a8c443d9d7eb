"""The estimate during a call: trained on simulated leads, each looked at somewhere in the middle of its call.

python -m ml.live [--write PATH]     # prints the AUC on leads it has not seen, by how far the call had got
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.sales.lead import Conversation
from app.sales.live import LiveModel, inputs
from ml.simulate import SEED, calls

TRAINED_ON, HELD_OUT = 6_000, 3_000
_COUNTS = ("questions", "objections", "facts", "commitments")
_FLAGS = ("price_talk", "commitment", "callback_asked", "human_asked", "opted_out")


def so_far(talk: Conversation, share: float, rng: np.random.Generator) -> Conversation:
    """The same call when `share` of it was over: each thing has happened by then with that chance."""
    seen: dict[str, Any] = {name: int(rng.binomial(getattr(talk, name), share)) for name in _COUNTS}
    seen["objections_resolved"] = int(rng.binomial(min(talk.objections_resolved, seen["objections"]), share))
    seen["volunteered"] = int(rng.binomial(min(talk.volunteered, seen["facts"]), share))
    seen |= {name: bool(getattr(talk, name) and rng.random() < share) for name in _FLAGS}
    return replace(talk, **seen, sentiment_trend=talk.sentiment_trend * share)


def table(count: int, seed: int, share: float | None) -> tuple[NDArray[np.float64], NDArray[np.int8], list[str]]:
    rng = np.random.default_rng(seed)
    rows, sold = [], []
    for talk, converted in calls(count, seed):
        rows.append(inputs(so_far(talk, rng.random() if share is None else share, rng)))
        sold.append(converted)
    names = list(rows[0])
    return np.array([[row[name] for name in names] for row in rows]), np.array(sold, dtype=np.int8), names


def train(count: int = TRAINED_ON, seed: int = SEED) -> LiveModel:
    from sklearn.linear_model import LogisticRegression

    x, y, names = table(count, seed, None)
    fitted = LogisticRegression(C=1.0, max_iter=500).fit(x, y)
    weights = {name: round(float(weight), 4) for name, weight in zip(names, fitted.coef_[0], strict=True)}
    base = round(float(fitted.intercept_[0]), 4)
    digest = hashlib.sha256(json.dumps([base, weights]).encode()).hexdigest()
    return LiveModel(f"live-simulated-{digest[:12]}", base, weights)


def auc_at(model: LiveModel, share: float, count: int = HELD_OUT, seed: int = 7) -> float:
    from sklearn.metrics import roc_auc_score

    x, y, names = table(count, seed, share)
    return float(roc_auc_score(y, x @ np.array([model.weights[name] for name in names])))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path)
    path = parser.parse_args().write
    made = train()
    if path:
        told = {"version": made.version, "base": made.base, "weights": dict(made.weights)}
        path.write_text(json.dumps(told, indent=2) + "\n")
    for part in (0.25, 0.5, 0.75, 1.0):
        sys.stdout.write(f"{part:.0%} of the call: AUC {auc_at(made, part):.3f}\n")
