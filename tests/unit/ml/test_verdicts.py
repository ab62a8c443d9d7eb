"""What the models must show: each met, not met, or not measured."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from ml.commands import app
from ml.verdicts import Verdict, verdicts


def test_a_table_that_is_not_there_is_not_measured(tmp_path: Path) -> None:
    found = list(verdicts(tmp_path, ("bank", "telco", "drill")))
    assert [v.met for v in found] == [None, None, None]
    assert all("there is no" in v.found for v in found)


def test_T24_foreign_model_files_are_refused_and_that_is_shown() -> None:
    found = list(verdicts(None, ("files",)))
    assert [v.met for v in found] == [True, True]
    assert "names types" in found[1].found


def test_a_verdict_that_is_not_met_says_so_first() -> None:
    assert str(Verdict("AUC", ">= 0.8", "0.7", False)) == "NOT MET       AUC: 0.7 (needed: >= 0.8)"


def test_the_command_leaves_with_1_only_for_what_was_measured_and_missed(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["evaluate", "models", "--data", str(tmp_path), "--only", "telco"])
    assert done.exit_code == 0
    assert done.stdout.startswith("not measured")
    assert CliRunner().invoke(app, ["evaluate", "models", "--only", "weather"]).exit_code == 2
