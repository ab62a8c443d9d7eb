"""Signing in and staying signed in; who one is afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jwt
import pytest

from app.store.accounts import NewTicket, issue_ticket, owner_link

from .conftest import Api, id_of, problem

pytestmark = pytest.mark.integration


def a_link(api: Api, role: str = "viewer") -> str:
    token = uuid.uuid4().hex
    ticket = NewTicket(token, id_of("a", "workspace"), id_of("a", role), "session", api.web.now(), timedelta(hours=1))
    with api.web.records.database.worker(ticket.workspace_id) as db:
        issue_ticket(db, ticket)
    return token


def test_T15_a_link_opens_one_session(api: Api) -> None:
    link = a_link(api)
    first = api.nobody().post("/session", json={"ticket": link})
    assert first.status_code == 201
    assert "no-store" in first.headers["cache-control"]
    me = api.bearer(first.json()["access_token"]).get("/me").json()
    assert (me["user_id"], me["role"], me["workspace"]) == (str(id_of("a", "viewer")), "viewer", "Workspace a")
    second = api.nobody().post("/session", json={"ticket": link})
    assert (second.status_code, problem(second)["code"]) == (401, "not_signed_in")


def test_T15_the_cookie_is_out_of_reach_of_scripts_and_other_sites(api: Api) -> None:
    cookie = api.nobody().post("/session", json={"ticket": a_link(api)}).headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=strict", "Secure", "Path=/api/v1/session"):
        assert part in cookie


def test_a_session_is_refreshed_by_its_cookie_and_ends(api: Api) -> None:
    api.http.cookies.clear()
    api.nobody().post("/session", json={"ticket": a_link(api)})
    again = api.nobody().post("/session/refresh")
    assert again.status_code == 200
    assert api.bearer(again.json()["access_token"]).get("/me").status_code == 200
    assert api.nobody().delete("/session").status_code == 204
    assert api.nobody().post("/session/refresh").status_code == 401


def test_T15_a_cookie_used_again_later_ends_the_session(api: Api) -> None:
    api.http.cookies.clear()
    opened = api.nobody().post("/session", json={"ticket": a_link(api)})
    stolen = opened.headers["set-cookie"].partition(";")[0]
    assert api.nobody().post("/session/refresh").status_code == 200  # the owner's browser has another cookie now
    own = "strowger_session=" + str(api.http.cookies.get("strowger_session"))
    api.http.cookies.clear()
    api.sql("update sessions set rotated_at = rotated_at - interval '1 minute'")
    assert api.nobody().post("/session/refresh", headers={"Cookie": stolen}).status_code == 401
    assert api.nobody().post("/session/refresh", headers={"Cookie": own}).status_code == 401


def test_T28_another_site_cannot_use_the_cookie(api: Api) -> None:
    api.http.cookies.clear()
    api.nobody().post("/session", json={"ticket": a_link(api)})
    foreign = api.nobody().post("/session/refresh", headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    ours = api.nobody().post("/session/refresh", headers={"Origin": "https://calls.example.com"})
    assert ours.status_code == 200


def test_the_printed_link_makes_an_owner(api: Api) -> None:
    workspace = id_of("b", "workspace")
    for token in ("a" * 43, "b" * 43):  # each start prints one, for the same owner
        owner = owner_link(api.url, workspace, token, timedelta(hours=1))
        user = api.nobody().post("/session", json={"ticket": token}).json()["user"]
        assert user == {"user_id": str(owner), "workspace_id": str(workspace), "role": "owner"}


def test_T15_a_member_who_was_removed_is_out_at_once_and_forgotten_within_seconds(api: Api) -> None:
    user = uuid.uuid4()
    api.sql(
        "insert into members (workspace_id, user_id, role) values (%s, %s, 'viewer')", id_of("a", "workspace"), user
    )
    token = api.web.issuer.token(user, id_of("a", "workspace"), "viewer", api.web.now())
    assert api.bearer(token).get("/members").status_code == 200
    api.sql("delete from members where user_id = %s", user)
    assert api.bearer(token).get("/members").json()["items"] == []  # the database asks every time
    api.web.doors.remembered.forget(user)
    assert api.bearer(token).get("/members").status_code == 401


SUPABASE, SECRET = "https://project.supabase.co", "a-legacy-secret-of-forty-letters-or-more!"


def supabase_token(api: Api, user: object, *, secret: str = SECRET, **changes: object) -> str:
    """As Supabase Auth signs it, for a member of workspace a."""
    now = api.web.now()
    claims = {
        "iss": f"{SUPABASE}/auth/v1", "aud": "authenticated", "sub": str(user), "role": "authenticated",
        "iat": now, "exp": now + timedelta(minutes=5),
        "app_metadata": {"workspace_id": str(id_of("a", "workspace"))},
    }  # fmt: skip
    return jwt.encode({**claims, **changes}, secret, "HS256")


@pytest.fixture(scope="module")
def with_supabase(serve_api: Any) -> Iterator[Api]:
    with serve_api(supabase_url=SUPABASE, supabase_jwt_secret=SECRET) as api:
        yield api


def test_a_token_of_supabase_becomes_a_session_that_outlives_it(with_supabase: Api) -> None:
    api = with_supabase
    api.http.cookies.clear()
    token = supabase_token(api, id_of("a", "manager"))
    opened = api.nobody().post("/session", json={"access_token": token})
    assert opened.status_code == 201
    assert opened.json()["user"] == {
        "user_id": str(id_of("a", "manager")), "workspace_id": str(id_of("a", "workspace")), "role": "manager",
    }  # fmt: skip
    assert "HttpOnly" in opened.headers["set-cookie"]
    assert "no-store" in opened.headers["cache-control"]
    again = api.nobody().post("/session/refresh")
    assert api.bearer(again.json()["access_token"]).get("/me").json()["role"] == "manager"


def test_T15_what_does_not_hold_opens_nothing(with_supabase: Api) -> None:
    api, manager = with_supabase, id_of("a", "manager")
    elsewhere = {"workspace_id": str(id_of("b", "workspace"))}
    wrong = {
        "another secret": supabase_token(api, manager, secret="x" * 40),
        "another issuer": supabase_token(api, manager, iss="https://evil.example/auth/v1"),
        "too old": supabase_token(api, manager, exp=api.web.now() - timedelta(minutes=5)),
        "nobody here": supabase_token(api, uuid.uuid4()),
        "a member of another workspace": supabase_token(api, manager, app_metadata=elsewhere),
        "what users write about themselves": supabase_token(
            api, manager, app_metadata={}, user_metadata={"workspace_id": str(id_of("a", "workspace"))}
        ),
        "no token": "x" * 40,
        "one of ours": api.web.issuer.token(manager, id_of("a", "workspace"), "manager", api.web.now()),
    }
    for why, token in wrong.items():
        answer = api.nobody().post("/session", json={"access_token": token})
        assert (why, answer.status_code) == (why, 401)
        assert "set-cookie" not in answer.headers


def test_T16_a_token_that_says_less_is_not_made_into_one_that_says_more(with_supabase: Api) -> None:
    api = with_supabase
    metadata = {"workspace_id": str(id_of("a", "workspace")), "role": "viewer"}
    token = supabase_token(api, id_of("a", "owner"), app_metadata=metadata)
    assert api.nobody().post("/session", json={"access_token": token}).status_code == 403


@pytest.mark.parametrize("body", [{}, {"ticket": "x" * 20, "access_token": "x" * 20}])
def test_one_way_in_at_a_time(api: Api, body: dict[str, str]) -> None:
    assert api.nobody().post("/session", json=body).status_code == 422


def test_T15_without_supabase_its_tokens_open_nothing(api: Api) -> None:
    token = supabase_token(api, id_of("a", "manager"))
    assert api.nobody().post("/session", json={"access_token": token}).status_code == 401
