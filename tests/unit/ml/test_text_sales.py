"""The model of what is said on a sales call: made when first asked for, and where `stop_calling` begins."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from app.dialog.guards import opts_out
from app.errors import ModelRefused
from ml.text import sales
from ml.text.kernel import Trained, train
from ml.text.trials.sales import others


def trained_on(likely: list[float], truth: list[int]) -> Trained:
    labels = [sales.STOP if one else "price" for one in truth]
    model = train([f"{label} {at}" for at, label in enumerate(labels)], labels).model
    held_out = np.log(np.array([[1 - one, one] for one in likely])) / model.sharpness
    return Trained(model, held_out, np.array(truth), {})


def test_the_limit_of_stop_calling_leaves_few_ordinary_sentences_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sales, "MOST_FALSE", 0.25)
    pairs = [(str(at), "") for at in range(6)]
    found = trained_on([0.1, 0.2, 0.3, 0.6, 0.9, 0.95], [0, 0, 0, 0, 0, 1])
    assert sales.stop_cutoff(found, pairs, {"4"}) == pytest.approx(0.3)  # one of four may lie above
    assert sales.stop_cutoff(found, pairs, ()) == pytest.approx(0.6)


def test_stop_calling_counts_from_its_own_limit_whatever_is_likelier() -> None:
    seen: dict[str, list[sales.Example]] = {}
    for text, intent in sales.examples("en"):
        seen.setdefault(intent, []).append((text, intent))
    model = sales.trained([pair for pairs in seen.values() for pair in pairs[:8]]).model
    asked = ["how much does it cost", "please never call me again"]
    for text, likely in zip(asked, model.probabilities(asked)[:, model.labels.index(sales.STOP)], strict=True):
        below, above = (sales.Reader(model, stop_from=likely + by).read([text])[0] for by in (1e-6, -1e-6))
        assert below.intent != sales.STOP
        assert above.intent == sales.STOP
        assert above.probability == pytest.approx(likely)
        assert (below.objection, below.sentiment) == (above.objection, above.sentiment)


def test_it_is_made_once_and_made_again_where_the_file_is_damaged(
    tmp_path: Path, made_once: Callable[..., Path]
) -> None:
    copytree(made_once(partial(sales.reader, "es")), tmp_path, dirs_exist_ok=True)
    first = sales.read(["how much does it cost"], "es", tmp_path)
    (file,) = (tmp_path / "models").glob("sales-es-*.words")
    assert file.with_name(f"{file.name}.card.md").read_text(encoding="utf-8").startswith("# Model sales-es-")
    file.write_bytes(b"broken")
    sales._reader.cache_clear()
    assert sales.read(["how much does it cost"], "es", tmp_path) == first
    assert file.stat().st_size > 1_000


def test_a_language_without_sentences_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="language 'fi'"):
        sales.read(["moi"], "fi", tmp_path)


def test_C05_the_model_finds_wishes_that_the_rule_does_not() -> None:
    wishes = ["i have had it with your company ringing my house", "keep away from my number from here on"]
    found = others("en", [(text, sales.STOP) for text in wishes] + [("what is it going to cost", "price")], opts_out)
    assert (found.by_rule, found.by_model, found.recall) == (0.0, 1.0, 1.0)
    assert (found.accuracy, found.false, found.missed) == (1.0, 0.0, ())


def test_what_neither_finds_is_named() -> None:
    found = others("en", [("our tulips bloom", sales.STOP)], lambda text: False)
    assert (found.recall, found.missed) == (0.0, ("our tulips bloom",))
