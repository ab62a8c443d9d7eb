"""Is this request really from the carrier? Twilio's webhook signature, computed and checked without its SDK.

The signed text is the URL exactly as Twilio was given it, then for a form every distinct name and value, sorted, with
nothing between them. A JSON body is not in the text: its SHA-256 stands in the URL as `bodySHA256` instead.
Source: "Webhooks security" in Twilio's documentation, and `twilio.request_validator` 9.13, which tests compare against.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from urllib.parse import SplitResult, parse_qs, urlsplit

Form = Iterable[tuple[str, str]]


def sign(token: str, url: str, form: Form = ()) -> str:
    """The value of `X-Twilio-Signature` for a request to `url`. Repeated form names count once per distinct value."""
    text = url + "".join(name + value for name, value in sorted(set(form)))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def is_authentic(
    tokens: Sequence[str], url: str, signature: str | None, *, form: Form = (), body: bytes | None = None
) -> bool:
    """True when any of `tokens` made this signature; two are valid while the account's token is being rotated.

    `url` must come from configuration, never from the request's Host header. Give `body` for anything but a form: then
    the URL must carry its hash, so an unsigned body is never accepted. Takes the same time whichever part is wrong.
    """
    if not signature:
        return False
    fields = list(form)
    holds = body is None or _body_matches(url, body)
    matches = False
    for token in tokens:
        for spelling in _spellings(url):
            matches |= hmac.compare_digest(sign(token, spelling, fields).encode(), signature.encode())
    return matches and holds


def media_url(public_url: str) -> str:
    """The WebSocket spelling of our public URL. Always wss, which the carrier demands: the local exchange reaches
    loopback addresses without TLS all the same."""
    return "wss://" + public_url.partition("://")[2]


def _body_matches(url: str, body: bytes) -> bool:
    claimed = parse_qs(urlsplit(url).query).get("bodySHA256", [""])[0]
    return hmac.compare_digest(hashlib.sha256(body).hexdigest().encode(), claimed.encode())


def _spellings(url: str) -> tuple[str, ...]:
    """Twilio signs with or without the default port; the verbatim URL comes first for schemes it adds no port to."""
    parts = urlsplit(url)
    return tuple(dict.fromkeys((url, _without_port(parts), _with_port(parts))))


def _without_port(parts: SplitResult) -> str:
    if parts.port is None:
        return parts.geturl()
    return parts._replace(netloc=parts.netloc.rsplit(":", 1)[0]).geturl()


def _with_port(parts: SplitResult) -> str:
    if parts.port is not None:
        return parts.geturl()
    return parts._replace(netloc=f"{parts.netloc}:{443 if parts.scheme == 'https' else 80}").geturl()
