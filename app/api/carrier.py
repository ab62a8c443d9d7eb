"""What every webhook of the carrier goes through first: size, signature, form. Nothing is believed before that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from app import observe
from app.api.context import web_of
from app.errors import BadInput, NotAuthentic
from app.telephony.signature import is_authentic

SIGNATURE = "x-twilio-signature"
FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 200


@dataclass(frozen=True, slots=True)
class Webhook:
    """The fields of an authentic request. Repeated names keep their first value; the signature covered them all."""

    fields: Sequence[tuple[str, str]]

    def get(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.fields if key == name), default)

    @property
    def call_sid(self) -> str:
        return self.get("CallSid")

    def body(self) -> dict[str, str]:
        """All fields, for keeping."""
        return dict(reversed(self.fields))


def asked_url(connection: HTTPConnection, base: str) -> str:
    """The URL as the carrier knows it: our configured address, then path and query as sent. Never the Host header."""
    path: bytes = connection.scope.get("raw_path") or connection.scope["path"].encode()
    query: bytes = connection.scope["query_string"]
    return base + path.decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")


async def authentic(request: Request) -> Webhook:
    """Raises NotAuthentic unless the carrier signed exactly this request."""
    settings = web_of(request).settings
    url = asked_url(request, settings.public_url)
    body = await request.body()
    signature = request.headers.get(SIGNATURE)
    if request.headers.get("content-type", "").split(";")[0].strip().lower() == FORM:
        fields = _fields(body)
        holds = is_authentic(settings.tokens, url, signature, form=fields)
    else:
        fields = []
        holds = is_authentic(settings.tokens, url, signature, body=body)
    if not holds:
        observe.WEBHOOKS_REFUSED.labels(request.url.path).inc()
        raise NotAuthentic("This request was not signed by the carrier for this address.")
    webhook = Webhook(fields)
    if settings.account_sid and webhook.get("AccountSid", settings.account_sid) != settings.account_sid:
        raise NotAuthentic("This request is about another account.")
    return webhook


def _fields(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise BadInput("The form cannot be read.") from error


Authentic = Annotated[Webhook, Depends(authentic)]
