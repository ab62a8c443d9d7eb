"""A message endpoint that only counts: enough of Twilio's Messages and Content API for the official SDK to send to it.

It can misbehave as the real one may: answer 500 or not at all after accepting, refuse, or be too busy.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """How to treat one message: keep it or not, the HTTP status, Twilio's error number; `hang` closes unanswered."""

    accept: bool = True
    status: int = 201
    code: int | None = None
    hang: bool = False


GOOD = Answer()


@dataclass(frozen=True, slots=True)
class Letter:
    sid: str
    form: dict[str, str]
    created_at: datetime

    @property
    def key(self) -> tuple[str, str]:
        """Who got what: a second letter with the same key is a duplicate."""
        return self.form["To"], self.form.get("ContentVariables") or self.form.get("Body", "")


@dataclass(slots=True)
class Book:
    letters: list[Letter] = field(default_factory=list)
    answers: deque[Answer] = field(default_factory=deque)
    templates: list[str] = field(default_factory=list)
    think_s: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    book: Book

    def handle_error(self, request: object, client_address: object) -> None:
        """A sender that was killed does not hear its answer: that is what this is for."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        book = self.server.book
        with book.lock:
            answer = book.answers.popleft() if book.answers else GOOD
            letter = Letter(f"SM{len(book.letters) + 1:032x}", form, datetime.now(UTC))
            if answer.accept:
                book.letters.append(letter)
        time.sleep(book.think_s)
        if answer.hang:
            self.close_connection = True
            return
        if answer.status == 201:
            self._reply(201, _resource(letter))
        else:
            self._reply(answer.status, {"message": f"no {form['To']}", "code": answer.code or answer.status})

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        book = self.server.book
        if url.path == "/v1/ContentAndApprovals":
            contents = [
                {"sid": f"HX{place:032x}", "friendly_name": name, "approval_requests": {"status": "approved"}}
                for place, name in enumerate(book.templates, start=1)
            ]
            self._reply(200, {"contents": contents, "meta": {"key": "contents", "next_page_url": None}})
            return
        asked = parse_qs(url.query)
        with book.lock:
            found = [
                _resource(letter)
                for letter in reversed(book.letters)
                if letter.form["To"] == asked["To"][0] and letter.form["From"] == asked["From"][0]
            ]
        self._reply(200, {"messages": found, "page": 0, "next_page_uri": None})

    def _reply(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a request line may hold a phone number."""


def _resource(letter: Letter) -> dict[str, Any]:
    return {
        "sid": letter.sid,
        "to": letter.form["To"],
        "from": letter.form["From"],
        "body": letter.form.get("Body", letter.form.get("ContentVariables", "")),
        "status": "queued",
        "error_code": None,
        "date_created": format_datetime(letter.created_at),
        "date_sent": None,
    }


class Letterbox:
    """`with Letterbox() as box:` listens on a free port of this machine. Between accepting and answering it takes
    `think_s` seconds: the time in which a sender that dies leaves a message of which nobody knows."""

    def __init__(self, *, templates: tuple[str, ...] = (), think_s: float = 0.0) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.book = Book(templates=list(templates), think_s=think_s)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def letters(self) -> tuple[Letter, ...]:
        with self._server.book.lock:
            return tuple(self._server.book.letters)

    def next(self, *answers: Answer) -> None:
        """Treat the next messages like this, one answer each; then all is well again."""
        with self._server.book.lock:
            self._server.book.answers.extend(answers)

    def withdraw_templates(self) -> None:
        self._server.book.templates.clear()

    def duplicates(self) -> int:
        return sum(times - 1 for times in Counter(letter.key for letter in self.letters).values())
