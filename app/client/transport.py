"""How the client speaks with the API: requests, refusals as exceptions, pages as one iteration."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self
from urllib.parse import quote
from uuid import uuid4

import httpx

from app.errors import StrowgerError

TIMEOUT_S = 30.0
TRIES = 3  # for a service that is busy, or asks us to come again
LONGEST_WAIT_S = 10.0


class ApiProblem(StrowgerError):
    """What the API refused. `status` and `problem` are as it said; `problem["code"]` never changes its meaning."""

    code = "api_problem"

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or problem.get("title") or f"the API answered {status}"))
        self.status, self.problem = status, dict(problem)


class Transport:
    """A context manager around its connections. `key` is an API key or a token."""

    def __init__(
        self,
        address: str,
        *,
        key: str,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sleep = sleep
        self._http = httpx.Client(
            base_url=address.rstrip("/") + "/api/v1",
            headers={"Authorization": f"Bearer {key}"},
            timeout=TIMEOUT_S,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def pages(self, ask: Callable[..., Any], **query: Any) -> Iterator[Any]:
        """Every item of a list, page after page: `client.pages(client.calls_list, state="ended")`."""
        cursor: str | None = None
        while True:
            page = ask(**query, cursor=cursor)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        text: str | None = None,
    ) -> Any:
        """Raises ApiProblem. A POST names itself, so that trying it again does nothing twice."""
        headers = {"Idempotency-Key": uuid4().hex} if method == "POST" else {}
        given = {name: _plain(value) for name, value in (query or {}).items() if value is not None}
        more: dict[str, Any] = {"json": body} if body is not None else {}
        if text is not None:
            more = {"content": text}
            headers["Content-Type"] = "text/csv"
        for left in reversed(range(TRIES)):
            answer = self._http.request(method, path, params=given, headers=headers, **more)
            if answer.status_code not in (429, 503) or not left:
                break
            self._sleep(min(float(answer.headers.get("retry-after", 1)), LONGEST_WAIT_S))
        return _read(answer)


def _read(answer: httpx.Response) -> Any:
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if answer.status_code >= 400:
        raise ApiProblem(answer.status_code, answer.json() if kind == "application/problem+json" else {})
    if answer.status_code == 204 or not answer.content:
        return None
    return answer.json() if kind == "application/json" else answer.content


def _plain(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def place(value: object) -> str:
    """A value as one part of a path."""
    return quote(str(value), safe="")
