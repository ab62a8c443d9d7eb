"""Signing in: a one-time link or an invitation becomes a session; its cookie becomes short tokens, again and again."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Cookie, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.context import Site, Web
from app.api.issuer import TOKEN_LASTS, random_token
from app.api.v1.admission import is_ours
from app.api.v1.errors import NotAllowed, NotSignedIn
from app.api.v1.principal import Role
from app.store import accounts
from app.store.accounts import Admitted
from app.store.connect import Connection

router = APIRouter(prefix="/session", tags=["session"])

COOKIE = "strowger_session"
PATH = "/api/v1/session"
LASTS = timedelta(days=30)


class SignIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ticket: str = Field(min_length=20, max_length=200, description="From a one-time link: what follows #ticket=")


class SignedInUser(BaseModel):
    user_id: UUID
    workspace_id: UUID
    role: Role


class Session(BaseModel):
    """`access_token` goes into `Authorization: Bearer`; before it is over, POST /session/refresh gives the next."""

    access_token: str
    expires_in_s: int
    user: SignedInUser


@router.post("", operation_id="session_open", status_code=201)
async def open_(body: SignIn, web: Site, request: Request, response: Response) -> Session:
    _from_our_page(request, web)
    now, cookie = web.now(), random_token()

    def admit(db: Connection) -> Admitted | None:
        return accounts.redeem_ticket(db, body.ticket, "session", now) or accounts.accept_invitation(
            db, body.ticket, now
        )

    admitted = await web.records.door(admit)
    if admitted is None:
        raise NotSignedIn("This link was used or is too old. `strowger link` prints another; or ask for an invitation.")
    user = admitted.user_id
    await web.records.desk(admitted.workspace_id, lambda db: accounts.open_session(db, user, cookie, now, LASTS))
    _set_cookie(response, web, cookie)
    return _session(web, admitted, response)


@router.post("/refresh", operation_id="session_refresh")
async def refresh(
    web: Site,
    request: Request,
    response: Response,
    strowger_session: Annotated[str | None, Cookie(max_length=200)] = None,
) -> Session:
    """A fresh token for the browser's cookie, which changes. A cookie that was used before ends the session."""
    _from_our_page(request, web)
    if strowger_session is None:
        raise NotSignedIn("Nobody is signed in here.")
    token, fresh, now = strowger_session, random_token(), web.now()
    found = await web.records.door(lambda db: accounts.refresh_session(db, token, fresh, now))
    if found is None:
        raise NotSignedIn("This session is over: sign in again.")
    admitted, rotated = found
    if rotated:
        _set_cookie(response, web, fresh)
    return _session(web, admitted, response)


@router.delete("", operation_id="session_close", status_code=204)
async def close(
    web: Site,
    request: Request,
    response: Response,
    strowger_session: Annotated[str | None, Cookie(max_length=200)] = None,
) -> None:
    _from_our_page(request, web)
    if strowger_session is not None:
        token, fresh, now = strowger_session, random_token(), web.now()
        found = await web.records.door(lambda db: accounts.refresh_session(db, token, fresh, now))
        if found is not None:
            admitted, rotated = found
            last = fresh if rotated else token
            await web.records.desk(admitted.workspace_id, lambda db: accounts.close_session(db, last, now))
    response.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="strict")


def _session(web: Web, admitted: Admitted, response: Response) -> Session:
    response.headers["Cache-Control"] = "no-store"
    token = web.issuer.token(admitted.user_id, admitted.workspace_id, admitted.role, web.now())
    user = SignedInUser(user_id=admitted.user_id, workspace_id=admitted.workspace_id, role=Role(admitted.role))
    return Session(access_token=token, expires_in_s=int(TOKEN_LASTS.total_seconds()), user=user)


def _set_cookie(response: Response, web: Web, token: str) -> None:
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(LASTS.total_seconds()),
        path=PATH,
        secure=web.settings.public_url.startswith("https://"),
        httponly=True,
        samesite="strict",
    )


def _from_our_page(request: Request, web: Web) -> None:
    origin = request.headers.get("origin")
    if origin is not None and not is_ours(request, web, origin):
        raise NotAllowed("This page may not sign anybody in here.")
