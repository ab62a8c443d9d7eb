"""Learning whom a call makes buy, against a truth that is known."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from app.errors import BadTable
from ml.artifacts import load
from ml.columns import Column, Schema
from ml.commands import app
from ml.dataset import Dataset
from ml.encode import Block
from ml.life import entry_from
from ml.lift import LEARNERS, Lift, fit_lift, lift_from
from ml.pipeline import one_thread
from ml.uplift import beyond, qini, uplift

SCHEMA = Schema("converted", "1", tuple(Column(name, "number") for name in ("need", "trust", "noise")))


def made_up(rows: int, seed: int, *, share: float = 0.5, moved: float = 1.0) -> tuple[Dataset, np.ndarray]:
    """`need` says who buys anyway, `trust` whom a call makes buy; `moved` scales the latter. The truth comes along."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3))
    called = (rng.random(rows) < share).astype(np.int8)
    without = 1 / (1 + np.exp(2.2 - 0.9 * x[:, 0]))
    gain = moved * 0.25 / (1 + np.exp(-2 * x[:, 1])) * (1 - without)
    y = (rng.random(rows) < without + gain * called).astype(np.int8)
    block = Block(x, np.empty((rows, 0), dtype=np.int64))
    return Dataset(SCHEMA, block, y, np.arange(rows, dtype=float), called=called), gain


def fitted(dataset: Dataset) -> Lift:
    with one_thread():
        return fit_lift(dataset).lift


@pytest.fixture(scope="module")
def learned() -> Lift:
    return fitted(made_up(4_000, seed=1)[0])


def test_it_finds_whom_a_call_makes_buy_and_how_much(learned: Lift) -> None:
    late, gain = made_up(20_000, seed=2)
    found, low, high = learned.of(late.block)
    assert np.corrcoef(found, gain)[0, 1] > 0.8
    assert found.mean() == pytest.approx(gain.mean(), abs=0.02)
    best = np.argsort(-found)[:4_000]
    assert found[best].mean() == pytest.approx(gain[best].mean(), abs=0.03)
    tenths = np.array_split(np.argsort(found), 10)
    assert (
        sum(low[t].mean() <= gain[t].mean() <= high[t].mean() for t in tenths) >= 7
    )  # of nine to be expected; they err together
    assert (low <= found).all()
    assert (found <= high).all()


def test_it_beats_the_score_of_who_buys_where_these_differ(learned: Lift) -> None:
    late, _ = made_up(20_000, seed=2)
    assert late.called is not None
    ours, need = learned.of(late.block)[0], late.block.numbers[:, 0]
    assert uplift(late.y, ours, late.called, 50).qini.low > 0
    assert beyond(late.y, ours, need, late.called, 50).low > 0
    assert qini(late.y, need, late.called) < qini(late.y, ours, late.called)


def test_where_nothing_tells_leads_apart_every_lead_gets_about_the_average_effect() -> None:
    rng = np.random.default_rng(5)
    early, _ = made_up(3_000, seed=4, moved=0.0)
    assert early.called is not None
    y = (rng.random(3_000) < 0.1 + 0.1 * early.called).astype(np.int8)
    found = fitted(Dataset(SCHEMA, early.block, y, early.time, called=early.called)).of(early.block)[0]
    assert found.mean() == pytest.approx(0.1, abs=0.03)
    assert found.std() < 0.03


def test_a_small_control_group_does_not_tilt_it() -> None:
    found = fitted(made_up(6_000, seed=6, share=0.85)[0])
    late, gain = made_up(10_000, seed=7)
    assert np.corrcoef(found.of(late.block)[0], gain)[0, 1] > 0.5
    assert found.effect == pytest.approx(gain.mean(), abs=0.04)


def test_the_learner_with_the_best_qini_on_unseen_rows_is_taken() -> None:
    with one_thread():
        found = fit_lift(made_up(2_000, seed=8)[0])
    assert len(found.trials) == len(LEARNERS)
    best = max(found.trials, key=lambda trial: trial.qini)
    assert [trial for trial in found.trials if trial.chosen] == [best]


def test_a_row_scores_alone_as_among_others_and_again_from_the_file(learned: Lift) -> None:
    block = made_up(500, seed=9)[0].block
    many = learned.of(block)
    for i in (0, 77, 499):
        alone = learned.of(block.take(np.array([i])))
        assert [float(one[0]) for one in alone] == [float(one[i]) for one in many]
    again = lift_from(learned.to_arrays()).of(block)
    assert np.array_equal(again[0], many[0])


def test_too_small_a_group_is_one_sentence() -> None:
    with pytest.raises(BadTable, match="left uncalled"):
        fitted(made_up(200, seed=3, share=0.97)[0])


# --- The commands -------------------------------------------------------------------------------------------------


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def table(path: Path, rows: int, seed: int) -> Path:
    made, _ = made_up(rows, seed)
    assert made.called is not None
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["lead_id", "need", "trust", "noise", "called", "converted"])
        for i, (x, called, y) in enumerate(zip(made.block.numbers, made.called, made.y, strict=True)):
            writer.writerow([i, *(f"{v:.4f}" for v in x), "yes" if called else "no", int(y)])
    return path


def test_train_evaluate_and_score_with_leads_left_uncalled(tmp_path: Path) -> None:
    early, late, model = (
        table(tmp_path / "early.csv", 1_500, 11),
        table(tmp_path / "late.csv", 3_000, 12),
        tmp_path / "m",
    )
    result = run("train", "--in", early, "--label", "converted", "--treated", "called", "--model", model)
    assert result.exit_code == 0, result.output
    assert "What a call adds: " in result.stdout
    card = (tmp_path / "m.card.md").read_text(encoding="utf-8")
    assert "## What a call adds" in card
    assert "`called`: says who was called" in card
    shown = run("evaluate", "--in", late, "--label", "converted", "--treated", "called", "--model", model)
    assert "Qini by what a call adds" in shown.stdout
    found = json.loads(
        run("evaluate", "--in", late, "--label", "converted", "--treated", "called", "--model", model, "--json").stdout
    )
    assert found["uplift"]["qini"]["value"] > found["response"]["qini"]["value"]
    assert found["beyond"]["low"] <= found["beyond"]["value"] <= found["beyond"]["high"]
    out = tmp_path / "scores.csv"
    assert run("score", "--in", late, "--out", out, "--model", model).exit_code == 0
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3_000
    assert all(float(r["uplift_lower"]) <= float(r["uplift"]) <= float(r["uplift_upper"]) for r in rows)
    loaded = load(model)
    alone = loaded.score({"need": "0.5", "trust": "1", "noise": "0"})
    assert alone.uplift is not None
    assert alone.uplift.lower <= alone.uplift.value <= alone.uplift.upper


def test_a_model_for_the_registry_must_read_what_calls_tell(tmp_path: Path) -> None:
    model = tmp_path / "m"
    run("train", "--in", table(tmp_path / "t.csv", 400, 13), "--label", "converted", "--model", model)
    with pytest.raises(BadTable, match="needs called, need, noise, trust, which no call tells"):
        entry_from(load(model).model, "0" * 64)
    entry = entry_from(load(model).model, "0" * 64, "renewed")
    assert (entry.target, entry.lineage.rows, entry.features) == ("renewed", 400, 4)
    assert entry.lineage.data_sha256 != "0" * 64


def test_a_table_where_everybody_was_called_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    lines = ["need,called,converted"] + [f"{i % 17},yes,{int(i % 3 == 0)}" for i in range(300)]
    path.write_text("\n".join(lines), encoding="utf-8")
    result = run("train", "--in", path, "--label", "converted", "--treated", "called", "--model", tmp_path / "m")
    assert result.exit_code == 2
    assert "0 leads were left uncalled" in result.stderr
