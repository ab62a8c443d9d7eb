"""Postgres and Valkey for a machine that has neither: started from wheels, stopped with us, whatever ends us."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import SecretStr

import app.embedded.postgres as postgres
import app.embedded.valkey as valkey
from app.settings import Settings
from app.store.migrate import ensure_stub

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Services:
    """Where the database and the broker are. `notices` are sentences a person should see once."""

    database_url: str
    redis_url: str
    notices: tuple[str, ...] = ()

    def settings(self, settings: Settings) -> Settings:
        """The same settings with both addresses filled in."""
        urls = {"database_url": SecretStr(self.database_url), "redis_url": SecretStr(self.redis_url)}
        return settings.model_copy(update=urls)


@contextlib.contextmanager
def start_services(settings: Settings, *, share: bool = False) -> Iterator[Services]:
    """Starts what the environment does not name, and stops it at the end. The database is as Supabase would give it;
    the migrations are the caller's to apply. Raises ServiceNotStarted with one sentence that says what to do.

    With `share`, services that another Strowger runs in the same folder are used, too: for commands that look at, or
    add to, what `strowger up` is doing."""
    with contextlib.ExitStack() as running:
        notices: list[str] = []
        if settings.redis_url is not None:
            redis_url = settings.redis_url.get_secret_value()
        else:
            broker = valkey.start(settings.data_dir, share=share)
            running.callback(broker.stop)
            redis_url = broker.url
        if settings.database_url is not None:
            database_url = settings.database_url.get_secret_value()
        else:
            database = postgres.start(settings.data_dir, share=share)
            running.callback(database.stop)
            notices += [database.notice] if database.notice else []
            database_url = database.url
            ensure_stub(database_url)
        for notice in notices:
            _log.warning(notice)
        yield Services(database_url, redis_url, tuple(notices))
