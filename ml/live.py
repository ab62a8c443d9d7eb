"""The estimate during a call: trained on simulated leads, each looked at somewhere in the middle of its call.

python -m ml.live [--write PATH]     # prints the AUC on leads it has not seen, by how far the call had got
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.sales.lead import Conversation
from app.sales.live import LiveModel, inputs, to_file
from ml.pipeline import one_thread
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
    return _named("live-simulated-", float(fitted.intercept_[0]), dict(zip(names, fitted.coef_[0], strict=True)))


@dataclass(frozen=True, slots=True)
class Moment:
    """A call that came to an end we know, as it stood at some turn. `frozen` ones are never trained on."""

    call: int
    talk: Conversation
    sold: bool
    frozen: bool


@dataclass(frozen=True, slots=True)
class Learned:
    """`better`: it saves log loss on frozen calls beside the model that served, by 1.645 standard errors."""

    model: LiveModel
    moments: int
    better: bool
    why: str


FEWEST, FEWEST_OF_A_KIND = 300, 30  # moments to learn from, and to be tried on a tenth of that
SURE = 1.645


def learn(moments: Sequence[Moment], serving: LiveModel) -> Learned | None:
    """From a workspace's own calls. None where there are too few."""
    from sklearn.linear_model import LogisticRegression

    early, late = ([one for one in moments if one.frozen is frozen] for frozen in (False, True))
    sold = sum(one.sold for one in early)
    tried = sum(one.sold for one in late)
    if min(sold, len(early) - sold) < FEWEST_OF_A_KIND or len(early) < FEWEST or min(tried, len(late) - tried) < 5:
        return None
    names = list(inputs(Conversation()))
    x, y = _inputs(early, names), np.array([one.sold for one in early])
    with one_thread():
        fitted = LogisticRegression(C=0.3, max_iter=500).fit(x, y)
    model = _named("live-own-", float(fitted.intercept_[0]), dict(zip(names, fitted.coef_[0], strict=True)))
    y = np.array([one.sold for one in late])
    x = _inputs(late, names)
    saved = _losses(serving, names, x, y) - _losses(model, names, x, y)
    _, call = np.unique([str(one.call) for one in late], return_inverse=True)
    saved = np.bincount(call, saved) / np.bincount(call)  # moments of one call err together
    error = float(saved.std(ddof=1) / np.sqrt(len(saved)))
    why = f"{saved.mean():+.4f} nats saved on {len(saved):,} frozen calls (standard error {error:.4f})"
    return Learned(model, len(early), float(saved.mean()) > SURE * error, why)


def _inputs(moments: Sequence[Moment], names: Sequence[str]) -> NDArray[np.float64]:
    return np.array([[row[name] for name in names] for row in (inputs(one.talk) for one in moments)])


def _losses(model: LiveModel, names: Sequence[str], x: NDArray[np.float64], y: Any) -> NDArray[np.float64]:
    logits = np.clip(model.base + x @ np.array([model.weights.get(name, 0.0) for name in names]), -10, 10)
    found: NDArray[np.float64] = np.logaddexp(0, logits) - y * logits
    return found


def _named(prefix: str, base: float, weights: Mapping[str, float]) -> LiveModel:
    kept = {name: round(float(weight), 4) for name, weight in weights.items()}
    digest = hashlib.sha256(json.dumps([round(base, 4), kept]).encode()).hexdigest()
    return LiveModel(f"{prefix}{digest[:12]}", round(base, 4), kept)


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
        path.write_bytes(to_file(made))
    for part in (0.25, 0.5, 0.75, 1.0):
        sys.stdout.write(f"{part:.0%} of the call: AUC {auc_at(made, part):.3f}\n")
