"""A request for every operation of the OpenAPI document, made from its schema and the rows of one_of_each.sql.

A path parameter or a body that cannot be guessed gets a line in `PARAMETERS` or `BODIES`.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from app.api.v1 import schema
from app.api.v1.access import ACCESS

DOCUMENT = schema.document()


def id_of(workspace: str, name: str) -> str:
    return str(uuid.UUID(hashlib.md5((workspace + name).encode()).hexdigest()))


def sid_of(workspace: str) -> str:
    return "CA" + id_of(workspace, "call").replace("-", "")


# What a path parameter is in a workspace: by operation and name, else by name.
PARAMETERS: dict[str, Callable[[str], str]] = {
    "user_id": lambda tag: id_of(tag, "guest"),
    "key_id": lambda tag: id_of(tag, "api key"),
    "invitation_id": lambda tag: id_of(tag, "invitation"),
    "webhook_id": lambda tag: id_of(tag, "webhook"),
    "hold_id": lambda tag: id_of(tag, "hold"),
    "lead_id": lambda tag: id_of(tag, "lead"),
    "number_id": lambda tag: id_of(tag, "number"),
    "subscription_id": lambda tag: id_of(tag, "subscription"),
    "schedule_id": lambda tag: id_of(tag, "schedule"),
    "batch_id": lambda tag: id_of(tag, "batch"),
    "campaign_id": lambda tag: id_of(tag, "campaign"),
    "sid": sid_of,
    "call_sid": sid_of,
}
# Names that are no secret and that two workspaces may share: there is no foreign one to ask for.
SHARED = {"name": "solar", "version": "1", "n": "1", "kind": "funnel"}
OWN = {"providers_test": {"name": "playbook"}, "models_accept": {"night": "2026-11-20"}}  # by operation
BODIES: dict[str, Callable[[], Any]] = {
    "members_create": lambda: {"user_id": str(uuid.uuid4()), "role": "viewer"},
    "members_update": lambda: {"name": "Guest"},
    "invitations_create": lambda: {"role": "viewer"},
    "controls_whisper": lambda: {"text": "mention the warranty"},
    "session_open": lambda: {"ticket": "x" * 20},
    "campaigns_change": lambda: {"calls_per_minute": 3},
    "calls_create": lambda: {"to": "+12025550198"},
    "holds_create": lambda: {"why": "A complaint."},
    "workspace_update": lambda: {"name": "Workspace a"},
    "notifications_set_rules": lambda: {"emails": ["ops@example.com"]},
    "notifications_subscribe": lambda: {
        "endpoint": "https://push.example.com/send/1",
        "keys": {
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        },
    },
    "notifications_test": lambda: {"channel": "email"},
    "reports_schedule": lambda: {"report": "funnel", "hour": 7, "emails": ["ops@example.com"]},
}


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    template: str
    node: dict[str, Any]

    @property
    def needed(self) -> str:
        return str(ACCESS[self.id])

    @property
    def writes(self) -> bool:
        return self.method != "get"

    @property
    def body_schema(self) -> dict[str, Any] | None:
        content = self.node.get("requestBody", {}).get("content", {})
        found: dict[str, Any] | None = content.get("application/json", {}).get("schema")
        return found

    @property
    def parameters(self) -> list[str]:
        return [one["name"] for one in self.node.get("parameters", []) if one["in"] == "path"]

    @property
    def names_a_row(self) -> bool:
        return any(name in PARAMETERS for name in self.parameters)

    def path(self, workspace: str) -> str:
        """Under /api/v1, with the required part of the query."""
        found = self.template.removeprefix("/api/v1")
        for name in self.parameters:
            value = PARAMETERS[name](workspace) if name in PARAMETERS else OWN.get(self.id, SHARED)[name]
            found = found.replace(f"{{{name}}}", value)
        query = [
            f"{one['name']}={_example(one['schema'])}"
            for one in self.node.get("parameters", [])
            if one["in"] == "query" and one.get("required")
        ]
        return found + ("?" + "&".join(query) if query else "")

    def arguments(self) -> dict[str, Any]:
        """Of the test client's request: its body, if it has one."""
        if self.id in BODIES:
            return {"json": BODIES[self.id]()}
        if self.body_schema is not None:
            return {"json": _example(self.body_schema)}
        if "requestBody" in self.node:
            return {"content": "phone\n+12025550177\n", "headers": {"Content-Type": "text/csv"}}
        return {}


def operations() -> Iterator[Operation]:
    for path, methods in DOCUMENT["paths"].items():
        for method, node in methods.items():
            if method in schema.METHODS:
                yield Operation(node["operationId"], method, path, node)


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        node = DOCUMENT["components"]["schemas"][node["$ref"].rpartition("/")[2]]
    return node


def _example(node: dict[str, Any]) -> Any:
    """The least that the schema takes."""
    node = resolved(node)
    for combined in ("anyOf", "oneOf", "allOf"):
        if combined in node:
            return _example(node[combined][0])
    if "enum" in node or "const" in node:
        return node.get("const", node.get("enum", [None])[0])
    match node.get("type"):
        case "object":
            given = node.get("properties", {})
            return {name: _example(given[name]) for name in node.get("required", [])}
        case "array":
            return [_example(node["items"]) for _ in range(node.get("minItems", 0))]
        case "integer" | "number":
            return max(node.get("minimum", 1), node.get("exclusiveMinimum", 0) + 1, 1)
        case "boolean":
            return False
        case "string":
            return _text(node)
    return None


def _text(node: dict[str, Any]) -> str:
    match node.get("format"):
        case "uuid":
            return str(uuid.uuid4())
        case "date-time":
            return "2026-11-20T10:00:00Z"
        case "date":
            return "2026-11-20"
        case "uri":
            return "https://hooks.example.com/in"
    return "x" * max(1, node.get("minLength", 1))
