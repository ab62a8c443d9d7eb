"""Web Push: the worked example of RFC 8291, and what a push service needs to believe us."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.errors import BadInput, ProviderRefused
from app.providers.web_push import CURVE, MOST, Subscription, WebPush, encrypted, public_bytes, public_text, unb64
from app.secret_key import SecretKey

# RFC 8291, section 5 and appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
OURS = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
THEIRS = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
SEALED = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
KEY = SecretKey(b"k" * 40)
ENDPOINT = "https://push.example.com/send/abc?x=1"
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


class Post:
    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, Mapping[str, str]]] = []

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.sent.append((url, body, headers))
        return 201


def test_the_worked_example_of_the_rfc() -> None:
    ours = ec.derive_private_key(int.from_bytes(unb64(OURS), "big"), CURVE)
    assert encrypted(PLAIN, unb64(THEIRS), unb64(AUTH), ours=ours, salt=unb64(SALT)) == unb64(SEALED)


def test_two_messages_share_no_key_and_no_salt() -> None:
    first, second = (encrypted(PLAIN, unb64(THEIRS), unb64(AUTH)) for _ in range(2))
    assert first[:16] != second[:16]
    assert first[21:86] != second[21:86]


def test_a_push_says_whose_it_is_and_to_whom() -> None:
    post = Post()
    push = WebPush(KEY, post, "mailto:ops@example.com")
    assert push.send(Subscription(ENDPOINT, THEIRS, AUTH, push.public_key), {"title": "Hi"}, "n1", NOW) == 201
    ((url, body, headers),) = post.sent
    assert url == ENDPOINT
    assert len(body) > 86
    assert (headers["content-encoding"], len(headers["topic"])) == ("aes128gcm", 32)
    token, known_by = headers["authorization"].removeprefix("vapid t=").split(", k=")
    assert known_by == push.public_key
    key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, unb64(known_by))
    claims = jwt.decode(token, key, ["ES256"], audience="https://push.example.com", options={"verify_exp": False})
    assert claims["sub"] == "mailto:ops@example.com"
    assert claims["exp"] - NOW.timestamp() <= 24 * 3600


def test_the_same_secret_is_the_same_sender_and_an_older_one_still_signs() -> None:
    push = WebPush(KEY, Post(), "mailto:ops@example.com")
    assert WebPush(KEY, Post(), "x").public_key == push.public_key
    changed = WebPush(SecretKey(b"n" * 40, (b"k" * 40,)), post := Post(), "mailto:ops@example.com")
    assert changed.public_key != push.public_key
    changed.send(Subscription(ENDPOINT, THEIRS, AUTH, push.public_key), {}, "n1", NOW)
    assert post.sent[0][2]["authorization"].endswith(push.public_key)
    gone = WebPush(SecretKey(b"n" * 40), Post(), "mailto:ops@example.com")
    with pytest.raises(ProviderRefused) as refused:
        gone.send(Subscription(ENDPOINT, THEIRS, AUTH, push.public_key), {}, "n1", NOW)
    assert refused.value.provider_code == 410


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [("AAAA", AUTH), (THEIRS[:-2], AUTH), (THEIRS, "AAAA"), ("not base64!", AUTH), ("B" + "A" * 86, AUTH)],
)
def test_T05_what_no_browser_gives_is_not_kept(p256dh: str, auth: str) -> None:
    with pytest.raises(BadInput):
        Subscription(ENDPOINT, p256dh, auth, "").check()


def test_a_message_that_no_service_would_take_is_not_sent() -> None:
    with pytest.raises(BadInput):
        encrypted(b"x" * (MOST + 1), unb64(THEIRS), unb64(AUTH))


def test_public_keys_are_uncompressed_points() -> None:
    private = ec.generate_private_key(CURVE)
    assert len(public_bytes(private)) == 65
    assert unb64(public_text(private)) == public_bytes(private)
