"""Threats that every route has to stand: injection, headers, forgotten endpoints, failures of what lies behind."""

from __future__ import annotations

import csv
import io
import re
import wave
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.api import inventory
from app.api.recordings import LASTS
from app.api.shield import HEADERS

from .conftest import PUBLIC, Api, id_of, problem
from .examples import Operation, operations, sid_of

pytestmark = pytest.mark.integration

INVENTORY = Path(__file__).parents[3] / "docs" / "routes.txt"
READS = tuple(one for one in operations() if not one.writes)
INJECTED = (
    "' or '1'='1",
    "'; drop table leads; --", "\" or 1=1 --", "1; select pg_sleep(9)", "%' or name like '%", "\\", "%", "_",
    "{$gt: ''}", "$(id)", "`id`", "../../../etc/passwd", "%{x}", "{{7*7}}", "\u202e", "\U0001f600",
)  # fmt: skip
NOBODYS = (*INJECTED[:5], "%", "_")  # part of no name here
FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1", "=cmd|'/C calc'!A0", '=HYPERLINK("http://evil")')
MARKUP = ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)", '"><svg/onload=alert(1)>')


def named(one: Operation) -> str:
    return one.id


def texts(one: Operation) -> Iterator[str]:
    """Query parameters that take any text."""
    for parameter in one.node.get("parameters", []):
        kinds = parameter["schema"].get("anyOf", [parameter["schema"]])
        free = any(kind.get("type") == "string" and not {"enum", "format", "const"} & kind.keys() for kind in kinds)
        if parameter["in"] == "query" and free and parameter["name"] != "cursor":
            yield parameter["name"]


@pytest.mark.parametrize("one", [one for one in READS if any(texts(one))], ids=named)
def test_T26_a_filter_is_a_value_and_never_a_statement(api: Api, one: Operation) -> None:
    for name in texts(one):
        for text in INJECTED:
            answer = api.as_("owner").get(one.path("a"), params={name: text})
            assert answer.status_code < 500, f"{name}={text}: {answer.text}"
            assert sid_of("b") not in answer.text
            if answer.status_code == 200 and text in NOBODYS and "items" in answer.text[:10]:
                assert answer.json()["items"] == [], f"{name}={text}"
    assert len(api.sql("select id from leads")) >= 3


@pytest.mark.parametrize("one", list(operations()), ids=named)
def test_T28_every_answer_keeps_browsers_safe(api: Api, one: Operation) -> None:
    for client in (api.nobody(), api.as_("viewer")):
        headers = client.request(one.method.upper(), one.path("a"), **one.arguments()).headers
        assert {name: headers.get(name) for name in HEADERS} == HEADERS
        policy = headers["content-security-policy"]
        for part in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "script-src 'self';"):
            assert part in policy
        assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/", "/anything", "/assets/none.js", "/health/live", "/metrics", "/twilio/voice"])
def test_T28_pages_and_files_too(api: Api, path: str) -> None:
    headers = api.http.get(path).headers
    assert {name: headers.get(name) for name in HEADERS} == HEADERS
    assert "wss://calls.example.com" in headers["content-security-policy"]


@pytest.mark.parametrize("host", ["evil.example; script-src *", "a b", "x\"'", "*"])
def test_T28_the_host_header_writes_no_policy(api: Api, host: str) -> None:
    policy = api.http.get("/", headers={"Host": host}).headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert host not in policy


def test_T28_pages_of_others_use_the_api_only_where_they_were_named(serve_api: Any) -> None:
    ask = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    with serve_api(cors_origins="https://crm.example.com") as api:
        for origin, allowed in (("https://crm.example.com", True), ("https://evil.example", False), ("null", False)):
            answer = api.http.options("/api/v1/me", headers={"Origin": origin, **ask})
            assert (answer.headers.get("access-control-allow-origin") == origin) is allowed
            assert "access-control-allow-credentials" not in answer.headers


def test_T28_a_socket_of_a_foreign_page_is_refused(api: Api) -> None:
    from starlette.websockets import WebSocketDisconnect

    ticket = api.as_("viewer").ticket("feed")
    foreign = {"Origin": "https://evil.example"}
    with (
        pytest.raises(WebSocketDisconnect),
        api.http.websocket_connect(f"/api/v1/live?ticket={ticket}", headers=foreign),
    ):
        pass
    ours = {"Origin": PUBLIC}
    with api.http.websocket_connect(f"/api/v1/live?ticket={ticket}", headers=ours) as socket:
        socket.close()
    with pytest.raises(WebSocketDisconnect), api.http.websocket_connect(f"/api/v1/live?ticket={ticket}", headers=ours):
        pass  # T15: a ticket works once


def test_T37_every_route_is_in_the_inventory() -> None:
    """Read the new lines, then: python -m app.api.inventory > docs/routes.txt"""
    assert inventory.lines(inventory.ours()) == INVENTORY.read_text().splitlines()


def test_T37_nobody_is_let_in_without_a_reason() -> None:
    """What anyone may use: signing in, a recording by its signature, and what says how the service is."""
    open_to_all = {line.split("  ")[0] for line in inventory.lines(inventory.ours()) if line.endswith("  anyone")}
    assert open_to_all == {
        "DELETE /api/v1/session",
        "GET /",
        "GET /api/v1/calls/{sid}/recording/file",
        "GET /health/detailed",
        "GET /health/live",
        "GET /health/ready",
        "GET /home.css",
        "GET /metrics",
        "POST /api/v1/session",
        "POST /api/v1/session/refresh",
    }


def test_T35_without_the_database_nothing_is_told_and_nobody_let_in(serve_api: Any) -> None:
    with serve_api() as api:
        server, _, name = api.url.rpartition("/")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as owner:
            owner.execute(f'alter database "{name}" allow_connections false')
            owner.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
            try:
                for one in operations():
                    answer = api.as_("owner").request(one.method.upper(), one.path("a"), **one.arguments())
                    if one.id in ("session_refresh", "session_close", "calls_recording_file"):
                        continue  # say no before they ask anybody
                    assert (one.id, answer.status_code) == (one.id, 503)
                    assert set(problem(answer)) == {"type", "title", "status", "code", "request_id"}
            finally:
                owner.execute(f'alter database "{name}" allow_connections true')


def test_T23_no_cell_of_an_export_is_a_formula(api: Api) -> None:
    for number, text in enumerate(FORMULAS):
        query = "insert into leads (workspace_id, phone, name, source) values (%s, %s, %s, %s)"
        api.sql(query, id_of("a", "workspace"), f"+1202555{7100 + number}", text, text)
    rows = list(csv.reader(io.StringIO(api.as_("manager").get("/leads/export").text)))
    assert len(rows) > len(FORMULAS)
    bold = [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert [cell for cell in bold if not re.fullmatch(r"\+[1-9]\d{6,14}", cell)] == []  # a number is a number


@pytest.mark.parametrize("text", MARKUP)
def test_T22_markup_is_text(api: Api, text: str) -> None:
    """Kept as it was typed and sent as JSON, which no browser draws; drawing is the dashboard's (see tests/browser)."""
    made = api.as_("agent").patch(f"/leads/{id_of('a', 'lead')}", json={"name": text})
    assert made.json()["name"] == text
    answer = api.as_("viewer").get(f"/leads/{id_of('a', 'lead')}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_T19_a_recording_is_heard_by_signature_for_five_minutes_and_that_is_noted(api: Api, tmp_path: Path) -> None:
    sid, agent = sid_of("a"), api.as_("agent")
    folder = api.web.recordings._folder
    folder.mkdir(parents=True, exist_ok=True)
    with wave.open(str(folder / f"{sid}.wav"), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\0" * 320)
    assert api.as_("viewer").get(f"/calls/{sid}/recording").status_code == 403
    assert api.as_("owner", "b").get(f"/calls/{sid}/recording").status_code == 404
    link = agent.get(f"/calls/{sid}/recording").json()
    assert api.http.get(link["url"]).status_code == 200
    old, _ = api.web.recordings.sign(sid, api.web.now() - LASTS - timedelta(seconds=2))
    assert api.http.get(f"{link['url'].partition('?')[0]}?{old}").status_code == 403
    altered = link["url"][:-1] + ("0" if link["url"][-1] != "0" else "1")
    for wrong in (altered, link["url"].replace("expires=", "expires=1"), link["url"].partition("?")[0]):
        assert api.http.get(wrong).status_code in (403, 422)
    assert api.sql("select count(*) from audit_log where action = 'calls_recording' and subject = %s", sid) == [(1,)]


@pytest.mark.parametrize("path", ["/twilio/whatsapp", "/twilio/message-status", "/twilio/recording"])
def test_T04_other_inbound_hooks_are_signed_as_well(api: Api, path: str) -> None:
    for headers in ({}, {"X-Twilio-Signature": "x"}, {"Authorization": api.as_("owner").headers["Authorization"]}):
        answer = api.http.post(path, data={"MessageSid": "SM1", "Body": "STOP"}, headers=headers)
        assert (answer.status_code, problem(answer)["code"]) == (403, "not_authentic")
