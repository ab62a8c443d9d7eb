"""GET and PUT /limits: what may go out at most, and how much did (T06)."""

from __future__ import annotations

import pytest

from .conftest import Api

pytestmark = pytest.mark.integration

WANTED = {
    "calls_per_minute": 3,
    "calls_per_hour": 30,
    "calls_per_day": 100,
    "messages_per_day": 20,
    "spend_per_day_usd": 12.5,
    "reach": ["+1", "+34"],
}


def test_T06_an_admin_sets_the_limits_and_everybody_sees_what_is_used(api: Api) -> None:
    before = api.as_("viewer").get("/limits").json()
    assert before["reach"] == ["+1"]
    used = api.as_("viewer").get("/limits/used").json()
    assert (used["minute"], used["day"], used["messages"]) == (1, 1, 1)
    assert used["spent_usd"] > 0
    changed = api.as_("admin").put("/limits", json=WANTED)
    assert changed.status_code == 200
    assert changed.json() == WANTED
    assert api.as_("viewer", "b").get("/limits").json()["calls_per_minute"] == before["calls_per_minute"]


def test_T06_what_was_changed_meanwhile_is_not_overwritten(api: Api) -> None:
    admin = api.as_("admin")
    tag = admin.get("/limits").headers["etag"]
    assert admin.put("/limits", json={**WANTED, "calls_per_day": 7}, headers={"If-Match": tag}).status_code == 200
    assert admin.put("/limits", json=WANTED, headers={"If-Match": tag}).status_code == 412


@pytest.mark.parametrize(
    "wrong",
    [
        {"reach": ["34"]},
        {"reach": ["+"]},
        {"reach": ["+1; drop"]},
        {"calls_per_minute": -1},
        {"spend_per_day_usd": "inf"},
    ],
)
def test_T06_what_is_no_limit_is_refused(api: Api, wrong: dict[str, object]) -> None:
    assert api.as_("admin").put("/limits", json={**WANTED, **wrong}).status_code == 422
