"""Make `.venv` ready, with nothing but a Python and its standard library. The Python that runs this may be older than
the one it looks for.

    python3 scripts/setup_venv.py run    what `make demo` needs
    python3 scripts/setup_venv.py dev    and what tests and linters need

Uses uv where it is on PATH, pip otherwise; both install exactly what the lock file names and check its hashes. A
missing or wrong thing ends with one sentence that says what to do, and exit code 2.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCKS = {"run": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}
CANDIDATES = ("python3.13", "python3.12", "python3.11", "python3", "python")
OLDEST = (3, 11)
NEWEST = (3, 13)
FREE_MB = 1500


class CannotSetUp(Exception):
    """One sentence for the person at the terminal."""


def version_of(python):
    """(3, 13), or None where this command is no working Python."""
    try:
        out = subprocess.run(
            [python, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if out.returncode != 0:
        return None
    major, minor = out.stdout.split()
    return int(major), int(minor)


def choose_python():
    """The newest supported interpreter on PATH; STROWGER_PYTHON overrides."""
    asked = os.environ.get("STROWGER_PYTHON")
    for name in (asked,) if asked else (*CANDIDATES, sys.executable):
        path = shutil.which(name) or (name if os.path.exists(name) else None)
        found = version_of(path) if path else None
        if found and OLDEST <= found <= NEWEST:
            return path
    what = f"STROWGER_PYTHON={asked} is not one" if asked else "none was found on PATH"
    raise CannotSetUp(
        f"Strowger needs Python 3.11, 3.12 or 3.13 and {what}. Install one (https://www.python.org/downloads/) "
        "or set STROWGER_PYTHON to its path."
    )


def venv_python():
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def make_venv():
    if venv_python().exists():
        found = version_of(str(venv_python()))
        if found and OLDEST <= found <= NEWEST:
            return
        shutil.rmtree(VENV)
    python = choose_python()
    free_mb = shutil.disk_usage(ROOT).free // 1_000_000
    if free_mb < FREE_MB:
        raise CannotSetUp(
            f"The set-up needs about {FREE_MB} MB on this disk and {free_mb} MB are free: make room first."
        )
    uv = shutil.which("uv")
    if uv:
        run([uv, "venv", "--quiet", "--no-python-downloads", "--python", python, str(VENV)], "creating .venv")
        return
    try:
        run([python, "-m", "venv", str(VENV)], "creating .venv")
    except CannotSetUp:
        shutil.rmtree(VENV, ignore_errors=True)
        raise CannotSetUp(
            f"{python} cannot make virtual environments: install its venv package "
            "(on Debian and Ubuntu: sudo apt-get install python3-venv) and try again."
        ) from None


def run(command, doing):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        tail = (done.stderr.strip() or done.stdout.strip()).splitlines()[-15:]
        print("\n".join(tail), file=sys.stderr)
        raise CannotSetUp(f"Stopped while {doing} (the tool's own words are above). Check the network and try again.")


def install(lock):
    uv = shutil.which("uv")
    if uv:
        pip = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(venv_python())]
    else:
        pip = [str(venv_python()), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--require-hashes", "-r", str(lock)], f"installing what {lock.name} names")
    run([*pip, "--no-deps", "--no-build-isolation", "-e", "."], "installing strowger itself")
    # Once here, and not at every start where Python may not write (PYTHONDONTWRITEBYTECODE, a read-only checkout).
    run([str(venv_python()), "-m", "compileall", "-q", "app", "ml", "workers"], "compiling strowger")


def fingerprint(lock):
    return hashlib.sha256(lock.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()


def main(kind):
    if os.name == "nt":
        raise CannotSetUp("Strowger runs on Linux and macOS; on Windows use it inside WSL.")
    lock = LOCKS[kind]
    stamp = VENV / f".{kind}-ready"
    wider = VENV / ".dev-ready"
    want = fingerprint(lock)
    if stamp.exists() and stamp.read_text() == want and venv_python().exists():
        return
    if kind == "run" and wider.exists() and wider.read_text() == fingerprint(LOCKS["dev"]):
        return
    make_venv()
    print(f"Installing what Strowger needs into .venv (once, a minute or two) with {lock.name} ...", flush=True)
    install(lock)
    stamp.write_text(want)


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "run")
    except CannotSetUp as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except KeyError:
        print("Say what the set-up is for: run or dev.", file=sys.stderr)
        sys.exit(2)
