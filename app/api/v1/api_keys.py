"""Keys of programs: made, replaced without downtime, revoked. The key is shown once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from app.api import acts
from app.api.context import Site
from app.api.issuer import random_token
from app.api.v1.admission import KEY_PREFIX
from app.api.v1.errors import Invalid, NotAllowed
from app.api.v1.members import not_above
from app.api.v1.pages import Page, Paging
from app.api.v1.principal import Caller, Principal, Role
from app.errors import Conflict, NotFound
from app.store import accounts, api_keys
from app.store.api_keys import KeyRow, NewKey
from app.store.connect import Connection

router = APIRouter(prefix="/api-keys", tags=["api keys"])

Scope = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z_]{1,40}):(read|write)$")]


class ApiKey(BaseModel):
    """`hint` is how the key ends; `replaces` is the key it took over from."""

    id: UUID
    name: str
    role: Role
    scopes: list[str]
    hint: str
    created_by: UUID
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    replaces: UUID | None

    @classmethod
    def of(cls, row: KeyRow) -> ApiKey:
        return cls.model_validate(row, from_attributes=True)


class NewApiKey(ApiKey):
    key: str = Field(description="Shown now and never again.")


class ApiKeyRequest(BaseModel):
    """A scope is RESOURCE:read or RESOURCE:write, * for every resource. Writing includes reading."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    role: Role = Role.VIEWER
    scopes: list[Scope] = Field(default=["*:read"], min_length=1, max_length=50)
    expires_at: AwareDatetime | None = None


class Rotation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    overlap_s: int = Field(3600, ge=0, le=7 * 86_400, description="How long the old key goes on working.")


@router.get("", operation_id="api_keys_list")
async def list_(web: Site, caller: Caller, paging: Paging) -> Page[ApiKey]:
    """Newest first, with those that were revoked."""
    after = paging.after(datetime, UUID)
    rows = await web.records.user(caller.claims, lambda db: api_keys.newest(db, after, paging.fetch))
    return paging.page(rows, ApiKey.of, lambda row: (row.created_at, row.id))


@router.post("", operation_id="api_keys_create", status_code=201)
async def create(body: ApiKeyRequest, web: Site, caller: Caller, response: Response) -> NewApiKey:
    """No key is made with more power than its maker has, and none is an owner."""
    if body.role is Role.OWNER:
        raise Invalid("A key cannot be an owner.", fields={"body.role": "at most admin"})
    if body.expires_at is not None and body.expires_at <= web.now():
        raise Invalid("This key would be over before it began.", fields={"body.expires_at": "must be in the future"})
    not_above(caller, body.role)
    key, made = _new(caller, body.name, body.role, sorted(set(body.scopes)), body.expires_at)
    row = await web.records.user(caller.claims, lambda db: api_keys.make(db, made))
    return _shown_once(row, key, response)


@router.post("/{key_id}/rotate", operation_id="api_keys_rotate", status_code=201)
async def rotate(key_id: UUID, body: Rotation, web: Site, caller: Caller, response: Response) -> NewApiKey:
    """A new key with the rights of the old one, which goes on for `overlap_s`."""
    now = web.now()
    acts.say(str(key_id))

    def work(db: Connection) -> tuple[KeyRow, str]:
        old = _existing(api_keys.get(db, key_id, locked=True))
        if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now):
            raise Conflict("This key is over. Make a new one.")
        not_above(caller, Role(old.role))
        key, made = _new(caller, old.name, Role(old.role), old.scopes, old.expires_at, old.id)
        api_keys.end_at(db, old.id, now + timedelta(seconds=body.overlap_s))
        return api_keys.make(db, made), key

    row, key = await web.records.user(caller.claims, work)
    web.doors.remembered.forget(key_id)
    return _shown_once(row, key, response)


@router.delete("/{key_id}", operation_id="api_keys_revoke", status_code=204)
async def revoke(key_id: UUID, web: Site, caller: Caller) -> None:
    """At once. Revoking it again changes nothing."""

    def work(db: Connection) -> None:
        not_above(caller, Role(_existing(api_keys.get(db, key_id)).role))
        acts.write_now(db)
        api_keys.revoke(db, key_id)

    await web.records.user(caller.claims, work)
    web.doors.remembered.forget(key_id)


def _new(
    caller: Principal,
    name: str,
    role: Role,
    scopes: list[str],
    expires_at: datetime | None,
    replaces: UUID | None = None,
) -> tuple[str, NewKey]:
    if caller.key_id is not None and not all(
        caller.may(scope.partition(":")[0], write=scope.endswith(":write")) for scope in scopes
    ):
        raise NotAllowed("A key cannot make a key that may do more.")
    key = KEY_PREFIX + random_token()
    return key, NewKey(name, role, scopes, accounts.hash_of(key), key[-4:], caller.user_id, expires_at, replaces)


def _shown_once(row: KeyRow, key: str, response: Response) -> NewApiKey:
    response.headers["Cache-Control"] = "no-store"
    return NewApiKey(**ApiKey.of(row).model_dump(), key=key)


def _existing(row: KeyRow | None) -> KeyRow:
    if row is None:
        raise NotFound("There is no such key.")
    return row
