"""Services for the tests that ask for them: one Postgres and one Valkey per run, shared by all its processes.

Each test gets a database of its own, copied from a migrated template. A test that asks for none of this pays nothing.
"""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings

from app.embedded.holds import Lifeline, Ownership

from .browser.running import Share

if TYPE_CHECKING:
    from app.store.connect import Database

_FOLDER = "STROWGER_TESTS_FOLDER"  # inherited by the workers of a parallel run; made by whoever first needs it
_NAME = "strowger-tests-"
_MEMORY, _ROOM, _LONG_AGO_S = Path("/dev/shm"), 4 * 2**30, 86_400.0
_TEMPLATE = "strowger_template"
_PLAYBOOK = "business: {name: Northlight Solar}\n"
_PG15 = (Path("/usr/lib/postgresql/15"), Path("/usr/pgsql-15"), Path("/opt/homebrew/opt/postgresql@15"))
_SERVERS = ("postgres", "valkey", "15/postgres")
# Those that take longest, or wait longest: begun first, so that they do not end last. The others keep their order.
_FIRST = (
    "browser/test_phone.py",
    "integration/test_worker_night.py",
    "calls/test_calls_bench.py",
    "browser/test_dashboard.py",
    "browser/test_notifications.py",
    "integration/web/test_web_exchange.py",
    "integration/test_embedded_services.py",
    "integration/web/test_web_webhooks.py",
    "unit/ml/test_lift.py",
    "integration/test_T13_rls.py",
    "integration/test_worker_process.py",
    "integration/api/test_T12_T16_matrix.py",
    "integration/test_worker_broker.py",
    "integration/api/test_api_notifications.py",
    "integration/test_T13_catalogue.py",
    "integration/web/test_web_processes.py",
    "integration/web/test_web_drain.py",
    "integration/api/test_schemathesis.py",
    "calls/test_simulator.py",
    "unit/ml/test_offers.py",
    "integration/test_worker_models.py",
    "unit/ml/test_text_sales.py",
)
_TESTS = Path(__file__).parent
_shares = pytest.StashKey[list[Lifeline]]()
_browsed = pytest.StashKey[Share]()

# The same examples every time: whoever sees a failure can see it again. For others: --hypothesis-profile=default
settings.register_profile(
    "strowger", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("strowger")


def pytest_configure(config: pytest.Config) -> None:
    """The process that starts the run has a share in each server, so that none ends before the run does."""
    # What is compiled once (pytest compiles every test anew, with its asserts) is kept, also where Python may not.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # There are more processes than processors already: threads of theirs would wait for each other, spinning.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    if _FOLDER in os.environ:
        return
    # Not pytest's own folder, which the user that Postgres runs as may not enter.
    folder = _roomy_place() / f"{_NAME}{uuid.uuid4().hex[:12]}"
    for path in (folder, folder / "15", *(folder / name for name in _SERVERS)):
        path.mkdir()
        path.chmod(0o755)
    os.environ[_FOLDER] = str(folder)
    config.stash[_shares] = [Lifeline(folder / name) for name in _SERVERS]
    config.stash[_browsed] = Share(folder.with_name(f"{folder.name}-up"))


def _roomy_place() -> Path:
    """In memory where there is room for it: each test's database is a copy of hundreds of files, and a disk takes ten
    times as long to make them. What killed runs left there yesterday is taken away."""
    try:
        found = os.statvfs(_MEMORY)
    except OSError:
        return Path(tempfile.gettempdir())
    if found.f_bavail * found.f_frsize < _ROOM or found.f_flag & os.ST_NOEXEC or not os.access(_MEMORY, os.W_OK):
        return Path(tempfile.gettempdir())
    for left in _MEMORY.glob(f"{_NAME}*"):
        if time.time() - left.stat().st_mtime > _LONG_AGO_S:
            shutil.rmtree(left, ignore_errors=True)
    return _MEMORY


def pytest_unconfigure(config: pytest.Config) -> None:
    """Cleans up once the servers have ended with the last process that used them."""
    shares = config.stash.get(_shares, None)
    if shares is None:
        return
    folder = Path(os.environ.pop(_FOLDER))
    config.stash[_browsed].end()
    for share in shares:
        share.release()
    for name in _SERVERS:
        Ownership(name, folder / name).release()
    shutil.rmtree(folder, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Processes are handed whole files, in this order."""
    place = {_TESTS / name: number for number, name in enumerate(_FIRST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


def pytest_collection_finish() -> None:
    """Thousands of tests and all they import stay to the end: nobody need look through them for garbage."""
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors, since tests of other processes mostly wait; past a few, collecting costs more
    than it gains."""
    return min(8, (os.cpu_count() or 1) + 1)


@contextmanager
def _only_one(name: str) -> Iterator[Path]:
    """The run's folder, with the other processes of the run kept waiting."""
    folder = Path(os.environ[_FOLDER])
    with (folder / f"{name.replace('/', '-')}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


@contextmanager
def _shared(name: str, start: Callable[[Path], str]) -> Iterator[str]:
    """The address of a server that the first process starts and that runs until the last one is gone."""
    with _only_one(name) as folder:
        address = folder / f"{name.replace('/', '-')}.url"
        if not address.exists():
            address.write_text(start(folder))
        share = Lifeline(folder / name)
    yield address.read_text()
    share.release()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The owner's address of a Postgres with nothing of ours but a migrated template."""
    from app.embedded import postgres

    servers = []

    def start(folder: Path) -> str:
        server = postgres.start(folder)
        servers.append(server)
        return _prepared(server.url)

    with _shared("postgres", start) as url:
        yield url
    for server in servers:
        server.server.release()


@pytest.fixture(scope="session")
def fresh_database(postgres_server: str) -> Callable[[], AbstractContextManager[str]]:
    """Makes the owner's address of a migrated database, as often as asked."""

    def make() -> AbstractContextManager[str]:
        return _database(postgres_server, template=_TEMPLATE)

    return make


@pytest.fixture(scope="session")
def postgres_15() -> Iterator[str]:
    """The owner's address of a PostgreSQL 15: STROWGER_TEST_PG15_URL, or our own server from installed programs."""
    if url := os.environ.get("STROWGER_TEST_PG15_URL"):
        yield url
        return
    programs = next((path for path in _PG15 if (path / "bin" / "postgres").exists()), None)
    if programs is None:
        pytest.skip("no PostgreSQL 15 here: install postgresql-15 or set STROWGER_TEST_PG15_URL")
    from app.embedded import postgres

    servers = []

    def start(folder: Path) -> str:
        servers.append(postgres.start(folder / "15", programs=programs))
        return _prepared(servers[-1].url)

    with _shared("15/postgres", start) as url:
        yield url
    for server in servers:
        server.server.release()


@pytest.fixture(scope="session")
def fresh_database_on_15(postgres_15: str) -> Callable[[], AbstractContextManager[str]]:
    def make() -> AbstractContextManager[str]:
        return _database(postgres_15, template=_TEMPLATE)

    return make


@pytest.fixture
def postgres_url(fresh_database: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """The owner's address of a fresh, migrated database."""
    with fresh_database() as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """The owner's address of a database without anything in it."""
    with _database(postgres_server) as url:
        yield url


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    from app.store.connect import Database

    opened = Database.open(postgres_url, max_size=4)
    yield opened
    opened.close()


@pytest.fixture
def workspace(postgres_url: str) -> UUID:
    """A workspace with the number +12025550100 and a published playbook "northlight_solar"."""
    from app.store.workspaces import seed_demo

    return seed_demo(postgres_url, playbook_name="northlight_solar", playbook_yaml=_PLAYBOOK)


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[str]:
    from app.embedded import valkey

    servers = []

    def start(folder: Path) -> str:
        server = valkey.start(folder)
        servers.append(server)
        return server.url

    with _shared("valkey", start) as url:
        yield url
    for server in servers:
        server.server.release()


@pytest.fixture
def valkey_url(valkey_server: str) -> str:
    """An empty database that no other process of the run uses."""
    import redis

    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    url = f"{valkey_server.removesuffix('/0')}/{worker % 16}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture(scope="session")
def made_once() -> Callable[[Callable[[Path], object]], Path]:
    """`made_once(default_model)`: a data folder in which that has been made, by the first process of the run to ask.

    All share it: who changes files in it takes a copy.
    """

    def make(maker: Callable[[Path], object]) -> Path:
        with _only_one("made") as folder:
            maker(folder / "made")
        return folder / "made"

    return make


@contextmanager
def _database(server: str, *, template: str = "template1") -> Iterator[str]:
    name = f"t_{uuid.uuid4().hex}"
    _make_database(server, name, template)
    try:
        yield _named(server, name)
    finally:
        _execute(server, f'drop database if exists "{name}" with (force)')


def _prepared(server: str) -> str:
    """With the template. These servers live for one run and lose no power, so nothing waits for their disk."""
    from app.store.migrate import ensure_stub, migrate

    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        _execute(server, f"alter system set {setting} = off")
    _execute(server, "select pg_reload_conf()")
    _make_database(server, _TEMPLATE)
    ensure_stub(_named(server, _TEMPLATE))
    migrate(_named(server, _TEMPLATE))
    return server


def _make_database(server: str, name: str, template: str = "template1") -> None:
    # Copying files beats logging every page of a small template.
    _execute(server, f'create database "{name}" template "{template}" strategy file_copy')


def _execute(server: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as db:
        db.execute(statement)


def _named(server: str, name: str) -> str:
    return f"{server.rpartition('/')[0]}/{name}"
