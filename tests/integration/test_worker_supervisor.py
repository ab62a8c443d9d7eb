"""A worker that is reached and does nothing is replaced."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from app.settings import load
from workers.app import celery, configuration
from workers.broker import Broker
from workers.supervisor import Supervisor

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

SLEEPS = "import time; time.sleep(600)"


class Counted(Broker):
    """Counts how often it was looked at."""

    looks = 0

    def marked(self, name: str) -> int | None:
        self.looks += 1
        return super().marked(name)


class Watch:
    """A supervisor in a thread, over processes that connect to nothing; `nodes` are those it has started."""

    def __init__(self, url: str) -> None:
        self.nodes: list[str] = []
        self.broker = Counted(url)
        self.supervisor = Supervisor(self._command, {}, self.broker, probe_every_s=0.2, patience_s=1.0)
        self.thread = threading.Thread(target=self.supervisor.run)

    def _command(self, node: str) -> tuple[str, ...]:
        self.nodes.append(node)
        return sys.executable, "-I", "-S", "-c", SLEEPS


@pytest.fixture
def watch_over(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Watch]]:
    watches: list[Watch] = []

    def watch(url: str) -> Watch:
        monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none")
        monkeypatch.setenv("REDIS_URL", url)
        celery.conf.update(configuration(load()))
        watches.append(Watch(url))
        watches[-1].thread.start()
        return watches[-1]

    yield watch
    for one in watches:
        one.supervisor.stop()
        one.thread.join(60)
        assert not one.thread.is_alive()


def test_a_worker_that_never_runs_its_probes_is_replaced(
    watch_over: Callable[[str], Watch], valkey_url: str, eventually: Callable[..., None]
) -> None:
    watch = watch_over(valkey_url)
    eventually(lambda: len(watch.nodes) >= 2)


def test_F03_a_worker_is_left_alone_while_the_broker_is_away(
    watch_over: Callable[[str], Watch], eventually: Callable[..., None]
) -> None:
    watch = watch_over("redis://127.0.0.1:1/0")
    eventually(lambda: watch.broker.looks >= 8)  # patience would have ended after five
    assert len(watch.nodes) == 1
