"""Who is asking: a person with a token, or a program with a key. Never what a request says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from fastapi import Depends
from starlette.requests import HTTPConnection


class Role(StrEnum):
    """In order of power, as in the database (strowger.rank_of)."""

    VIEWER = "viewer"
    AGENT = "agent"
    MANAGER = "manager"
    ADMIN = "admin"
    OWNER = "owner"

    @property
    def rank(self) -> int:
        """1 viewer .. 5 owner."""
        return tuple(Role).index(self) + 1

    def covers(self, needed: Role) -> bool:
        return self.rank >= needed.rank


@dataclass(frozen=True, slots=True)
class Principal:
    """`claims` are what the database decides by. `scopes` narrow what a key may do; a person has no scopes and needs
    none. `key_id` is None for a person; for a key it is also the `user_id`, under which it signs the audit log."""

    user_id: UUID
    workspace_id: UUID
    role: Role
    claims: Mapping[str, Any]
    scopes: frozenset[str] = frozenset()
    key_id: UUID | None = None

    @classmethod
    def of(
        cls,
        user_id: UUID,
        workspace_id: UUID,
        role: str,
        *,
        scopes: frozenset[str] = frozenset(),
        key_id: UUID | None = None,
    ) -> Principal:
        return cls(user_id, workspace_id, Role(role), claims_for(user_id, workspace_id), scopes, key_id)

    def may(self, resource: str, *, write: bool) -> bool:
        """Whether the scopes allow it; "calls:write" includes "calls:read", "*:read" is every resource."""
        if self.key_id is None:
            return True
        wanted = {f"{resource}:write", "*:write"} | (set() if write else {f"{resource}:read", "*:read"})
        return not wanted.isdisjoint(self.scopes)


def claims_for(user_id: UUID, workspace_id: UUID) -> dict[str, Any]:
    """What the policies look at, for somebody whose identity we have established ourselves."""
    metadata = {"workspace_id": str(workspace_id)}
    return {"sub": str(user_id), "role": "authenticated", "app_metadata": metadata}


def _caller(connection: HTTPConnection) -> Principal:
    """Whom `admission.admit` let in. Without it there is nobody here, and the request fails."""
    principal: Principal = connection.state.principal
    return principal


Caller: TypeAlias = Annotated[Principal, Depends(_caller)]
