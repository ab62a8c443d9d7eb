"""What the turns of a call are about, as the API shows it."""

from __future__ import annotations

import pytest

from .conftest import Api
from .examples import sid_of

pytestmark = pytest.mark.integration


def test_turns_come_with_what_they_are_about_and_only_to_their_own_workspace(api: Api) -> None:
    path = f"/calls/{sid_of('a')}/readings"
    assert api.as_("viewer").get(path).json()["items"] == [
        {"seq": 1, "topic": "price", "mood": None, "intent": "price", "probability": 0.9, "objection": 0.8,
         "sentiment": -0.5, "model_version": "sales-en-1"}
    ]  # fmt: skip
    assert api.as_("owner", "b").get(path).status_code == 404


def test_a_report_counts_calls_by_what_callers_talk_about(api: Api) -> None:
    rows = api.as_("viewer").get("/reports/topics").json()["rows"]
    assert [(row["name"], row["calls"]) for row in rows] == [("price", 1)]
