"""`strowger evaluate text`: one sentence for what is missing, one table for what is there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.errors import BadTable
from app.evaluation import text
from ml.verdicts import Verdict


def test_without_data_it_is_one_sentence() -> None:
    with pytest.raises(BadTable, match="--data is missing"):
        text.report(None, (), False)


@pytest.mark.parametrize("as_json", [False, True])
def test_what_is_not_met_leaves_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    def found(data: Path, only: tuple[str, ...], known: object, say: Callable[[str], None]) -> Iterator[Verdict]:
        say("fold 1")
        yield Verdict("accuracy", ">= 0.92", "0.910", False)

    monkeypatch.setattr(text, "verdicts", found)
    assert text.report(Path(), (), as_json) == 1
    out, err = capsys.readouterr()
    assert err == "fold 1\n"
    assert json.loads(out)[0]["met"] is False if as_json else "NOT MET" in out
