"""GET /providers and POST /providers/{name}/test."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Api, id_of

pytestmark = pytest.mark.integration

SECRET = "canary-key-0815"


def test_T29_no_key_is_ever_told(serve_api: Any) -> None:
    """Of nobody, in no answer, also where the provider is asked and fails."""
    away = "http://127.0.0.1:9"
    with serve_api(
        llm="openai,playbook", openai_api_key=SECRET, openai_base_url=away, deepgram_api_key=SECRET,
        deepgram_base_url="ws://127.0.0.1:9", stt="deepgram,offline", twilio_base_url=away,
    ) as api:  # fmt: skip
        admin = api.as_("admin")
        listed = admin.get("/providers")
        found = {(one["stage"], one["name"]): one for one in listed.json()["items"]}
        assert found["llm", "openai"]["key"] == "set"
        assert (
            found["llm", "playbook"] | {"place": 2, "key": "not_needed", "circuit": "closed"}
            == found["llm", "playbook"]
        )
        said = [admin.post(f"/providers/{name}/test") for name in ("openai", "deepgram", "twilio")]
        assert [(one.json()["results"][0]["ok"], one.json()["results"][0]["what"]) for one in said] == [
            (False, "broken")
        ] * 3
        for answer in (listed, *said):
            assert SECRET not in answer.text
            assert "0123456789abcdef" not in answer.text
        noted = api.sql("select subject from audit_log where action = 'providers_test' order by at")
        assert noted == [("openai",), ("deepgram",), ("twilio",)]


def test_what_runs_on_this_machine_answers_at_once_and_the_unknown_is_not_there(api: Api) -> None:
    admin = api.as_("admin")
    told = admin.post("/providers/offline/test").json()
    assert [(one["stage"], one["ok"]) for one in told["results"]] == [("stt", True), ("tts", True)]
    assert admin.post("/providers/nobody/test").status_code == 404
    assert admin.post("/providers/..%2fadmin/test").status_code in (404, 422)


def test_T12_the_last_failure_is_that_of_ones_own_calls(api: Api) -> None:
    fact = {"stage": "stt", "provider": "offline", "reason": "a secret reason", "fallback": "", "kind": "late"}
    for workspace, kind in (("a", "late"), ("b", "server")):
        api.sql(
            "insert into call_events (workspace_id, call_id, seq, at_ms, kind, body) "
            "values (%s, %s, 900, 0, 'ProviderFailed', %s)",
            id_of(workspace, "workspace"),
            id_of(workspace, "call"),
            json.dumps({**fact, "kind": kind}),
        )
    for workspace, kind in (("a", "late"), ("b", "server")):
        items = api.as_("admin", workspace).get("/providers").json()["items"]
        last = next(one["last_error"] for one in items if (one["stage"], one["name"]) == ("stt", "offline"))
        assert last["what"] == kind
        assert last["call_sid"] == "CA" + id_of(workspace, "call").hex
        assert "reason" not in last, "it may quote what was said"
