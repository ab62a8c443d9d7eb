"""PATCH /campaigns/{id}: the pace and the name of a campaign that has not ended."""

from __future__ import annotations

from uuid import UUID

import pytest

from .conftest import Api, problem

pytestmark = pytest.mark.integration


@pytest.fixture
def campaign(api: Api) -> str:
    made = api.as_("manager").post("/campaigns", json={"name": "Spring", "playbook": "solar"})
    assert made.status_code == 201, made.text
    return str(UUID(made.json()["id"]))


def test_what_is_given_changes_and_the_rest_stays(api: Api, campaign: str) -> None:
    manager = api.as_("manager")
    changed = manager.patch(f"/campaigns/{campaign}", json={"calls_per_minute": 7, "name": "Spring again"}).json()
    assert (changed["name"], changed["calls_per_minute"], changed["at_once"]) == ("Spring again", 7, 2)
    assert manager.get(f"/campaigns/{campaign}").json() == changed


def test_also_while_it_runs_but_not_once_it_has_ended(api: Api, campaign: str) -> None:
    api.sql("update campaigns set state = 'running' where id = %s", campaign)
    assert api.as_("manager").patch(f"/campaigns/{campaign}", json={"at_once": 5}).status_code == 200
    api.sql("update campaigns set state = 'ended' where id = %s", campaign)
    answer = api.as_("manager").patch(f"/campaigns/{campaign}", json={"at_once": 6})
    assert (answer.status_code, problem(answer)["code"]) == (409, "conflict")
    assert api.sql("select at_once from campaigns where id = %s", campaign) == [(5,)]


def test_what_was_changed_meanwhile_is_not_overwritten(api: Api, campaign: str) -> None:
    manager = api.as_("manager")
    tag = {"If-Match": manager.get(f"/campaigns/{campaign}").headers["etag"]}
    assert manager.patch(f"/campaigns/{campaign}", json={"most_calls": 9}, headers=tag).status_code == 200
    assert manager.patch(f"/campaigns/{campaign}", json={"most_calls": 8}, headers=tag).status_code == 412


@pytest.mark.parametrize("wrong", [{"playbook": "solar"}, {"tier": "hot"}, {"state": "running"}, {"at_once": 0}])
def test_whom_it_calls_and_its_state_are_not_changed_so(api: Api, campaign: str, wrong: dict[str, object]) -> None:
    assert api.as_("manager").patch(f"/campaigns/{campaign}", json=wrong).status_code == 422
