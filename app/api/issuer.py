"""The local issuer: who signed in here gets a short token signed with our own key. Alone or beside Supabase Auth."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

from app.api.v1.principal import claims_for
from app.secret_key import SecretKey

ISSUER = "strowger"
AUDIENCE = "authenticated"  # as Supabase Auth calls it, so that claims look the same to the database
ALGORITHM = "HS256"
TOKEN_LASTS = timedelta(minutes=5)
LINK_LASTS = timedelta(hours=12)
_USE = "access tokens"


class Issuer:
    def __init__(self, key: SecretKey) -> None:
        self._key = key

    def token(self, user_id: UUID, workspace_id: UUID, role: str, now: datetime) -> str:
        claims: dict[str, Any] = claims_for(user_id, workspace_id)
        claims["app_metadata"]["role"] = role
        claims |= {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + TOKEN_LASTS}
        return jwt.encode(claims, self._key.signing(_USE)[0], ALGORITHM)

    def keys(self) -> tuple[bytes, ...]:
        """Those a signature of ours may have been made with."""
        return self._key.signing(_USE)


def random_token() -> str:
    """256 random bits, for tickets, links and cookies."""
    return secrets.token_urlsafe(32)


def link(service_url: str, token: str) -> str:
    """In the fragment, which no server and no log ever sees."""
    return f"{service_url}/#ticket={token}"
