from __future__ import annotations

import pytest

from .conftest import ROLES, Api, id_of, problem

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("role", ROLES)
def test_T12_everybody_sees_the_members_of_their_own_workspace(api: Api, role: str) -> None:
    items = api.as_(role, "b").get("/members").json()["items"]
    assert {item["user_id"] for item in items} == {str(id_of("b", one)) for one in (*ROLES, "guest")}


def test_a_list_comes_in_pages(api: Api) -> None:
    viewer, seen, cursor = api.as_("viewer"), [], None
    while True:
        page = viewer.get("/members", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        assert len(page["items"]) <= 2
        seen += [item["user_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(str(id_of("a", role)) for role in (*ROLES, "guest"))


@pytest.mark.parametrize("cursor", ["x", "bm90IGpzb24", "WzFd", "WyIyMDI2IiwgInkiXQ", "[]", "\u00e9", "WzEsMl0="])
def test_a_cursor_that_is_none_is_refused(api: Api, cursor: str) -> None:
    answer = api.as_("viewer").get("/members", params={"cursor": cursor})
    assert (answer.status_code, problem(answer)["code"]) == (422, "bad_cursor")


def test_T16_without_a_token_nobody_is_let_in(api: Api) -> None:
    answer = api.nobody().get("/members")
    assert (answer.status_code, problem(answer)["code"]) == (401, "not_signed_in")
    assert answer.headers["www-authenticate"] == "Bearer"
