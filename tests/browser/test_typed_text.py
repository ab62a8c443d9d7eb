"""What people type is shown as text, wherever it is shown: nothing of it runs, and the policy has nothing to stop."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
import pytest

from app import playbooks
from app.dialog.playbook import parse

from .conftest import REPORTS, Up, see

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

PAYLOADS = (
    "<img src=x onerror=alert(1)>",
    '"><script>alert(2)</script>',
    "<svg/onload=alert(3)>",
    "{{constructor.constructor('alert(4)')()}}",
    "javascript:alert(5)",
    "<iframe srcdoc='<script>alert(6)</script>'>",
)
ALL = " ".join(PAYLOADS)


@dataclass(frozen=True)
class Typed:
    lead: str
    playbook: str


@pytest.fixture(scope="module")
def typed(up: Up) -> Iterator[Typed]:
    """The same in every field that takes free text."""
    ticket = up.link().partition("ticket=")[2]
    with httpx.Client(base_url=f"{up.url}/api/v1", trust_env=False) as http:
        token = http.post("/session", json={"ticket": ticket}).raise_for_status().json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"

        def send(method: str, path: str, **body: object) -> dict[str, str]:
            answer = http.request(method, path, json=body)
            assert answer.is_success, answer.text
            return dict(answer.json()) if answer.content else {}

        lead = send(
            "POST",
            "/leads",
            phone=f"+1415555{random.randrange(100, 200):04d}",
            name=ALL[:200],
            source="javascript:alert(7)",
        )["id"]
        send("PATCH", f"/leads/{lead}", tags=[text[:40] for text in PAYLOADS])
        send("POST", f"/leads/{lead}/notes", text=ALL)
        send("PUT", f"/leads/{lead}/tier", priority="hot", why=ALL[:300])
        playbook = f"typed_{random.randrange(1 << 24):x}"
        send("POST", "/playbooks", yaml=nasty_playbook(playbook))
        send("POST", "/campaigns", name=ALL[:100], playbook=playbook, source="nobody at all")
        send("POST", "/invitations", name=ALL[:100], role="viewer")
        send("POST", "/api-keys", name=PAYLOADS[0], role="viewer", scopes=["*:read"])
        yield Typed(lead, playbook)


def nasty_playbook(called: str) -> str:
    """In what it says, in what is said of it, and in a remark."""
    book, name = playbooks.text_of("northlight_solar"), "northlight_solar"
    answer = next(one.say for one in parse(book, name).answers if one.name == "price")
    text = book.replace(f"playbook: {name}", f"playbook: {called}")
    text = text.replace(answer, " ".join(one for one in PAYLOADS if "{" not in one).replace('"', '\\"'))
    return text.replace("sells: home solar systems", "sells: |\n    " + ALL, 1) + f"\n# {ALL}\n"


def test_T22_what_people_type_is_text_on_every_screen(page: Page, up: Up, typed: Typed) -> None:
    """The `page` fails the test for a dialog, an error, or anything the content security policy stopped."""
    shown = {
        "/leads?q=onerror": PAYLOADS[0],
        f"/leads/{typed.lead}": PAYLOADS[5],
        "/campaigns": PAYLOADS[1],
        "/playbooks": "typed",
        f"/playbooks/{typed.playbook}": PAYLOADS[0],
        "/settings/keys": PAYLOADS[0],
        "/settings/team": "",
        "/settings/audit": "",
    }
    for path, text in shown.items():
        see(page, up, path)
        if text:
            page.get_by_text(text).first.wait_for()
        page.wait_for_timeout(150)  # a picture that cannot be loaded says so a moment later
        assert page.locator("img[src=x], iframe, svg[onload], main script").count() == 0, path
        assert page.locator("a[href^='javascript:']").count() == 0, path


def test_T22_a_search_and_a_way_there_are_text_too(page: Page, up: Up, typed: Typed) -> None:
    for path in (
        f"/leads?q={quote(PAYLOADS[0])}",
        f"/calls?q={quote(PAYLOADS[1])}",
        f"/calls/{quote(PAYLOADS[2], safe='')}",
    ):
        page.goto(up.url + path)
        page.wait_for_selector("main h1")
        page.wait_for_timeout(150)
        assert page.locator("img[src=x], iframe, svg[onload], main script").count() == 0, path


def test_T22_the_silence_of_the_policy_means_something(up: Up, signed_in: BrowserContext) -> None:
    """What it stops is heard of, by the listener that the tests above rely on."""
    page = signed_in.new_page()
    page.add_init_script(REPORTS)
    heard: list[str] = []
    dialogs: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("dialog", lambda dialog: dialogs.append(dialog.message) or dialog.dismiss())
    see(page, up, "/")
    page.evaluate("text => document.querySelector('main').insertAdjacentHTML('beforeend', text)", PAYLOADS[0])
    page.wait_for_timeout(500)
    page.close()
    assert any("script-src-attr" in text for text in heard if text.startswith("Content Security Policy"))
    assert dialogs == []
