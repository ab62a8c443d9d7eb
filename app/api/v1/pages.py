"""Lists by the page: `{items, next_cursor}`, each page beginning after the last row of the one before (keyset).

async def members_list(web: Site, caller: Caller, paging: Paging) -> Page[Member]:
    after = paging.after(datetime, UUID)                      # None on the first page
    rows = await web.records.user(caller.claims, lambda db: accounts.members(db, after, paging.fetch))
    return paging.page(rows, Member.of, lambda row: (row.created_at, row.user_id))
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel

from app.api.v1.errors import BadCursor

Item = TypeVar("Item")
Row = TypeVar("Row")
USUAL, MOST = 50, 200


class Page(BaseModel, Generic[Item]):
    """`next_cursor` is null on the last page."""

    items: list[Item]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class PageRequest:
    cursor: str | None
    limit: int

    @property
    def fetch(self) -> int:
        """Rows to ask for: one more than shown tells whether there is a next page."""
        return self.limit + 1

    def after(self, *kinds: type) -> tuple[Any, ...] | None:
        """The key of the last row of the page before; None for the first page. Raises BadCursor."""
        return None if self.cursor is None else _read(self.cursor, kinds)

    def page(
        self, rows: Sequence[Row], shown: Callable[[Row], Item], key: Callable[[Row], tuple[Any, ...]]
    ) -> Page[Item]:
        """`rows` are up to `fetch` rows in the order of `key`."""
        here = rows[: self.limit]
        more = _written(key(here[-1])) if len(rows) > self.limit else None
        return Page(items=[shown(row) for row in here], next_cursor=more)


def _paging(
    cursor: Annotated[str | None, Query(max_length=1000, description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = USUAL,
) -> PageRequest:
    return PageRequest(cursor, limit)


Paging: TypeAlias = Annotated[PageRequest, Depends(_paging)]


def _written(key: tuple[Any, ...]) -> str:
    values = [value if isinstance(value, str | int | float | None) else _text(value) for value in key]
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime | date) else str(value)


def _read(cursor: str, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded.encode(), altchars=b"-_", validate=True))
        if not isinstance(values, list) or len(values) != len(kinds):
            raise BadCursor("This cursor belongs to another list.")
        return tuple(_value(value, kind) for value, kind in zip(values, kinds, strict=True))
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise BadCursor("This is not a cursor: give `next_cursor` of the page before, unchanged.") from error


def _value(value: Any, kind: type) -> Any:
    if value is None:
        return None
    if kind is datetime:
        return _moment(value)
    if kind is date:
        return date.fromisoformat(value)
    if kind is UUID:
        return UUID(value)
    if kind in (int, float) and isinstance(value, int | float) and not isinstance(value, bool):
        return kind(value)
    if kind is str and isinstance(value, str) and "\x00" not in value:
        return value
    raise ValueError(value)


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(value)
    return moment
