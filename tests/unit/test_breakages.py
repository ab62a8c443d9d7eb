"""The list of breakages (tests/breakages.toml) holds for the code as it is; nothing is broken here. `make seen-to-fail`
breaks each of them and sees the tests fail."""

from __future__ import annotations

import ast
import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("seen_to_fail", ROOT / "scripts" / "seen_to_fail.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules.setdefault(spec.name, importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


script = _script()
BREAKAGES: list[Any] = script.breakages()
THREATS = [f"T{number:02}" for number in range(1, 39)]


@cache
def names_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("threat", THREATS)
def test_every_threat_has_a_breakage(threat: str) -> None:
    assert [one for one in BREAKAGES if one.threat == threat]


@pytest.mark.parametrize("one", BREAKAGES, ids=lambda one: f"{one.threat} {one.file}")
def test_what_a_breakage_replaces_is_there_once_and_its_tests_exist(one: Any) -> None:
    text = (ROOT / one.file).read_text()
    broken = script.broken(one, text)
    assert broken is not None, f"not there exactly once: {one.old!r}"
    assert broken != text
    assert one.tests
    for test in one.tests:
        file, _, name = test.partition("::")
        assert name.partition("[")[0] in names_in(ROOT / file), test


def test_a_text_that_is_gone_or_there_twice_is_noticed() -> None:
    one = BREAKAGES[0]
    assert script.broken(one, "") is None
    assert script.broken(one, one.old + one.old) is None


def test_the_page_is_written_from_the_list() -> None:
    """Otherwise: python scripts/seen_to_fail.py --write"""
    text = script.PAGE.read_text()
    assert script.page(text, BREAKAGES) == text
