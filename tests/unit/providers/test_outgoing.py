"""Where our requests may go (T05), and what goes with them. The other side is a TLS server on this machine."""

from __future__ import annotations

import datetime
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from app.errors import BadInput, ProviderDown, ProviderRefused
from app.providers.outgoing import MOST_READ, Outgoing, SignedPost, is_public, signature, taken_apart
from app.secret_key import SecretKey

NAME = "hooks.example.com"

PRIVATE = (
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "169.254.170.2", "100.64.0.1", "192.0.0.192", "192.0.2.1", "198.18.0.1", "203.0.113.9", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2001:0:7f00:1::",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1",
    "2001:db8::1", "fec0::1", "not an address", "",
)  # fmt: skip
PUBLIC = ("8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "2a00:1450:4001:80b::200e")

WRONG = (
    "http://hooks.example.com/", "ftp://hooks.example.com/", "//hooks.example.com/", "hooks.example.com", "", "https://",
    "https:///path", "https://user@hooks.example.com/", "https://user:pass@hooks.example.com/", "https://@hooks.example.com/",
    "https://hooks.example.com#frag", "https://hooks.example.com:80/", "https://hooks.example.com:22/",
    "https://hooks.example.com:0/", "https://hooks.example.com:99999/", "https://hooks.example.com:x/",
    "https://hooks.example.com\\@127.0.0.1/", "https://127.0.0.1\\.example.com/", "https://hooks.example.com /",
    "https://hooks.example.com/\r\nX-Injected: 1", "https://hooks.exam\tple.com/", "https://ho\u00f6ks.example.com/",
    "https://\u2460\u2461\u2466.0.0.1/", "https://hooks..example.com/", "https://-hooks.example.com/", "https://[::1/",
    "https://%31%32%37.0.0.1/", "https://[fe80::1%25eth0]/", "https://hooks.example.com%00.evil.example/",
    "javascript:alert(1)", "file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "https://" + "a" * 2001 + ".com/",
)  # fmt: skip
# Spellings that resolvers read as 127.0.0.1 or as one of ours: each has to end at a refused address.
SPELLED = (
    "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/",
    "https://0x7f.1/", "https://0/", "https://localhost/", "https://LOCALHOST/", "https://[::1]/",
    "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[0:0:0:0:0:0:0:1]/", "https://169.254.169.254/",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_T05_what_is_not_public_is_not_reached(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_T05_what_is_public_may_be(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("url", WRONG)
def test_T05_an_address_that_is_none_of_ours_is_refused_as_it_is_typed(url: str) -> None:
    with pytest.raises(BadInput):
        taken_apart(url)


@pytest.mark.parametrize("url", SPELLED)
def test_T05_this_machine_by_any_spelling(url: str) -> None:
    with pytest.raises((ProviderRefused, ProviderDown)):  # no address at all, where the resolver does not read it
        Outgoing().post(url, b"{}", {})


@pytest.mark.parametrize("address", PRIVATE)
def test_T05_a_public_name_with_one_address_inside_is_refused(address: str) -> None:
    for found in ([address], ["8.8.8.8", address], [address, "8.8.8.8"]):
        with pytest.raises(ProviderRefused):
            Outgoing(lambda host, port, found=found: found).post(f"https://{NAME}/", b"{}", {})


class Other:
    """The other side: reads one request, then does what it is told."""

    def __init__(self, certificate: Path, act: Callable[[ssl.SSLSocket], None]) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.received = b""
        self.connections = 0
        self._context, self._act = context, act
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                with self._context.wrap_socket(plain, server_side=True) as line:
                    while b"\r\n\r\n{}" not in self.received:
                        self.received += line.recv(4096)
                    self._act(line)
            except OSError:
                continue

    def close(self) -> None:
        self._listener.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    )
    return path


Start = Callable[[Callable[[ssl.SSLSocket], None]], Other]


@pytest.fixture
def other(certificate: Path) -> Iterator[Start]:
    running: list[Other] = []

    def start(act: Callable[[ssl.SSLSocket], None]) -> Other:
        running.append(Other(certificate, act))
        return running[-1]

    yield start
    for one in running:
        one.close()


class Names:
    """A resolver that gives these answers in turn."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


def sender(certificate: Path, port: int, names: Names | None = None, allowed: str = "127.0.0.1") -> Outgoing:
    """May reach this machine, since no test reaches any other."""
    tls = ssl.create_default_context(cafile=str(certificate))
    found = names or Names(["127.0.0.1"])
    return Outgoing(found, lambda address: address == allowed, ports=frozenset({port}), tls=tls)


def answer(text: bytes) -> Callable[[ssl.SSLSocket], None]:
    return lambda line: line.sendall(text)


def test_what_is_sent_arrives(other: Start, certificate: Path) -> None:
    there = other(answer(b"HTTP/1.1 204 No Content\r\n\r\n"))
    assert sender(certificate, there.port).post(f"https://{NAME}:{there.port}/in?a=1", b"{}", {"x": "y"}) == 204
    assert there.received.startswith(b"POST /in?a=1 HTTP/1.1\r\nhost: hooks.example.com:")
    assert b"\r\nx: y\r\n" in there.received


def test_T05_the_name_is_looked_up_once_and_that_address_is_gone_to(other: Start, certificate: Path) -> None:
    """A name that means something else a moment later (rebinding) gains nothing."""
    there, names = other(answer(b"HTTP/1.1 200 OK\r\n\r\n")), Names(["127.0.0.1"], ["169.254.169.254"])
    assert sender(certificate, there.port, names).post(f"https://{NAME}:{there.port}/", b"{}", {}) == 200
    assert names.asked == 1


def test_T05_a_redirect_is_an_answer_like_any_other(other: Start, certificate: Path) -> None:
    there = other(answer(b"HTTP/1.1 302 Found\r\nLocation: https://169.254.169.254/\r\n\r\n"))
    assert sender(certificate, there.port).post(f"https://{NAME}:{there.port}/", b"{}", {}) == 302
    assert there.connections == 1


def test_T05_a_certificate_of_another_name_is_not_talked_to(other: Start, certificate: Path) -> None:
    there = other(answer(b"HTTP/1.1 200 OK\r\n\r\n"))
    with pytest.raises(ProviderDown):
        sender(certificate, there.port).post(f"https://other.example.com:{there.port}/", b"{}", {})
    assert there.received == b""


def test_T36_an_answer_without_end_is_given_up(other: Start, certificate: Path) -> None:
    there = other(answer(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * MOST_READ))
    with pytest.raises(ProviderDown, match="no end"):
        sender(certificate, there.port).post(f"https://{NAME}:{there.port}/", b"{}", {})


def test_T36_what_is_not_http_is_given_up(other: Start, certificate: Path) -> None:
    there = other(answer(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"))
    with pytest.raises(ProviderDown, match="not HTTP"):
        sender(certificate, there.port).post(f"https://{NAME}:{there.port}/", b"{}", {})


def test_T36_an_answer_that_drips_is_given_up(other: Start, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time stands in for itself: every look at the clock is half a second later."""
    from app.providers import outgoing

    moments = iter(range(1000))
    monkeypatch.setattr(outgoing.time, "monotonic", lambda: next(moments) * 0.5)
    there = other(answer(b"HTTP/1.1 200 OK\r\n"))
    with pytest.raises(ProviderDown):
        sender(certificate, there.port).post(f"https://{NAME}:{there.port}/", b"{}", {})


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of Svix, whose scheme became Standard Webhooks."""
    name, secret = "msg_p5jXN8AQM9LWM0D4loKWxJek", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = signature(secret, name, 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_T29_while_a_secret_is_changed_both_sign(other: Start, certificate: Path) -> None:
    there = other(answer(b"HTTP/1.1 200 OK\r\n\r\n"))
    post = SignedPost(SecretKey(b"k" * 40), sender(certificate, there.port))
    secrets = ("whsec_plJ3nmyCDGBKInavdOK15jsl", "whsec_" + "QUFB" * 8)
    sealed = [post.seal(one) for one in secrets]
    assert all(secret not in text for secret in secrets for text in sealed)
    at = datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC)
    post.post(f"https://{NAME}:{there.port}/", sealed, ("msg_1", b"{}"), at)
    for secret in secrets:
        assert signature(secret, "msg_1", int(at.timestamp()), b"{}").encode() in there.received


def test_a_name_without_an_address_may_have_one_later() -> None:
    with pytest.raises(ProviderDown, match="no address"):
        Outgoing(Names([])).post(f"https://{NAME}/", b"{}", {})
