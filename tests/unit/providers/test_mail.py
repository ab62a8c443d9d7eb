"""Letters: over SMTP to a server of the test's own, and into a folder."""

from __future__ import annotations

import email
import email.policy
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.errors import BadSetting, ProviderDown, ProviderRefused
from app.providers.mail import Attachment, Folder, Letter, Smtp, composed

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
HANGS_UP = ""
LETTER = Letter(("ann@example.com",), "Hot lead: José", "He is on the line.\n", "d1", NOW)


class Server:
    """Speaks just enough SMTP for one client at a time; `answers` replace its usual yes to a command."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.letters: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            with line, line.makefile("rwb") as file:
                self._talk(file)

    def _talk(self, file: object) -> None:
        def say(text: str) -> None:
            file.write(text.encode() + b"\r\n")  # type: ignore[attr-defined]
            file.flush()  # type: ignore[attr-defined]

        say(self.answers.get("hello", "220 here"))
        for raw in file:  # type: ignore[attr-defined]
            verb = raw.split()[0].decode().lower()
            if self.answers.get(verb) == HANGS_UP:
                return
            say(self.answers.get(verb, "354 go on" if verb == "data" else "250 yes"))
            if verb == "data" and "data" not in self.answers:
                body = b""
                for part in file:  # type: ignore[attr-defined]
                    if part == b".\r\n":
                        break
                    body += part
                self.letters.append(body)
                say("250 taken")
            if verb == "quit":
                return


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.close()


def test_a_letter_arrives_with_what_was_written_and_attached(server: Server) -> None:
    attached = Attachment("funnel.csv", "text/csv", b"name,calls\nrang,2\n")
    Smtp(server.url, "Strowger <calls@example.com>").send(
        Letter(LETTER.to, LETTER.subject, LETTER.text, "d1", NOW, (attached,))
    )
    (raw,) = server.letters
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert (found["To"], found["Subject"]) == ("ann@example.com", "Hot lead: José")
    assert found["Message-ID"] == "<d1@example.com>"
    assert "He is on the line." in found.get_body().get_content()  # type: ignore[union-attr]
    (file,) = found.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("funnel.csv", "name,calls\nrang,2\n")


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"rcpt": "550 no such person"}, ProviderRefused),
        ({"rcpt": "450 later"}, ProviderDown),
        ({"data": "554 not this"}, ProviderRefused),
        ({"data": "451 later"}, ProviderDown),
        ({"hello": "421 closing"}, ProviderDown),
    ],
)
def test_what_a_server_says_tells_whether_trying_again_helps(answers: dict[str, str], error: type[Exception]) -> None:
    server = Server(**answers)
    try:
        with pytest.raises(error):
            Smtp(server.url, "calls@example.com").send(LETTER)
    finally:
        server.close()


def test_a_letter_that_was_taken_is_not_sent_again_because_the_goodbye_failed() -> None:
    server = Server(quit=HANGS_UP)
    Smtp(server.url, "calls@example.com").send(LETTER)
    server.close()
    assert len(server.letters) == 1


def test_a_server_that_is_away_is_worth_a_retry(server: Server) -> None:
    server.close()
    with pytest.raises(ProviderDown):
        Smtp("smtp://127.0.0.1:9", "calls@example.com").send(LETTER)


@pytest.mark.parametrize("url", ["mail.example.com", "http://mail.example.com", "smtp://"])
def test_an_address_that_is_none_stops_the_start(url: str) -> None:
    with pytest.raises(BadSetting, match="Example: smtp://"):
        Smtp(url, "calls@example.com")


def test_without_a_server_letters_are_files_that_a_mail_program_opens(tmp_path: Path) -> None:
    Folder(tmp_path / "mail").send(LETTER)
    Folder(tmp_path / "mail").send(LETTER)  # the same letter again is the same file
    (file,) = (tmp_path / "mail").iterdir()
    assert file.suffix == ".eml"
    assert email.message_from_bytes(file.read_bytes(), policy=email.policy.default)["Subject"] == "Hot lead: José"


@pytest.mark.parametrize("fault", ["a\nBcc: all@example.com", "a\r\nX: y"])
def test_T11_no_line_of_a_letter_becomes_a_header(fault: str) -> None:
    with pytest.raises(ProviderRefused):
        composed(Letter(("ann@example.com",), fault, "", "d1", NOW), "calls@example.com")
    with pytest.raises(ProviderRefused):
        composed(Letter((fault,), "Hi", "", "d1", NOW), "calls@example.com")


def test_a_server_is_greeted_without_a_letter(server: Server) -> None:
    Smtp(server.url, "calls@example.com").greet()
    assert server.letters == []
