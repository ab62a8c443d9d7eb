"""One message as the carrier's API knows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.exchange.account import API_VERSION, rfc2822
from app.exchange.edges import Form

TEXTS = {
    63003: "Channel could not find To address",
    63016: "Failed to send freeform message because you are outside the allowed window. Please use a Template.",
    63018: "Rate limit exceeded for Channel",
    63024: "Channel message recipient is invalid",
    63032: "We cannot send this message to this user because of a WhatsApp limitation",
    63049: "Meta chose not to deliver this WhatsApp marketing message",
}


@dataclass(slots=True)
class Message:
    """`status` follows queued, sent, delivered, read; `failed` and `undelivered` are final."""

    sid: str
    account_sid: str
    from_: str
    to: str
    body: str
    direction: str  # outbound-api | outbound-reply | inbound
    created_at: datetime
    status: str = "queued"
    media: tuple[str, ...] = ()
    content_sid: str | None = None
    status_callback: str = ""
    service_sid: str | None = None
    error_code: int | None = None
    sent_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def uri(self) -> str:
        return f"/{API_VERSION}/Accounts/{self.account_sid}/Messages/{self.sid}.json"

    @property
    def channel(self) -> str:
        return "whatsapp" if self.to.startswith("whatsapp:") else "sms"

    def json(self) -> dict[str, Any]:
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "from": self.from_,
            "to": self.to,
            "body": self.body,
            "status": self.status,
            "num_segments": "1",
            "num_media": str(len(self.media)),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": TEXTS.get(self.error_code or 0),
            "price": None,
            "price_unit": None,
            "messaging_service_sid": self.service_sid,
            "api_version": API_VERSION,
            "date_created": rfc2822(self.created_at),
            "date_sent": rfc2822(self.sent_at),
            "date_updated": rfc2822(self.updated_at or self.created_at),
            "uri": self.uri,
            "subresource_uris": {"media": self.uri.replace(".json", "/Media.json")},
        }

    def status_form(self) -> Form:
        form: Form = (
            ("MessageSid", self.sid),
            ("SmsSid", self.sid),
            ("MessageStatus", self.status),
            ("SmsStatus", self.status),
            ("To", self.to),
            ("From", self.from_),
            ("AccountSid", self.account_sid),
            ("ApiVersion", API_VERSION),
        )
        if self.channel == "whatsapp":
            form += (
                ("ChannelPrefix", "whatsapp"),
                ("ChannelToAddress", self.to.removeprefix("whatsapp:")),
                ("ChannelInstallSid", "XE" + self.account_sid[2:]),
            )
        if self.status == "read":
            form += (("EventType", "READ"),)
        if self.error_code is not None:
            form += (("ErrorCode", str(self.error_code)), ("ErrorMessage", TEXTS.get(self.error_code, "")))
            form += (("ChannelStatusMessage", TEXTS.get(self.error_code, "")),)
        return form
