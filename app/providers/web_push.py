"""Messages to a browser that allowed them (Web Push): encrypted for it alone (RFC 8291), from us (VAPID, RFC 8292).

The keys that say who we are come from the installation's own secret, so there is nothing more to keep. Browsers bind
what they allow to that key: while the secret is being changed, messages are signed with the one each browser knows.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.errors import BadInput, ProviderRefused
from app.secret_key import SecretKey

CURVE = ec.SECP256R1()
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of the curve (SEC 2, secp256r1)
RECORD = 4096  # bytes of one encrypted record; ours fits into one
MOST = 3000  # bytes of a message: every push service takes 4096 encrypted ones
TOKEN_FOR = timedelta(hours=12)  # 24 at most (RFC 8292, 2)
GONE = 410  # what push services answer when a browser wants nothing more
KEEP_S = 4 * 3600  # how long a push service keeps it for a browser that is away


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a browser gave us: where to send, its public key and secret (base64url), and the key of ours it knows."""

    endpoint: str
    p256dh: str
    auth: str
    vapid: str

    def check(self) -> None:
        """Raises BadInput when nothing could be encrypted for it."""
        _public(unb64(self.p256dh))
        if len(unb64(self.auth)) != 16:
            raise BadInput("The secret of a subscription has 16 bytes.")


class Post(Protocol):
    """`app.providers.outgoing.Outgoing`: goes to public addresses only (T05)."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int: ...


class WebPush:
    """`contact` is how a push service reaches whoever runs this: a mailto: or https: address."""

    def __init__(self, key: SecretKey, post: Post, contact: str) -> None:
        self._keys = {public_text(one): one for one in (_private(seed) for seed in key.signing("vapid"))}
        self._post, self._contact = post, contact

    @property
    def public_key(self) -> str:
        """What a browser is to be asked to allow."""
        return next(iter(self._keys))

    def send(self, to: Subscription, message: Mapping[str, str], topic: str, at: datetime) -> int:
        """The status of the answer; 404 and 410 mean that the browser wants nothing more. A message of the same topic
        takes the place of one that still waits. Raises ProviderRefused (410: it can never hear us again) or
        ProviderDown."""
        private = self._keys.get(to.vapid)
        if private is None:
            raise ProviderRefused("the browser allowed messages from a key that we no longer have", provider_code=GONE)
        try:
            body = encrypted(json.dumps(message, ensure_ascii=False).encode(), unb64(to.p256dh), unb64(to.auth))
        except BadInput as error:
            raise ProviderRefused(str(error)) from error
        headers = {
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(KEEP_S),
            "urgency": "high",
            "topic": b64(hashlib.sha256(topic.encode()).digest()[:24]),  # 32 letters, the most there may be
            "authorization": f"vapid t={self._token(private, to.endpoint, at)}, k={to.vapid}",
        }
        return self._post.post(to.endpoint, body, headers)

    def _token(self, private: ec.EllipticCurvePrivateKey, endpoint: str, at: datetime) -> str:
        parts = urlsplit(endpoint)
        claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": at + TOKEN_FOR, "sub": self._contact}
        return jwt.encode(claims, private, algorithm="ES256")


def public_key_of(key: SecretKey) -> str:
    """What browsers are asked to allow messages from."""
    return public_text(_private(key.signing("vapid")[0]))


def encrypted(
    message: bytes, theirs: bytes, auth: bytes, *, ours: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:  # fmt: skip
    """The body of the request (RFC 8291, 4; RFC 8188, 2). `ours` and `salt` are made anew for every message."""
    if len(message) > MOST:
        raise BadInput(f"A message has {MOST} bytes at most.")
    ours, salt = ours or ec.generate_private_key(CURVE), salt or os.urandom(16)
    public = public_bytes(ours)
    shared = ours.exchange(ec.ECDH(), _public(theirs))
    input_key = _hmac(_hmac(auth, shared), b"WebPush: info\x00" + theirs + public + b"\x01")
    pseudo_random = _hmac(salt, input_key)
    key = _hmac(pseudo_random, b"Content-Encoding: aes128gcm\x00\x01")[:16]
    nonce = _hmac(pseudo_random, b"Content-Encoding: nonce\x00\x01")[:12]
    sealed = AESGCM(key).encrypt(nonce, message + b"\x02", None)  # 2: the last record
    return salt + RECORD.to_bytes(4, "big") + bytes([len(public)]) + public + sealed


def public_bytes(private: ec.EllipticCurvePrivateKey) -> bytes:
    """65 bytes, uncompressed."""
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def public_text(private: ec.EllipticCurvePrivateKey) -> str:
    return b64(public_bytes(private))


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text: str) -> bytes:
    """Raises BadInput."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput("This is not base64url.") from error


def _private(seed: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(1 + int.from_bytes(seed, "big") % (ORDER - 1), CURVE)


def _public(point: bytes) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point)
    except ValueError as error:
        raise BadInput("The key of a subscription is no point of the curve P-256.") from error


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()
