"""Every threat of the threat table has a test that names it, here or where its control lives."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THREATS = [f"T{number:02}" for number in range(1, 39)]


@cache
def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@cache
def by_threat() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {threat: [] for threat in THREATS}
    for path in (ROOT / "tests").rglob("test_*.py"):
        for name in names_in(path):
            if name.startswith("test_"):
                for threat in set(re.findall(r"_(T\d\d)(?=_)", name)) & found.keys():
                    found[threat].append(f"{path.relative_to(ROOT)}::{name}")
    return found


@pytest.mark.parametrize("threat", THREATS)
def test_every_threat_has_a_test(threat: str) -> None:
    assert by_threat()[threat]


def test_an_id_without_a_test_is_noticed() -> None:
    assert "T39" not in by_threat()
    assert all(name.startswith("tests/") for names in by_threat().values() for name in names)


def test_T30_the_container_runs_as_nobody_special() -> None:
    """What the image says; that a running one cannot write is for whoever has Docker to see."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users
    assert users[-1] not in ("root", "0")
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    last = lines[max(number for number, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert not [line for line in last if "--chown=strowger" in line]  # the code belongs to root
    assert not [line for line in lines if re.match(r"(ARG|ENV) .*(KEY|TOKEN|SECRET|PASSWORD)", line)]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_T31_every_dependency_is_locked_by_hash(lock: str) -> None:
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    entries = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]
    assert len(entries) > 50
    assert [entry.split()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_T31_packages_of_the_dashboard_run_nothing_when_installed() -> None:
    folder = ROOT / "app" / "dashboard"
    assert "ignore-scripts=true" in (folder / ".npmrc").read_text()
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    assert [name for name, one in packages.items() if name and "integrity" not in one and not one.get("link")] == []


def test_T22_the_dashboard_draws_text_only() -> None:
    drawn = [path for kind in ("*.vue", "*.ts") for path in (ROOT / "app" / "dashboard" / "src").rglob(kind)]
    assert drawn
    raw = re.compile(r"v-html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")
    assert [str(path.relative_to(ROOT)) for path in drawn if raw.search(path.read_text())] == []


def test_T32_a_conversation_knows_nothing_of_the_number_that_calls() -> None:
    """What was said in earlier calls is out of its reach, so a forged caller id hears nothing of anybody."""
    holding = [ROOT / "app" / "api" / name for name in ("studio.py", "conversations.py")]
    holding += [*(ROOT / "app" / "call").glob("*.py"), *(ROOT / "app" / "dialog").glob("*.py")]
    knowing = re.compile(r"from app\.store(\.| import .*\b)(leads|prospects|turns|messages|scores|outcomes|consents)\b")
    assert [path.name for path in holding if knowing.search(path.read_text())] == []
