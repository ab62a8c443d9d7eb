"""Which tokens hold (T15)."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.api.issuer import Issuer
from app.api.v1.claims import Supabase, Tokens
from app.api.v1.errors import NotSignedIn
from app.api.v1.jwks import AGAIN_S, KeySet
from app.errors import ProviderDown
from app.secret_key import SecretKey

ISSUER = "https://project.supabase.co/auth/v1"
EC, OTHER_EC = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
LOCAL = Issuer(SecretKey(b"a" * 40))
USER, WORKSPACE = uuid4(), uuid4()


def now() -> datetime:
    return datetime.now(UTC)


def public(key: Any, kid: str) -> dict[str, Any]:
    algorithm = jwt.algorithms.ECAlgorithm if key is not RSA else jwt.algorithms.RSAAlgorithm
    found = json.loads(algorithm.to_jwk(key.public_key()))
    return found | {"kid": kid, "use": "sig", "alg": "ES256" if key is not RSA else "RS256"}


class Service:
    """Serves the signing keys; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked, self.keys, self.status = 0, [public(EC, "e1"), public(RSA, "r1")], 200

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        return httpx.Response(self.status, json={"keys": self.keys})


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def tokens(service: Service | None = None, clock: Clock | None = None, secret: str | None = None) -> Tokens:
    transport = httpx.MockTransport(service or Service())
    keys = KeySet(f"{ISSUER}/.well-known/jwks.json", clock or Clock(), transport=transport)
    return Tokens(LOCAL, Supabase(ISSUER, keys, secret))


def claims(**changes: Any) -> dict[str, Any]:
    usual = {
        "iss": ISSUER,
        "aud": "authenticated",
        "sub": str(USER),
        "iat": now(),
        "exp": now() + timedelta(minutes=5),
        "app_metadata": {"workspace_id": str(WORKSPACE)},
    }
    found = usual | changes
    return {name: value for name, value in found.items() if value is not None}


def signed(key: Any = EC, algorithm: str = "ES256", kid: str | None = "e1", /, **changes: Any) -> str:
    headers = changes.pop("headers", {}) | ({"kid": kid} if kid else {})
    return jwt.encode(claims(**changes), key, algorithm, headers=headers)


def unsigned(header: dict[str, Any], **changes: Any) -> str:
    def part(value: dict[str, Any]) -> str:
        return (
            base64.urlsafe_b64encode(json.dumps(value, default=lambda d: int(d.timestamp())).encode())
            .decode()
            .rstrip("=")
        )

    return f"{part(header)}.{part(claims(**changes))}."


def accepted(token: str, among: Tokens | None = None) -> dict[str, Any]:
    return asyncio.run((among or tokens()).claims(token))


def pem() -> bytes:
    return RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def forged_hs256_with_the_public_key() -> str:
    """Made by hand: the library refuses to sign with a public key."""
    import hashlib
    import hmac

    head, body, _ = unsigned({"alg": "HS256", "kid": "r1", "typ": "JWT"}).split(".")
    mac = hmac.new(pem(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}." + base64.urlsafe_b64encode(mac).decode().rstrip("=")


GOOD: dict[str, Callable[[], str]] = {
    "ES256": signed,
    "RS256": lambda: signed(RSA, "RS256", "r1"),
    "ours": lambda: LOCAL.token(USER, WORKSPACE, "viewer", now()),
}
BAD: dict[str, Callable[[], str]] = {
    "no algorithm": lambda: unsigned({"alg": "none"}),
    "no algorithm, other letters": lambda: unsigned({"alg": "nOnE", "kid": "e1"}),
    "no signature": lambda: signed().rpartition(".")[0] + ".",
    "one letter changed": lambda: signed()[:-10] + ("A" if signed()[-10] != "A" else "B") + signed()[-9:],
    "HMAC with the public key": forged_hs256_with_the_public_key,
    "another project's key": lambda: signed(OTHER_EC),
    "key id of another kind of key": lambda: signed(EC, "ES256", "r1"),
    "unknown key id": lambda: signed(EC, "ES256", "e2"),
    "no key id": lambda: signed(EC, "ES256", None),
    "key id as a path": lambda: signed(EC, "ES256", "../../../dev/null"),
    "key id as SQL": lambda: signed(EC, "ES256", "e1' or '1'='1"),
    "says where its key is": lambda: signed(OTHER_EC, "ES256", "e1", headers={"jku": "https://evil.example/keys"}),
    "brings its key": lambda: signed(OTHER_EC, "ES256", "e1", headers={"jwk": public(OTHER_EC, "e1")}),
    "has a certificate": lambda: signed(headers={"x5u": "https://evil.example/cert"}),
    "has a critical header": lambda: signed(headers={"crit": ["b64"], "b64": False}),
    "over": lambda: signed(exp=now() - timedelta(minutes=1)),
    "not yet": lambda: signed(nbf=now() + timedelta(minutes=5)),
    "never over": lambda: signed(exp=None),
    "wrong audience": lambda: signed(aud="anon"),
    "no audience": lambda: signed(aud=None),
    "another issuer": lambda: signed(iss="https://other.supabase.co/auth/v1"),
    "no issuer": lambda: signed(iss=None),
    "nobody": lambda: signed(sub=None),
    "our issuer, their key": lambda: signed(iss="strowger"),
    "ours with another secret": lambda: Issuer(SecretKey(b"b" * 40)).token(USER, WORKSPACE, "owner", now()),
    "ours but over": lambda: LOCAL.token(USER, WORKSPACE, "owner", now() - timedelta(minutes=10)),
    "ours with no algorithm": lambda: unsigned({"alg": "none"}, iss="strowger"),
    "legacy secret where there is none": lambda: signed("s" * 40, "HS256", None),
    "not a token": lambda: "abc",
    "empty parts": lambda: "..",
    "very long": lambda: "a" * 10_000,
    "not text": lambda: "\u00e9.\u00e9.\u00e9",
}


@pytest.mark.parametrize("kind", GOOD)
def test_T15_what_was_signed_by_an_issuer_of_ours_holds(kind: str) -> None:
    assert accepted(GOOD[kind]())["sub"] == str(USER)


@pytest.mark.parametrize("kind", BAD)
def test_T15_what_was_not_does_not(kind: str) -> None:
    with pytest.raises(NotSignedIn):
        accepted(BAD[kind]())


def test_T15_a_legacy_secret_counts_only_where_it_is_configured() -> None:
    assert accepted(signed("s" * 40, "HS256", None), tokens(secret="s" * 40))["sub"] == str(USER)


def test_T29_tokens_signed_with_the_older_secret_hold_while_it_is_being_changed() -> None:
    new = Issuer(SecretKey(b"n" * 40, (b"a" * 40,)))
    assert asyncio.run(Tokens(new).claims(LOCAL.token(USER, WORKSPACE, "viewer", now())))["sub"] == str(USER)
    with pytest.raises(NotSignedIn):
        asyncio.run(Tokens(Issuer(SecretKey(b"n" * 40))).claims(LOCAL.token(USER, WORKSPACE, "viewer", now())))


def test_T15_made_up_key_ids_do_not_make_us_ask_again_and_again() -> None:
    service, clock = Service(), Clock()
    among = tokens(service, clock)

    async def guess() -> None:
        for n in range(20):
            with pytest.raises(NotSignedIn):
                await among.claims(signed(EC, "ES256", f"guess{n}"))

    asyncio.run(guess())
    assert service.asked == 1


def test_T15_a_new_key_is_found_and_a_withdrawn_one_forgotten() -> None:
    service, clock = Service(), Clock()
    among = tokens(service, clock)

    async def change() -> None:
        await among.claims(signed())
        service.keys = [public(OTHER_EC, "e2")]
        clock.now += AGAIN_S + 1
        await among.claims(signed(OTHER_EC, "ES256", "e2"))
        with pytest.raises(NotSignedIn):
            await among.claims(signed())

    asyncio.run(change())


def test_T35_while_the_keys_were_never_seen_nobody_is_let_in() -> None:
    service = Service()
    service.status = 500
    with pytest.raises(ProviderDown):
        accepted(signed(), tokens(service))


def test_T35_while_the_issuer_is_away_known_keys_go_on() -> None:
    service, clock = Service(), Clock()
    among = tokens(service, clock)

    async def later() -> None:
        await among.claims(signed())
        service.status = 500
        clock.now += 3600
        await among.claims(signed())

    asyncio.run(later())
