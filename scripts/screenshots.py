"""Pictures of every screen, light and dark, wide and on a phone, from a dashboard with the made-up fortnight.

`make screenshots` writes them to ./screenshots. Needs Node (to build the dashboard) and an installed Chromium.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

OUT = Path(__file__).parents[1] / "screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SCREENS = (
    "/", "/calls", "/calls/SEED0000", "/leads", "/leads?view=next", "/campaigns", "/playbooks",
    "/playbooks/northlight_solar", "/reports", "/models", "/settings/", "/settings/team", "/settings/numbers",
    "/settings/keys", "/settings/webhooks", "/settings/notifications", "/settings/providers",
    "/settings/limits", "/settings/retention", "/settings/audit",
)  # fmt: skip
SIZES = {"wide": (1440, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
START_S, SETTLE_MS, SCORED = 180.0, 700, 60


@contextmanager
def seeded() -> Iterator[tuple[str, dict[str, str]]]:
    """A `strowger up` of its own: its address, and the environment that `strowger link` needs to find it."""
    folder = Path(tempfile.mkdtemp(prefix="strowger-screenshots-"))
    folder.chmod(0o755)  # the user that Postgres runs as must be able to enter
    env = {**os.environ, "STROWGER_DATA_DIR": str(folder / "data")}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = folder / "up.log"
    command = [sys.executable, "-m", "app.cli", "up", "--port", str(port)]
    with log.open("wb") as out:
        running = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env)
    try:
        give_up_at = time.monotonic() + START_S
        while "Seeded" not in log.read_text():
            if running.poll() is not None or time.monotonic() > give_up_at:
                sys.exit(log.read_text())
            time.sleep(0.2)
        yield f"http://localhost:{port}", env
    finally:
        running.terminate()
        running.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def link(url: str, env: dict[str, str]) -> str:
    command = [sys.executable, "-m", "app.cli", "link", "--address", url]
    said = subprocess.run(command, capture_output=True, text=True, env=env, check=True, timeout=60).stdout
    found = re.search(r"https?://\S+ticket=\S+", said)
    return found[0] if found else sys.exit(said)


def scored(page: Page, url: str) -> None:
    """The workers have judged most of the fortnight; the board fills as they go."""
    give_up_at = time.monotonic() + START_S
    while time.monotonic() < give_up_at:
        page.goto(f"{url}/leads")
        page.wait_for_timeout(SETTLE_MS * 3)
        if page.locator("main a[href^='/leads/']").count() >= SCORED:
            return
    sys.exit("The workers have not scored the made-up leads; see the log of `strowger up`.")


def take(page: Page, url: str) -> int:
    taken = 0
    for theme in THEMES:
        page.evaluate("theme => localStorage.setItem('theme', theme)", theme)
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            for path in SCREENS:
                page.goto(url + path)
                page.wait_for_selector("main h1")
                page.wait_for_timeout(SETTLE_MS)
                name = re.sub(r"\W+", "-", path).strip("-") or "live"
                page.screenshot(path=OUT / f"{name}-{theme}-{size}.png")
                taken += 1
    return taken


def main() -> None:
    from playwright.sync_api import sync_playwright

    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        sys.exit("No Chromium here: install chromium first.")
    OUT.mkdir(exist_ok=True)
    with seeded() as (url, env), sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(locale="en-US")
        page.goto(link(url, env))
        page.wait_for_selector("main h1")
        scored(page, url)
        taken = take(page, url)
        browser.close()
    print(f"{taken} pictures in {OUT}")


if __name__ == "__main__":
    main()
