"""A real Chromium on a real `strowger up`. Skipped by name where there is no browser or no Node to build with."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .running import START_S, Share

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]


@dataclass(frozen=True)
class Up:
    """`strowger up` with its made-up fortnight."""

    url: str
    data_dir: Path

    def link(self) -> str:
        """A fresh one-time address that signs the owner in."""
        said = subprocess.run(
            [sys.executable, "-m", "app.cli", "link", "--address", self.url],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "STROWGER_DATA_DIR": str(self.data_dir)},
        )
        assert said.returncode == 0, said.stderr
        found = re.search(r"https?://\S+ticket=\S+", said.stdout)
        assert found is not None, said.stdout
        return found[0]


@pytest.fixture(scope="session")
def up() -> Iterator[Up]:
    """The same for all processes of a run: it takes longer to start than most tests take."""
    from app import dashboard_build
    from app.errors import BadInput

    try:
        dashboard_build.build()
    except BadInput as error:
        pytest.skip(f"no dashboard here: {error}")
    run = Path(os.environ["STROWGER_TESTS_FOLDER"])
    share = Share(run.with_name(f"{run.name}-up"))
    with (run / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        share.start()
        give_up_at = time.monotonic() + START_S
        while "Seeded" not in share.told():
            assert time.monotonic() < give_up_at, share.told()
            time.sleep(0.2)
    found = re.search(r"http://localhost:\d+", share.told())
    assert found is not None
    yield Up(found[0], share.folder / "data")
    share.release()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Callable[..., Browser]]:
    """Starts the machine's own browser, with more flags where a test needs them.

    Not for longer than a module: while the driver is open its event loop runs, and no test may run another.
    """
    playwright = pytest.importorskip("playwright.sync_api")
    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip("no Chromium here: install chromium to run the browser tests")
    with playwright.sync_playwright() as driver:
        opened: list[Browser] = []

        def start(*flags: str) -> Browser:
            opened.append(driver.chromium.launch(executable_path=program, args=[*FLAGS, *flags]))
            return opened[-1]

        yield start
        for browser in opened:
            browser.close()


@pytest.fixture(scope="module")
def browser(chromium: Callable[..., Browser]) -> Browser:
    return chromium()


@pytest.fixture(scope="module")
def signed_in(up: Up, browser: Browser) -> BrowserContext:
    """A window of the owner's, shared by the tests of a module."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto(up.link())
    page.wait_for_selector("main h1")
    page.close()
    return context


# A policy that was broken says so in the page alone: this makes the console hear it too.
REPORTS = """addEventListener("securitypolicyviolation", (event) =>
  console.error("Content Security Policy", event.violatedDirective, event.blockedURI, event.sourceFile))"""


@pytest.fixture
def page(signed_in: BrowserContext) -> Iterator[Page]:
    """Whatever a page complains of fails the test: errors, and what the content security policy stopped."""
    opened = signed_in.new_page()
    opened.add_init_script(REPORTS)
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    opened.on(
        "console",
        lambda message: complaints.append(message.text) if "Content Security Policy" in message.text else None,
    )
    yield opened
    opened.close()
    assert complaints == []


def until(page: Page, holds: str, within_s: float = 20.0) -> None:
    """Playwright's own waiting needs eval, which the page's policy forbids."""
    give_up_at = time.monotonic() + within_s
    while not page.evaluate(holds):
        assert time.monotonic() < give_up_at, holds
        page.wait_for_timeout(50)


def see(page: Page, up: Up, path: str) -> None:
    page.goto(up.url + path)
    page.wait_for_selector("main h1")
    until(page, "!document.querySelector('main [aria-busy=true]')")
