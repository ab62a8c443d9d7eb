"""Settings of the workspace, its members, invitations and keys; and that all of it is audited."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import Api, id_of, problem

pytestmark = pytest.mark.integration


@pytest.fixture
def api(serve_api: Any) -> Iterator[Api]:
    """One for each test: they change who may do what."""
    with serve_api() as one:
        yield one


def test_settings_change_one_at_a_time(api: Api) -> None:
    before = api.as_("viewer").get("/workspace").json()
    quiet = {"from": "21:00:00", "to": "08:00:00"}
    changed = api.as_("admin").patch("/workspace", json={"quiet_hours": quiet, "value_usd": 250.5})
    assert changed.json() == before | {"quiet_hours": quiet, "value_usd": 250.5}
    cleared = api.as_("admin").patch("/workspace", json={"quiet_hours": None})
    assert cleared.json() == before | {"value_usd": 250.5}
    wrong = api.as_("admin").patch("/workspace", json={"time_zone": "Mars/Olympus"})
    assert problem(wrong)["errors"][0]["field"] == "body.time_zone"


def test_who_read_an_older_version_changes_nothing(api: Api) -> None:
    admin = api.as_("admin")
    first = admin.get("/workspace").headers["etag"]
    assert admin.get("/workspace", headers={"If-None-Match": first}).status_code == 304
    assert admin.patch("/workspace", json={"name": "One"}, headers={"If-Match": first}).status_code == 200
    late = admin.patch("/workspace", json={"name": "Two"}, headers={"If-Match": first})
    assert (late.status_code, problem(late)["code"]) == (412, "changed")
    assert admin.get("/workspace").json()["name"] == "One"


def test_an_invitation_makes_a_member_once(api: Api) -> None:
    made = api.as_("admin").post("/invitations", json={"role": "agent", "name": "Nia"}).json()
    assert made["link"].startswith("https://calls.example.com/#ticket=")
    token = made["link"].partition("#ticket=")[2]
    user = api.nobody().post("/session", json={"ticket": token}).json()["user"]
    assert user["role"] == "agent"
    names = {one["user_id"]: one["name"] for one in api.as_("viewer").get("/members").json()["items"]}
    assert names[user["user_id"]] == "Nia"
    assert api.nobody().post("/session", json={"ticket": token}).status_code == 401


def test_a_revoked_invitation_admits_nobody(api: Api) -> None:
    made = api.as_("admin").post("/invitations", json={"role": "viewer"}).json()
    assert api.as_("admin").delete(f"/invitations/{made['id']}").status_code == 204
    assert api.nobody().post("/session", json={"ticket": made["link"].partition("=")[2]}).status_code == 401


def test_T16_nobody_gives_or_takes_a_role_above_their_own(api: Api) -> None:
    admin, owner = api.as_("admin"), id_of("a", "owner")
    attempts = [
        admin.post("/members", json={"user_id": str(uuid.uuid4()), "role": "owner"}),
        admin.patch(f"/members/{id_of('a', 'admin')}", json={"role": "owner"}),
        admin.patch(f"/members/{owner}", json={"role": "viewer"}),
        admin.delete(f"/members/{owner}"),
        admin.post("/invitations", json={"role": "owner"}),
    ]
    assert {answer.status_code for answer in attempts} == {403}


def test_the_last_owner_stays(api: Api) -> None:
    owner = api.as_("owner")
    assert owner.delete(f"/members/{id_of('a', 'owner')}").status_code == 409
    assert owner.patch(f"/members/{id_of('a', 'owner')}", json={"role": "admin"}).status_code == 409
    assert owner.patch(f"/members/{id_of('a', 'admin')}", json={"role": "owner"}).status_code == 200
    assert owner.delete(f"/members/{id_of('a', 'owner')}").status_code == 204
    assert owner.get("/me").status_code == 401


def test_a_key_is_shown_once_and_kept_as_a_hash(api: Api) -> None:
    made = api.as_("admin").post("/api-keys", json={"name": "crm", "role": "agent", "scopes": ["members:read"]})
    key = made.json()["key"]
    assert "no-store" in made.headers["cache-control"]
    assert key not in str(api.sql("select * from api_keys"))
    listed = api.as_("admin").get("/api-keys").json()["items"]
    assert key not in str(listed)
    assert [one["hint"] for one in listed if one["name"] == "crm"] == [key[-4:], "abcd"]
    client = api.bearer(key)
    assert client.get("/me").json()["key"] is True
    assert client.get("/members").status_code == 200
    assert problem(client.get("/workspace"))["code"] == "not_allowed"  # no scope


def test_a_key_is_replaced_without_a_gap(api: Api) -> None:
    admin = api.as_("admin")
    old = admin.post("/api-keys", json={"name": "crm"}).json()
    new = admin.post(f"/api-keys/{old['id']}/rotate", json={"overlap_s": 60}).json()
    assert new["replaces"] == old["id"]
    assert {api.bearer(one["key"]).get("/me").status_code for one in (old, new)} == {200}
    api.sql("update api_keys set expires_at = now() - interval '1 s' where id = %s", old["id"])
    api.web.doors.remembered.forget(uuid.UUID(old["id"]))
    assert [api.bearer(one["key"]).get("/me").status_code for one in (old, new)] == [401, 200]


def test_T29_a_revoked_key_opens_nothing(api: Api) -> None:
    made = api.as_("admin").post("/api-keys", json={"name": "crm"}).json()
    assert api.bearer(made["key"]).get("/me").status_code == 200
    assert api.as_("admin").delete(f"/api-keys/{made['id']}").status_code == 204
    assert api.bearer(made["key"]).get("/me").status_code == 401


def test_T16_a_key_makes_no_key_that_may_do_more(api: Api) -> None:
    key = api.key("admin", "api_keys:write")
    assert key.post("/api-keys", json={"name": "x", "role": "admin", "scopes": ["*:write"]}).status_code == 403
    assert key.post("/api-keys", json={"name": "x", "scopes": ["api_keys:read"]}).status_code == 201
    assert api.as_("owner").post("/api-keys", json={"name": "x", "role": "owner"}).status_code == 422


def test_T38_every_change_is_in_the_audit_log_with_its_maker(api: Api) -> None:
    admin = api.as_("admin")
    made = admin.post("/api-keys", json={"name": "crm"})
    entry = admin.get("/audit", params={"action": "api_keys_create"}).json()["items"][0]
    assert entry["actor"] == str(id_of("a", "admin"))
    assert entry["detail"]["request_id"] == made.headers["x-request-id"]
    assert made.json()["key"] not in str(entry)


def test_T38_what_failed_is_not_said_to_have_been_done(api: Api) -> None:
    admin = api.as_("admin")
    assert admin.delete(f"/members/{id_of('a', 'owner')}").status_code == 403
    assert admin.get("/audit", params={"action": "members_remove"}).json()["items"] == []


def test_the_same_request_twice_is_done_once(api: Api) -> None:
    admin, named = api.as_("admin"), {"Idempotency-Key": "one"}
    body = {"user_id": str(uuid.uuid4()), "role": "viewer"}
    first, again = (admin.post("/members", json=body, headers=named) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    other = admin.post("/members", json=body | {"role": "agent"}, headers=named)
    assert (other.status_code, problem(other)["code"]) == (409, "idempotency_key_reused")
    # Another member's key of the same name is another key.
    assert problem(api.as_("owner").post("/members", json=body, headers=named))["code"] == "conflict"


def test_an_answer_with_a_secret_is_not_kept(api: Api) -> None:
    admin, named = api.as_("admin"), {"Idempotency-Key": "two"}
    key = admin.post("/api-keys", json={"name": "crm"}, headers=named).json()["key"]
    assert admin.post("/api-keys", json={"name": "crm"}, headers=named).status_code == 409
    assert key not in str(api.sql("select * from idempotency_keys"))
    assert len([one for one in admin.get("/api-keys").json()["items"] if one["hint"] == key[-4:]]) == 1


@pytest.mark.parametrize("text", ["\u0000", "a\u0000b"])
def test_what_cannot_be_kept_is_refused_and_not_stumbled_over(api: Api, text: str) -> None:
    assert api.as_("admin").patch("/workspace", json={"name": text}).status_code == 422
    assert api.as_("admin").get("/audit", params={"actor": text}).status_code == 422
