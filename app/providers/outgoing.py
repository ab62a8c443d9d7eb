"""Requests to addresses that somebody else chose, without letting them choose where inside our network we go (T05).

https only, on a few ports; the name is resolved once, every address it has must be public, and the connection goes to
the address that was looked at, so that a name which means something else a moment later gains nothing. No redirect is
followed, no proxy or credential of ours is used, and all of it together may take 3 s.

Signatures are those of the Standard Webhooks specification.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from functools import cache
from threading import Thread
from typing import TypeAlias
from urllib.parse import urlsplit

from app.errors import BadInput, ProviderDown, ProviderLate, ProviderRefused
from app.secret_key import SecretKey

PORTS = frozenset({443, 8443})
TIMEOUT_S = 3.0
MOST_SENT = 256 * 1024
MOST_READ = 64 * 1024  # of the answer; only its first line is of use
SEALED_FOR = "webhook secrets"
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*|\[[0-9a-f:.]+\]")
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r]")
# Addresses inside which another address is hidden: translators of various kinds would take us there.
_WRAPPING = tuple(
    ipaddress.ip_network(net)
    for net in ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16")
)

Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
Allowed: TypeAlias = Callable[[str], bool]


class Outgoing:
    """`resolve` and `allowed` are replaced in tests only, which cannot reach a public address."""

    def __init__(
        self,
        resolve: Resolve | None = None,
        allowed: Allowed | None = None,
        *,
        ports: frozenset[int] = PORTS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._resolve = resolve or _resolved
        self._allowed = allowed or is_public
        self._ports = ports
        self._tls = tls or _usual_tls()

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer. Raises ProviderRefused for an address we do not go to, else ProviderDown."""
        try:
            host, port, target = taken_apart(url, self._ports)
        except BadInput as error:
            raise ProviderRefused(str(error)) from error
        if len(body) > MOST_SENT:
            raise ProviderRefused("longer than what we send")
        over_at = time.monotonic() + TIMEOUT_S
        address = self._address(host, port, over_at)
        try:
            with socket.create_connection((address, port), timeout=_left(over_at)) as plain:
                plain.settimeout(_left(over_at))
                with self._tls.wrap_socket(plain, server_hostname=host.strip("[]")) as line:
                    line.settimeout(_left(over_at))
                    line.sendall(_request(host, port, target, body, headers))
                    return _status(line, over_at)
        except TimeoutError as error:
            raise ProviderLate(f"no answer within {TIMEOUT_S:g} s") from error
        except (OSError, ssl.SSLError) as error:
            raise ProviderDown(f"the connection failed: {type(error).__name__}") from error

    def _address(self, host: str, port: int, over_at: float) -> str:
        addresses = _within(lambda: self._resolve(host.strip("[]"), port), over_at)
        if not addresses:
            raise ProviderDown("this name has no address")
        if not all(self._allowed(address) for address in addresses):
            raise ProviderRefused("this address is not a public one")
        return addresses[0]


class SignedPost:
    """Sends to a workspace's own addresses, signed with the secret it shares with them."""

    def __init__(self, key: SecretKey, outgoing: Outgoing | None = None) -> None:
        self._key = key
        self._outgoing = outgoing or Outgoing()

    def seal(self, secret: str) -> str:
        return self._key.encrypt(secret, SEALED_FOR)

    def post(self, url: str, sealed: Sequence[str], message: tuple[str, bytes], at: datetime) -> int:
        """`message` is its id and body; signed once with every secret. Raises as `Outgoing.post` does."""
        name, body = message
        moment = int(at.timestamp())
        signatures = [signature(self._key.decrypt(one, SEALED_FOR), name, moment, body) for one in sealed]
        headers = {
            "webhook-id": name,
            "webhook-timestamp": str(moment),
            "webhook-signature": " ".join(signatures),
            "content-type": "application/json",
            "user-agent": "Strowger-Webhooks/1",
        }
        return self._outgoing.post(url, body, headers)


@cache
def _usual_tls() -> ssl.SSLContext:
    """Reading the authorities that everybody trusts takes some 20 ms: once is enough."""
    return ssl.create_default_context()


def signature(secret: str, name: str, moment: int, body: bytes) -> str:
    """`secret` is "whsec_" and base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{name}.{moment}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def taken_apart(url: str, ports: frozenset[int] = PORTS) -> tuple[str, int, str]:
    """Host, port and the rest. Raises BadInput with what is wrong, for whoever typed the address."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url or len(url) > 2000:
        raise BadInput("An address has plain letters only, and 2000 of them at most.")
    try:
        parts = urlsplit(url)
        port = 443 if parts.port is None else parts.port
    except ValueError as error:
        raise BadInput("This is not an address.") from error
    if parts.scheme != "https":
        raise BadInput("The address must begin with https://.")
    if "@" in parts.netloc or parts.fragment:
        raise BadInput("The address may hold no user name and no fragment.")
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else (parts.hostname or "")
    if not _HOST.fullmatch(host):
        raise BadInput("The address has no host that we could look up.")
    if port not in ports:
        raise BadInput(f"We go to the ports {', '.join(map(str, sorted(ports)))} only.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return host, port, target


def is_public(address: str) -> bool:
    """Whether it is a unicast address of the public Internet, and none that leads on to another one."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and (found.is_site_local or any(found in net for net in _WRAPPING)):
        return False
    return found.is_global and not (found.is_multicast or found.is_reserved or found.is_loopback or found.is_link_local)


def _resolved(host: str, port: int) -> Sequence[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))


def _within(work: Callable[[], Sequence[str]], over_at: float) -> Sequence[str]:
    """The resolver of the system has no time limit of its own."""
    answer: Future[Sequence[str]] = Future()
    Thread(target=lambda: answer.set_result(work()), daemon=True).start()
    try:
        return answer.result(_left(over_at))
    except TimeoutError as error:
        raise ProviderLate("its name was not found in time") from error


def _request(host: str, port: int, target: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    name = host if port == 443 else f"{host}:{port}"
    lines = [f"POST {target} HTTP/1.1", f"host: {name}", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{field}: {value}" for field, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _status(line: ssl.SSLSocket, over_at: float) -> int:
    read = b""
    while b"\r\n\r\n" not in read:
        if len(read) > MOST_READ:
            raise ProviderDown("the answer has no end")
        line.settimeout(_left(over_at))
        piece = line.recv(4096)
        if not piece:
            break
        read += piece
    found = _STATUS.match(read)
    if found is None:
        raise ProviderDown("the answer is not HTTP")
    return int(found[1])


def _left(over_at: float) -> float:
    left = over_at - time.monotonic()
    if left <= 0:
        raise ProviderLate(f"no answer within {TIMEOUT_S:g} s")
    return left
