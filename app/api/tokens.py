"""The single-use token that admits one media socket to one call (T02).

It is derived, not drawn: when the carrier asks the same question again it gets the same answer (F15), and still nobody
without our key can make one. The store keeps its hash, and that it was used.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta

LIFETIME = timedelta(seconds=60)


def media_token(secret: str, call_sid: str, stream: int) -> str:
    """`stream` counts the media streams of a call from 1."""
    key = hashlib.sha256(b"strowger media token " + secret.encode()).digest()
    digest = hmac.new(key, f"{call_sid}/{stream}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
