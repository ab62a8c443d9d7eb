"""REST: conferences and who is in them."""

from __future__ import annotations

from typing import Annotated, Any
from xml.etree.ElementTree import Element, SubElement, tostring

from fastapi import APIRouter, Depends, Request, Response

from app.errors import CarrierFault
from app.exchange.account import API_VERSION, rfc2822
from app.exchange.conference import Member, Room
from app.exchange.exchange import Exchange, Order
from app.exchange.leg import Subscription
from app.exchange.numbers import check_call
from app.exchange.office import Instruction
from app.exchange.rest_forms import Form, exchange_of, form_of, not_found, page

routes = APIRouter(prefix=f"/{API_VERSION}/Accounts/{{account}}/Conferences")
Here = Annotated[Exchange, Depends(exchange_of)]
Posted = Annotated[Form, Depends(form_of)]


@routes.get(".json")
async def listed(request: Request, exchange: Here) -> dict[str, Any]:
    wanted = Form(list(request.query_params.multi_items()))
    rows = [
        room.json()
        for room in reversed(exchange.office.rooms.all)
        if ("FriendlyName" not in wanted or wanted["FriendlyName"] == room.name)
        and ("Status" not in wanted or wanted["Status"] == room.status)
    ]
    return page(request, "conferences", rows)


@routes.get("/{sid}.json")
async def fetched(request: Request, exchange: Here, sid: str) -> dict[str, Any]:
    return _room(request, exchange, sid).json()


@routes.post("/{sid}.json")
async def updated(request: Request, exchange: Here, sid: str, form: Posted) -> dict[str, Any]:
    room = _room(request, exchange, sid)
    if form["Status"] == "completed":
        room.dismiss("conference_ended_via_api")
    return room.json()


@routes.get("/{sid}/Participants.json")
async def participants(request: Request, exchange: Here, sid: str) -> dict[str, Any]:
    room = _room(request, exchange, sid)
    return page(request, "participants", [room.participant_json(member) for member in room.members])


@routes.post("/{sid}/Participants.json", status_code=201)
async def invite(request: Request, exchange: Here, sid: str, form: Posted) -> dict[str, Any]:
    """Calls somebody into a conference, which is opened if there is none. Raises 16025 for a label already taken."""
    check_call(exchange.office, form["To"], form["From"])
    room = exchange.office.rooms.find(sid)
    label = form["Label"]
    if room is not None and label and any(member.label == label for member in room.members):
        raise CarrierFault(16025, f"a participant labelled {label!r} is already in the conference")
    name = room.name if room is not None else sid
    room = room or exchange.office.rooms.open(name)
    order = Order(
        to=form["To"],
        from_=form["From"],
        instruction=Instruction(twiml=_twiml(name, label, form)),
        subscription=Subscription(
            form["StatusCallback"],
            form["StatusCallbackMethod"] or "POST",
            form.all("StatusCallbackEvent") or ("completed",),
        ),
        timeout_s=form.number("Timeout", 60, 0, 600),
    )
    call = exchange.place(order)
    return {
        "account_sid": call.account_sid,
        "call_sid": call.sid,
        "conference_sid": room.sid,
        "label": label or None,
        "muted": form.flag("Muted"),
        "hold": False,
        "coaching": form.flag("Coaching"),
        "call_sid_to_coach": form["CallSidToCoach"] or None,
        "start_conference_on_enter": form["StartConferenceOnEnter"] != "false",
        "end_conference_on_exit": form.flag("EndConferenceOnExit"),
        "status": "queued",
        "queue_time": "0",
        "date_created": rfc2822(call.created_at),
        "date_updated": rfc2822(call.created_at),
        "uri": f"{room.uri}/Participants/{call.sid}.json",
    }


def _twiml(name: str, label: str, form: Form) -> str:
    root = Element("Response")
    attributes = {
        "participantLabel": label,
        "muted": form["Muted"] or "false",
        "startConferenceOnEnter": form["StartConferenceOnEnter"] or "true",
        "endConferenceOnExit": form["EndConferenceOnExit"] or "false",
        "statusCallback": form["ConferenceStatusCallback"],
        "statusCallbackEvent": " ".join(form.all("ConferenceStatusCallbackEvent")),
    }
    if form.flag("Coaching"):
        attributes["coach"] = form["CallSidToCoach"]
    SubElement(SubElement(root, "Dial"), "Conference", attributes).text = name
    return tostring(root, encoding="unicode")


@routes.get("/{sid}/Participants/{who}.json")
async def participant(request: Request, exchange: Here, sid: str, who: str) -> dict[str, Any]:
    room, member = _member(request, exchange, sid, who)
    return room.participant_json(member)


@routes.post("/{sid}/Participants/{who}.json")
async def change(request: Request, exchange: Here, sid: str, who: str, form: Posted) -> dict[str, Any]:
    room, member = _member(request, exchange, sid, who)
    room.change(
        member,
        muted=form.flag("Muted") if "Muted" in form else None,
        hold=form.flag("Hold") if "Hold" in form else None,
    )
    if "Coaching" in form:
        member.coaching = form.flag("Coaching")
        member.coached = form["CallSidToCoach"] or member.coached
    return room.participant_json(member)


@routes.delete("/{sid}/Participants/{who}.json", status_code=204)
async def remove(request: Request, exchange: Here, sid: str, who: str) -> Response:
    _, member = _member(request, exchange, sid, who)
    if not member.done.done():
        member.done.set_result("participant_updated_via_api")
    return Response(status_code=204)


def _room(request: Request, exchange: Exchange, sid: str) -> Room:
    room = exchange.office.rooms.find(sid)
    if room is None:
        raise not_found(request.url.path)
    return room


def _member(request: Request, exchange: Exchange, sid: str, who: str) -> tuple[Room, Member]:
    room = _room(request, exchange, sid)
    for member in room.members:
        if who in {member.call_sid, member.label}:
            return room, member
    raise not_found(request.url.path)
