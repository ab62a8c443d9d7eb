"""WhatsApp comes in: what people write, and what became of what we wrote."""

from __future__ import annotations

import re
from uuid import UUID

from fastapi import APIRouter, Request, Response

from app import observe
from app.api.answers import noted, spoken
from app.api.carrier import Authentic, Webhook
from app.api.context import web_of
from app.dialog.guards import opts_out
from app.errors import BadInput, NotFound
from app.store import consents, leads, messages, suppressions, workspaces
from app.store.connect import Connection
from app.telephony import twiml
from app.telephony.caller_id import number_of

router = APIRouter(prefix="/twilio", tags=["carrier"])
log = observe.log(__name__)

# 47 CFR 64.1200(a)(10) names stop, quit, end, revoke, opt out, cancel, unsubscribe; the carriers add stopall.
# Sentences are the business of the guards, which also listen on the telephone.
KEYWORD = re.compile(
    r"(please )?(stop|stop ?all|quit|end|revoke|opt[ -]?out|cancel|unsubscribe)( (now|please|thanks|thank you))*"
)
CONFIRMED = "You are off our list. We will not call or write to you again."
MAX_TEXT = 4096


@router.post("/whatsapp")
async def whatsapp(request: Request, webhook: Authentic) -> Response:
    """Keeps the message once. A stop word closes every channel before the answer says so (C06, C54)."""
    web = web_of(request)
    sid, sender, ours = webhook.get("MessageSid"), number_of(webhook.get("From")), number_of(webhook.get("To"))
    if not sid or sender is None or ours is None:
        raise BadInput("A message names itself, its sender and its recipient.")
    number = await web.records.system(lambda db: workspaces.by_number(db, ours))
    if number is None:
        raise NotFound("This number is not one of ours.")
    text = webhook.get("Body")[:MAX_TEXT]
    stop = wants_to_stop(text) or webhook.get("OptOutType").upper() == "STOP"

    def work(db: Connection) -> bool:
        lead = leads.find_or_create(db, sender, "whatsapp")
        if not messages.receive(db, sid, sender, ours, text, lead.id):
            return False
        if stop:
            evidence = f"wrote {text[:200]!r} by WhatsApp ({sid})"
            suppressions.add(db, sender, reason="opt-out by WhatsApp", evidence=evidence)
            consents.revoke(db, sender, evidence, web.now())
        return True

    new = await web.records.worker(number.workspace_id, work)
    if not new:
        observe.WEBHOOKS_REPEATED.labels("whatsapp").inc()
    elif stop:
        observe.OPT_OUTS.labels("whatsapp").inc()
        log.info("opted out by WhatsApp", person=observe.masked(sender))
    return spoken(twiml.message(CONFIRMED) if new and stop else twiml.nothing())


@router.post("/message-status", status_code=204)
async def message_status(request: Request, webhook: Authentic, reference: UUID | None = None) -> Response:
    """A receipt. `reference` is our claim: the receipt may come before the answer to our own request."""
    web, sid, status = web_of(request), webhook.get("MessageSid"), webhook.get("MessageStatus")
    ours = number_of(webhook.get("From"))
    number = await web.records.system(lambda db: workspaces.by_number(db, ours)) if ours else None
    if not sid or number is None:
        raise NotFound("No such message is known here.")
    error = _error(webhook)

    def work(db: Connection) -> bool:
        if reference is not None:
            messages.settle(db, reference, sid)
        return messages.set_delivery(db, sid, status, error)

    if status and not await web.records.worker(number.workspace_id, work):
        observe.WEBHOOKS_REPEATED.labels("message-status").inc()
    return noted()


def wants_to_stop(text: str) -> bool:
    """A stop word alone, whatever its case, spacing and punctuation, or a sentence that asks to be left alone."""
    words = " ".join(re.sub(r"[^\w\s-]+", " ", text.casefold()).split())
    return KEYWORD.fullmatch(words) is not None or opts_out(text)


def _error(webhook: Webhook) -> str | None:
    code = webhook.get("ErrorCode")
    return code[:20] if code and code != "0" else None
