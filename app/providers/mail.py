"""E-mail: over SMTP, or into a folder where nobody set a server, to be looked at with any mail program."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from app.errors import BadSetting, ProviderDown, ProviderRefused

TIMEOUT_S = 10.0
PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    kind: str  # such as "text/csv"
    body: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """`reference` names it for ever: sent twice after a broken connection, it is the same letter to mail programs."""

    to: tuple[str, ...]
    subject: str
    text: str
    reference: str
    at: datetime
    attachments: tuple[Attachment, ...] = ()


class Mail(Protocol):
    def send(self, letter: Letter) -> None:
        """Raises ProviderDown when it may be tried again, ProviderRefused when that would not help."""
        ...


class Smtp:
    """`url` is smtp://USER:PASSWORD@HOST:587, with TLS from the second line on, or smtps:// with TLS from the first.
    Without TLS only to this machine."""

    def __init__(self, url: str, sender: str, tls: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise BadSetting("STROWGER_SMTP_URL cannot be used. Example: smtp://user:password@mail.example.com:587")
        self._scheme, self._host = parts.scheme, parts.hostname
        self._port = parts.port or PORTS[parts.scheme]
        self._login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        self._sender, self._tls = sender, tls or ssl.create_default_context()

    def send(self, letter: Letter) -> None:
        message = composed(letter, self._sender)
        with self._signed_in() as server:
            server.send_message(message)

    def greet(self) -> None:
        """Says hello, signs in and leaves. Raises as `send` does."""
        with self._signed_in():
            pass

    @contextlib.contextmanager
    def _signed_in(self) -> Iterator[smtplib.SMTP]:
        try:
            server = self._connected()
            try:
                if self._login:
                    server.login(*self._login)
                yield server
            finally:
                # Once a letter is taken, how the connection ends is no reason to send it again.
                with contextlib.suppress(smtplib.SMTPException, OSError):
                    server.quit()
                server.close()
        except smtplib.SMTPRecipientsRefused as error:
            codes = {code for code, _ in error.recipients.values()}
            if all(code >= 500 for code in codes):
                raise ProviderRefused("the mail server takes none of these addresses") from error
            raise ProviderDown("the mail server does not take these addresses now") from error
        except smtplib.SMTPResponseException as error:
            code = error.smtp_code
            kind = ProviderRefused if 500 <= code < 600 else ProviderDown
            raise kind(f"the mail server answered {code}", provider_code=code) from error
        except (smtplib.SMTPException, OSError) as error:
            raise ProviderDown(f"the mail server cannot be reached: {type(error).__name__}") from error

    def _connected(self) -> smtplib.SMTP:
        if self._scheme == "smtps":
            return smtplib.SMTP_SSL(self._host, self._port, timeout=TIMEOUT_S, context=self._tls)
        server = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_S)
        try:
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=self._tls)
            elif self._host not in ("127.0.0.1", "::1", "localhost"):
                raise ProviderRefused("the mail server offers no TLS: nothing is sent in the open")
        except BaseException:
            server.close()
            raise
        return server


class Folder:
    """Each letter is a file `NAME.eml`."""

    def __init__(self, folder: Path, sender: str = "strowger@localhost") -> None:
        self._folder, self._sender = folder, sender

    def send(self, letter: Letter) -> None:
        message = composed(letter, self._sender)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self._folder / f"{letter.at:%Y%m%dT%H%M%S}-{letter.reference}.eml").write_bytes(bytes(message))
        except OSError as error:
            raise ProviderDown(f"the letter cannot be kept: {error.strerror}") from error


def composed(letter: Letter, sender: str) -> EmailMessage:
    """Raises ProviderRefused for an address or a subject that would make a header of its own (T11)."""
    message = EmailMessage()
    try:
        message["From"] = sender
        message["To"] = ", ".join(letter.to)
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(letter.at)
        message["Message-ID"] = f"<{letter.reference}@{sender.rpartition('@')[2].rstrip('>') or 'localhost'}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
    except (ValueError, MessageError) as error:
        raise ProviderRefused("this cannot be written as a letter") from error
    for one in letter.attachments:
        main, _, sub = one.kind.partition("/")
        message.add_attachment(one.body, maintype=main, subtype=sub, filename=one.name)
    return message
