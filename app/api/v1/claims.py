"""Is this token real, and what does it claim? Which issuers there are is configured; a token only names one (T15)."""

from __future__ import annotations

from typing import Any

import jwt

from app.api.issuer import ALGORITHM, AUDIENCE, ISSUER, Issuer
from app.api.v1.errors import NotSignedIn
from app.api.v1.jwks import KeySet

ASYMMETRIC = ("ES256", "RS256", "EdDSA")
LEEWAY_S = 30  # clocks differ
MOST_LETTERS = 8192
_REQUIRED = {"require": ["exp", "iat", "sub", "aud", "iss"]}
# Headers by which a token would tell us where to find the key that it is to be checked with.
_NEVER = frozenset({"jku", "jwk", "x5u", "x5c", "crit"})


class Supabase:
    """`issuer` is SUPABASE_URL + "/auth/v1"; `legacy_secret` only where a project still signs with one."""

    def __init__(self, issuer: str, keys: KeySet, legacy_secret: str | None = None) -> None:
        self.issuer, self._keys, self._secret = issuer, keys, legacy_secret

    async def keys(self, header: dict[str, Any]) -> tuple[tuple[Any, ...], tuple[str, ...]]:
        """The keys the signature may be of, and the algorithms that go with them."""
        if header.get("alg") == ALGORITHM:
            return ((self._secret.encode(),) if self._secret else ()), (ALGORITHM,)
        key = await self._keys.key(str(header.get("kid", "")))
        if key is None:
            return (), ()
        return (key.key,), tuple(name for name in ASYMMETRIC if name == key.algorithm_name)


class Tokens:
    def __init__(self, local: Issuer, supabase: Supabase | None = None) -> None:
        self._local, self._supabase = local, supabase

    async def of_supabase(self, token: str) -> dict[str, Any]:
        """The same, for a token of Supabase alone: ours, which lasts minutes, is not to be made into a longer one."""
        claims = await self.claims(token)
        if self._supabase is None or claims["iss"] != self._supabase.issuer:
            raise _refusal()
        return claims

    async def claims(self, token: str) -> dict[str, Any]:
        """Raises NotSignedIn: what is wrong with it is nobody's business."""
        if len(token) > MOST_LETTERS:
            raise _refusal()
        try:
            header = jwt.get_unverified_header(token)
            named = jwt.decode(token, options={"verify_signature": False}).get("iss")
        except jwt.PyJWTError as error:
            raise _refusal() from error
        if _NEVER & header.keys():
            raise _refusal()
        if named == ISSUER:
            return _verified(token, ISSUER, self._local.keys(), (ALGORITHM,))
        if self._supabase is not None and named == self._supabase.issuer:
            keys, algorithms = await self._supabase.keys(header)
            return _verified(token, self._supabase.issuer, keys, algorithms)
        raise _refusal()


def _verified(token: str, issuer: str, keys: tuple[Any, ...], algorithms: tuple[str, ...]) -> dict[str, Any]:
    for key in keys:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(algorithms),
                audience=AUDIENCE,
                issuer=issuer,
                leeway=LEEWAY_S,
                options=_REQUIRED,  # type: ignore[arg-type]
            )
        except jwt.InvalidSignatureError:
            continue
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise _refusal() from error
        return claims
    raise _refusal()


def _refusal() -> NotSignedIn:
    return NotSignedIn("Sign in again: this token does not hold, or not any more.")
