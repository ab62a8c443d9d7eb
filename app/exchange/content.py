"""Message templates: the part of the Content API that a sender needs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.errors import CarrierFault
from app.exchange.account import iso

APPROVALS = ("unsubmitted", "received", "pending", "approved", "rejected", "paused", "disabled")


@dataclass(slots=True)
class Template:
    sid: str
    account_sid: str
    friendly_name: str
    language: str
    variables: Mapping[str, str]
    types: Mapping[str, Mapping[str, Any]]
    created_at: datetime
    approval: dict[str, Any] = field(default_factory=lambda: {"status": "unsubmitted"})

    @property
    def text(self) -> str:
        """The body with its placeholders."""
        return str(next((kind["body"] for kind in self.types.values() if "body" in kind), ""))

    def filled(self, content_variables: str) -> str:
        """Raises CarrierFault 21656 when the variables are not a JSON object of texts that WhatsApp would take."""
        try:
            values = json.loads(content_variables or "{}")
        except ValueError:
            values = None
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise CarrierFault(21656, "The ContentVariables Parameter is invalid")
        values = {**self.variables, **values}
        for value in values.values():
            if not value.strip() or re.search(r"[\n\t]| {5}", value):
                raise CarrierFault(21656, "The ContentVariables Parameter is invalid")
        return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: values.get(found[1], found[0]), self.text)

    @property
    def approved(self) -> bool:
        return bool(self.approval["status"] == "approved")

    def submit(self, name: str, category: str) -> None:
        """Raises CarrierFault 21620. Approved at once: there is nobody here to review it."""
        if not re.fullmatch(r"[a-z0-9_]+", name) or category not in {"UTILITY", "MARKETING", "AUTHENTICATION"}:
            raise CarrierFault(21620, "name must be lower case with underscores, category one of the three known")
        self.approval = {
            "name": name,
            "category": category,
            "content_type": next(iter(self.types)),
            "status": "approved",
            "rejection_reason": "",
            "allow_category_change": True,
        }

    def json(self) -> dict[str, Any]:
        url = f"https://content.twilio.com/v1/Content/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "friendly_name": self.friendly_name,
            "language": self.language,
            "variables": dict(self.variables),
            "types": dict(self.types),
            "url": url,
            "date_created": iso(self.created_at),
            "date_updated": iso(self.created_at),
            "links": {
                "approval_create": f"{url}/ApprovalRequests/whatsapp",
                "approval_fetch": f"{url}/ApprovalRequests",
            },
        }
