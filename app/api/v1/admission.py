"""The door of the API: before any handler runs it is known who asks, that they may, and that it is not too often."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from starlette.requests import HTTPConnection, Request

from app.api import acts
from app.api.acts import Act
from app.api.context import Web, web_of
from app.api.v1 import idempotency, tickets
from app.api.v1.access import ACCESS, ANYONE, AUDITED_READS, SOCKETS, UNAUDITED, resource_of
from app.api.v1.errors import Invalid, NotAllowed, NotSignedIn, TooMany
from app.api.v1.limits import ROUTES, WORKSPACE_USERS, Bucket
from app.api.v1.principal import Principal, Role
from app.store import accounts

KEY_PREFIX: Final = "sk_"
NO_MEMBER: Final = "This token names no workspace that you are a member of."
READS = frozenset({"GET", "HEAD", "OPTIONS"})


async def admit(connection: HTTPConnection) -> AsyncIterator[None]:
    """The dependency of every route under /api/v1. Leaves the Principal in the connection's state; what the handler
    has done is in the audit log before anybody is told so."""
    await _let_in(connection)
    act = _act(connection)
    acts.current.set(act)
    yield
    if act is not None and not act.written:
        # Nothing of it was in the database: something was said into a call, or a worker did it for us.
        act.written = True
        await web_of(connection).records.user(connection.state.principal.claims, act.write)


def _act(connection: HTTPConnection) -> Act | None:
    route = connection.scope.get("route")
    operation = str(getattr(route, "operation_id", None))
    principal: Principal | None = getattr(connection.state, "principal", None)
    if principal is None or connection.scope["type"] != "http" or operation in UNAUDITED:
        return None
    read = connection.scope["method"] in READS
    if read and operation not in AUDITED_READS:
        return None
    subject = "/".join(str(value) for value in connection.path_params.values())[:200]
    return Act(str(principal.user_id), operation, subject, str(connection.state.request_id), always=read)


async def _let_in(connection: HTTPConnection) -> None:
    web = web_of(connection)
    route = connection.scope.get("route")
    if connection.scope["type"] == "websocket":
        await _admit_socket(connection, web, getattr(route, "name", ""))
        return
    operation = str(getattr(route, "operation_id", None))
    needed = ACCESS.get(operation)
    if needed is None:
        raise NotAllowed(f"Nobody may use this: it has no row in the table of rights ({operation}).")
    if needed == ANYONE:
        await _count(connection, web, [Bucket(f"ip:{_address(connection)}:{operation}", ROUTES.get(operation, 60))])
        return
    principal = await _principal(connection, web)
    await _count(connection, web, _buckets(web, principal, operation))
    if not principal.role.covers(Role(needed)):
        raise NotAllowed(f"This needs the role {needed}; yours is {principal.role}.")
    resource, write = resource_of(operation), connection.scope["method"] not in READS
    if operation != "me_get" and not principal.may(resource, write=write):
        raise NotAllowed(f"This key has no scope {resource}:{'write' if write else 'read'}.")
    assert isinstance(connection, Request)
    await _storable(connection)
    connection.state.principal = principal
    await idempotency.claim(connection, web, principal, operation)


async def _storable(request: Request) -> None:
    """NUL is the one character that Postgres does not hold; nobody types it."""
    body = await request.body()
    if b"\\u0000" in body or b"\x00" in body or "%00" in str(request.url):
        raise Invalid("The character NUL cannot be kept.")


async def _admit_socket(connection: HTTPConnection, web: Web, name: str) -> None:
    """A socket comes with a one-time ticket, and from a page of ours if from a page at all (T15, T28)."""
    purpose = SOCKETS.get(name)
    if purpose is None:
        raise NotAllowed(f"Nobody may open this: it has no row in the table of sockets ({name}).")
    origin = connection.headers.get("origin")
    if origin is not None and not is_ours(connection, web, origin):
        raise NotAllowed("This page may not open sockets here.")
    ticket = connection.query_params.get("ticket", "")
    connection.state.principal, connection.state.call_sid = await tickets.redeem(web, ticket, purpose)


def is_ours(connection: HTTPConnection, web: Web, origin: str) -> bool:
    """Whether a page of this origin is our own dashboard, or one that was allowed by name."""
    ours = (web.settings.public_url, f"{connection.url.scheme}://{connection.headers.get('host', '')}")
    return origin in web.doors.origins or urlsplit(origin).netloc in {urlsplit(one).netloc for one in ours}


async def _principal(connection: HTTPConnection, web: Web) -> Principal:
    kind, _, token = connection.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise NotSignedIn("Sign in: this needs `Authorization: Bearer` with a token or an API key.")
    try:
        return await (_of_key(web, token) if token.startswith(KEY_PREFIX) else _of_token(web, token))
    except NotSignedIn:
        # Somebody who tries tokens is slowed down before anybody else is.
        await _count(connection, web, [Bucket(f"ip:{_address(connection)}:refused", 120)])
        raise


async def _of_key(web: Web, token: str) -> Principal:
    hashed = accounts.hash_of(token)
    if known := web.doors.remembered.get(hashed):
        return known
    key = await web.records.door(lambda db: accounts.key(db, hashed))
    if key is None:
        raise NotSignedIn("This API key is unknown, revoked or too old.")
    found = Principal.of(key.id, key.workspace_id, key.role, scopes=frozenset(key.scopes), key_id=key.id)
    web.doors.remembered.put(hashed, found)
    return found


async def _of_token(web: Web, token: str) -> Principal:
    """The role is what the members' table says, and no more than what the token says, if it says anything."""
    user, workspace, claimed = named_in(await web.doors.tokens.claims(token))
    known = web.doors.remembered.get((user, workspace))
    if known is None:
        role = await web.records.door(lambda db: accounts.standing(db, user, workspace))
        if role is None:
            raise NotSignedIn(NO_MEMBER)
        known = Principal.of(user, workspace, role)
        web.doors.remembered.put((user, workspace), known)
    return known if claimed.covers(known.role) else Principal.of(user, workspace, claimed)


def named_in(claims: Mapping[str, Any]) -> tuple[UUID, UUID, Role]:
    """(user, workspace, the most this token allows). Raises NotSignedIn for verified claims that name none."""
    metadata: Any = claims.get("app_metadata")
    try:
        claimed = Role(metadata["role"]) if "role" in metadata else Role.OWNER
        return UUID(str(claims["sub"])), UUID(str(metadata["workspace_id"])), claimed
    except (ValueError, KeyError, TypeError) as error:
        raise NotSignedIn(NO_MEMBER) from error


def _buckets(web: Web, principal: Principal, operation: str) -> list[Bucket]:
    rate = web.doors.rate
    buckets = [
        Bucket(f"user:{principal.user_id}", rate),
        Bucket(f"workspace:{principal.workspace_id}", rate * WORKSPACE_USERS),
    ]
    if operation in ROUTES:
        buckets.append(Bucket(f"user:{principal.user_id}:{operation}", min(rate, ROUTES[operation])))
    return buckets


async def _count(connection: HTTPConnection, web: Web, buckets: list[Bucket]) -> None:
    verdict = await web.doors.limits.take(buckets)
    connection.state.headers = verdict.headers
    if verdict.wait_s:
        raise TooMany("Too many requests. Come again a little later.", after_s=verdict.wait_s)


def _address(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else "unknown"
