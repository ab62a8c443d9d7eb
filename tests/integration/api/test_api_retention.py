"""GET /retention and the legal holds: what goes tonight, and what is held back from it."""

from __future__ import annotations

import pytest

from .conftest import Api, id_of

pytestmark = pytest.mark.integration


def test_C44_a_hold_is_set_seen_and_lifted_and_both_are_noted(api: Api) -> None:
    admin, lead = api.as_("admin"), str(id_of("a", "lead"))
    made = admin.post("/holds", json={"lead_id": lead, "why": "They wrote to the regulator."})
    assert made.status_code == 201
    hold = made.json()
    assert (hold["lead_id"], hold["lead"], hold["set_by"]) == (lead, "Ada", str(id_of("a", "admin")))
    assert hold["id"] in [one["id"] for one in admin.get("/holds").json()["items"]]
    assert admin.delete(f"/holds/{hold['id']}").status_code == 204
    assert admin.delete(f"/holds/{hold['id']}").status_code == 404
    assert hold["id"] not in [one["id"] for one in admin.get("/holds").json()["items"]]
    kept = api.sql("select why, lifted_by from legal_holds where id = %s", hold["id"])
    assert kept == [("They wrote to the regulator.", id_of("a", "admin"))]
    noted = api.sql("select action from audit_log where subject in (%s, %s) order by at", lead, hold["id"])
    assert noted == [("holds_create",), ("holds_lift",)]


def test_T12_a_lead_of_another_workspace_cannot_be_held(api: Api) -> None:
    answer = api.as_("admin").post("/holds", json={"lead_id": str(id_of("b", "lead")), "why": "x"})
    assert answer.status_code == 404


def test_what_is_past_its_days_is_counted_by_the_days_of_this_workspace(api: Api) -> None:
    admin = api.as_("admin")
    for table, column in (("calls", "ended_at"), ("leads", "updated_at"), ("leads", "created_at")):
        api.sql(
            f"update {table} set {column} = now() - interval '20 days' where workspace_id = %s", id_of("a", "workspace")
        )
    api.sql("delete from campaign_leads where workspace_id = %s", id_of("a", "workspace"))
    api.sql("update legal_holds set lifted_by = set_by, lifted_at = now() where lifted_at is null")
    assert admin.get("/retention").json()["due"] == {"recordings": 0, "calls": 0, "leads": 0}
    changed = admin.patch("/workspace", json={"retention_days": 10, "recording_days": 5})
    assert (changed.json()["retention_days"], changed.json()["recording_days"]) == (10, 5)
    told = admin.get("/retention").json()
    assert told["due"] == {"recordings": 0, "calls": 1, "leads": 0}, "its note is newer"
    assert told["last_at"] is None
    folder = api.web.recordings.folder / "kept"
    folder.mkdir(parents=True, exist_ok=True)
    sid = api.sql("select call_sid from calls where workspace_id = %s limit 1", id_of("a", "workspace"))[0][0]
    theirs = api.sql("select call_sid from calls where workspace_id = %s limit 1", id_of("b", "workspace"))[0][0]
    for name in (sid, theirs):
        (folder / f"{name}.wav").write_bytes(b"RIFF")
    assert admin.get("/retention").json()["due"]["recordings"] == 1
