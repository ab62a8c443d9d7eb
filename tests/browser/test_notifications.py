"""Being told: set up in a real browser, sent by the real worker, looked at where it arrives."""

from __future__ import annotations

import email
import email.policy
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.dialog.events import Entry, Estimated
from app.embedded import start_services
from app.local import NUMBER
from app.settings import load
from app.store import call_events, calls
from app.store.calls import NewCall
from app.store.connect import Database
from app.store.workspaces import DEMO_WORKSPACE

from .conftest import Up
from .test_dashboard import AXE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = [pytest.mark.integration, pytest.mark.realtime]


def until(page: Page, holds: Callable[[], Any], within_s: float = 30.0) -> Any:
    give_up_at = time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < give_up_at, "it did not come true in time"
        page.wait_for_timeout(100)
    return found


def settings(page: Page, up: Up) -> None:
    page.goto(up.url + "/settings/notifications")
    page.wait_for_selector("text=Where it goes")


def test_a_test_by_e_mail_arrives_and_the_page_says_so(page: Page, up: Up) -> None:
    settings(page, up)
    page.get_by_label("Addresses of e-mail").fill("sales@example.com, ops@example.com")
    page.locator("form", has_text="Where it goes").get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Send a test: E-mail").click()
    folder = up.data_dir / "mail"
    letters: list[Path] = until(page, lambda: folder.exists() and len(found := list(folder.iterdir())) == 2 and found)
    told = [email.message_from_bytes(one.read_bytes(), policy=email.policy.default) for one in letters]
    assert {one["To"] for one in told} == {"sales@example.com", "ops@example.com"}
    assert {one["Subject"] for one in told} == {"It works"}
    settings(page, up)
    page.wait_for_selector("text=E-mail, sales@example.com: Delivered")


def test_rules_are_kept(page: Page, up: Up) -> None:
    settings(page, up)
    rules = page.locator("form", has_text="What you are told")
    rules.get_by_label("Budget").check()
    rules.get_by_label("Budget a month (USD)").fill("250")
    rules.get_by_label("From a chance of (%)").fill("55")
    rules.get_by_role("button", name="Save").click()
    page.wait_for_selector("text=Saved")
    settings(page, up)
    assert page.get_by_label("Budget a month (USD)").input_value() == "250"
    assert page.get_by_label("From a chance of (%)").input_value() == "55"


def test_quiet_hours_are_kept_and_can_be_given_up(page: Page, up: Up) -> None:
    for on in (True, False):
        settings(page, up)
        form = page.locator("form", has_text="Keep quiet hours")
        form.get_by_label("Keep quiet hours").set_checked(on)
        if on:
            form.get_by_label("From").fill("22:30")
        with page.expect_response(lambda answer: answer.request.method == "PATCH"):
            form.get_by_role("button", name="Save").click()
        settings(page, up)
        page.wait_for_selector("text=America/New York" if on else "text=None: everything is told at once")
    assert page.get_by_label("Keep quiet hours").is_checked() is False


def test_behind_the_bell_is_the_news_of_the_seeded_day(page: Page, up: Up) -> None:
    page.goto(up.url + "/")
    bell = page.locator(".bell > button")
    until(page, lambda: "new" in (bell.get_attribute("aria-label") or ""), 60.0)
    bell.click()
    first = page.locator("#news li a").first
    assert "asked to be called back" in first.inner_text()
    page.keyboard.press("Escape")
    assert bell.get_attribute("aria-expanded") == "false"
    assert bell.evaluate("button => document.activeElement === button")
    assert bell.get_attribute("aria-label") == "Notifications"  # nothing new any more
    bell.click()
    first.click()
    page.wait_for_url("**/leads/**")


def test_a_hot_lead_on_the_line_is_told_on_whatever_page_is_open(page: Page, up: Up) -> None:
    """The estimate is written as a call writes it; the beat finds it, and the page the news."""
    sid = "CA" + "7" * 32
    page.goto(up.url + "/playbooks")
    page.wait_for_selector("main h1")
    until(page, lambda: page.evaluate("performance.getEntriesByType('resource').some(one => /notif/.test(one.name))"))
    with start_services(load(data_dir=up.data_dir), share=True) as services:
        database = Database.open(services.database_url, max_size=1)
        with database.worker(DEMO_WORKSPACE) as db:
            call = calls.ring(db, NewCall(sid, "inbound", "+12025550111", NUMBER, "northlight_solar", 1))
            call_events.append(db, call.id, [Entry(1, 9000, Estimated(3, 0.82, "close"))])
        page.locator(".just", has_text="82% likely to buy").wait_for(timeout=40_000)
        with database.worker(DEMO_WORKSPACE) as db:
            calls.end(db, sid, "finished", datetime.now(UTC))
        database.close()
    page.locator(".just").get_by_role("link", name="Look").click()
    page.wait_for_url(up.url + "/")


def test_a_report_is_scheduled_and_taken_back(page: Page, up: Up) -> None:
    page.goto(up.url + "/reports")
    page.get_by_role("button", name="Send by e-mail").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("When").select_option(label="Every Monday")
    dialog.get_by_label("Addresses of e-mail").fill("boss@example.com")
    dialog.get_by_role("button", name="Schedule it").click()
    row = dialog.locator("li", has_text="boss@example.com")
    assert "Every Monday, 08:00" in row.inner_text()
    row.get_by_role("button", name="Remove").click()
    dialog.locator("text=Nothing is scheduled yet.").wait_for()


def test_a_push_is_shown_once_and_an_open_page_goes_where_it_points(up: Up, browser: Browser) -> None:
    """What a push service would bring is handed to the service worker by the browser's own tools."""
    context: BrowserContext = browser.new_context(viewport={"width": 1200, "height": 800})
    context.grant_permissions(["notifications"], origin=up.url)
    page = context.new_page()
    page.goto(up.link())
    page.wait_for_selector("main h1")
    tools, seen = context.new_cdp_session(page), []
    tools.on("ServiceWorker.workerRegistrationUpdated", lambda event: seen.extend(event["registrations"]))
    tools.send("ServiceWorker.enable")
    until(page, lambda: page.evaluate("navigator.serviceWorker.ready.then(ready => Boolean(ready.active))") and seen)
    news = {"title": "Hot lead on the line", "body": "Ada talks to us now.", "url": "/calls", "tag": "n1"}
    push = {"origin": up.url + "/", "registrationId": seen[0]["registrationId"], "data": json.dumps(news)}
    for _ in range(2):
        tools.send("ServiceWorker.deliverPushMessage", push)
    ready = "navigator.serviceWorker.ready.then(ready => ready.getNotifications())"
    shown = until(page, lambda: page.evaluate(f"{ready}.then(all => all.map(one => [one.title, one.body, one.tag]))"))
    assert shown == [["Hot lead on the line", "Ada talks to us now.", "n1"]]
    page.evaluate("navigator.serviceWorker.dispatchEvent(new MessageEvent('message', {data: {go: '/calls'}}))")
    page.wait_for_url("**/calls")
    context.close()


def test_axe_finds_nothing_in_what_opens_on_a_small_telephone_in_the_dark(up: Up, browser: Browser) -> None:
    context = browser.new_context(
        viewport={"width": 320, "height": 700}, bypass_csp=True, color_scheme="dark", locale="es"
    )
    page = context.new_page()
    page.goto(up.link())
    page.wait_for_selector("main h1")
    found, wide = [], []

    def judge() -> None:
        page.add_script_tag(path=AXE)
        found.extend(page.evaluate("axe.run().then(({ violations }) => violations.map(one => one.id))"))
        wide.append(page.evaluate("document.documentElement.scrollWidth"))

    page.locator(".bell > button").click()
    page.wait_for_selector("#news h2")
    judge()
    page.goto(up.url + "/reports")
    page.get_by_role("button", name="Enviar por correo").click()
    page.get_by_role("dialog").get_by_label("Informe").wait_for()
    judge()
    context.close()
    assert found == []
    assert max(wide) <= 320
