"""Builds the dashboard with Node, once for each state of its sources. Nothing built is kept in the repository.

The types of what the API answers are written first, so that a page that expects something else does not build. The
API's shape is known by the Python client, which is made from it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from app.errors import BadInput

SOURCES = Path(__file__).parent / "dashboard"
DIST = SOURCES / "dist"
_STAMP = "sources.sha256"
_SHAPE = Path(__file__).parent / "client"
_TYPES = "api.generated.ts"
OLDEST_NODE = (20, 19)
INSTALL_S, BUILD_S = 600, 300


def built() -> Path | None:
    """The folder with the built dashboard. STROWGER_DASHBOARD names another one, as in the image."""
    folder = Path(os.environ.get("STROWGER_DASHBOARD") or DIST)
    return folder if (folder / "index.html").is_file() else None


def build() -> str:
    """What was done, in a sentence. Raises BadInput with what is missing; the service runs without a dashboard, too."""
    if not (SOURCES / "package.json").is_file():
        raise BadInput("The dashboard's sources are not here: it can only be built from a checkout.")
    with (SOURCES / ".build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = _state()
        stamp = DIST / _STAMP
        if stamp.is_file() and stamp.read_text() == state:
            return "The dashboard is built."
        npm, env = _npm()
        if not _installed():
            _run([npm, "ci", "--no-audit", "--no-fund"], env, INSTALL_S, "fetching what the dashboard needs")
        _run(
            [sys.executable, "-m", "app.client.typescript"], env, BUILD_S, "writing the API's types", SOURCES.parents[1]
        )
        _run([npm, "run", "build"], env, BUILD_S, "building the dashboard")
        stamp.write_text(state)
    return "The dashboard was built."


def _installed() -> bool:
    """npm writes its own list of what it installed; older than ours, it is not what we want."""
    there, wanted = SOURCES / "node_modules" / ".package-lock.json", SOURCES / "package-lock.json"
    return there.is_file() and there.stat().st_mtime >= wanted.stat().st_mtime


def _state() -> str:
    sha256 = hashlib.sha256()
    for path in sorted(_files()):
        sha256.update(str(path.relative_to(SOURCES.parent)).encode() + b"\0" + path.read_bytes())
    return sha256.hexdigest()


def _files() -> Iterator[Path]:
    for name in ("package.json", "package-lock.json", "vite.config.ts", "tsconfig.json", "index.html"):
        yield SOURCES / name
    for folder in ("src", "public", "scripts"):
        yield from (path for path in (SOURCES / folder).rglob("*") if path.is_file() and path.name != _TYPES)
    yield from (_SHAPE / "api.py", _SHAPE / "typescript.py")


def _npm() -> tuple[str, dict[str, str]]:
    """The machine's own. Raises BadInput."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise BadInput(f"The dashboard needs Node {'.'.join(map(str, OLDEST_NODE))} or newer, and npm, on PATH.")
    said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout  # noqa: S603
    version = tuple(int(part) for part in said.strip().removeprefix("v").split(".")[:2] if part.isdigit())
    if version < OLDEST_NODE:
        raise BadInput(f"The dashboard needs Node {'.'.join(map(str, OLDEST_NODE))} or newer; here is {said.strip()}.")
    return npm, {**os.environ, "CI": "1"}


def _run(command: list[str], env: dict[str, str], limit_s: float, what: str, folder: Path = SOURCES) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - npm, with our own arguments
            command, cwd=folder, env=env, capture_output=True, text=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise BadInput(f"{what} took longer than {limit_s:.0f} s: try again, or look at the network.") from None
    if done.returncode:
        told = f"{done.stderr}\n{done.stdout}".splitlines()
        last = [line.strip() for line in told if line.strip() and not line.startswith(("npm ", ">"))][-3:]
        raise BadInput(f"{what} failed: {' '.join(last)[:400]}")
