"""The carrier's REST API, spoken so that the official SDK needs nothing but another base URL.

client = twilio.rest.Client(account_sid, auth_token)
client.api.base_url = client.content.base_url = "http://127.0.0.1:9101"
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.errors import CarrierFault
from app.exchange import rest_calls, rest_messages, rest_numbers, rest_rooms
from app.exchange.account import API_VERSION
from app.exchange.exchange import Exchange
from app.exchange.rest_forms import fault_response, not_found

_SAYS = {404: (20404, "was not found"), 405: (20004, "does not allow this method")}


def api(exchange: Exchange) -> FastAPI:
    """The application; every route asks for Basic authentication."""
    app = FastAPI(title="Exchange", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.exchange = exchange

    @app.middleware("http")
    async def admit(request: Request, proceed: Callable[[Request], Awaitable[Response]]) -> Response:
        try:
            _admit(exchange, request)
        except CarrierFault as fault:
            return fault_response(fault)
        return await proceed(request)

    @app.exception_handler(CarrierFault)
    async def refused(request: Request, fault: CarrierFault) -> JSONResponse:
        return fault_response(fault)

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException) -> JSONResponse:
        number, says = _SAYS.get(error.status_code, (20001, str(error.detail)))
        message = f"The requested resource {request.url.path} {says}"
        return fault_response(CarrierFault(number, message, error.status_code))

    for routes in (rest_calls.routes, rest_messages.routes, rest_numbers.routes, rest_rooms.routes):
        app.include_router(routes)
    return app


def _admit(exchange: Exchange, request: Request) -> None:
    """Raises CarrierFault 20003 without the right name and password, 20404 for somebody else's account."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user = password = ""
    if scheme.lower() != "basic" or not exchange.office.account.admits(user, password):
        raise CarrierFault(20003, "Authenticate", 401)
    parts = request.url.path.split("/")
    if len(parts) > 3 and parts[1] == API_VERSION and parts[3].removesuffix(".json") != exchange.office.account.sid:
        raise not_found(request.url.path)
