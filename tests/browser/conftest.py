"""A real Chromium on a real `strowger up`. Skipped by name where there is no browser or no Node to build with."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

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
START_S = 180.0


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
            check=True,
        )
        found = re.search(r"https?://\S+ticket=\S+", said.stdout)
        assert found is not None, said.stdout
        return found[0]


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    from app import dashboard_build
    from app.errors import BadInput

    try:
        dashboard_build.build()
    except BadInput as error:
        pytest.skip(f"no dashboard here: {error}")
    # Not pytest's own folder, which the user that Postgres runs as may not enter.
    folder = Path(tempfile.mkdtemp(prefix="strowger-up-"))
    folder.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = folder / "up.log"
    with log.open("wb") as out:
        running = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "up", "--port", str(port)],
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "STROWGER_DATA_DIR": str(folder / "data")},
        )
    try:
        give_up_at = time.monotonic() + START_S
        while "Seeded" not in log.read_text():
            assert running.poll() is None, log.read_text()
            assert time.monotonic() < give_up_at, log.read_text()
            time.sleep(0.2)
        found = re.search(r"http://localhost:\d+", log.read_text())
        assert found is not None
        yield Up(found[0], folder / "data")
    finally:
        running.terminate()
        running.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Callable[..., Browser]]:
    """Starts the machine's own browser, with more flags where a test needs them."""
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
    """A window of the owner's, shared by the tests of the module."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto(up.link())
    page.wait_for_selector("main h1")
    page.close()
    return context


@pytest.fixture
def page(signed_in: BrowserContext) -> Iterator[Page]:
    """Whatever a page complains of fails the test: errors, and what the content security policy stopped."""
    opened = signed_in.new_page()
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
