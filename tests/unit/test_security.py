"""The scan for secrets finds what it is for (T29)."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def security() -> ModuleType:
    spec = importlib.util.spec_from_file_location("security", ROOT / "scripts" / "security.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# In two parts, or this file would be a finding itself.
KEYS = (
    ("sk-proj-", "a1B2" * 10),
    ("sk-ant-", "api03-" + "x" * 40),
    ("sk" + "_", "a" * 43),
    ("whsec" + "_", "A" * 43 + "="),
    ("auth_token = '", "fedcba98" * 4 + "'"),
    ("sb_secret", "_" + "a" * 24),
    ("ghp" + "_", "a" * 36),
    ("AKIA", "ABCDEFGHIJKLMNOP"),
    ("postgresql://postgres:", "correct-horse@db.example.com/x"),
    ("eyJ" + "a" * 24 + ".", "eyJ" + "b" * 24 + "." + "c" * 24),
    ("-----BEGIN PRIVATE ", "KEY-----\n" + "M" * 60),
)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key[0])
def test_T29_a_secret_is_found_with_its_line(security: ModuleType, key: tuple[str, str]) -> None:
    assert [line for line, _ in security.secrets_in("first\n" + "".join(key))] == [2]


def test_T29_there_is_none_in_the_repository(security: ModuleType) -> None:
    assert security.scan() == []


def test_T14_the_key_that_bypasses_row_level_security_is_read_in_one_place() -> None:
    python = [path for folder in ("app", "ml", "workers") for path in (ROOT / folder).rglob("*.py")]
    named = {path.relative_to(ROOT).as_posix() for path in python if "SUPABASE_SECRET_KEY" in path.read_text()}
    assert named <= {"app/settings.py", "app/doctor.py"}


def test_T31_a_licence_that_is_not_allowed_is_a_finding(security: ModuleType) -> None:
    fine = ("MIT", "Apache-2.0 OR BSD-2-Clause", "License :: OSI Approved :: BSD License", "LGPL-3.0-only", "MPL-2.0")
    strange = ("GPL-3.0-only", "AGPL-3.0", "SSPL-1.0", "Proprietary", "LIMITED USE", "")
    declared = {f"{number:02}": text for number, text in enumerate((*fine, *strange))}
    assert security.not_allowed(declared) == [
        f"{number:02}: {text or 'no licence'}" for number, text in enumerate(strange, len(fine))
    ]


def test_T31_every_dependency_that_is_installed_may_be_shipped(security: ModuleType) -> None:
    declared = security.licences()
    assert len(declared) > 50
    assert security.not_allowed(declared) == []
