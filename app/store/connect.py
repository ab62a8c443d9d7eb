"""The connection pool, and the three ways a transaction may begin: for a worker, for a user, for neither.

There is no fourth: every statement of ours runs under a role that cannot bypass row-level security.
Everything is set for one transaction only and nothing is prepared, so a transaction pooler may sit in between.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self, TypeAlias
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row

from app.errors import Conflict, Forbidden, StoreDown, StoreError

Connection: TypeAlias = psycopg.Connection[DictRow]

STATEMENT_TIMEOUT = "15s"  # longer than any of ours takes, shorter than a caller's patience with a hung lock
# A database whose machine vanished is noticed after seconds, not after the quarter of an hour that TCP allows.
_CONNECT: dict[str, Any] = {
    "prepare_threshold": None,
    "connect_timeout": 5,
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}

_BEGIN = """
    select set_config('role', %(role)s, true),
           set_config('strowger.workspace_id', %(workspace)s, true),
           set_config('request.jwt.claims', %(claims)s, true),
           set_config('statement_timeout', %(timeout)s, true)
"""


class Database:
    """A pool of connections. Safe to share between threads; open one per process, after any fork.

    Written out here because it must fail at once when the database is away: a webhook that waits is as bad as one
    that fails (P4), and a journal that waits is late when the database is back. Connections are made by whoever needs
    one, in their thread; there is nothing in the background.
    """

    def __init__(self, url: str, max_size: int, checkout_s: float) -> None:
        self._url = url
        self._checkout_s = checkout_s
        self._slots = threading.BoundedSemaphore(max_size)
        self._idle: deque[Connection] = deque()  # the warmest is last
        self._closed = False

    @classmethod
    def open(cls, url: str, *, max_size: int = 8, checkout_s: float = 5.0) -> Self:
        """Connects to nothing yet. A transaction waits `checkout_s` for one of `max_size` connections to be free."""
        return cls(url, max_size, checkout_s)

    def close(self) -> None:
        """Those in use are closed when they are given back."""
        self._closed = True
        while (connection := self._idle_one()) is not None:
            connection.close()

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
            if not self._slots.acquire(timeout=self._checkout_s):
                raise StoreDown(f"the database is busy: no connection was free for {self._checkout_s:g} s")
            try:
                connection = self._begin(begin)
                try:
                    yield connection
                    connection.commit()
                finally:
                    self._give_back(connection)
            finally:
                self._slots.release()

    def _begin(self, begin: Mapping[str, str]) -> Connection:
        """A connection on which the transaction has begun. Beginning doubles as the check that an idle one is alive:
        after a restart of the database all of them are dead, and no caller should have to notice."""
        while (connection := self._idle_one()) is not None:
            with contextlib.suppress(psycopg.OperationalError):
                return _begun(connection, begin)
        return _begun(psycopg.Connection.connect(self._url, row_factory=dict_row, **_CONNECT), begin)

    def _idle_one(self) -> Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _give_back(self, connection: Connection) -> None:
        """Undoes what was not committed."""
        with contextlib.suppress(psycopg.Error):
            connection.rollback()
        if self._closed or connection.broken or connection.info.transaction_status is not TransactionStatus.IDLE:
            connection.close()
        else:
            self._idle.append(connection)


def _begun(connection: Connection, begin: Mapping[str, str]) -> Connection:
    try:
        connection.execute(_BEGIN, begin)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def translated() -> Iterator[None]:
    """The driver's errors as ours. Timeouts, deadlocks and lost connections are worth a retry: StoreDown."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise StoreDown(f"the database did not answer: {_first_line(error)}") from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise Forbidden(f"the database does not allow this: {_first_line(error)}") from error
    except psycopg.IntegrityError as error:
        raise Conflict(f"the database refused a contradiction: {_first_line(error)}") from error
    except psycopg.Error as error:
        raise StoreError(f"the database refused a statement: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    """The message without its DETAIL line, which may quote a person's data."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
