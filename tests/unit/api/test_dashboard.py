"""The dashboard's files: its own and nothing beside them; pages for people, errors for programs."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app.api.dashboard import Dashboard

HTML = {"Accept": "text/html"}


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>Strowger</title>")
    (folder / "assets" / "index-1.js").write_text("1")
    (tmp_path / "secret_key").write_text("secret")
    service = Starlette(routes=[Route("/api/v1/me", lambda request: PlainTextResponse("me"))])
    return TestClient(Dashboard(service, folder))


@pytest.mark.parametrize("path", ["/", "/calls", "/leads/1?view=next"])
def test_people_get_the_page_whatever_it_is_called(client: TestClient, path: str) -> None:
    answer = client.get(path, headers=HTML)
    assert (answer.status_code, "Strowger" in answer.text) == (200, True)
    assert answer.headers["cache-control"] == "no-cache"


def test_the_shell_is_what_a_worker_of_the_browser_keeps(client: TestClient) -> None:
    """It asks with `Accept: */*`."""
    assert "Strowger" in client.get("/").text


def test_files_whose_names_change_are_kept_for_good(client: TestClient) -> None:
    answer = client.get("/assets/index-1.js")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")


def test_programs_get_the_service_and_its_errors(client: TestClient) -> None:
    assert client.get("/api/v1/me", headers=HTML).text == "me"
    assert client.get("/api/v1/nothing", headers=HTML).status_code == 404
    assert client.get("/assets/gone.js", headers=HTML).status_code == 404


@pytest.mark.parametrize(
    "path", ["/../secret_key", "/%2e%2e/secret_key", "/assets/../../secret_key", "/..%2fsecret_key"]
)
def test_nothing_outside_the_folder_is_given_away(client: TestClient, path: str) -> None:
    assert "secret" not in client.get(path).text
