"""REST: the account and its phone numbers."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha1
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from app.exchange.account import API_VERSION, Number
from app.exchange.calls import formatted
from app.exchange.exchange import Exchange
from app.exchange.rest_forms import Form, exchange_of, form_of, not_found, page

routes = APIRouter(prefix=f"/{API_VERSION}/Accounts")
Here = Annotated[Exchange, Depends(exchange_of)]
Posted = Annotated[Form, Depends(form_of)]

_SETTINGS = {
    "VoiceUrl": "voice_url",
    "VoiceMethod": "voice_method",
    "VoiceFallbackUrl": "voice_fallback_url",
    "StatusCallback": "status_callback",
    "SmsUrl": "message_url",
}


@routes.get("/{account}.json")
async def account(exchange: Here, account: str) -> dict[str, Any]:
    return {
        "sid": exchange.office.account.sid,
        "owner_account_sid": exchange.office.account.sid,
        "friendly_name": "Exchange",
        "status": "active",
        "type": "Full",
        "uri": f"/{API_VERSION}/Accounts/{exchange.office.account.sid}.json",
        "subresource_uris": {},
    }


@routes.get("/{account}/IncomingPhoneNumbers.json")
async def listed(request: Request, exchange: Here) -> dict[str, Any]:
    wanted = request.query_params.get("PhoneNumber", "")
    rows = [_json(exchange, number) for number in exchange.office.numbers.values() if wanted in number.e164]
    return page(request, "incoming_phone_numbers", rows)


@routes.get("/{account}/IncomingPhoneNumbers/{sid}.json")
async def fetched(request: Request, exchange: Here, sid: str) -> dict[str, Any]:
    return _json(exchange, _number(request, exchange, sid))


@routes.post("/{account}/IncomingPhoneNumbers/{sid}.json")
async def updated(request: Request, exchange: Here, sid: str, form: Posted) -> dict[str, Any]:
    number = _number(request, exchange, sid)
    changes: dict[str, Any] = {field: form[name] for name, field in _SETTINGS.items() if name in form}
    number = replace(number, **changes)
    exchange.add_number(number)
    return _json(exchange, number)


def number_sid(e164: str) -> str:
    return "PN" + sha1(e164.encode(), usedforsecurity=False).hexdigest()[:32]


def _number(request: Request, exchange: Exchange, sid: str) -> Number:
    for number in exchange.office.numbers.values():
        if number_sid(number.e164) == sid:
            return number
    raise not_found(request.url.path)


def _json(exchange: Exchange, number: Number) -> dict[str, Any]:
    account_sid, sid = exchange.office.account.sid, number_sid(number.e164)
    return {
        "sid": sid,
        "account_sid": account_sid,
        "phone_number": number.e164,
        "friendly_name": formatted(number.e164),
        "voice_url": number.voice_url,
        "voice_method": number.voice_method,
        "voice_fallback_url": number.voice_fallback_url,
        "voice_fallback_method": "POST",
        "status_callback": number.status_callback,
        "status_callback_method": "POST",
        "sms_url": number.message_url,
        "sms_method": "POST",
        "capabilities": {"voice": True, "sms": True, "mms": True, "fax": False},
        "api_version": API_VERSION,
        "origin": "twilio",
        "status": "in-use",
        "uri": f"/{API_VERSION}/Accounts/{account_sid}/IncomingPhoneNumbers/{sid}.json",
    }
