"""The telephone in the page, with a microphone that is a recording: the agent is called, interrupted, helped along."""

from __future__ import annotations

import re
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from app.exchange import voices
from app.telephony import mulaw

from .conftest import Up

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

SAID = "i would like to hear about solar"
HEARD = ".lines li.caller:has-text('solar')"  # all of it, or the end: nobody knows where the recording is when it opens
WHISPER = "mention the warranty, please <img src=x onerror=alert(1)>"  # T22: text, here as everywhere
QUIET_S = 3.0  # before it is said, again and again
PATIENCE_MS = 60_000  # sound takes its time, and a busy machine more
OPENING_S = 10.6  # until the agent's last line of the opening begins; that one takes five seconds


@pytest.fixture(scope="module")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    said = mulaw.decode(voices.clip("rms", SAID)).astype("<i2")
    path = tmp_path_factory.mktemp("microphone") / "said.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.concatenate([np.zeros(round(8000 * QUIET_S), dtype="<i2"), said]).tobytes())
    return path


@pytest.fixture
def desk(up: Up, chromium: Callable[..., Browser], microphone: Path) -> Iterator[Callable[[], Page]]:
    """Each a person at a window of their own; all of their microphones say the same."""
    window = chromium(f"--use-file-for-fake-audio-capture={microphone}")

    def opened() -> Page:
        page = window.new_context(permissions=["microphone"], viewport={"width": 1440, "height": 900}).new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(up.link())
        page.wait_for_selector("main h1")
        return page

    yield opened
    window.close()


def call_the_agent(page: Page) -> float:
    """With the microphone off; returns when the agent was first heard of."""
    page.get_by_role("button", name="Phone").click()
    page.get_by_role("button", name="Call the agent").click()
    page.locator(".handset .lamp.on").wait_for(state="attached")
    page.get_by_role("button", name="Mute").click()
    page.wait_for_selector(".said li.agent:has-text('automated')")
    return time.monotonic()


def test_the_agent_is_phoned_interrupted_and_the_call_is_kept(up: Up, desk: Callable[[], Page]) -> None:
    page = desk()
    began = call_the_agent(page)
    page.wait_for_timeout(max(0.0, OPENING_S + 1.5 - (time.monotonic() - began)) * 1000)
    page.get_by_role("button", name="Unmute").click()
    cut = page.locator(".said li.agent", has_text=re.compile(r" \.\.\.$"))
    cut.first.wait_for()  # it stopped in the middle of what it said: its question, unless the machine is very busy
    page.wait_for_selector(".said li.caller:has-text('solar')")
    page.get_by_role("button", name="Mute").click()
    page.wait_for_selector(".said li.agent:has-text('own your home')")
    page.get_by_role("link", name=re.compile("See this call")).click()
    page.get_by_role("button", name="Hang up").click()
    page.wait_for_selector(HEARD)
    sid = page.url.rsplit("/", 1)[1]
    for _ in range(40):  # the worker scores it in its own time
        page.goto(f"{up.url}/calls/{sid}")
        page.wait_for_selector(HEARD)
        if page.locator("text=the chance").count():
            break
        page.wait_for_timeout(500)
    assert page.locator(".reasons li").count() == 3
    assert page.locator(".lines del").first.inner_text(), "meant, not heard, and struck out"
    page.wait_for_selector(".wave path.caller[d^='M']", state="attached")


def test_a_call_is_listened_to_whispered_into_taken_over_and_handed_back(desk: Callable[[], Page]) -> None:
    caller, rep = desk(), desk()
    call_the_agent(caller)
    sees = caller.get_by_role("link", name=re.compile("See this call")).get_attribute("href")
    card = rep.locator("article.card", has=rep.locator(f"a[href='{sees}']"))
    card.locator(".said li.agent").first.wait_for()
    card.get_by_role("button", name="Listen in").click()
    card.get_by_role("button", name="Listening").wait_for()
    card.get_by_label("Whisper to the agent").fill(WHISPER)
    card.get_by_role("button", name="Whisper", exact=True).click()
    aside = card.locator(".said li.colleague", has_text=WHISPER)
    aside.wait_for()
    assert "leads to the answer warranty" in aside.inner_text()
    card.get_by_role("button", name="Take over").click()
    card.locator(".badge:has-text('with you')").wait_for()
    rep.wait_for_selector("text=You are on the line with the caller", state="attached")
    said = card.locator(".said li.agent").count()
    rep.wait_for_timeout(3000)
    assert card.locator(".said li.agent").count() == said  # the agent keeps quiet
    card.get_by_role("button", name="Hand back").click()
    card.locator(".badge:has-text('with you')").wait_for(state="detached")
    card.locator(f".said li.agent:nth-of-type(n+{said + 1})").first.wait_for()
    caller.get_by_role("button", name="Unmute").click()
    card.locator(".said li.agent", has_text="twenty five year warranty").wait_for()
    assert "please" not in " ".join(card.locator(".said li.agent").all_inner_texts())
    caller.get_by_role("button", name="Hang up").click()
    card.wait_for(state="detached")
