"""Webhooks over HTTP and media sockets over WebSocket.

`Routes` stands where a public address would be: `{"https://calls.example.com": "http://127.0.0.1:8000"}` carries
everything for that address to a service on this machine, as a tunnel would. Signatures and the Host header still name
the public address, and `wss://` ends at the route.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidURI
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

from app.errors import CarrierFault, Disconnected
from app.exchange.edges import MediaSocket, Reply, Request
from app.exchange.throttle import Throttle

HANDSHAKE_S = 5.0
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Routes:
    """Where an address really is. Loopback addresses are reached without TLS: there is no certificate for them."""

    def __init__(self, routes: Mapping[str, str] | None = None) -> None:
        self._routes = {_origin(public): _origin(local) for public, local in (routes or {}).items()}

    def locate(self, url: str) -> str:
        parts = urlsplit(url)
        socket = parts.scheme in {"ws", "wss"}
        web = {"wss": "https", "ws": "http"}.get(parts.scheme, parts.scheme)
        local = self._routes.get(f"{web}://{parts.netloc}")
        if local is not None:
            web, netloc = local.split("://")
            parts = parts._replace(netloc=netloc)
        elif parts.hostname in _LOOPBACK and socket:
            web = "http"
        scheme = {"https": "wss", "http": "ws"}[web] if socket else web
        return urlunsplit(parts._replace(scheme=scheme, fragment=""))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class HttpWebhooks:
    """One client for all calls. Close it when the exchange closes."""

    def __init__(self, routes: Routes | None = None, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._routes = routes or Routes()
        self._client = httpx.AsyncClient(
            transport=transport,
            follow_redirects=True,
            trust_env=False,
            limits=httpx.Limits(max_connections=200, max_keepalive_connections=50),
        )

    async def send(self, request: Request) -> Reply:
        url = self._routes.locate(request.url)
        headers = {**request.headers, "Host": urlsplit(request.url).netloc}
        content = urlencode(request.form) if request.method == "POST" else ""
        if request.method == "GET" and request.form:
            url += ("&" if urlsplit(url).query else "?") + urlencode(request.form)
        limits = httpx.Timeout(request.read_s, connect=request.connect_s)
        try:
            answer = await self._client.request(request.method, url, content=content, headers=headers, timeout=limits)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL):
            return Reply(failure="ct")
        except httpx.HTTPError:
            return Reply(failure="rt")
        return Reply(answer.status_code, answer.content, answer.headers.get("content-type", ""))

    async def close(self) -> None:
        await self._client.aclose()


class _Wire(asyncio.Protocol):
    """A WebSocket client over one TCP connection whose `send` never waits.

    The `websockets` client waits for its write buffer on every send; with 50 calls that is 2500 task switches a second
    and a slow server would hold up the others. Here the buffer is looked at instead, and the stream drops audio.
    """

    def __init__(self, uri: str, headers: Mapping[str, str]) -> None:
        self._protocol = ClientProtocol(parse_uri(uri), max_size=None)
        self._headers = headers
        self._transport: asyncio.Transport | None = None
        self._parts: list[bytes] = []
        self._text = True
        self._throttle = Throttle()
        self._inbox: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not say that it is one
        request = self._protocol.connect()
        _set_all(request.headers, self._headers)
        self._protocol.send_request(request)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        self._flush()
        self._take()

    def eof_received(self) -> None:
        self._protocol.receive_eof()
        self._flush()
        self._take()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(CarrierFault(31920, "the connection was closed during the handshake"))
        self._inbox.put_nowait(None)
        if not self.gone.done():
            self.gone.set_result(None)

    # MediaSocket

    def send(self, text: str) -> None:
        if self._protocol.state is State.OPEN and self._transport is not None and not self._transport.is_closing():
            self._protocol.send_text(text.encode())
            self._flush()

    def waiting_bytes(self) -> int:
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def read_at(self, bytes_per_s: float | None) -> None:
        """What waits meanwhile waits here: a system whose buffers are full drops packets, and how long it takes to send
        them again would be measured instead."""
        self._throttle.at(bytes_per_s)

    async def receive(self) -> str | bytes:
        frame = await self._inbox.get()
        if frame is None:
            self._inbox.put_nowait(None)
            raise Disconnected("the other end closed the socket")
        await self._throttle.take(len(frame))
        return frame

    async def close(self, code: int = 1000) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code)
            self._flush()
        try:
            async with asyncio.timeout(2):
                await asyncio.shield(self.gone)
        except TimeoutError:
            self.reset()

    def reset(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        assert self._transport is not None
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._transport.write_eof() if self._transport.can_write_eof() else self._transport.close()
        if self._protocol.close_expected():
            self._transport.close()

    def _take(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Response):
                self._decide(event)
            elif isinstance(event, Frame) and event.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
                if event.opcode is not Opcode.CONT:
                    self._text = event.opcode is Opcode.TEXT
                self._parts.append(bytes(event.data))
                if event.fin:
                    data = b"".join(self._parts)
                    self._parts.clear()
                    self._inbox.put_nowait(data.decode() if self._text else data)

    def _decide(self, answer: Response) -> None:
        error = self._protocol.handshake_exc
        if error is None:
            self.opened.set_result(None)
        else:
            self.opened.set_exception(
                CarrierFault(31920, f"the handshake was answered with {answer.status_code}", answer.status_code)
            )


class NetworkSockets:
    """Opens one TCP connection per stream."""

    def __init__(self, routes: Routes | None = None) -> None:
        self._routes = routes or Routes()

    async def connect(self, url: str, headers: Mapping[str, str]) -> MediaSocket:
        address = self._routes.locate(url)
        parts = urlsplit(address)
        tls = ssl.create_default_context() if parts.scheme == "wss" else None
        try:
            wire = _Wire(address, {**headers, "Host": urlsplit(url).netloc})
        except InvalidURI as error:
            raise CarrierFault(31923, str(error)) from None
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                await asyncio.get_running_loop().create_connection(
                    lambda: wire,
                    parts.hostname or "",
                    parts.port or (443 if tls else 80),
                    ssl=tls,
                    server_hostname=parts.hostname if tls else None,
                )
                await wire.opened
        except TimeoutError:
            wire.reset()
            raise CarrierFault(31901, f"no answer within {HANDSHAKE_S:.0f} s") from None
        except ssl.SSLError as error:
            raise CarrierFault(31920, f"TLS failed: {error.reason}") from None
        except OSError:
            raise CarrierFault(31902, "the connection was refused") from None
        return wire


def _set_all(headers: Headers, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        if name in headers:
            del headers[name]
        headers[name] = value
