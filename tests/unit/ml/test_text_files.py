"""`strowger train text` and `strowger score text`: texts and labels in a CSV, and the answers to awkward files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ml.commands import app
from ml.text import kernel, load
from ml.text.files import Source, train_on

ROWS = [
    (f"{begin} {thing}", label)
    for thing in ("tea", "milk", "bread", "salt")
    for begin, label in (
        ("how much is the", "price"),
        ("what does it cost for", "price"),
        ("who sells the", "who"),
        ("who makes", "who"),
    )
]


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def table(path: Path, *rows: tuple[str, ...]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    found = run("train", "text", "--in", table(tmp_path / "in.csv", ("said", "about"), *ROWS), "--label", "about",
                "--text", "said", "--model", tmp_path / "shop.words", "--licence", "CC0")  # fmt: skip
    assert found.exit_code == 0, found.output
    assert "16 texts, 2 labels" in found.stdout
    return tmp_path / "shop.words"


def test_a_model_of_words_is_trained_with_its_card_and_labels_another_file(model: Path, tmp_path: Path) -> None:
    card = model.with_name("shop.words.card.md").read_text(encoding="utf-8")
    assert card.startswith(f"# Model {load(model).version}")
    assert "Licence of the texts: CC0" in card
    assert "Each text left out in turn" in card
    asked = table(tmp_path / "new.csv", ("line_id", "text"), ("a", "how much is the rice"), ("b", "who makes soap"))
    found = run("score", "text", "--in", asked, "--out", tmp_path / "out.csv", "--model", model)
    assert found.exit_code == 0, found.output
    with (tmp_path / "out.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["line_id"], row["label"], row["model_version"]) for row in rows] == [
        ("a", "price", load(model).version), ("b", "who", load(model).version)]  # fmt: skip
    assert all(0.5 < float(row["probability"]) <= 1 for row in rows)


def test_of_many_texts_some_are_left_out_and_the_card_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "MOST_LEFT_OUT", 6)
    source = Source(table(tmp_path / "in.csv", ("text", "label"), *ROWS), "label")
    trained = train_on(source, tmp_path / "m.words")
    assert (trained.card["texts"], trained.card["left_out"]) == (16, 6)
    text = (tmp_path / "m.words.card.md").read_text(encoding="utf-8")
    assert "16 texts, 2 labels" in text
    assert "6 of the texts, spread evenly, left out in turn" in text


def test_figures_come_as_json(tmp_path: Path) -> None:
    found = run("train", "text", "--in", table(tmp_path / "in.csv", ("text", "label"), *ROWS), "--label", "label",
                "--model", tmp_path / "m.words", "--json")  # fmt: skip
    body = json.loads(found.stdout)
    assert body["card"]["held_out_recall"].keys() == {"price", "who"}


@pytest.mark.parametrize(
    ("rows", "more", "says"),
    [
        ([("text", "label")], (), "no row"),
        ([("text", "topic"), ("a", "b")], (), "no column 'label'"),
        ([("said", "label"), ("a", "b")], (), "no column 'text'"),
        ([("text", "label"), ("a", "b"), ("c", "b")], (), "at least two labels"),
        ([("text", "label"), ("", "b"), ("c", " ")], (), "no row with a text"),
        ([("text", "label"), ("a", "b"), ("c", "d")], ("--outside", "none"), "no text has the label 'none'"),
    ],
)
def test_a_table_that_cannot_be_learned_is_one_sentence(
    tmp_path: Path, rows: list[tuple[str, ...]], more: tuple[str, ...], says: str
) -> None:
    found = run("train", "text", "--in", table(tmp_path / "in.csv", *rows), "--label", "label", "--model",
                tmp_path / "m.words", *more)  # fmt: skip
    assert (found.exit_code, found.stdout) == (2, "")
    assert len(found.stderr.strip().splitlines()) == 1
    assert says in found.stderr
    assert not (tmp_path / "m.words").exists()


def test_a_file_that_cannot_be_labelled_is_one_sentence(model: Path, tmp_path: Path) -> None:
    empty, other = table(tmp_path / "empty.csv", ("text",)), table(tmp_path / "other.csv", ("said",), ("hi",))
    for file, words, says in ((empty, (model,), "no rows"), (other, (model,), "no column 'text'"),
                              (other, (tmp_path / "none.words",), "no text model"),
                              (other, (other,), "not a text model")):  # fmt: skip
        found = run("score", "text", "--in", file, "--out", tmp_path / "out.csv", "--model", *words)
        assert (found.exit_code, found.stdout) == (2, "")
        assert says in found.stderr
        assert not (tmp_path / "out.csv").exists()
    same = run("score", "text", "--in", other, "--out", other, "--model", model, "--text", "said")
    assert (same.exit_code, "same file" in same.stderr) == (2, True)


def test_the_commands_for_leads_still_need_their_options() -> None:
    assert run("train").exit_code == 2
    assert run("score").exit_code == 2
