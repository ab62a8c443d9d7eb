"""PATCH /campaigns/{id}: the pace and the name of a campaign that has not ended. Campaigns that were stopped."""

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


def test_C09_a_stopped_campaign_says_why_and_a_manager_lets_it_go_on_by_name(api: Api, campaign: str) -> None:
    api.sql(
        "update campaigns set state = 'paused', stopped_at = now(), stopped_why = 'C09: 2 of 9' where id = %s", campaign
    )
    manager = api.as_("manager")
    found = manager.get(f"/campaigns/{campaign}").json()
    assert (found["stopped_why"], found["answered_30_days"], found["abandoned_30_days"]) == ("C09: 2 of 9", 0, 0)
    assert api.as_("agent").post(f"/campaigns/{campaign}/resume").status_code == 403
    going = manager.post(f"/campaigns/{campaign}/resume").json()
    assert (going["state"], going["stopped_at"], going["stopped_why"]) == ("running", None, None)
    assert api.sql("select let_go_on_at > now() - interval '1 minute' from campaigns where id = %s", campaign) == [
        (True,)
    ]
    signed = api.sql(
        "select actor <> '', detail ->> 'stopped' from audit_log where subject = %s and action = 'campaign.resume'",
        campaign,
    )
    assert signed == [(True, "C09: 2 of 9")]


def test_C09_the_campaign_shows_how_many_of_the_last_thirty_days_were_abandoned(api: Api, campaign: str) -> None:
    api.sql(
        "insert into campaign_leads (workspace_id, campaign_id, lead_id, position, state, answer, answered_at, "
        "judged_at) select c.workspace_id, c.id, l.id, 1, 'called', 'abandoned', now(), now() "
        "from campaigns c join leads l on l.workspace_id = c.workspace_id where c.id = %s limit 1",
        campaign,
    )
    found = api.as_("viewer").get(f"/campaigns/{campaign}").json()
    assert (found["answered_30_days"], found["abandoned_30_days"]) == (1, 1)
    api.sql("update campaign_leads set answered_at = now() - interval '31 days' where campaign_id = %s", campaign)
    found = api.as_("viewer").get(f"/campaigns/{campaign}").json()
    assert (found["answered_30_days"], found["abandoned_30_days"]) == (0, 0)
