"""Every endpoint, every role, every tenant: made from the OpenAPI document, so that no route can be left out."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
from starlette.websockets import WebSocketDisconnect

from app.api.v1.access import ACCESS, ANYONE, SOCKETS, UNAUDITED
from app.api.v1.principal import Role
from app.main import create_app

from .conftest import Api, api_settings, problem
from .examples import DOCUMENT, Operation, id_of, operations, resolved, sid_of

pytestmark = pytest.mark.integration

ALL = tuple(operations())
GUARDED = tuple(one for one in ALL if ACCESS.get(one.id) != ANYONE)
BODIED = tuple(one for one in ALL if one.body_schema is not None)


def named(one: Operation) -> str:
    return one.id


def send(api: Api, role: str, one: Operation, *, of: str = "a", by: str = "a") -> httpx2.Response:
    """A member of `by` asks about rows of `of`."""
    return api.as_(role, by).request(one.method.upper(), one.path(of), **one.arguments())


def test_T16_every_operation_has_a_row_of_rights_and_every_row_an_operation() -> None:
    assert {one.id for one in ALL} == set(ACCESS)


def test_T16_every_operation_has_a_name_of_its_own() -> None:
    assert len({one.id for one in ALL}) == len(ALL)


def test_T16_what_has_no_row_is_for_nobody(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ACCESS, "members_list")
    answer = api.as_("owner").get("/members")
    assert (answer.status_code, problem(answer)["code"]) == (403, "not_allowed")


@pytest.mark.parametrize("one", GUARDED, ids=named)
def test_T16_each_role_may_do_what_the_table_says_and_nothing_else(api: Api, one: Operation) -> None:
    needed = Role(one.needed)
    unknown = api.nobody().request(one.method.upper(), one.path("a"), **one.arguments())
    assert (unknown.status_code, problem(unknown)["code"]) == (401, "not_signed_in")
    for role in Role:
        answer = send(api, role, one)
        if role.covers(needed):
            assert answer.status_code < 500, answer.text
            refused = answer.status_code in (401, 403)
            assert not refused, f"{role}: {answer.text}"
        else:
            assert (answer.status_code, problem(answer)["code"]) == (403, "not_allowed"), role


@pytest.mark.parametrize("one", GUARDED, ids=named)
def test_T16_a_key_without_the_scope_may_not(api: Api, one: Operation) -> None:
    key = api.key("admin", "nothing:write")
    if one.id == "me_get" or one.needed == "owner":
        return
    answer = key.request(one.method.upper(), one.path("a"), **one.arguments())
    assert (answer.status_code, problem(answer)["code"]) == (403, "not_allowed")


@pytest.mark.parametrize("one", [one for one in GUARDED if one.names_a_row], ids=named)
def test_T12_rows_of_others_are_not_there(api: Api, one: Operation) -> None:
    before = snapshot(api, "b")
    answer = send(api, "owner", one, of="b", by="a")
    assert answer.status_code == 404, answer.text
    assert snapshot(api, "b") == before


@pytest.mark.parametrize("one", GUARDED, ids=named)
def test_T12_a_member_of_another_workspace_is_nobody_here(api: Api, one: Operation) -> None:
    """A token that is ours, of a person who is real, for a workspace that is not theirs."""
    stranger, workspace = UUID(id_of("b", "owner")), UUID(id_of("a", "workspace"))
    token = api.web.issuer.token(stranger, workspace, "owner", api.web.now())
    answer = api.bearer(token).request(one.method.upper(), one.path("a"), **one.arguments())
    assert answer.status_code == 401


@pytest.mark.parametrize("one", [one for one in GUARDED if not one.writes], ids=named)
def test_T12_nothing_of_others_is_in_an_answer(api: Api, one: Operation) -> None:
    text = send(api, "owner", one).text
    foreign = [sid_of("b"), *(id_of("b", name) for name in ("workspace", "lead", "call", "owner", "viewer", "api key"))]
    assert [each for each in foreign if each in text] == []


@pytest.mark.parametrize("one", [one for one in GUARDED if one.writes and one.id not in UNAUDITED], ids=named)
def test_T38_what_was_done_is_in_the_audit_log(api: Api, one: Operation) -> None:
    answer = send(api, "owner", one)
    found = api.sql("select action from audit_log where detail ->> 'request_id' = %s", answer.headers["x-request-id"])
    assert found == ([(one.id,)] if answer.status_code < 400 else [])


@pytest.mark.parametrize("one", BODIED, ids=named)
def test_T17_fields_nobody_asked_for_are_refused(api: Api, one: Operation) -> None:
    assert one.body_schema is not None
    body = resolved(one.body_schema)
    assert body.get("additionalProperties") is False
    fields = body.get("properties", {})
    extra = {"workspace_id": id_of("b", "workspace"), "tenant_id": 1, "tier": "hot", "score": 1, "role": "owner"}
    for name, value in extra.items():
        if name in fields:
            continue
        arguments = one.arguments()
        arguments["json"] = {**arguments["json"], name: value}
        answer = api.as_("owner").request(one.method.upper(), one.path("a"), **arguments)
        assert answer.status_code == 422, f"{name}: {answer.text}"


def test_T17_no_answer_has_a_field_that_is_ours_alone() -> None:
    ours = {"key_hash", "token_hash", "previous_hash", "phone_key", "password", "secret_sealed", "recording_path"}
    shown = {name for one in DOCUMENT["components"]["schemas"].values() for name in one.get("properties", {})}
    assert shown & ours == set()


def test_T15_no_token_travels_in_an_address() -> None:
    names = {
        parameter["name"]
        for one in ALL
        for parameter in one.node.get("parameters", [])
        if parameter["in"] in ("query", "path")
    }
    assert not {name for name in names if re.search("token|key$|secret|password", name)}


def test_T28_every_socket_asks_for_a_ticket(api: Api) -> None:
    """Those of the API; the carrier's has its own signature and token (T02)."""
    for name in SOCKETS:
        path = api.http.app.url_path_for(name, **_any(api, name))  # type: ignore[attr-defined]
        for address in (path, f"{path}?ticket=guessed"):
            with pytest.raises(WebSocketDisconnect), api.http.websocket_connect(str(address)):
                pass


def _any(api: Api, name: str) -> dict[str, str]:
    return {"sid": sid_of("a")} if "listen" in name else {}


def snapshot(api: Api, workspace: str) -> list[tuple[object, ...]]:
    """What a write to this workspace would change."""
    tables = ("members", "api_keys", "invitations", "leads", "phone_numbers", "workspaces")
    counted = []
    for table in tables:
        key = "id" if table == "workspaces" else "workspace_id"
        query = f"select md5(string_agg(t::text, '' order by t::text)) from {table} t where {key} = %s"
        counted += api.sql(query, id_of(workspace, "workspace"))
    return counted


def test_T37_the_document_is_not_served_unless_asked_for(api: Api, tmp_path: Path) -> None:
    assert api.http.get("/openapi.json").status_code == 404
    app = create_app(api_settings(api.url, tmp_path, docs=True))
    assert "bearer" in app.openapi()["components"]["securitySchemes"]
