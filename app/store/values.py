"""Values on their way into a column."""

from __future__ import annotations

from typing import Any

from psycopg.types.json import Jsonb


def text(value: str) -> str:
    """Postgres holds every character but NUL, which a speech or message provider may well send."""
    return value.replace("\x00", "")


def json(value: Any) -> Jsonb:
    """Mappings, sequences and plain values as jsonb."""
    return Jsonb(_storable(value))


def _storable(value: Any) -> Any:
    match value:
        case str():
            return text(value)
        case dict():
            return {text(str(key)): _storable(item) for key, item in value.items()}
        case list() | tuple():
            return [_storable(item) for item in value]
        case _:
            return value
