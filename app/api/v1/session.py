"""Signing in: a one-time link, an invitation or a token of Supabase Auth becomes a session; its cookie becomes short
tokens, again and again."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Cookie, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.api.context import Site, Web
from app.api.issuer import TOKEN_LASTS, random_token
from app.api.v1.admission import NO_MEMBER, is_ours, named_in
from app.api.v1.claims import MOST_LETTERS
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
    """One of both."""

    model_config = ConfigDict(extra="forbid")

    ticket: str | None = Field(
        None, min_length=20, max_length=200, description="From a one-time link: what follows #ticket="
    )
    access_token: str | None = Field(
        None,
        min_length=20,
        max_length=MOST_LETTERS,
        description="Of Supabase Auth, of a member of the workspace in it.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.ticket is None) == (self.access_token is None):
            raise ValueError("say `ticket` or `access_token`, and not both")
        return self


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
    admitted = await (_by_supabase(web, body.access_token) if body.access_token else _by_link(web, body.ticket or ""))
    user = admitted.user_id
    await web.records.desk(admitted.workspace_id, lambda db: accounts.open_session(db, user, cookie, now, LASTS))
    _set_cookie(response, web, cookie)
    return _session(web, admitted, response)


async def _by_link(web: Web, ticket: str) -> Admitted:
    now = web.now()

    def admit(db: Connection) -> Admitted | None:
        return accounts.redeem_ticket(db, ticket, "session", now) or accounts.accept_invitation(db, ticket, now)

    admitted = await web.records.door(admit)
    if admitted is None:
        raise NotSignedIn("This link was used or is too old. `strowger link` prints another; or ask for an invitation.")
    return admitted


async def _by_supabase(web: Web, token: str) -> Admitted:
    """A member by the workspace that the verified token names. The session's role is that of the members' table, so a
    token that says less is not made into one that says more."""
    claims = await web.doors.tokens.of_supabase(token)
    user, workspace, claimed = named_in(claims)
    role = await web.records.door(lambda db: accounts.standing(db, user, workspace))
    if role is None:
        raise NotSignedIn(NO_MEMBER)
    if not claimed.covers(Role(role)):
        raise NotAllowed(f"The sign-in service calls you {claimed}, this workspace {role}: an admin has to agree them.")
    return Admitted(workspace, user, role)


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
