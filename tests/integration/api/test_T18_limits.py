"""Too many requests: who is slowed down, who is not, and what they are told (T18)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.api.v1.limits import Bucket, Limits

from .conftest import problem

pytestmark = pytest.mark.integration


def test_T18_who_asks_too_often_is_told_when_to_come_again(serve_api: Any) -> None:
    with serve_api(api_rate=5) as api:
        viewer = api.as_("viewer")
        answers = [viewer.get("/me") for _ in range(6)]
        assert [one.status_code for one in answers] == [200] * 5 + [429]
        assert [one.headers["ratelimit-remaining"] for one in answers] == ["4", "3", "2", "1", "0", "0"]
        assert answers[0].headers["ratelimit-limit"] == "5"
        assert problem(answers[5])["code"] == "too_many_requests"
        assert 1 <= int(answers[5].headers["retry-after"]) <= 12
        assert int(answers[5].headers["ratelimit-reset"]) >= 1
        # Nobody else pays for it: not the colleague, not the other workspace.
        assert api.as_("agent").get("/me").status_code == 200
        assert api.as_("viewer", "b").get("/me").status_code == 200


def test_T18_one_workspace_does_not_starve_another(serve_api: Any) -> None:
    with serve_api(api_rate=1) as api:
        keys = [api.key("viewer", "*:read") for _ in range(21)]
        answers = [key.get("/me").status_code for key in keys]
        assert answers == [200] * 20 + [429]  # 20 users' worth
        assert api.as_("viewer", "b").get("/me").status_code == 200


def test_T18_who_guesses_links_is_slowed_down(serve_api: Any) -> None:
    with serve_api() as api:
        tries = [api.nobody().post("/session", json={"ticket": "x" * 40}).status_code for _ in range(25)]
        assert tries == [401] * 20 + [429] * 5


def test_T18_who_guesses_tokens_is_slowed_down(serve_api: Any) -> None:
    with serve_api() as api:
        tries = [api.bearer("sk_" + "x" * 40).get("/me").status_code for _ in range(180)]
        assert tries[:120] == [401] * 120
        assert tries[120:].count(429) > 30  # two a second are given back while this runs


def test_T18_a_body_beyond_the_limit_is_refused(serve_api: Any) -> None:
    with serve_api() as api:
        answer = api.as_("owner").patch("/workspace", content=b"x" * (1024 * 1024 + 1))
        assert (answer.status_code, problem(answer)["code"]) == (413, "too_large")


def test_T18_all_processes_count_together(valkey_url: str) -> None:
    async def ask() -> list[float]:
        first, second = Limits(valkey_url), Limits(valkey_url)
        try:
            return [(await one.take([Bucket("a", 3), Bucket("b", 100)])).wait_s for one in (first, second) * 2]
        finally:
            await first.close()
            await second.close()

    waits = asyncio.run(ask())
    assert waits[:3] == [0, 0, 0]
    assert 0 < waits[3] <= 20
