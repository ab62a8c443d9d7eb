"""How long `strowger serve` takes from being typed to being ready for calls: `python -m app.bench_start`.

The database is there already, as in production and as under `strowger up`; the first start, which also trains the
intents of a new playbook, is made and thrown away.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import typer

from app.embedded import start_services
from app.embedded.launch import free_port
from app.errors import ServiceNotStarted
from app.local import OFFLINE, furnish
from app.settings import load

LOOK_S = 0.01
GIVE_UP_S = 120.0


def main(runs: int = 5) -> None:
    """Prints one line per start and the medians."""
    with tempfile.TemporaryDirectory(prefix="strowger-start-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # as root, Postgres runs as somebody else
        settings = load(data_dir=Path(folder), database_url=None, redis_url=None)
        with start_services(settings) as services:
            furnish(settings, services.database_url)
            env = os.environ | OFFLINE
            env |= {
                "DATABASE_URL": services.database_url,
                "REDIS_URL": services.redis_url,
                "STROWGER_DATA_DIR": folder,
                "STROWGER_PUBLIC_URL": "https://calls.example.com",
                "TWILIO_AUTH_TOKEN": "0" * 32,
            }
            start(env)
            figures = [start(env) for _ in range(runs)]
    for wall, cpu in figures:
        typer.echo(f"ready after {wall:.2f} s, with {cpu:.2f} s of CPU")
    wall, cpu = (statistics.median(column) for column in zip(*figures, strict=True))
    typer.echo(f"median      {wall:.2f} s,      {cpu:.2f} s of CPU; load {os.getloadavg()[0]:.1f} on {os.cpu_count()}")


def start(env: dict[str, str]) -> tuple[float, float]:
    """Seconds on the clock and of CPU until ready. Raises ServiceNotStarted."""
    port = free_port()
    began = time.monotonic()
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            while not _ready(port):
                if process.poll() is not None or time.monotonic() - began > GIVE_UP_S:
                    raise ServiceNotStarted("`strowger serve` did not become ready: start it by hand to see why")
                time.sleep(LOOK_S)
            wall = time.monotonic() - began
            used = psutil.Process(process.pid).cpu_times()
            return wall, used.user + used.system
        finally:
            process.terminate()


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    typer.run(main)
