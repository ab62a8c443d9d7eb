"""The Python client against the API it was made from."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from app.client import ApiProblem, Client, generate

from .conftest import PUBLIC, ROLES, Api, id_of

pytestmark = pytest.mark.integration


def over(api: Api) -> httpx.MockTransport:
    """Requests of the client, handed to the application in this process."""

    def handle(request: httpx.Request) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        url = str(request.url.copy_with(scheme="https", host="calls.example.com", port=None))
        answer = api.http.request(request.method, url, content=request.content, headers=headers)
        return httpx.Response(answer.status_code, headers=dict(answer.headers), content=answer.content)

    return httpx.MockTransport(handle)


def client(api: Api, role: str = "admin", **more: Any) -> Client:
    token = api.as_(role).headers["Authorization"].removeprefix("Bearer ")
    return Client(PUBLIC, key=token, transport=over(api), **more)


def test_the_client_is_made_from_the_api_as_it_is() -> None:
    """When it is not: python -m app.client.generate"""
    assert generate.TARGET.read_text() == generate.text()


def test_it_asks_and_is_answered(api: Api) -> None:
    with client(api) as strowger:
        assert strowger.me_get()["role"] == "admin"
        made = strowger.members_create({"user_id": str(uuid.uuid4()), "role": "viewer", "name": "Nia"})
        assert strowger.members_update(made["user_id"], {"name": "Mia"})["name"] == "Mia"
        assert strowger.members_remove(made["user_id"]) is None


def test_lists_go_on_over_their_pages(api: Api) -> None:
    with client(api) as strowger:
        found = [one["user_id"] for one in strowger.pages(strowger.members_list, limit=2)]
    assert set(found) >= {str(id_of("a", role)) for role in ROLES}


def test_a_refusal_has_its_code(api: Api) -> None:
    with client(api, "viewer") as strowger, pytest.raises(ApiProblem) as refused:
        strowger.audit_list()
    assert (refused.value.status, refused.value.problem["code"]) == (403, "not_allowed")


def test_it_comes_again_when_it_is_asked_to() -> None:
    answers, waited = [429, 503, 200], []

    def busy(request: httpx.Request) -> httpx.Response:
        return httpx.Response(answers.pop(0), headers={"Retry-After": "2"}, json={"user_id": "x"})

    with Client(PUBLIC, key="sk_x", transport=httpx.MockTransport(busy), sleep=waited.append) as strowger:
        assert strowger.me_get()["user_id"] == "x"
    assert waited == [2.0, 2.0]


def test_a_post_tried_again_is_the_same_request() -> None:
    seen: list[str] = []

    def busy(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["idempotency-key"])
        return httpx.Response(503 if len(seen) == 1 else 201, json={})

    with Client(PUBLIC, key="sk_x", transport=httpx.MockTransport(busy), sleep=lambda _: None) as strowger:
        strowger.tickets_create({"purpose": "feed"})
    assert len(seen) == 2
    assert len(set(seen)) == 1
