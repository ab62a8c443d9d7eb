"""The set-up script: which Python it takes, and what it says when there is none."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "setup_venv.py"


@pytest.fixture
def setup_venv() -> ModuleType:
    spec = importlib.util.spec_from_file_location("setup_venv", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Makes commands that answer like a Python of this version the only ones on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("STROWGER_PYTHON", raising=False)

    def install(name: str, answer: str) -> Path:
        command = tmp_path / name
        command.write_text(f"#!/bin/sh\n{answer}\n")
        command.chmod(0o755)
        return command

    return install


def test_the_newest_that_works_is_taken(setup_venv: ModuleType, installed: Callable[..., Path]) -> None:
    installed("python3.13", "echo no such version >&2; exit 127")  # a version manager's empty shim
    wanted = installed("python3.11", "echo 3 11")
    installed("python3", "echo 3 10")
    assert setup_venv.choose_python() == str(wanted)


@pytest.mark.parametrize("version", ["3 10", "3 14", "2 7"])
def test_a_python_that_is_too_old_or_too_new_is_not_taken(
    setup_venv: ModuleType, installed: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    old = installed("python3", f"echo {version}")
    monkeypatch.setattr(sys, "executable", str(old))
    with pytest.raises(setup_venv.CannotSetUp, match=r"needs Python 3\.11, 3\.12 or 3\.13 .* Install one"):
        setup_venv.choose_python()


def test_what_was_asked_for_is_taken_or_refused_by_name(
    setup_venv: ModuleType, installed: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed("python3.13", "echo 3 13")
    asked = installed("mine", "echo 3 12")
    monkeypatch.setenv("STROWGER_PYTHON", str(asked))
    assert setup_venv.choose_python() == str(asked)
    monkeypatch.setenv("STROWGER_PYTHON", "/no/such/python")
    with pytest.raises(setup_venv.CannotSetUp, match="STROWGER_PYTHON=/no/such/python"):
        setup_venv.choose_python()


def test_an_old_python_can_read_it() -> None:
    """It may be run by whatever `python3` is, to say what is wrong or to find a newer one."""
    import ast

    ast.parse(SCRIPT.read_text(), feature_version=(3, 7))
