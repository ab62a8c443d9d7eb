"""Postgres and Valkey of our own: they start again after anything, and end with whoever started them."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import psutil
import psycopg
import pytest
import redis

from app.embedded import postgres, reach, start_services, valkey
from app.embedded.holds import InUse, Ownership
from app.embedded.launch import User
from app.errors import ServiceNotStarted
from app.settings import Settings

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand Postgres over to another user")

PARENT = """
import sys
from pathlib import Path
from app.embedded import start_services
from app.settings import Settings
settings = Settings(_env_file=None, data_dir=Path(sys.argv[1]), database_url=None, redis_url=None)
with start_services(settings) as services:
    print(services.database_url, services.redis_url, flush=True)
    sys.stdin.read()
"""


def new_folder() -> Path:
    """Not pytest's own folder, which the user that Postgres runs as may not enter."""
    folder = Path(tempfile.mkdtemp(prefix="strowger-embedded-"))
    folder.chmod(0o755)
    return folder


def copied(made: Path) -> Path:
    folder = new_folder()
    subprocess.run(["cp", "-a", f"{made}/.", folder], check=True)
    (folder / "postgres" / "port").unlink()
    return folder


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A folder whose Postgres has run before."""
    folder = new_folder()
    postgres.start(folder).stop()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def data_dir(made: Path) -> Iterator[Path]:
    """A copy of it: making a cluster takes longer than most of these tests."""
    folder = copied(made)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def empty_dir() -> Iterator[Path]:
    folder = new_folder()
    yield folder
    shutil.rmtree(folder)


def settings(data_dir: Path, **urls: str) -> Settings:
    return Settings(_env_file=None, data_dir=data_dir, **{"database_url": None, "redis_url": None, **urls})


class Parent:
    """Another process that runs the services of a folder."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.process = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(data_dir)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.database_url, self.redis_url = self.process.stdout.readline().split()
        self.keepers = psutil.Process(self.process.pid).children()
        self.servers = [server for keeper in self.keepers for server in keeper.children()]
        self.family = [*self.keepers, *self.servers]

    def named(self, name: str) -> psutil.Process:
        return next(server for server in self.servers if server.name() == name)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture(scope="module")
def standing(made: Path) -> Iterator[Parent]:
    """For the tests that only look."""
    running = Parent(copied(made))
    yield running
    running.kill()
    psutil.wait_procs(running.family, timeout=60)
    shutil.rmtree(running.data_dir)


@pytest.fixture
def parent(data_dir: Path) -> Iterator[Parent]:
    running = Parent(data_dir)
    yield running
    running.kill()
    psutil.wait_procs(running.family, timeout=60)


def remember(url: str, value: int) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("create table if not exists remembered (value int)")
        db.execute("insert into remembered values (%s)", (value,))


def remembered(url: str) -> list[int]:
    with psycopg.connect(url) as db:
        return [value for (value,) in db.execute("select value from remembered order by 1")]


def test_a_second_start_finds_the_data_under_the_same_address(data_dir: Path) -> None:
    with start_services(settings(data_dir)) as first:
        remember(first.database_url, 1)
    with start_services(settings(data_dir)) as second:
        assert remembered(second.database_url) == [1]
        assert second.database_url == first.database_url


def test_a_start_takes_another_port_when_somebody_has_the_old_one(data_dir: Path) -> None:
    import socket

    with start_services(settings(data_dir)) as first:
        remember(first.database_url, 1)
    port = int(first.database_url.rpartition(":")[2].partition("/")[0])
    with socket.create_server(("127.0.0.1", port)), start_services(settings(data_dir)) as second:
        assert second.database_url != first.database_url
        assert remembered(second.database_url) == [1]


def test_nothing_is_started_that_the_environment_names(empty_dir: Path) -> None:
    urls = {"database_url": "postgresql://nobody@127.0.0.1:1/none", "redis_url": "redis://127.0.0.1:1/0"}
    with start_services(settings(empty_dir, **urls)) as services:
        assert services.database_url == urls["database_url"]
        filled = services.settings(settings(empty_dir)).redis_url
        assert filled is not None
        assert filled.get_secret_value() == urls["redis_url"]
    assert list(empty_dir.iterdir()) == []


def test_F21_sigkill_of_the_parent_stops_both_and_loses_nothing(data_dir: Path, parent: Parent) -> None:
    remember(parent.database_url, 1)
    assert redis.Redis.from_url(parent.redis_url).ping()
    parent.kill()
    gone, alive = psutil.wait_procs(parent.family, timeout=60)
    assert (len(gone), alive) == (4, [])
    with start_services(settings(data_dir)) as services:
        assert remembered(services.database_url) == [1]


def test_a_start_right_after_a_sigkill_waits_for_the_old_servers(data_dir: Path, parent: Parent) -> None:
    remember(parent.database_url, 1)
    parent.kill()
    with start_services(settings(data_dir)) as services:
        assert remembered(services.database_url) == [1]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends the orphan")
def test_a_killed_keeper_takes_its_server_along(data_dir: Path, parent: Parent) -> None:
    remember(parent.database_url, 1)
    for keeper in parent.keepers:
        keeper.kill()
    gone, alive = psutil.wait_procs(parent.servers, timeout=60)
    assert (len(gone), alive) == (2, [])


def test_F06_every_acknowledged_commit_survives_kill_9_of_postgres(data_dir: Path, parent: Parent) -> None:
    with psycopg.connect(parent.database_url, autocommit=True) as db:
        assert db.execute("select current_setting('fsync'), current_setting('synchronous_commit')").fetchone() == (
            "on",
            "on",
        )
    for value in range(20):
        remember(parent.database_url, value)
    parent.named("postgres").kill()
    parent.kill()
    with start_services(settings(data_dir)) as services:
        assert remembered(services.database_url) == list(range(20))


def test_a_stale_pid_file_that_names_somebody_else_is_no_obstacle(data_dir: Path) -> None:
    """As after a power cut, when the number belongs to another process by the next start: here to this one."""
    service = postgres.start(data_dir)
    pid_file = data_dir / "postgres" / "cluster" / "postmaster.pid"
    text = pid_file.read_text()
    service.stop()
    pid_file.write_text(re.sub(r"^\d+", str(os.getpid()), text))
    postgres.start(data_dir).stop()


def _cluster(url: str) -> str:
    with psycopg.connect(url) as db:
        row = db.execute("show data_directory").fetchone()
        assert row is not None
        return str(row[0])


@pytest.mark.parametrize("service", [postgres, valkey])
def test_two_starts_of_one_folder_give_one_clear_error(standing: Parent, service: ModuleType) -> None:
    with pytest.raises(InUse, match=r"another Strowger is already running its \w+ in .*STROWGER_DATA_DIR$"):
        service.start(standing.data_dir)


def test_a_guest_uses_what_another_process_runs_and_leaves_it_running(standing: Parent) -> None:
    with start_services(settings(standing.data_dir), share=True) as guest:
        assert (guest.database_url, guest.redis_url) == (standing.database_url, standing.redis_url)
    remember(standing.database_url, 1)


def test_a_server_outlives_its_starter_while_a_guest_is_there(data_dir: Path, parent: Parent) -> None:
    with start_services(settings(data_dir), share=True) as guest:
        parent.kill()
        remember(guest.database_url, 1)
    _, alive = psutil.wait_procs(parent.family, timeout=60)
    assert alive == []


def test_a_password_is_needed_and_kept_from_others(standing: Parent) -> None:
    parent, data_dir = standing, standing.data_dir
    open_url = re.sub(r":[^:@/]+@", "@", parent.database_url)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(open_url)
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(re.sub(r"//[^@]*@", "//", parent.redis_url)).ping()
    for secret in ("postgres/password", "postgres/url", "valkey/valkey.conf", "valkey/url"):
        assert stat.S_IMODE((data_dir / secret).stat().st_mode) == 0o600
    secrets = re.findall(r":([^:@/]{20,})@", f"{parent.redis_url} {parent.database_url}")
    assert len(secrets) == 2
    assert not any(secret in " ".join(process.cmdline()) for process in parent.family for secret in secrets)


def test_both_listen_on_loopback_only(standing: Parent) -> None:
    listening = {
        c.laddr.ip for p in standing.family for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_a_first_start_that_was_killed_leaves_nothing_that_looks_finished(empty_dir: Path) -> None:
    half = empty_dir / "postgres" / "cluster.half"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    postgres.start(empty_dir).stop()
    assert not half.exists()


def test_a_server_that_cannot_start_says_why(data_dir: Path) -> None:
    postgres.start(data_dir).stop()
    with (data_dir / "postgres" / "cluster" / "postgresql.conf").open("a") as conf:
        conf.write("nonsense = 1\n")
    with pytest.raises(ServiceNotStarted, match="nonsense"):
        postgres.start(data_dir)
    Ownership("Postgres", data_dir / "postgres").release()


@as_root
def test_as_root_data_that_nobody_can_reach_goes_elsewhere_and_nothing_is_loosened(empty_dir: Path) -> None:
    data_dir = empty_dir
    data_dir.chmod(0o700)
    service = postgres.start(data_dir)
    place = Path(_cluster(service.url)).parent
    service.stop()
    try:
        assert service.notice is not None
        assert str(place) in service.notice
        assert data_dir not in place.parents
        assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
        again = postgres.start(data_dir)
        assert Path(_cluster(again.url)).parent == place
        again.stop()
    finally:
        shutil.rmtree(place)


def test_a_folder_that_cannot_be_used_is_named_with_what_to_do(empty_dir: Path) -> None:
    (empty_dir / "file").touch()
    for service in (postgres, valkey):
        with pytest.raises(ServiceNotStarted, match=r"cannot use .*file.*: set STROWGER_DATA_DIR"):
            service.start(empty_dir / "file")


def test_a_folder_may_have_any_name(empty_dir: Path) -> None:
    folder = empty_dir / 'Ann\'s "new" projects \\ 1'
    folder.mkdir()
    folder.chmod(0o755)
    with start_services(settings(folder)) as services:
        remember(services.database_url, 1)
        assert redis.Redis.from_url(services.redis_url).ping()
    assert (folder / "valkey" / "valkey.conf").exists()


def test_a_user_without_a_name_is_told_so() -> None:
    nameless = 3_999_999_999
    with pytest.raises(ServiceNotStarted, match="/etc/passwd"):
        reach.require_name(User(nameless, nameless))


@as_root
def test_as_root_postgres_runs_as_nobody(standing: Parent) -> None:
    assert standing.named("postgres").uids().real == reach.NOBODY.uid


@as_root
def test_as_root_programs_that_nobody_can_reach_are_copied_once(empty_dir: Path) -> None:
    hidden = empty_dir / "hidden"
    (hidden / "tool" / "bin").mkdir(parents=True)
    (hidden / "tool" / "bin" / "run").write_text("x")
    hidden.chmod(0o700)
    shelf = empty_dir / "shelf"
    shelf.mkdir(mode=0o755)
    copy = reach.reachable_copy(hidden, ("tool/bin",), shelf, reach.NOBODY)
    assert reach.reachable(copy / "tool" / "bin" / "run", reach.NOBODY)
    assert reach.reachable_copy(hidden, ("tool/bin",), shelf, reach.NOBODY) == copy
    assert stat.S_IMODE(hidden.stat().st_mode) == 0o700
    hidden.chmod(0o755)
    assert reach.reachable_copy(hidden, ("tool/bin",), shelf, reach.NOBODY) == hidden
