"""Writes the API's types for the dashboard from the OpenAPI document: `python -m app.client.typescript`.

The dashboard's build runs it, and its compiler then says where a page and the API disagree. What it writes is not kept
in the repository.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.api.v1.schema import document

TARGET = Path(__file__).parents[1] / "dashboard" / "src" / "api.generated.ts"
_HEAD = "// Made by `python -m app.client.typescript` from the OpenAPI document. Not to be changed by hand.\n\n"
_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_NAME = re.compile(r"[A-Za-z_$][\w$]*")


def text() -> str:
    schemas = document()["components"]["schemas"]
    return _HEAD + "\n".join(line for name in sorted(schemas) for line in _shape(_type_name(name), schemas[name]))


def _shape(name: str, schema: dict[str, Any]) -> Iterator[str]:
    if said := str(schema.get("description", "")).strip():
        yield f"/** {' '.join(said.split()).replace('*/', '* /')} */"
    if schema.get("type") == "object" and "properties" in schema:
        needed = set(schema.get("required", []))
        yield f"export interface {name} {{"
        for field, one in schema["properties"].items():
            key = field if _NAME.fullmatch(field) else json.dumps(field)
            yield f"  {key}{'' if field in needed else '?'}: {_type(one)};"
        yield "}"
    else:
        yield f"export type {name} = {_type(schema)};"
    yield ""


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _type_name(schema["$ref"].rpartition("/")[2])
    if "const" in schema or "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " | ".join(dict.fromkeys(_type(one) for one in schema[several]))
    kind = schema.get("type")
    if kind == "array":
        return f"Array<{_type(schema['items'])}>" if "items" in schema else "unknown[]"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"Record<string, {_type(values) if isinstance(values, dict) and values else 'unknown'}>"
    return _PLAIN.get(str(kind), "unknown")


def _type_name(schema: str) -> str:
    """As the Python client has it: "Page_CallItem_" is PageCallItem."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", schema))


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
