"""Everything on one machine: services, roles and the local exchange's account, started and stopped together."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from app import playbooks
from app.dialog.playbook import parse
from app.embedded import start_services
from app.embedded.launch import die_with_parent, free_port
from app.errors import BadInput, BadPlaybook, ServiceNotStarted
from app.exchange.account import Account
from app.settings import Settings
from app.store.connect import Database
from app.store.migrate import migrate
from app.store.workspaces import by_number, seed_demo

_NAME = re.compile(r"[a-z0-9_-]{1,64}")  # as the database wants it
READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0
NUMBER = "+12025550100"
SERVICE_PORT = 8000
EXCHANGE_PORT = 9101
OFFLINE = {"STROWGER_STT": "offline", "STROWGER_LLM": "playbook", "STROWGER_TTS": "offline", "STROWGER_LOG": "console"}


class Role:
    """One child process running one role (`serve`, `worker`, `beat`), its output in a log file."""

    def __init__(self, arguments: tuple[str, ...], env: Mapping[str, str], logs: Path, module: str = "app.cli") -> None:
        self.name = arguments[0] if module == "app.cli" else module
        self.log = logs / f"{self.name}.log"
        logs.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as out:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", module, *arguments],
                env={**os.environ, **env},
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches us alone; we stop the roles in order
                preexec_fn=die_with_parent,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        if self.alive:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

    def last_words(self, lines: int = 12) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def wait_ready(self, url: str) -> None:
        """Returns once `url` answers 200. Raises ServiceNotStarted with the role's last words."""
        give_up_at = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < give_up_at:
            if not self.alive:
                break
            with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
                if answer.status == 200:
                    return
            time.sleep(0.05)
        state = "is not ready" if self.alive else "stopped at once"
        raise ServiceNotStarted(f"`strowger {self.name}` {state}; its log {self.log} ends:\n{self.last_words()}")


@dataclass(frozen=True, slots=True)
class Machine:
    """What runs now. `workspace_id` is the seeded business; `account` is shared by the exchange and the roles."""

    database_url: str
    workspace_id: UUID
    account: Account
    service_url: str
    exchange_url: str
    roles: tuple[Role, ...]
    local_carrier: bool
    notices: tuple[str, ...] = ()


@contextlib.contextmanager
def machine(settings: Settings, port: int = SERVICE_PORT, *, offline: bool = False) -> Iterator[Machine]:
    """Services, migrated and seeded, and the three roles ready for calls.

    Calls come from the local exchange, unless the settings hold a Twilio account. `offline` uses nothing that needs
    an account, whatever keys lie around. Raises ServiceNotStarted, StoreError or BadSetting.
    """
    with contextlib.ExitStack() as running:
        services = running.enter_context(start_services(settings))
        workspace_id = furnish(settings, services.database_url, NUMBER if offline else None)
        account = Account(sid="AC" + secrets.token_hex(16), token=secrets.token_hex(16))
        service_url = f"http://127.0.0.1:{free_port(port)}"
        exchange_url = f"http://127.0.0.1:{free_port(EXCHANGE_PORT)}"
        env = {
            "DATABASE_URL": services.database_url,
            "REDIS_URL": services.redis_url,
            "STROWGER_DATA_DIR": str(settings.data_dir.absolute()),
            "STROWGER_SERVICE_URL": service_url,  # the beat need not go round by the public address
        }
        local_carrier = settings.twilio_auth_token is None or offline
        if local_carrier:
            env |= {
                "STROWGER_PUBLIC_URL": service_url,
                "TWILIO_ACCOUNT_SID": account.sid,
                "TWILIO_AUTH_TOKEN": account.token,
                "TWILIO_BASE_URL": exchange_url,
                "TWILIO_NUMBER": NUMBER,
            }
        if offline:
            env |= OFFLINE
        logs = settings.data_dir / "logs"
        serve = Role(("serve", "--port", service_url.rpartition(":")[2]), env, logs)
        running.callback(serve.stop)
        serve.wait_ready(f"{service_url}/health/ready")
        roles = [serve]
        for name in ("worker", "beat"):  # nobody waits for them before the first call has ended
            role = Role((name,), env, logs)
            running.callback(role.stop)
            roles.append(role)
        yield Machine(
            services.database_url,
            workspace_id,
            account,
            service_url,
            exchange_url,
            tuple(roles),
            local_carrier,
            services.notices,
        )


def furnish(settings: Settings, database_url: str, number: str | None = None) -> UUID:
    """A migrated database in which one business answers on `number`, else on TWILIO_NUMBER, else on the demo's.

    Raises BadPlaybook with every fault before anything is written.
    """
    text = playbooks.text_of(settings.playbook)
    name = parse(text, settings.playbook).name
    if not _NAME.fullmatch(name):
        raise BadPlaybook(f"{settings.playbook}: `playbook: {name}` may hold small letters, digits, - and _ only.")
    migrate(database_url)
    return seed_demo(
        database_url,
        number=number or settings.twilio_number or NUMBER,
        playbook_name=name,
        playbook_yaml=text,
    )


def owner_of(database: Database, settings: Settings) -> UUID:
    """The workspace that has TWILIO_NUMBER, or else the demo's number. Raises BadInput."""
    ours = settings.twilio_number or NUMBER
    with database.system() as db:
        owner = by_number(db, ours)
    if owner is None:
        raise BadInput(f"No workspace has the number {ours}: set TWILIO_NUMBER to one of your numbers.")
    return owner.workspace_id


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database for one command: a running Strowger's own, or one that is started and furnished for it."""
    with start_services(settings, share=True) as services:
        if settings.database_url is None:
            furnish(settings, services.database_url)
        database = Database.open(services.database_url, max_size=2)
        try:
            yield database
        finally:
            database.close()
