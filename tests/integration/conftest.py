"""For tests that do not mind what else is in the database: one per module, and a tenant of its own for each test."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

if TYPE_CHECKING:
    from app.store.connect import Database

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A workspace with the playbook we ship, answering on this number."""

    workspace: UUID
    number: str


@pytest.fixture(scope="module")
def shared_postgres_url(postgres_server: str) -> Iterator[str]:
    """The owner's address of a migrated database that the tests of this module share."""
    import psycopg

    name = f"m_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute(f'create database "{name}" template strowger_template strategy file_copy')
    yield f"{postgres_server.rpartition('/')[0]}/{name}"
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute(f'drop database if exists "{name}" with (force)')


@pytest.fixture(scope="module")
def shared_database(shared_postgres_url: str) -> Iterator[Database]:
    from app.store.connect import Database

    opened = Database.open(shared_postgres_url, max_size=4)
    yield opened
    opened.close()


@pytest.fixture
def make_tenant(shared_postgres_url: str) -> Callable[[], Tenant]:
    from workers.chaos.seed import new_workspace

    def make() -> Tenant:
        number = f"+1202777{next(_numbers):04d}"
        return Tenant(new_workspace(shared_postgres_url, number), number)

    return make


@pytest.fixture
def tenant(make_tenant: Callable[[], Tenant]) -> Tenant:
    return make_tenant()


@pytest.fixture
def eventually() -> Callable[..., None]:
    """`eventually(lambda: ...)` returns as soon as it holds, and fails when it has not within `within_s` seconds."""
    import time

    def wait(holds: Callable[[], object], within_s: float = 120.0) -> None:
        give_up_at = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < give_up_at, "it did not come true in time"
            time.sleep(0.05)

    return wait
