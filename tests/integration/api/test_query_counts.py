"""How many statements a read costs: the same for a page of two as for a page of two hundred (no N+1)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from .conftest import Api, id_of
from .examples import Operation, operations

pytestmark = pytest.mark.integration

# Beside the two that begin and end a transaction. More than this for a read wants a reason.
MOST = 8
READS = tuple(one for one in operations() if not one.writes and one.needed != "anyone")


MANY = (
    """
    insert into leads (id, workspace_id, phone, name)
    select md5('l' || n)::uuid, %s, '+1202666' || (1000 + n), 'Ada' from generate_series(1, %s) n
    """,
    """
    insert into calls (id, workspace_id, call_sid, direction, caller, called, lead_id, playbook, playbook_version,
                       status, ended_at)
    select md5('c' || n)::uuid, %s, 'CAn' || n, 'inbound', '+1202666' || (1000 + n), '+12025550100',
           md5('l' || n)::uuid, 'solar', 1, 'completed', now() from generate_series(1, %s) n
    """,
    """
    insert into outcomes (call_id, workspace_id, call_sid, lead_id, result, reason)
    select md5('c' || n)::uuid, %s, 'CAn' || n, md5('l' || n)::uuid, 'booked', 'finished' from generate_series(1, %s) n
    """,
    """
    insert into scores (workspace_id, lead_id, call_id, model_version, probability, lower, upper, tier, reasons)
    select w, md5('l' || n)::uuid, md5('c' || n)::uuid, 'v1', 0.5, 0.4, 0.6, 'warm', '{x}'
    from (select %s::uuid as w) w, generate_series(1, %s) n
    """,
    """
    insert into members (workspace_id, user_id, role)
    select %s, md5('m' || n)::uuid, 'viewer' from generate_series(1, %s) n
    """,
    """
    insert into audit_log (workspace_id, actor, action, subject)
    select %s, 'test', 'x', 'y' from generate_series(1, %s)
    """,
)


class Counter:
    """Counts statements of every connection while it is on."""

    def __init__(self) -> None:
        self.on, self.count = False, 0
        self._lock = threading.Lock()

    def note(self) -> None:
        with self._lock:
            self.count += self.on

    @contextmanager
    def counting(self) -> Iterator[None]:
        self.on, self.count = True, 0
        try:
            yield
        finally:
            self.on = False


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Counter:
    counter, execute = Counter(), psycopg.Cursor.execute

    def counted(self: Any, query: Any, *rest: Any, **more: Any) -> Any:
        if "set_config('role'" not in str(query):
            counter.note()
        return execute(self, query, *rest, **more)

    monkeypatch.setattr(psycopg.Cursor, "execute", counted)
    return counter


@pytest.fixture(scope="module")
def full(serve_api: Any) -> Iterator[Api]:
    """A hundred leads, each with a call, an outcome, a score and a message."""
    with serve_api() as api:
        many, a = 100, id_of("a", "workspace")
        for query in MANY:
            api.sql(query, a, many)
        yield api


def cost(api: Api, counter: Counter, one: Operation, **query: Any) -> int:
    path = one.path("a")
    for _ in range(2):  # the second time, who asks is remembered
        with counter.counting():
            answer = api.as_("owner").get(path, params=query or None)
    assert answer.status_code in (200, 404), answer.text
    return counter.count


@pytest.mark.parametrize("one", READS, ids=lambda one: one.id)
def test_a_read_is_a_few_statements(full: Api, counter: Counter, one: Operation) -> None:
    assert cost(full, counter, one) <= MOST


@pytest.mark.parametrize(
    "one",
    [one for one in READS if any(p["name"] == "limit" for p in one.node.get("parameters", []))],
    ids=lambda one: one.id,
)
def test_a_long_page_costs_no_more_statements_than_a_short_one(full: Api, counter: Counter, one: Operation) -> None:
    assert cost(full, counter, one, limit=2) == cost(full, counter, one, limit=100)
