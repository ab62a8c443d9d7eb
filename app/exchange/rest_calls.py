"""REST: calls and their recordings."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from app.errors import CarrierFault
from app.exchange.account import API_VERSION
from app.exchange.calls import EVENTS, Call, Status
from app.exchange.exchange import Detection, Exchange, Order
from app.exchange.leg import Recorded, Subscription
from app.exchange.numbers import check_call
from app.exchange.office import Instruction
from app.exchange.rest_forms import Form, Period, exchange_of, form_of, not_found, page

routes = APIRouter(prefix=f"/{API_VERSION}/Accounts/{{account}}")
Here = Annotated[Exchange, Depends(exchange_of)]
Posted = Annotated[Form, Depends(form_of)]

LONGEST_TWIML = 4000


@routes.post("/Calls.json", status_code=201)
async def create(exchange: Here, form: Posted) -> dict[str, Any]:
    return exchange.place(order_of(exchange, form)).json()


def order_of(exchange: Exchange, form: Form) -> Order:
    """Raises CarrierFault for what the API refuses at once."""
    check_call(exchange.office, form["To"], form["From"])
    events = form.all("StatusCallbackEvent") or ("completed",)
    for event in events:
        if event not in EVENTS:
            exchange.office.alert(21626, f"StatusCallbackEvent {event!r} is not valid")
    return Order(
        to=form["To"],
        from_=form["From"],
        instruction=_instruction(form),
        subscription=Subscription(form["StatusCallback"], form["StatusCallbackMethod"] or "POST", events),
        timeout_s=form.number("Timeout", 60, 0, 600),
        time_limit_s=form.number("TimeLimit", 14_400, 1),
        send_digits=form["SendDigits"],
        recorded=_recorded(form),
        detection=_detection(exchange, form),
    )


def _instruction(form: Form) -> Instruction:
    """`Url` beats `Twiml`. Raises CarrierFault 21205."""
    if form["Url"]:
        return Instruction(_url(form, "Url"), form["Method"] or "POST", fallback=form["FallbackUrl"])
    if form["Twiml"]:
        if len(form["Twiml"]) > LONGEST_TWIML:
            raise CarrierFault(21205, f"Twiml is longer than {LONGEST_TWIML} characters")
        return Instruction(twiml=form["Twiml"], fallback=form["FallbackUrl"])
    if form["ApplicationSid"]:
        raise CarrierFault(21218, f"ApplicationSid {form['ApplicationSid']} is not valid")
    raise CarrierFault(21205, "Url parameter is required.")


def _url(form: Form, name: str) -> str:
    parts = urlsplit(form[name])
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise CarrierFault(21205, f"{name} is not a valid URL: {form[name]}")
    return form[name]


def _recorded(form: Form) -> Recorded | None:
    if not form.flag("Record"):
        return None
    return Recorded(form["RecordingChannels"] == "dual", form["RecordingStatusCallback"])


def _detection(exchange: Exchange, form: Form) -> Detection | None:
    if form["MachineDetection"] not in {"Enable", "DetectMessageEnd"} or form["SendDigits"]:
        return None
    if form.flag("AsyncAmd") and not form["AsyncAmdStatusCallback"]:
        exchange.office.alert(21262, "AsyncAmd without AsyncAmdStatusCallback")
    return Detection(
        form.flag("AsyncAmd"), form["AsyncAmdStatusCallback"], form["AsyncAmdStatusCallbackMethod"] or "POST"
    )


@routes.get("/Calls.json")
async def listed(request: Request, exchange: Here) -> dict[str, Any]:
    wanted = Form(list(request.query_params.multi_items()))
    started, ended = Period.of(wanted, "StartTime"), Period.of(wanted, "EndTime")
    calls = [
        call
        for call in reversed(exchange.office.calls.values())
        if _matches(call, wanted) and started.holds(call.started_at or call.created_at) and ended.holds(call.ended_at)
    ]
    return page(request, "calls", [call.json() for call in calls])


def _matches(call: Call, wanted: Form) -> bool:
    simple = {"To": call.to, "From": call.from_, "Status": call.json()["status"], "ParentCallSid": call.parent_sid}
    return all(name not in wanted or wanted[name] == value for name, value in simple.items())


@routes.get("/Calls/{sid}.json")
async def fetched(request: Request, exchange: Here, sid: str) -> dict[str, Any]:
    return _call(request, exchange, sid).json()


@routes.post("/Calls/{sid}.json")
async def updated(request: Request, exchange: Here, sid: str, form: Posted) -> dict[str, Any]:
    """Ends a call, or gives it other instructions at once."""
    call = _call(request, exchange, sid)
    leg = exchange.office.legs.get(sid)
    if call.over or leg is None:
        raise CarrierFault(21220, "Call is not in-progress. Cannot redirect.")
    match form["Status"]:
        case "completed":
            leg.hang_up()
        case "canceled" if call.status is not Status.IN_PROGRESS:
            leg.hang_up()
        case "canceled":
            raise CarrierFault(21220, "Call is in-progress. Cannot cancel.")
        case "":
            if call.status is not Status.IN_PROGRESS:
                raise CarrierFault(21220, "Call is not in-progress. Cannot redirect.")
            leg.redirect(_instruction(form))
        case other:
            raise CarrierFault(20001, f"Status {other!r} is neither completed nor canceled")
    return call.json()


@routes.delete("/Calls/{sid}.json", status_code=204)
async def deleted(request: Request, exchange: Here, sid: str) -> Response:
    if not _call(request, exchange, sid).over:
        raise CarrierFault(20009, "Cannot delete a call that is in progress", 409)
    del exchange.office.calls[sid]
    return Response(status_code=204)


def _call(request: Request, exchange: Exchange, sid: str) -> Call:
    call = exchange.office.calls.get(sid)
    if call is None:
        raise not_found(request.url.path)
    return call


# --- recordings ------------------------------------------------------------------------------------------------------


@routes.get("/Recordings.json")
async def recordings(request: Request, exchange: Here) -> dict[str, Any]:
    wanted = request.query_params.get("CallSid")
    return _recordings(request, exchange, wanted)


@routes.get("/Calls/{sid}/Recordings.json")
async def recordings_of_call(request: Request, exchange: Here, sid: str) -> dict[str, Any]:
    return _recordings(request, exchange, sid)


def _recordings(request: Request, exchange: Exchange, call_sid: str | None) -> dict[str, Any]:
    kept = [
        recording.json()
        for recording in reversed(exchange.office.recordings.values())
        if call_sid is None or recording.call_sid == call_sid
    ]
    return page(request, "recordings", kept)


@routes.get("/Recordings/{name}")
async def recording(request: Request, exchange: Here, name: str) -> Response:
    """`RE….json` is the resource; `RE….wav` and `RE…` the audio, with `RequestedChannels=2` both sides."""
    sid, _, kind = name.partition(".")
    found = exchange.office.recordings.get(sid)
    if found is None or kind not in {"json", "wav", ""}:
        raise not_found(request.url.path)
    if kind == "json":
        return JSONResponse(found.json())
    channels = 2 if request.query_params.get("RequestedChannels") == "2" else 1
    return Response(found.wav(channels), media_type="audio/x-wav")


@routes.delete("/Recordings/{name}", status_code=204)
async def forget(request: Request, exchange: Here, name: str) -> Response:
    if exchange.office.recordings.pop(name.removesuffix(".json"), None) is None:
        raise not_found(request.url.path)
    return Response(status_code=204)
