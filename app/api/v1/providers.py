"""Providers of speech, dialogue and telephone lines: the chains, their circuits and last failures, and a test."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel

from app.api.context import Site
from app.api.v1.principal import Caller
from app.providers.counter import Listed
from app.store import provider_failures
from app.store.provider_failures import Failure

router = APIRouter(prefix="/providers", tags=["providers"])

LOOK_BACK = timedelta(days=7)
STAGE_IN_LOG = {"llm": "dialogue"}


class LastError(BaseModel):
    """`what` in one word: late, limited, server, refused, open or broken; empty where nobody can say."""

    at: datetime
    what: str
    fallback: str
    call_sid: str


class ProviderOut(BaseModel):
    """`place` in its chain, from 1. `key`: whether there is one, never which. `lacking`: settings without which it is
    passed over. `circuit` open: it failed too often and is left alone for a while, by all or by this workspace."""

    name: str
    stage: Literal["stt", "llm", "tts", "carrier"]
    place: int
    key: Literal["set", "missing", "not_needed"]
    lacking: list[str]
    host: str | None
    model: str | None
    circuit: Literal["closed", "open"]
    last_error: LastError | None


class ProvidersOut(BaseModel):
    items: list[ProviderOut]
    next_cursor: None = None


class TestedOut(BaseModel):
    """`ok` null: it cannot be asked outside a call. `what` failed in one word: unset, late, limited, server, refused or
    broken; `code` is the provider's own number."""

    stage: Literal["stt", "llm", "tts", "carrier"]
    ok: bool | None
    took_ms: int
    what: str
    code: int | None


class TestOut(BaseModel):
    name: str
    results: list[TestedOut]


Name = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,40}$")]


@router.get("", operation_id="providers_list")
async def list_(web: Site, caller: Caller) -> ProvidersOut:
    """In the order in which they are asked; failures are those of this workspace's calls in a week."""
    since = web.now() - LOOK_BACK
    failed = await web.records.user(caller.claims, lambda db: provider_failures.latest(db, since))
    mine = ("", str(caller.workspace_id))
    open_ = {(one.stage, one.provider) for one in await web.circuits() if one.tenant in mine}
    places: dict[str, int] = {}
    items = []
    for one in web.providers.listed():
        places[one.stage] = places.get(one.stage, 0) + 1
        items.append(_shown(one, places[one.stage], (one.stage, one.name) in open_, failed))
    return ProvidersOut(items=items)


@router.post("/{name}/test", operation_id="providers_test")
async def test(name: Name, web: Site, caller: Caller) -> TestOut:
    """One small real request in every stage that names it, with a limit of time; what runs on this machine answers at
    once. 404 for a name that no chain has."""
    found = await web.providers.test(name)
    results = [
        TestedOut.model_validate(
            {"stage": one.stage, "ok": one.ok, "took_ms": one.took_ms, "what": one.kind, "code": one.code}
        )
        for one in found
    ]
    return TestOut(name=name, results=results)


def _shown(one: Listed, place: int, is_open: bool, failed: tuple[Failure, ...]) -> ProviderOut:
    stage = STAGE_IN_LOG.get(one.stage, one.stage)
    last = next((each for each in failed if (each.stage, each.provider) == (stage, one.name)), None)
    key = "not_needed" if one.key is None else "set" if one.key else "missing"
    error = LastError(at=last.at, what=last.kind, fallback=last.fallback, call_sid=last.call_sid) if last else None
    return ProviderOut.model_validate(
        {
            "name": one.name,
            "stage": one.stage,
            "place": place,
            "key": key,
            "lacking": list(one.lacking),
            "host": one.host,
            "model": one.model,
            "circuit": "open" if is_open else "closed",
            "last_error": error,
        }
    )
