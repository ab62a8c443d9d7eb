"""Notifications and scheduled reports as people set them up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from app.providers.slack import SEALED_FOR
from app.secret_key import SecretKey

from .conftest import Api, id_of, problem
from .examples import BODIES

pytestmark = pytest.mark.integration

CHAT = "https://hooks.example.com/services/T1/B1/secret"


@pytest.fixture
def api(serve_api: Any) -> Iterator[Api]:
    with serve_api(secret_key="k" * 40) as one:
        yield one


def rule(settings: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(one for one in settings["rules"] if one["kind"] == kind)


def test_every_kind_of_news_has_a_rule_before_anybody_set_one(api: Api) -> None:
    found = api.as_("viewer").get("/notifications/rules").json()
    kinds = ["hot_lead", "call_back", "provider_down", "budget", "drift", "campaign_stopped", "limit"]
    assert [one["kind"] for one in found["rules"]] == kinds
    assert not rule(found, "budget")["enabled"]
    assert len(found["push_key"]) == 87


def test_what_is_left_out_stays_as_it_is(api: Api) -> None:
    manager, wanted = api.as_("manager"), {"kind": "budget", "enabled": True, "channels": ["email"], "threshold": 250}
    first = manager.put("/notifications/rules", json={"rules": [wanted]}).json()
    assert rule(first, "budget") == {**wanted, "urgent": False}
    assert (first["emails"], first["slack_host"]) == (["ops@example.com"], "hooks.example.com")
    second = manager.put("/notifications/rules", json={"emails": ["a@example.com", "a@example.com"]}).json()
    assert second["emails"] == ["a@example.com"]
    assert rule(second, "budget") == rule(first, "budget")
    third = manager.put("/notifications/rules", json={"slack_url": None}).json()
    assert (third["emails"], third["slack_host"]) == (["a@example.com"], None)


def test_who_read_an_older_version_does_not_overwrite_a_newer_one(api: Api) -> None:
    manager = api.as_("manager")
    tag = manager.get("/notifications/rules").headers["etag"]
    body = {"rules": [{"kind": "drift", "enabled": False, "channels": []}]}
    assert manager.put("/notifications/rules", json=body, headers={"If-Match": tag}).status_code == 200
    assert manager.put("/notifications/rules", json=body, headers={"If-Match": tag}).status_code == 412


def test_T29_the_address_of_a_chat_is_kept_sealed_and_never_shown_again(api: Api) -> None:
    answer = api.as_("manager").put("/notifications/rules", json={"slack_url": CHAT})
    assert answer.json()["slack_host"] == "hooks.example.com"
    assert "secret" not in answer.text + api.as_("owner").get("/notifications/rules").text
    ((sealed,),) = api.sql(
        "select slack_sealed from notification_addresses where workspace_id = %s", id_of("a", "workspace")
    )
    assert "secret" not in sealed
    assert SecretKey(b"k" * 40).decrypt(sealed, SEALED_FOR) == CHAT


@pytest.mark.parametrize(
    "body",
    [
        {"rules": [{"kind": "hot_lead", "enabled": True, "channels": [], "threshold": 1.5}]},
        {"rules": [{"kind": "budget", "enabled": True, "channels": []}]},
        {"rules": [{"kind": "drift", "enabled": True, "channels": []}] * 2},
        {"rules": [{"kind": "drift", "enabled": True, "channels": ["pigeon"]}]},
        {"emails": ["ann@example.com\nBcc: all@example.com"]},
        {"emails": ["no address"]},
        {"slack_url": "https://user@hooks.example.com/x"},
        {"slack_url": "https://hooks.example.com:22/x"},
        {"slack_url": "http://hooks.example.com/x"},
    ],
)
def test_T05_T17_what_cannot_be_used_is_said_at_once(api: Api, body: dict[str, Any]) -> None:
    answer = api.as_("manager").put("/notifications/rules", json=body)
    assert answer.status_code == 422
    assert problem(answer)["errors"]


def test_a_browser_is_one_subscription_of_one_person(api: Api) -> None:
    viewer, body = api.as_("viewer"), BODIES["notifications_subscribe"]()
    first, again = (viewer.post("/notifications/subscriptions", json=body).json()["id"] for _ in range(2))
    assert first == again
    assert api.as_("owner").delete(f"/notifications/subscriptions/{first}").status_code == 404
    assert viewer.delete(f"/notifications/subscriptions/{first}").status_code == 204
    assert viewer.delete(f"/notifications/subscriptions/{first}").status_code == 404


@pytest.mark.parametrize("endpoint", ["https://push.example.com:22/x", "https://a:b@push.example.com/x"])
def test_T05_a_subscription_leads_nowhere_inside(api: Api, endpoint: str) -> None:
    body = {**BODIES["notifications_subscribe"](), "endpoint": endpoint}
    assert api.as_("viewer").post("/notifications/subscriptions", json=body).status_code == 422


def test_a_test_goes_to_the_addresses_of_its_channel_and_is_in_the_list(api: Api) -> None:
    manager = api.as_("manager")
    assert manager.post("/notifications/test", json={"channel": "email"}).status_code == 202
    newest = manager.get("/notifications").json()["items"][0]
    assert (newest["kind"], newest["title"]) == ("test", "It works")
    assert [(one["channel"], one["address"], one["status"]) for one in newest["told"]] == [
        ("email", "ops@example.com", "waiting")
    ]
    assert manager.post("/notifications/test", json={"channel": "push"}).status_code == 422  # no browser of theirs
    shown = api.as_("viewer").get("/notifications").json()["items"][0]["told"]
    assert [one["address"] for one in shown] == [""]


def test_names_are_looked_up_when_shown_and_numbers_are_told_by_their_end(api: Api) -> None:
    found = api.as_("viewer").get("/notifications").json()["items"]
    assert [(one["kind"], one["person"], one["path"]) for one in found] == [("hot_lead", "Ada", "/")]
    api.sql("update leads set name = null where id = %s", id_of("a", "lead"))
    assert api.as_("viewer").get("/notifications").json()["items"][0]["person"].startswith("•••• ")


def test_a_scheduled_report_says_when_it_goes_out_next_and_can_be_taken_back(api: Api) -> None:
    manager = api.as_("manager")
    api.as_("admin").patch("/workspace", json={"time_zone": "Europe/Madrid"})
    made = manager.post(
        "/reports/schedules",
        json={"report": "funnel", "format": "csv", "hour": 8, "weekday": 1, "emails": ["ops@example.com"]},
    )
    assert made.status_code == 201, made.text
    due = datetime.fromisoformat(made.json()["next_at"])
    assert due > api.web.now()
    assert (due.hour, due.isoweekday()) in ((7, 1), (6, 1))  # eight o'clock in Madrid
    assert made.json()["id"] in [one["id"] for one in manager.get("/reports/schedules").json()["items"]]
    assert manager.delete(f"/reports/schedules/{made.json()['id']}").status_code == 204
    assert manager.delete(f"/reports/schedules/{made.json()['id']}").status_code == 404


def test_the_reports_themselves_are_still_where_they_were(api: Api) -> None:
    answer = api.as_("viewer").get("/reports/funnel?format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.startswith("name,calls\n")
