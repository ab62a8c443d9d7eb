"""Writes app/client/api.py from the OpenAPI document: `python -m app.client.generate`. A test says when it is stale."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.api.v1.schema import METHODS, document

TARGET = Path(__file__).with_name("api.py")
_HEAD = '''"""Made by `python -m app.client.generate` from the OpenAPI document. Not to be changed by hand."""

# fmt: off
# ruff: noqa: E501, I001, RUF100

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict, cast

from app.client.transport import Transport, place

'''
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def text() -> str:
    found = document()
    schemas = found["components"]["schemas"]
    shapes = [line for name in sorted(schemas, key=_name) for line in _shape(_name(name), schemas[name])]
    methods = [
        line
        for path, operations in found["paths"].items()
        for method, operation in operations.items()
        if method in METHODS
        for line in _method(path, method, operation)
    ]
    head = ["class Client(Transport):", '    """One method for each operation of the API, by its operation id."""', ""]
    return _HEAD + "\n".join([*shapes, *head, *methods]).rstrip() + "\n"


def _shape(name: str, schema: dict[str, Any]) -> Iterator[str]:
    if schema.get("type") != "object" or "properties" not in schema:
        yield f"{name} = {_type(schema, quoted=True)}"
        yield ""
        return
    needed = set(schema.get("required", []))
    fields = {
        field: _type(one) if field in needed else f"NotRequired[{_type(one)}]"
        for field, one in schema["properties"].items()
    }
    if all(field.isidentifier() and not keyword.iskeyword(field) for field in fields):
        yield f"class {name}(TypedDict):"
        yield from (f"    {field}: {kind}" for field, kind in fields.items())
    else:
        inside = ", ".join(f'"{field}": "{kind}"' for field, kind in fields.items())
        yield f'{name} = TypedDict("{name}", {{{inside}}})'
    yield ""
    yield ""


def _method(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    parameters = operation.get("parameters", [])
    places = [one["name"] for one in parameters if one["in"] == "path"]
    asked = [one for one in parameters if one["in"] == "query"]
    content = operation.get("requestBody", {}).get("content", {})
    signature = ["self", *(f"{_word(name)}: str" for name in places)]
    sent = []
    if "application/json" in content:
        signature.append(f"body: {_type(content['application/json']['schema'])}")
        sent.append("body=body")
    elif content:
        signature.append("text: str")
        sent.append("text=text")
    if asked:
        signature += ["*", *(f"{_word(one['name'])}: {_optional(one['schema'])} = None" for one in asked)]
        inside = ", ".join(f'"{one["name"]}": {_word(one["name"])}' for one in asked)
        sent.append(f"query={{{inside}}}")
    target = re.sub(r"{(\w+)}", lambda match: f"{{place({_word(match[1])})}}", path.removeprefix("/api/v1"))
    call = ", ".join([f'"{method.upper()}"', f'{"f" if places else ""}"{target}"', *sent])
    answer = _answer(operation)
    yield f"    def {operation['operationId']}({', '.join(signature)}) -> {answer}:"
    said = (operation.get("description") or "").split("\n\n")[0].replace("\n", " ").strip()
    if said:
        quoted = said.replace("\\", "\\\\").replace('"', "'")
        yield f'        """{quoted}"""'
    if answer == "None":
        yield f"        self._send({call})"
    elif answer == "Any":
        yield f"        return self._send({call})"
    else:
        yield f'        return cast("{answer}", self._send({call}))'
    yield ""


def _answer(operation: dict[str, Any]) -> str:
    for status, one in operation["responses"].items():
        if status.startswith("2"):
            content = one.get("content", {})
            if "application/json" in content:
                schema = content["application/json"].get("schema")
                return _type(schema) if schema else "Any"
            return "bytes" if content else "None"
    return "None"


def _type(schema: dict[str, Any], *, quoted: bool = False) -> str:
    if "$ref" in schema:
        return _name(schema["$ref"].rpartition("/")[2])
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return f"Literal[{', '.join(repr(value).replace(chr(39), chr(34)) for value in values)}]"
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " | ".join(dict.fromkeys(_type(one) for one in schema[several]))
    kind = schema.get("type")
    if kind == "array":
        return f"list[{_type(schema['items'])}]" if "items" in schema else "list[Any]"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"dict[str, {_type(values)}]" if isinstance(values, dict) and values else "dict[str, Any]"
    return _PLAIN.get(str(kind), "Any")


def _optional(schema: dict[str, Any]) -> str:
    kind = _type(schema)
    return kind if "None" in kind.split(" | ") else f"{kind} | None"


def _name(schema: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", schema))


def _word(name: str) -> str:
    word = re.sub(r"\W", "_", name)
    return word + "_" if keyword.iskeyword(word) else word


if __name__ == "__main__":
    TARGET.write_text(text())
