"""What a browser gets at the bare address where the dashboard was not built."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from .conftest import CALLER, Twilio

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def without_a_dashboard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.dashboard.built", lambda: None)


def test_T28_the_page_says_what_runs_and_lets_in_no_script(twilio: Twilio) -> None:
    twilio.ring("CA1")
    page = twilio.client.get("/")
    assert "taking calls" in page.text
    assert CALLER not in page.text
    policy = page.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "object-src 'none'", "base-uri 'none'"} <= set(policy)
    assert twilio.client.get("/home.css").headers["content-type"].startswith("text/css")


def test_T35_without_a_database_it_still_answers(
    twilio: Twilio, outage: Callable[[], AbstractContextManager[None]]
) -> None:
    with outage():
        page = twilio.client.get("/")
    assert page.status_code == 200
    assert "<dd>down</dd>" in page.text
