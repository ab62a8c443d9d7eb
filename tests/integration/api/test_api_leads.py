"""The board's order, and who may be called later."""

from __future__ import annotations

from typing import Any

import pytest

from app.store import lead_desk

from .conftest import Api, id_of, problem

pytestmark = pytest.mark.integration

_LEADS = (
    """
    insert into leads (id, workspace_id, phone, name, updated_at)
    select md5('chance' || n)::uuid, %s, '+1202777' || (1000 + n), 'Lead ' || n, now() - n * interval '1 hour'
    from generate_series(1, 7) n
    """,
    """
    insert into calls (id, workspace_id, call_sid, direction, caller, called, lead_id, playbook, playbook_version,
                       status, ended_at)
    select md5('chance call' || n)::uuid, %s, 'CAchance' || n, 'inbound', '+1202777' || (1000 + n), '+12025550100',
           md5('chance' || n)::uuid, 'solar', 1, 'completed', now() from generate_series(1, 6) n
    """,
    """
    insert into scores (workspace_id, lead_id, call_id, model_version, probability, lower, upper, tier, reasons)
    select %s, md5('chance' || n)::uuid, md5('chance call' || n)::uuid, 'v1', n / 10.0, 0.0, 1.0,
           case when n > 4 then 'hot' else 'warm' end, '{x}'
    from generate_series(1, 6) n
    """,
)


@pytest.fixture(scope="module")
def scored(api: Api) -> Api:
    """Lead 1 has the newest news and the least chance; lead 7 was never scored."""
    for query in _LEADS:
        api.sql(query, id_of("a", "workspace"))
    return api


def all_of(api: Api, **query: Any) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        page = {"limit": 2, "q": "Lead ", **query} | ({"cursor": cursor} if cursor else {})
        answer = api.as_("viewer").get("/leads", params=page)
        assert answer.status_code == 200, answer.text
        found += [one["name"] for one in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


def test_leads_come_by_news_or_by_chance_page_for_page(scored: Api) -> None:
    assert all_of(scored) == [f"Lead {n}" for n in range(1, 8)]
    assert all_of(scored, order="chance") == [f"Lead {n}" for n in (6, 5, 4, 3, 2, 1, 7)]
    assert all_of(scored, order="chance", tier="hot") == ["Lead 6", "Lead 5"]


def test_the_likeliest_are_looked_for_among_those_with_news(scored: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the first page of a very large workspace would take seconds."""
    everybody = len(all_of(scored, q=""))
    monkeypatch.setattr(lead_desk, "RECENT", everybody - 2)
    assert all_of(scored, order="chance") == [f"Lead {n}" for n in (5, 4, 3, 2, 1)]


def test_a_cursor_of_the_other_order_is_refused(scored: Api) -> None:
    cursor = scored.as_("viewer").get("/leads", params={"limit": 2, "order": "chance"}).json()["next_cursor"]
    answer = scored.as_("viewer").get("/leads", params={"limit": 2, "cursor": cursor})
    assert (answer.status_code, problem(answer)["status"]) == (422, 422)
