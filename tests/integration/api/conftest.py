"""The API against a real database: two workspaces, a member of every role in both, and a client for each."""

from __future__ import annotations

import hashlib
import itertools
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import httpx2
import psycopg
import pytest
from starlette.testclient import TestClient

from app.api.context import Conversations, Web
from app.api.records import Records
from app.api.switchboard import Switchboard
from app.api.v1.principal import Role
from app.api.wire import Wire
from app.main import create_app
from app.settings import Settings, load
from app.store.calls import CallRow

ONE_OF_EACH = Path(__file__).parents[2] / "sql" / "one_of_each.sql"
PUBLIC = "https://calls.example.com"
ROLES = tuple(Role)
_keys = itertools.count(1)


def id_of(workspace: str, name: str) -> UUID:
    """The id of a row of tests/sql/one_of_each.sql: its workspace is "a", "b" or "c"."""
    return uuid.UUID(hashlib.md5((workspace + name).encode()).hexdigest())


class NoConversations(Conversations):
    """The API without telephone calls."""

    @property
    def ready(self) -> bool:
        return True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None: ...

    def expect(self, playbook: str, call: CallRow) -> None: ...

    async def hold(self, wire: Wire, call: CallRow, token: str) -> str:
        raise AssertionError("no call rings here")


@dataclass(frozen=True)
class Client:
    """Sends requests under /api/v1 as one member (or key, or nobody)."""

    http: TestClient
    headers: dict[str, str]

    def request(self, method: str, path: str, /, **more: Any) -> httpx2.Response:
        headers = {**self.headers, **more.pop("headers", {})}
        return self.http.request(method, f"/api/v1{path}", headers=headers, **more)

    def get(self, path: str, /, **more: Any) -> httpx2.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, /, **more: Any) -> httpx2.Response:
        return self.request("POST", path, **more)

    def put(self, path: str, /, **more: Any) -> httpx2.Response:
        return self.request("PUT", path, **more)

    def patch(self, path: str, /, **more: Any) -> httpx2.Response:
        return self.request("PATCH", path, **more)

    def delete(self, path: str, /, **more: Any) -> httpx2.Response:
        return self.request("DELETE", path, **more)

    def ticket(self, purpose: str, **more: Any) -> str:
        answer = self.post("/tickets", json={"purpose": purpose, **more})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["ticket"])


@dataclass(frozen=True)
class Api:
    """`as_("viewer")` is a client of workspace a; `as_("owner", "b")` of the other one."""

    http: TestClient
    url: str

    @property
    def web(self) -> Web:
        web: Web = self.http.app.state.web  # type: ignore[attr-defined]
        return web

    def as_(self, role: str, workspace: str = "a") -> Client:
        token = self.web.issuer.token(id_of(workspace, role), id_of(workspace, "workspace"), role, self.web.now())
        return Client(self.http, {"Authorization": f"Bearer {token}"})

    def nobody(self) -> Client:
        return Client(self.http, {})

    def bearer(self, token: str) -> Client:
        return Client(self.http, {"Authorization": f"Bearer {token}"})

    def key(self, role: str, *scopes: str, workspace: str = "a") -> Client:
        """A new API key."""
        token = f"sk_test{next(_keys):040d}"
        self.sql(
            "insert into api_keys (workspace_id, name, role, scopes, key_hash, hint, created_by) "
            "values (%s, 'test', %s, %s, %s, 'test', %s)",
            id_of(workspace, "workspace"),
            role,
            list(scopes),
            hashlib.sha256(token.encode()).hexdigest(),
            id_of(workspace, "admin"),
        )
        return self.bearer(token)

    def sql(self, query: str, /, *values: Any) -> list[tuple[Any, ...]]:
        """As the owner of the database, who sees everything."""
        with psycopg.connect(self.url, autocommit=True) as db:
            found = db.execute(query, values)
            return found.fetchall() if found.description else []


def furnish(url: str) -> None:
    """Workspaces a, b and c with one of each kind of row."""
    with psycopg.connect(url, autocommit=True) as db:
        for tag in ("a", "b", "c"):
            db.execute("select set_config('test.tag', %s, false)", (tag,))
            db.execute(ONE_OF_EACH.read_bytes())
            guest = (id_of(tag, "workspace"), id_of(tag, "guest"))  # to change and remove
            db.execute("insert into members (workspace_id, user_id, role) values (%s, %s, 'viewer')", guest)


def api_settings(url: str, folder: Path, **more: Any) -> Settings:
    usual = {
        "public_url": PUBLIC,
        "twilio_account_sid": "AC" + "0" * 31 + "1",
        "twilio_auth_token": "0123456789abcdef0123456789abcdef",
        "database_url": url,
        "redis_url": None,
        "data_dir": folder,
        "api_rate": 60_000,
        "log": "json",
    }
    return load(_env_file=None, **{**usual, **more})


def _quiet(settings: Settings, records: Records, board: Switchboard) -> NoConversations:
    return NoConversations()


@pytest.fixture(scope="module")
def serve_api(fresh_database: Callable[[], Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """`with serve_api(api_rate=5) as api:` runs the API with settings of its own on a database of its own."""
    from contextlib import contextmanager

    @contextmanager
    def serve(**settings: Any) -> Iterator[Api]:
        with fresh_database() as url:
            furnish(url)
            app = create_app(api_settings(url, tmp_path_factory.mktemp("api"), **settings), hosting=_quiet)
            with TestClient(app, base_url=PUBLIC, raise_server_exceptions=False) as http:
                yield Api(http, url)

    return serve


@pytest.fixture(scope="module")
def api(serve_api: Callable[..., Any]) -> Iterator[Api]:
    """One for all tests of a module: leave rows in place that other tests may count on."""
    with serve_api() as one:
        yield one


def problem(answer: httpx2.Response) -> dict[str, Any]:
    """The body of a refusal, which must be a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: dict[str, Any] = json.loads(answer.text)
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["x-request-id"]
    return body
