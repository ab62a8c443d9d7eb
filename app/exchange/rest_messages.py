"""REST: messages, and the templates of the Content API."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from app.errors import CarrierFault
from app.exchange.account import API_VERSION
from app.exchange.content import Template
from app.exchange.exchange import Exchange
from app.exchange.messages import Message
from app.exchange.rest_forms import Form, Period, exchange_of, form_of, not_found, page, parse_time
from app.exchange.whatsapp import Draft

routes = APIRouter()
_MESSAGES = f"/{API_VERSION}/Accounts/{{account}}/Messages"
Here = Annotated[Exchange, Depends(exchange_of)]
Posted = Annotated[Form, Depends(form_of)]


@routes.post(f"{_MESSAGES}.json", status_code=201)
async def create(exchange: Here, form: Posted) -> dict[str, Any]:
    service = form["MessagingServiceSid"] or None
    fixed = form["ScheduleType"] == "fixed"
    if fixed and not service:
        raise CarrierFault(35114, "MessagingServiceSid is required to schedule a message")
    sender = form["From"] or (_sender_of_service(exchange, form["To"]) if service else "")
    draft = Draft(
        to=form["To"],
        from_=sender,
        body=form["Body"],
        media=form.all("MediaUrl"),
        content_sid=form["ContentSid"],
        content_variables=form["ContentVariables"],
        status_callback=form["StatusCallback"],
        service_sid=service,
        send_at=parse_time(form["SendAt"]) if fixed else None,
    )
    return exchange.messages.create(draft).json()


def _sender_of_service(exchange: Exchange, to: str) -> str:
    """A messaging service picks a number of the right channel."""
    whatsapp = to.startswith("whatsapp:")
    for number in exchange.office.numbers.values():
        if number.whatsapp or not whatsapp:
            return f"whatsapp:{number.e164}" if whatsapp else number.e164
    return ""


@routes.get(f"{_MESSAGES}.json")
async def listed(request: Request, exchange: Here) -> dict[str, Any]:
    wanted = Form(list(request.query_params.multi_items()))
    sent = Period.of(wanted, "DateSent")
    rows = [
        message.json()
        for message in reversed(exchange.messages.all.values())
        if ("To" not in wanted or wanted["To"] == message.to)
        and ("From" not in wanted or wanted["From"] == message.from_)
        and sent.holds(message.sent_at or message.created_at)
    ]
    return page(request, "messages", rows)


@routes.get(f"{_MESSAGES}/{{sid}}.json")
async def fetched(request: Request, exchange: Here, sid: str) -> dict[str, Any]:
    return _message(request, exchange, sid).json()


@routes.post(f"{_MESSAGES}/{{sid}}.json")
async def updated(request: Request, exchange: Here, sid: str, form: Posted) -> dict[str, Any]:
    """An empty Body redacts; Status=canceled stops a message that is only scheduled."""
    message = _message(request, exchange, sid)
    if form["Status"] == "canceled":
        if message.status != "scheduled":
            raise CarrierFault(30409, "Message cannot be canceled: it is not scheduled")
        message.status = "canceled"
    elif "Body" in form and not form["Body"]:
        message.body = ""
    else:
        raise CarrierFault(20001, "only an empty Body or Status=canceled can be set")
    return message.json()


@routes.delete(f"{_MESSAGES}/{{sid}}.json", status_code=204)
async def deleted(request: Request, exchange: Here, sid: str) -> Response:
    del exchange.messages.all[_message(request, exchange, sid).sid]
    return Response(status_code=204)


def _message(request: Request, exchange: Exchange, sid: str) -> Message:
    message = exchange.messages.all.get(sid)
    if message is None:
        raise not_found(request.url.path)
    return message


# --- templates -------------------------------------------------------------------------------------------------------


@routes.post("/v1/Content", status_code=201)
async def create_template(request: Request, exchange: Here) -> dict[str, Any]:
    asked = await request.json()
    types = asked.get("types") if isinstance(asked, dict) else None
    types = {name: kind for name, kind in (types or {}).items() if kind}  # the SDK sends null for the other types
    if not types or not asked.get("language"):
        raise CarrierFault(20001, "language and types are required")
    variables = {str(name): str(value) for name, value in (asked.get("variables") or {}).items()}
    office = exchange.office
    template = Template(
        office.sids.new("HX"),
        office.account.sid,
        str(asked.get("friendly_name") or ""),
        str(asked["language"]),
        variables,
        types,
        office.clock.now(),
    )
    exchange.messages.templates[template.sid] = template
    return template.json()


@routes.get("/v1/Content")
async def templates(request: Request, exchange: Here) -> dict[str, Any]:
    return _page(request, [template.json() for template in exchange.messages.templates.values()])


@routes.get("/v1/ContentAndApprovals")
async def templates_and_approvals(request: Request, exchange: Here) -> dict[str, Any]:
    rows = [{**t.json(), "approval_requests": t.approval} for t in exchange.messages.templates.values()]
    return _page(request, rows)


def _page(request: Request, rows: list[dict[str, Any]]) -> dict[str, Any]:
    url = str(request.url)
    meta = {"page": 0, "page_size": 50, "key": "contents", "url": url, "first_page_url": url}
    return {"contents": rows, "meta": {**meta, "next_page_url": None, "previous_page_url": None}}


@routes.get("/v1/Content/{sid}")
async def template(request: Request, exchange: Here, sid: str) -> dict[str, Any]:
    return _template(request, exchange, sid).json()


@routes.delete("/v1/Content/{sid}", status_code=204)
async def delete_template(request: Request, exchange: Here, sid: str) -> Response:
    del exchange.messages.templates[_template(request, exchange, sid).sid]
    return Response(status_code=204)


@routes.post("/v1/Content/{sid}/ApprovalRequests/whatsapp", status_code=201)
async def submit(request: Request, exchange: Here, sid: str) -> dict[str, Any]:
    found = _template(request, exchange, sid)
    asked = await request.json()
    found.submit(str(asked.get("name", "")), str(asked.get("category", "")))
    return found.approval


@routes.get("/v1/Content/{sid}/ApprovalRequests")
async def approval(request: Request, exchange: Here, sid: str) -> dict[str, Any]:
    found = _template(request, exchange, sid)
    url = f"https://content.twilio.com/v1/Content/{sid}/ApprovalRequests"
    return {"sid": sid, "account_sid": found.account_sid, "url": url, "whatsapp": found.approval}


def _template(request: Request, exchange: Exchange, sid: str) -> Template:
    found = exchange.messages.templates.get(sid)
    if found is None:
        raise not_found(request.url.path)
    return found
