"""Cards of text models: what they were trained on, under which licence, and how good they are on texts not seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ml.text.kernel import Trained

VECTORS = (
    "Word vectors: wordllama 0.4 (MIT), made from the word table of a large language model; part of the installed "
    "package, not of this file."
)
NOT_FOR = "Judging a person, or any decision with legal effect. It reads words, never voices or who somebody is."


def own_card(language: str, found: Trained, stop_from: float) -> tuple[dict[str, Any], str]:
    """As values and as text; `{version}` is filled in when the file is written."""
    names, right = found.model.labels, found.held_out.argmax(axis=1) == found.truth
    recall = {name: float(right[found.truth == at].mean()) for at, name in enumerate(names)}
    card = {
        "name": f"sales-{language}", "trained_on": "own sentences, written for Strowger", "licence": "CC0",
        "language": language, "texts": len(right), "held_out_accuracy": round(float(right.mean()), 4),
        "held_out_recall": {name: round(value, 4) for name, value in recall.items()}, "stop_from": stop_from,
        "not_for": NOT_FOR,
    }  # fmt: skip
    lines = [f"| {name} | {np.sum(found.truth == at)} | {recall[name]:.1%} |" for at, name in enumerate(names)]
    text = "\n".join(
        [
            "# Model {version}", "",
            f"Trained on {len(right):,} sentences of our own (language `{language}`, licence CC0): what people say "
            "on a sales call.", "",
            f"Each sentence left out in turn, {right.mean():.1%} are told right. `stop_calling` counts from "
            f"{stop_from:.3f}, whatever else is likelier; the rules of the dialogue come first.", "",
            "| label | sentences | told right |", "| --- | --- | --- |", *lines, "", f"**Not for:** {NOT_FOR}", "",
            VECTORS, "",
        ]
    )  # fmt: skip
    return card, text


def table_card(name: str, source: str, licence: str, found: Trained) -> tuple[dict[str, Any], str]:
    """For a model that somebody trained on a file of theirs."""
    names, right = found.model.labels, found.held_out.argmax(axis=1) == found.truth
    texts, left_out = sum(found.counts.values()), len(right)
    told = {name: right[found.truth == at] for at, name in enumerate(names)}
    recall = {name: float(those.mean()) for name, those in told.items() if len(those)}
    weakest = sorted(recall.items(), key=lambda item: item[1])[:5]
    card = {
        "name": name, "trained_on": source, "licence": licence, "texts": texts, "labels": len(names),
        "left_out": left_out, "held_out_accuracy": round(float(right.mean()), 4), "outside": found.model.outside,
        "held_out_recall": {name: round(value, 4) for name, value in recall.items()}, "not_for": NOT_FOR,
    }  # fmt: skip
    text = "\n".join(
        [
            "# Model {version}", "",
            f"Trained on {source}: {texts:,} texts, {len(names)} labels. Licence of the texts: {licence}.", "",
            f"{_those(left_out, texts)} left out in turn, {right.mean():.1%} are told right.", "",
            _largest(Counter(found.counts).most_common(10)), "",
            "Told right least: " + ", ".join(f"{name} ({value:.0%})" for name, value in weakest) + ".", "",
            f"**Not for:** {NOT_FOR}", "", VECTORS, "",
        ]
    )  # fmt: skip
    return card, text


def _largest(counts: Sequence[tuple[str, int]]) -> str:
    return "Most frequent labels: " + ", ".join(f"{label} ({count:,})" for label, count in counts) + "."


def _those(left_out: int, texts: int) -> str:
    return "Each text" if left_out == texts else f"{left_out:,} of the texts, spread evenly,"
