"""`make security`: what a machine can look for. Says which part it could not do here; ends non-zero for a finding.

1. secrets in the files of the repository, and in its history's present tip
2. code that our rules of ruff object to, among them those of bandit
3. licences of the locked dependencies that we could not ship under our own
4. dependencies with known faults, where pip-audit is installed and its database can be reached
5. every test of the threat table (T01 to T38) that needs no browser, and the whole API with many requests made up by
   schemathesis; STROWGER_FUZZ says how many for each operation

That these tests can fail is shown by `make seen-to-fail`.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FUZZ = os.environ.get("STROWGER_FUZZ", "60")

# What keys of the services we use look like. Long ones only: examples in documents are short or say that they are one.
SECRETS = {
    "a private key": re.compile(r"-----BEGIN (?:RSA |EC |OPENSSH |DSA )?PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}"),
    "a key of OpenAI": re.compile(r"\bsk-(?!ant-)(?:proj-)?[A-Za-z0-9_-]{32,}"),
    "a key of Anthropic": re.compile(r"\bsk-ant-[A-Za-z0-9_-]{32,}"),
    "a key of ours": re.compile(r"\bsk_[A-Za-z0-9_-]{43}\b"),
    "a webhook secret of ours": re.compile(r"\bwhsec_[A-Za-z0-9+/]{43}="),
    "a Twilio auth token": re.compile(r"(?i)auth_?token[\"']?\s*[:=]\s*[\"'](?!0123456789abcdef)[0-9a-f]{32}\b"),
    "a key of Supabase": re.compile(r"\bsb_secret_[A-Za-z0-9_-]{20,}"),
    "a token of GitHub": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}"),
    "a key of AWS": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "a password in an address": re.compile(
        r"\b(?:postgres(?:ql)?|rediss?)://[^\s:/@]+:(?!password@|secret@|x@)[^\s:@/{}$<>]{8,}@"
    ),
    "a signed token": re.compile(r"\beyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}"),
}
# Licences that leave ours as it is. LGPL is among them: those libraries are installed beside our code and not changed.
ALLOWED = re.compile(
    r"\b(?:Apache|0?BSD|MIT|ISC|ISCL|MPL|Mozilla Public License|PSF|Python Software Foundation|LGPL|Zlib|CC0)\b"
)
READ = {"skops": "MIT"}  # says "OSI Approved" of itself; its licence file was read
_LICENCE = ("License-Expression", "License")
_THREAT_TEST = re.compile(r"^(?:async )?def (test_(?:\w+_)?T\d\d_\w+)", re.MULTILINE)
MOST_BYTES = 4 * 1024 * 1024


def secrets_in(text: str) -> Iterator[tuple[int, str]]:
    """(line, what it looks like)."""
    for kind, pattern in SECRETS.items():
        for found in pattern.finditer(text):
            yield text.count("\n", 0, found.start()) + 1, kind


def scan() -> list[str]:
    names = subprocess.run(
        [_program("git"), "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    findings = []
    for name in filter(None, names.split("\0")):
        path = ROOT / name
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            continue
        body = path.read_bytes()
        if b"\0" in body[:8192]:
            continue
        findings += [f"{name}:{line}: {kind}" for line, kind in secrets_in(body.decode(errors="replace"))]
    return findings


def licences() -> dict[str, str]:
    """What each locked dependency that is installed here declares."""
    lock = (ROOT / "requirements.lock").read_text()
    locked = set(re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE))
    found = {}
    for package in importlib.metadata.distributions():
        about = package.metadata
        if re.sub(r"[-_.]+", "-", about["Name"]).lower() in locked:
            kinds = [kind for kind in about.get_all("Classifier") or [] if kind.startswith("License")]
            texts = [text.partition("\n")[0] for name in _LICENCE for text in about.get_all(name) or []]
            found[about["Name"]] = READ.get(about["Name"]) or " / ".join([*texts, *kinds])
    return found


def not_allowed(declared: Mapping[str, str]) -> list[str]:
    return [f"{name}: {text or 'no licence'}" for name, text in sorted(declared.items()) if not ALLOWED.search(text)]


def _program(name: str) -> str:
    return shutil.which(name) or name


def main() -> int:
    bad = scan()
    print("\n".join(bad) or "Secrets: none in the files of the repository.")
    ruff = [sys.executable, "-m", "ruff", "check", "app", "ml", "workers"]
    careless = subprocess.run(ruff, cwd=ROOT).returncode
    strange = not_allowed(licences())
    print("\n".join(strange) or "Licences: all of them allowed.")
    audited = audit()
    env = {**os.environ, "STROWGER_FUZZ": FUZZ}
    tests = [*threat_tests(), "tests/unit/test_threats.py", "tests/unit/test_breakages.py", "tests/integration/api"]
    failed = subprocess.run(
        [sys.executable, "-m", "pytest", "-o", "timeout=3600", *tests], cwd=ROOT, env=env
    ).returncode
    return int(any((bad, careless, strange, audited, failed)))


def threat_tests() -> list[str]:
    """As pytest names them. Those of tests/integration/api run with all of that folder."""
    found = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(("tests/browser/", "tests/integration/api/")):
            found += [f"{name}::{test}" for test in _THREAT_TEST.findall(path.read_text())]
    return found


def audit() -> int:
    if shutil.which("pip-audit") is None:
        print("Dependencies: not audited. pip-audit is not installed here, and needs the network for its database.")
        return 0
    found = subprocess.run(
        [_program("pip-audit"), "--requirement", "requirements.lock", "--require-hashes", "--disable-pip"], cwd=ROOT
    )
    return found.returncode


if __name__ == "__main__":
    sys.exit(main())
