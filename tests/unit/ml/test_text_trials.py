"""What models of words must show: sets that are not there or not laid out as they must be, and small ones that are."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from app.errors import BadTable
from ml.text.trials import donation, objections, sets
from ml.text.trials.folds import grouped, macro_f1, stratified
from ml.text.trials.intents import cross_validated
from ml.text.trials.verdicts import parts, verdicts


def never(text: str) -> bool:
    return False


KNOWN = parts(never)


def written(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("part", ["banking", "clinc", "sentiment", "objections", "donation", "sales"])
def test_a_set_that_is_not_there_is_one_sentence(tmp_path: Path, part: str) -> None:
    with pytest.raises(BadTable, match=r"^[^\n]*(cannot be read|there is no)[^\n]*$"):
        list(verdicts(tmp_path, (part,), KNOWN))


def test_an_unknown_part_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match="--only weather is not one of banking, clinc"):
        list(verdicts(tmp_path, ("weather",), KNOWN))
    with pytest.raises(BadTable, match="there is no folder"):
        list(verdicts(tmp_path / "nowhere", (), KNOWN))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (("text,topic", "a,b"), "no column 'intent'"),
        (("text,intent",), "no row"),
        (("text,intent", " ,price"), "no row with a text"),
        (("text,intent", "how much,price,more"), "3 values"),
    ],
)
def test_a_set_of_another_shape_is_one_sentence(tmp_path: Path, content: tuple[str, ...], says: str) -> None:
    written(tmp_path / "intents_banking77" / "train.csv", *content)
    with pytest.raises(BadTable, match=says):
        list(verdicts(tmp_path, ("banking",), KNOWN))


def test_dialogues_are_read_and_halved(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl.gz"
    turns = [{"turn": at, "speaker": "persuader", "text": str(at)} for at in range(5)]
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(json.dumps({"dialogue_id": "a", "turns": turns, "donated": 1}) + "\n")
    (one,) = sets.dialogues(path)
    assert one.donated
    assert one.first_half().said_by("persuader") == ["0", "1", "2"]


@pytest.mark.parametrize(
    "body",
    [b"", b"no gzip", gzip.compress(b"{}"), gzip.compress(b"[1"), gzip.compress(b"x")[:-6]],
    ids=["empty", "no gzip", "no dialogue", "half a list", "cut short"],
)
def test_dialogues_that_cannot_be_read_are_one_sentence(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "train.jsonl.gz"
    path.write_bytes(body)
    with pytest.raises(BadTable, match=r"^[^\n]+\.$"):
        sets.dialogues(path)


def test_every_row_is_asked_about_once_and_never_learned_from_then() -> None:
    labels, dialogues = ["a", "b", "b"] * 10, [str(at // 4) for at in range(30)]
    for folds in (stratified(labels), grouped(dialogues)):
        assert sorted(np.concatenate([ask for _, ask in folds])) == list(range(30))
        assert all(not set(learn) & set(ask) for learn, ask in folds)
    assert all(not {dialogues[at] for at in learn} & {dialogues[at] for at in ask} for learn, ask in grouped(dialogues))


def test_macro_f1_is_the_mean_over_labels() -> None:
    truth = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=bool)
    told = np.array([[1, 0], [0, 0], [0, 1], [0, 1]], dtype=bool)
    assert macro_f1(truth, told) == pytest.approx((2 / 3 + 1) / 2)


def test_out_of_scope_counts_apart_and_refusing_is_no_right_answer() -> None:
    rows = [(f"what is the price of {word}", "price") for word in ("tea", "milk", "bread", "salt", "rice")]
    rows += [(f"who is {word}", "who") for word in ("there", "calling", "this", "that", "speaking")]
    rows += [(f"the {word} barks", "none") for word in ("dog", "cat", "cow", "pig", "hen")]
    found = cross_validated(sets.Labelled(*zip(*rows, strict=True)), "none")
    assert (found.rows, found.refused) == (15, 1.0)
    assert found.accuracy >= 0.8


def test_what_was_said_before_is_the_others_last_turn_of_the_same_dialogue() -> None:
    def one(dialogue: str, turn: int, speaker: str, text: str) -> sets.Sentence:
        return sets.Sentence(dialogue, turn, speaker, text, "disagree-donation")

    rows = objections.asked(
        [
            one("a", 0, "persuader", "Hello."), one("a", 0, "persuader", "How are you?"),
            one("a", 0, "persuadee", "Fine."),
            one("a", 1, "persuader", "Give!"), one("a", 1, "persuadee", "No."), one("a", 1, "persuadee", "Never."),
            one("b", 0, "persuadee", "Who is this?"),
        ]
    )  # fmt: skip
    assert [row.before for row in rows] == ["Hello. How are you?", "Give!", "Give!", ""]
    assert all(row.objects for row in rows)


def test_giving_is_told_from_words_that_only_givers_say() -> None:
    rows = [
        sets.Dialogue(
            str(at),
            (
                ("persuader", "would you give"),
                ("persuadee", "yes gladly" if at % 2 else "no never"),
                ("persuader", "thank you"),
                ("persuadee", "sure gladly" if at % 2 else "no never"),
            ),
            bool(at % 2),
        )
        for at in range(40)
    ]
    assert donation.cross_validated(rows) == donation.Donation(1.0, 1.0)
