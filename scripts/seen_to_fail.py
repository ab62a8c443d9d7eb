"""`make seen-to-fail`: every control of the threat table is switched off once, and its test has to notice.

    python scripts/seen_to_fail.py                  all of tests/breakages.toml
    python scripts/seen_to_fail.py --only T05       one threat, or several: --only T05 --only T06
    python scripts/seen_to_fail.py --write          docs/security.md anew from the list; nothing is run

In a copy of the repository's files, never in the files themselves, one breakage at a time: a piece of text is replaced,
the named tests run, and the file is put back. All named tests must pass in the copy as it is (else their red would
prove nothing), and with the breakage at least one has to fail by itself. Ends non-zero otherwise.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "tests" / "breakages.toml"
PAGE = ROOT / "docs" / "security.md"
BETWEEN = ("<!-- the table is written by scripts/seen_to_fail.py --write -->", "<!-- end of the table -->")
LONGEST_S = 300
_FILES = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")

Seen = Literal["red", "GREEN", "not found", "no failure of its own", "too long"]


@dataclass(frozen=True, slots=True)
class Breakage:
    threat: str
    control: str  # what keeps the threat away
    off: str  # what the replacement switches off
    file: str
    old: str  # occurs exactly once in the file
    new: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    code: int | None  # None: it took too long
    failed: tuple[str, ...]  # "name - what it said", of tests that failed by themselves, not in their setting up
    output: str


@dataclass(frozen=True, slots=True)
class Result:
    breakage: Breakage
    seen: Seen
    seconds: float
    said: str  # what the first failing test said, or the end of the output


def breakages(path: Path = LIST) -> list[Breakage]:
    rows = tomllib.loads(path.read_text())["breakage"]
    return [Breakage(**{**row, "tests": tuple(row["tests"])}) for row in rows]


def broken(breakage: Breakage, text: str) -> str | None:
    """The file's text without the control; None where the text to replace is not there exactly once."""
    return text.replace(breakage.old, breakage.new) if text.count(breakage.old) == 1 else None


@contextmanager
def copied() -> Iterator[Path]:
    """The repository's files as they are now, in a folder of their own; a repository too, since tests ask git."""
    names = subprocess.run([_program("git"), *_FILES], cwd=ROOT, capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory(prefix="strowger-broken-") as folder:
        tree = Path(folder)
        for name in filter(None, names.decode().split("\0")):
            if (ROOT / name).is_file():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, tree / name)
        for words in (("init", "-q"), ("add", "-A")):
            subprocess.run([_program("git"), *words], cwd=tree, check=True)
        yield tree


def run_tests(tree: Path, tests: Sequence[str]) -> Run:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "STROWGER_TESTS"))}
    command = [sys.executable, "-B", "-m", "pytest", "-n0", "-p", "no:cacheprovider", "-rf", "--tb=short", *tests]
    try:
        done = subprocess.run(
            command, cwd=tree, env={**env, "COLUMNS": "200"}, capture_output=True, text=True, timeout=LONGEST_S
        )
    except subprocess.TimeoutExpired as late:
        return Run(None, (), str(late))
    failed = tuple(re.findall(r"^FAILED [^ ]*::(.+)$", done.stdout, re.MULTILINE))
    return Run(done.returncode, failed, done.stdout + done.stderr)


def tried(tree: Path, breakage: Breakage) -> Result:
    began = time.monotonic()
    path = tree / breakage.file
    whole = path.read_text()
    text = broken(breakage, whole)
    if text is None:
        return Result(breakage, "not found", 0, f"{breakage.old!r} is not there exactly once")
    path.write_text(text)
    try:
        run = run_tests(tree, breakage.tests)
    finally:
        path.write_text(whole)
    seconds = time.monotonic() - began
    if run.failed:
        return Result(breakage, "red", seconds, run.failed[0])
    seen: Seen = "GREEN" if run.code == 0 else "too long" if run.code is None else "no failure of its own"
    return Result(breakage, seen, seconds, run.output[-1500:])


def table(wanted: Sequence[Breakage]) -> str:
    """The rows of docs/security.md: threat, control, what was switched off, the tests that noticed."""
    rows = ["| Threat | Control | Switched off | Noticed by |", "|---|---|---|---|"]
    for one in wanted:
        tests = "<br>".join(f"`{name.removeprefix('tests/')}`" for name in one.tests)
        rows.append(f"| {one.threat} | {one.control} (`{one.file}`) | {one.off} | {tests} |")
    return "\n".join(rows)


def page(text: str, wanted: Sequence[Breakage]) -> str:
    """The page with the table of the list in its place."""
    first, last = BETWEEN
    before, _, rest = text.partition(first)
    _, _, after = rest.partition(last)
    return f"{before}{first}\n{table(wanted)}\n{last}{after}"


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Switches each control off once and sees its test fail.")
    parser.add_argument("--only", action="append", default=[], metavar="T05", help="this threat only; may be repeated")
    parser.add_argument("--write", action="store_true", help="write the table of docs/security.md and run nothing")
    asked = parser.parse_args(words)
    known = breakages()
    if asked.write:
        PAGE.write_text(page(PAGE.read_text(), known))
        return 0
    wanted = [one for one in known if not asked.only or one.threat in asked.only]
    if not wanted:
        parser.error(f"nothing in {LIST.relative_to(ROOT)} for {', '.join(asked.only)}")
    with copied() as tree:
        names = sorted({name for one in wanted for name in one.tests})
        whole = run_tests(tree, names)
        if whole.code != 0:
            print(whole.output[-4000:])
            print("With nothing broken these tests must pass, or their failing proves nothing.")
            return 1
        print(f"With nothing broken: {len(names)} named tests pass.", flush=True)
        results = []
        for one in wanted:
            results.append(tried(tree, one))
            _tell(results[-1])
    bad = [result for result in results if result.seen != "red"]
    threats = {one.threat for one in wanted}
    print(f"{len(results) - len(bad)} of {len(results)} breakages went red, of {len(threats)} threats.")
    return int(bool(bad))


def _tell(result: Result) -> None:
    one = result.breakage
    print(f"{one.threat}  {result.seen:<6} {result.seconds:5.1f} s  {one.off}", flush=True)
    said = result.said if result.seen != "red" else result.said[:160]
    print("\n".join(f"       {line}" for line in said.splitlines()), flush=True)


def _program(name: str) -> str:
    return shutil.which(name) or name


if __name__ == "__main__":
    sys.exit(main())
