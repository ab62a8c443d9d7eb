"""T24: a file that is unpickled runs what its author likes. Nothing of ours unpickles."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FORBIDDEN = {"pickle", "cPickle", "_pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal"}
FILES = sorted(file for folder in ("app", "ml", "workers") for file in (ROOT / folder).rglob("*.py"))


def faults(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found += [n.name for n in names if n.name.partition(".")[0] in FORBIDDEN]
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in FORBIDDEN:
                found.append(module)
            case ast.keyword(arg="allow_pickle", value=value) if not (
                isinstance(value, ast.Constant) and value.value is False
            ):
                found.append("allow_pickle")
            case ast.Attribute(attr="read_pickle"):
                found.append("read_pickle")
    return found


def test_T24_nothing_of_ours_unpickles() -> None:
    assert FILES
    assert {str(file): faults(file.read_text()) for file in FILES if faults(file.read_text())} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "import a, dill.x",
        "np.load(f, allow_pickle=True)",
        "pd.read_pickle(f)",
    ],
)
def test_T24_what_unpickles_is_noticed(source: str) -> None:
    assert faults(source)
