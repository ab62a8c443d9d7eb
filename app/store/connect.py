"""The connection pool, and the three ways a transaction may begin: for a worker, for a user, for neither.

There is no fourth: every statement of ours runs under a role that cannot bypass row-level security.
Everything is set for one transaction only and nothing is prepared, so a transaction pooler may sit in between.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self, TypeAlias
from uuid import UUID

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from app.errors import Conflict, StoreDown, StoreError

Connection: TypeAlias = psycopg.Connection[DictRow]

STATEMENT_TIMEOUT = "15s"  # longer than any of ours takes, shorter than a caller's patience with a hung lock

_BEGIN = """
    select set_config('role', %(role)s, true),
           set_config('strowger.workspace_id', %(workspace)s, true),
           set_config('request.jwt.claims', %(claims)s, true),
           set_config('statement_timeout', %(timeout)s, true)
"""


class Database:
    """A pool of connections. Safe to share between threads; open one per process, after any fork."""

    def __init__(self, pool: ConnectionPool[Connection]) -> None:
        self._pool = pool

    @classmethod
    def open(cls, url: str, *, max_size: int = 8, checkout_s: float = 5.0) -> Self:
        """Returns at once; a database that is not there shows as StoreDown at the first transaction, which waits
        `checkout_s` for a connection."""
        pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            min_size=1,
            max_size=max_size,
            open=False,
            timeout=checkout_s,
            reconnect_timeout=0,  # the next request tries again by itself
            kwargs={"prepare_threshold": None, "row_factory": dict_row, "connect_timeout": 5},
        )
        pool.open(wait=False)
        return cls(pool)

    def close(self) -> None:
        self._pool.close(timeout=2)

    @contextmanager
    def worker(self, workspace_id: UUID) -> Iterator[Connection]:
        """A transaction that sees one workspace."""
        with self._transaction(role="strowger_worker", workspace=str(workspace_id)) as connection:
            yield connection

    @contextmanager
    def user(self, claims: Mapping[str, Any]) -> Iterator[Connection]:
        """A transaction under the verified claims of a person's token."""
        with self._transaction(role="authenticated", claims=json.dumps(dict(claims))) as connection:
            yield connection

    @contextmanager
    def system(self) -> Iterator[Connection]:
        """A transaction that sees no row at all; it may only ask the few functions that look across workspaces."""
        with self._transaction(role="strowger_worker") as connection:
            yield connection

    @contextmanager
    def _transaction(self, *, role: str, workspace: str = "", claims: str = "") -> Iterator[Connection]:
        begin = {"role": role, "workspace": workspace, "claims": claims, "timeout": STATEMENT_TIMEOUT}
        with translated():
            connection = self._checkout(begin)
            try:
                yield connection
                connection.commit()
            finally:
                # Rolls back what was not committed, and drops a connection that broke.
                self._pool.putconn(connection)

    def _checkout(self, begin: Mapping[str, str]) -> Connection:
        """A connection on which the transaction has begun. Beginning doubles as the check that it is alive:
        after a restart of the database every pooled connection is dead, and no caller should have to notice."""
        dead = 0
        while True:
            connection = self._pool.getconn()
            try:
                connection.execute(_BEGIN, begin)
            except psycopg.OperationalError:
                broken = connection.broken or connection.closed
                self._pool.putconn(connection)
                dead += 1
                if not broken or dead > self._pool.max_size:
                    raise
            except BaseException:
                self._pool.putconn(connection)
                raise
            else:
                return connection


@contextmanager
def translated() -> Iterator[None]:
    """The driver's errors as ours. Timeouts, deadlocks and lost connections are worth a retry: StoreDown."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
        raise StoreDown(f"the database did not answer: {_first_line(error)}") from error
    except psycopg.IntegrityError as error:
        raise Conflict(f"the database refused a contradiction: {_first_line(error)}") from error
    except psycopg.Error as error:
        raise StoreError(f"the database refused a statement: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    """The message without its DETAIL line, which may quote a person's data."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
