"""`python -m app.chaos.tested`: faults that the repository's tests strike, counted by the ids in the tests' names.

They show that what was promised happens, on real processes where the fault is about processes; not under the load of
the fault table.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from app.chaos.figures import Figure
from app.chaos.rows import FAULTS, Finding, written

ROOT = Path(__file__).resolve().parents[2]
_ID = re.compile(r"_(F\d\d)(?=_)")


def run(faults: Sequence[str]) -> list[Finding]:
    names = " or ".join(f"_{fault}_" for fault in faults)
    with tempfile.TemporaryDirectory(prefix="strowger-chaos-") as folder:
        told = Path(folder) / "tests.xml"
        argv = [sys.executable, "-m", "pytest", "-q", "-k", names, f"--junitxml={told}", "-p", "no:cacheprovider"]
        subprocess.run(argv, cwd=ROOT, stdout=sys.stderr, check=False)  # noqa: S603 - our own tests
        cases = ElementTree.parse(told).iter("testcase")  # noqa: S314 - written by the line above
        return findings(faults, [(case.get("name", ""), _passed(case)) for case in cases])


def findings(faults: Sequence[str], cases: Sequence[tuple[str, bool | None]]) -> list[Finding]:
    """`cases`: tests with whether they passed, None for one that was skipped. A fault of which no test ran has no
    figures."""
    ran, failed = Counter[str](), Counter[str]()
    for name, passed in cases:
        for fault in _ID.findall(name):
            if passed is not None:
                ran[fault] += 1
                failed[fault] += not passed
    return [
        Finding(
            fault,
            "tests",
            0,
            ((0, Figure(f"failed, of {ran[fault]} tests", failed[fault], 0, "")),) if ran[fault] else (),
        )
        for fault in faults
    ]


def _passed(case: ElementTree.Element) -> bool | None:
    if case.find("skipped") is not None:
        return None
    return case.find("failure") is None and case.find("error") is None


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m app.chaos.tested", description=__doc__)
    arguments.add_argument("--faults", default=",".join(FAULTS))
    arguments.add_argument("--json", action="store_true", help="print one JSON document")
    found = run(arguments.parse_args().faults.split(","))
    sys.stdout.write(written(found))
    return 0 if all(finding.met for finding in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
