"""`strowger doctor`: is everything in place for a phone call, and if not, what exactly to do.

Works offline. Nothing leaves this machine unless an account is configured, and then only to that account's service.
Each check is a function that answers with a sentence; one that crashes would be a bug, so none catches everything.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import socket
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import urlsplit

import typer

from app import playbooks
from app.errors import BadInput, BadSetting, ProviderError, StoreError
from app.settings import Settings, load

OLDEST_PYTHON = (3, 11)
CLOCK_SKEW_S = 5.0
TIMEOUT_S = 5.0
# One per thing a call needs; the rest comes along with them.
PACKAGES = (
    "fastapi",
    "uvicorn",
    "psycopg",
    "celery",
    "twilio",
    "onnxruntime",
    "pocketsphinx",
    "scikit-learn",
    "phonenumbers",
)


class Finding(StrEnum):
    OK = "ok"
    NOTE = "note"  # works, but worth knowing
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Check:
    """`fix` is one sentence on what to do; empty when nothing is to be done."""

    name: str
    finding: Finding
    says: str
    fix: str = ""


def run(settings: Settings) -> list[Check]:
    """Every check, in the order in which a person would fix things."""
    return [check for part in PARTS for check in part(settings)]


def report(*, as_json: bool = False) -> int:
    """Prints all checks; 0 when nothing is broken."""
    try:
        checks = run(load())
    except BadSetting as error:
        checks = [Check("settings", Finding.BROKEN, str(error), "Correct the variable in the environment or in .env.")]
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks], indent=2))
    else:
        for check in checks:
            typer.echo(f"{check.finding.value:>6}  {check.name}: {check.says}")
            if check.fix:
                typer.echo(f"        {check.fix}")
    return 1 if any(check.finding is Finding.BROKEN for check in checks) else 0


def python(settings: Settings) -> Iterator[Check]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield Check("python", Finding.BROKEN, f"{version} is too old.", "Install Python 3.11 or later (3.13 is best).")
    else:
        yield Check("python", Finding.OK, version)


def packages(settings: Settings) -> Iterator[Check]:
    missing = [name for name in PACKAGES if not _installed(name)]
    if missing:
        fix = "Run `make demo` once, or install the package again: pip install -r requirements.lock"
        yield Check("packages", Finding.BROKEN, f"missing: {', '.join(missing)}.", fix)
    else:
        yield Check("packages", Finding.OK, f"{len(PACKAGES)} of {len(PACKAGES)} needed ones are there.")


def data_dir(settings: Settings) -> Iterator[Check]:
    folder = settings.data_dir.absolute()
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        yield Check("data folder", Finding.OK, f"{folder} can be written.")
    else:
        fix = f"Make {nearest} writable for this user, or set STROWGER_DATA_DIR to a folder that is."
        yield Check("data folder", Finding.BROKEN, f"{folder} cannot be written.", fix)


def database(settings: Settings) -> Iterator[Check]:
    if settings.database_url is None:
        yield Check("database", Finding.OK, "DATABASE_URL is not set: Postgres is started on this machine when needed.")
        return
    from app.store.connect import Database
    from app.store.migrate import pending

    url = settings.database_url.get_secret_value()
    opened = Database.open(url, max_size=1)
    try:
        waiting = pending(url)
        with opened.system() as db:
            row = db.execute("select clock_timestamp() as at").fetchone()
    except StoreError as error:
        fix = "Check the host, port, user and password in DATABASE_URL, and that this machine may connect to it."
        yield Check("database", Finding.BROKEN, f"{error}.", fix)
        return
    finally:
        opened.close()
    if waiting:
        yield Check("database", Finding.BROKEN, f"{len(waiting)} migrations are missing.", "Run `strowger migrate`.")
    else:
        yield Check("database", Finding.OK, "reachable and up to date.")
    if row is not None:
        yield _clock(abs((datetime.now(UTC) - row["at"]).total_seconds()))


def redis(settings: Settings) -> Iterator[Check]:
    if settings.redis_url is None:
        yield Check("redis", Finding.OK, "REDIS_URL is not set: Valkey is started on this machine when needed.")
        return
    from redis import Redis, RedisError

    try:
        with Redis.from_url(settings.redis_url.get_secret_value(), socket_timeout=TIMEOUT_S) as client:
            client.ping()
    except RedisError as error:
        fix = "Check the address in REDIS_URL and that the server runs."
        yield Check("redis", Finding.BROKEN, f"no answer ({type(error).__name__}).", fix)
    else:
        yield Check("redis", Finding.OK, "answers.")


def public_url(settings: Settings) -> Iterator[Check]:
    url = settings.public_url
    if url is None:
        fix = "Set STROWGER_PUBLIC_URL to the https address under which Twilio reaches this service."
        yield Check("public url", Finding.NOTE, "not set: only the simulated exchange can call.", fix)
        return
    if urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}:
        yield Check("public url", Finding.NOTE, f"{url} is this machine: only the simulated exchange can call.")
        return
    if not url.startswith("https://"):
        fix = "Use an https address: Twilio opens media streams only over wss."
        yield Check("public url", Finding.BROKEN, f"{url} is not https.", fix)
        return
    problem = _unreachable(f"{url}/health/live")
    if problem:
        fix = "Start `strowger serve` behind this address, and check DNS, certificate and proxy."
        yield Check("public url", Finding.BROKEN, f"{url}/health/live: {problem}.", fix)
    else:
        yield Check("public url", Finding.OK, f"{url} answers.")


def twilio(settings: Settings) -> Iterator[Check]:
    sid, token = settings.twilio_account_sid, settings.twilio_auth_token
    if sid is None and token is None:
        yield Check("twilio", Finding.NOTE, "no account: only the simulated exchange can call.")
        return
    if sid is None or not re.fullmatch(r"AC[0-9a-f]{32}", sid):
        fix = "Copy the Account SID from the Twilio console: AC and 32 hex digits."
        yield Check("twilio", Finding.BROKEN, "TWILIO_ACCOUNT_SID does not look like an account.", fix)
        return
    if token is None or not re.fullmatch(r"[0-9a-f]{32}", token.get_secret_value()):
        fix = "Copy the Auth Token from the Twilio console: 32 hex digits."
        yield Check("twilio", Finding.BROKEN, "TWILIO_AUTH_TOKEN does not look like a token.", fix)
        return
    yield Check("twilio", Finding.OK, "the credentials have the right shape.")
    if settings.twilio_number and settings.public_url:
        yield _voice_url(settings, settings.twilio_number, settings.public_url)


def mail(settings: Settings) -> Iterator[Check]:
    if settings.smtp_url is None:
        folder = settings.data_dir.absolute() / "mail"
        fix = "Set STROWGER_SMTP_URL and STROWGER_MAIL_FROM to send notifications and reports by e-mail."
        yield Check("e-mail", Finding.NOTE, f"no mail server is set: letters are files in {folder}.", fix)
        return
    from app.providers.mail import Smtp

    try:
        Smtp(settings.smtp_url.get_secret_value(), settings.mail_from).greet()
    except (ProviderError, BadSetting) as error:
        fix = "Check the host, port, user and password in STROWGER_SMTP_URL."
        yield Check("e-mail", Finding.BROKEN, f"{error}.", fix)
    else:
        yield Check("e-mail", Finding.OK, f"the mail server lets us in; letters come from {settings.mail_from}.")


def speech(settings: Settings) -> Iterator[Check]:
    """The providers in their order, and whether each has what it needs."""
    from app.providers.registry import DIALOGUE, SPEECH_TO_TEXT, TEXT_TO_SPEECH

    needs = {
        "stt": {name: kind.needs for name, kind in SPEECH_TO_TEXT.items()},
        "llm": {name: kind.needs for name, kind in DIALOGUE.items()} | {"openai": ("openai_api_key",)},
        "tts": {name: kind.needs for name, kind in TEXT_TO_SPEECH.items()},
    }
    for stage, name in (("stt", "speech to text"), ("llm", "dialogue"), ("tts", "text to speech")):
        chain, known, variable = settings.chain(stage), needs[stage], f"STROWGER_{stage.upper()}"
        lacking = [need.upper() for one in chain for need in known.get(one, ()) if not getattr(settings, need)]
        if unknown := [one for one in chain if one not in known]:
            fix = f"Take it out of {variable}; this version has {', '.join(sorted(known))}."
            yield Check(name, Finding.BROKEN, f"{unknown[0]} is not a provider.", fix)
        elif lacking:
            fix = f"Set {' and '.join(lacking)}, or take the provider out of {variable}."
            yield Check(name, Finding.BROKEN, f"{' then '.join(chain)}, but a setting is missing.", fix)
        else:
            yield Check(name, Finding.OK, " then ".join(chain))


def voice_pack(settings: Settings) -> Iterator[Check]:
    """Can every line of the playbook be said without a network?"""
    if "offline" not in settings.chain("tts"):
        return
    from app.dialog.playbook import parse
    from app.providers.offline import synthesis
    from app.providers.offline.voice_pack import missing_parts, open_pack

    try:
        book = parse(playbooks.text_of(settings.playbook), settings.playbook)
        missing = missing_parts(open_pack(), book.spoken_parts())
    except BadInput as error:
        fix = "Correct what the sentence names; the shipped playbook and its pack come with the package."
        yield Check("voice pack", Finding.BROKEN, f"{error}", fix)
        return
    if not missing:
        yield Check("voice pack", Finding.OK, "every line of the playbook is recorded.")
    elif synthesis.available():
        yield Check("voice pack", Finding.NOTE, f"{len(missing)} lines are not recorded: they are synthesized here.")
    else:
        fix = "Install flite, or the extra strowger[espeak], or take the lines out of the playbook."
        yield Check("voice pack", Finding.BROKEN, f"nobody can say {missing[0]!r} (and {len(missing) - 1} more).", fix)


def playbook_voice(settings: Settings) -> Iterator[Check]:
    """Are the voices a playbook names those of providers that are asked?"""
    from app.dialog.voice import voices_in

    try:
        named = dict(voices_in(playbooks.text_of(settings.playbook)))
    except BadInput:
        return  # the voice pack's check says so
    chain = (*settings.chain("tts"), *settings.chain("llm"))  # a model may speak itself
    if idle := [name for name in named if name not in chain]:
        fix = f"Ask {' and '.join(idle)} too (STROWGER_TTS and a key), or take the line out of the playbook's `voice:`."
        says = f"the playbook names a voice of {' and '.join(idle)}, which nobody asks."
        yield Check("playbook's voice", Finding.NOTE, says, fix)


PARTS: tuple[Callable[[Settings], Iterator[Check]], ...] = (
    python,
    packages,
    data_dir,
    database,
    redis,
    public_url,
    twilio,
    mail,
    speech,
    voice_pack,
    playbook_voice,
)


def _installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _clock(skew_s: float) -> Check:
    if skew_s > CLOCK_SKEW_S:
        fix = "Synchronise this machine's clock (NTP): no outbound call is placed while it is wrong."
        return Check("clock", Finding.BROKEN, f"{skew_s:.0f} s away from the database's.", fix)
    return Check("clock", Finding.OK, f"within {CLOCK_SKEW_S:.0f} s of the database's.")


def _unreachable(url: str) -> str:
    """What is wrong, or nothing."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - https, checked by the caller
            return "" if answer.status == 200 else f"answered {answer.status}"
    except urllib.error.HTTPError as error:
        return f"answered {error.code}"
    except (urllib.error.URLError, TimeoutError, socket.gaierror, ssl.SSLError) as error:
        return str(getattr(error, "reason", error))


def _voice_url(settings: Settings, number: str, url: str) -> Check:
    from app.calling import carrier_of
    from app.providers.twilio import TwilioCarrier

    wanted = f"{url}/twilio/voice"
    carrier = carrier_of(settings)
    assert isinstance(carrier, TwilioCarrier)
    try:
        actual = carrier.voice_url(number)
    except ProviderError as error:
        fix = "Check the credentials, and that this machine may reach the internet."
        return Check("twilio number", Finding.BROKEN, f"{error}.", fix)
    if actual is None:
        fix = "Set TWILIO_NUMBER to a number of this account."
        return Check("twilio number", Finding.BROKEN, f"the account has no number {number}.", fix)
    if actual.split("#")[0] != wanted:
        fix = f"In the Twilio console, under the number, set 'A call comes in' to {wanted} (HTTP POST)."
        return Check("twilio number", Finding.BROKEN, f"{number} calls {actual or 'nothing'} when it rings.", fix)
    return Check("twilio number", Finding.OK, f"{number} calls {wanted}.")
