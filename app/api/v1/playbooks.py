"""Playbooks: what is in use, the draft beside it, its faults by line, versions, what changed between two, and back."""

from __future__ import annotations

import difflib
import re
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from app.api.context import Site
from app.api.v1.errors import Invalid
from app.api.v1.principal import Caller
from app.dialog.playbook import parse
from app.dialog.script import Playbook
from app.errors import BadPlaybook, Conflict, NotFound
from app.store import audit, playbook_desk, playbooks
from app.store.connect import Connection
from app.store.playbook_desk import Shelf

router = APIRouter(prefix="/playbooks", tags=["playbooks"])

Name = Annotated[str, Path(pattern=r"^[a-z0-9_-]{1,64}$")]
MOST_YAML = 200_000
_FAULT = re.compile(r"^(?:.*?, line (\d+): )?(.*)$", re.DOTALL)


class PlaybookItem(BaseModel):
    name: str
    version: int
    published_at: datetime
    published_by: str
    draft: bool


class Playbooks(BaseModel):
    items: list[PlaybookItem]


class Fault(BaseModel):
    line: int | None
    message: str


class Asked(BaseModel):
    name: str
    ask: str
    kind: str


class Said(BaseModel):
    name: str
    text: str


class Tier(BaseModel):
    name: str
    price: str


class Key(BaseModel):
    key: str
    does: str


class View(BaseModel):
    """A playbook as people read it."""

    business: str
    language: str
    goal: str
    slots: list[Asked]
    answers: list[Said]
    objections: list[Said]
    tiers: list[Tier]
    menu: list[Key]


class PlaybookDetail(PlaybookItem):
    """`view` and `faults` are of the draft where there is one."""

    yaml: str
    draft_yaml: str | None
    view: View | None
    faults: list[Fault]


class Yaml(BaseModel):
    model_config = ConfigDict(extra="forbid")

    yaml: str = Field(min_length=1, max_length=MOST_YAML)


class Checked(BaseModel):
    faults: list[Fault]
    view: View | None


class VersionOut(BaseModel):
    version: int
    published_at: datetime
    published_by: str
    sha256: str


class Versions(BaseModel):
    items: list[VersionOut]


class VersionText(BaseModel):
    version: int
    yaml: str


class Diff(BaseModel):
    """As a unified diff."""

    diff: str


class Back(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1)


class Published(BaseModel):
    version: int


class NewPlaybook(BaseModel):
    model_config = ConfigDict(extra="forbid")

    yaml: str = Field(min_length=1, max_length=MOST_YAML, description="It names itself: `playbook: NAME`.")


@router.get("", operation_id="playbooks_list")
async def list_(web: Site, caller: Caller) -> Playbooks:
    found = await web.records.user(caller.claims, playbook_desk.shelves)
    return Playbooks(items=[PlaybookItem.model_validate(one, from_attributes=True) for one in found])


@router.post("", operation_id="playbooks_create", status_code=201)
async def create(body: NewPlaybook, web: Site, caller: Caller) -> Published:
    """A new one, published as version 1."""
    book = _whole(body.yaml, "the playbook")

    def write(db: Connection) -> int:
        if playbook_desk.shelf(db, book.name) is not None:
            raise Conflict(f"There is a playbook {book.name} already: save a draft of it instead.")
        version = playbooks.publish(db, book.name, body.yaml, str(caller.user_id))
        audit.write(db, str(caller.user_id), "playbook.publish", book.name, {"version": version})
        return version

    return Published(version=await web.records.user(caller.claims, write))


@router.post("/validate", operation_id="playbooks_validate")
async def validate(body: Yaml, web: Site, caller: Caller) -> Checked:
    """Every fault with its line; nothing is kept."""
    return _checked(body.yaml)


@router.get("/{name}", operation_id="playbooks_get")
async def get(name: Name, web: Site, caller: Caller) -> PlaybookDetail:
    def read(db: Connection) -> tuple[Shelf, str, str | None]:
        shelf = _known(db, name)
        return shelf, playbooks.published(db, name)[1], playbook_desk.draft(db, name)

    shelf, yaml, draft = await web.records.user(caller.claims, read)
    checked = _checked(draft or yaml)
    return PlaybookDetail(
        name=shelf.name,
        version=shelf.version,
        published_at=shelf.published_at,
        published_by=shelf.published_by,
        draft=shelf.draft,
        yaml=yaml,
        draft_yaml=draft,
        view=checked.view,
        faults=checked.faults,
    )


@router.put("/{name}/draft", operation_id="playbooks_save", status_code=204)
async def save(name: Name, body: Yaml, web: Site, caller: Caller) -> None:
    """Kept as it is, faults included; no call is held with it."""

    def write(db: Connection) -> None:
        _known(db, name)
        playbook_desk.save(db, name, body.yaml, str(caller.user_id))

    await web.records.user(caller.claims, write)


@router.post("/{name}/publish", operation_id="playbooks_publish")
async def publish(name: Name, web: Site, caller: Caller) -> Published:
    """The draft becomes the next version; the next call is held with it. 422 with every fault while it has any."""

    def write(db: Connection) -> int:
        _known(db, name)
        draft = playbook_desk.draft(db, name)
        if draft is None:
            raise Conflict("There is no draft to publish: save one first.")
        book = _whole(draft, name)
        if book.name != name:
            raise Invalid(f"This draft calls itself {book.name!r}: write `playbook: {name}`.")
        version = playbooks.publish(db, name, draft, str(caller.user_id))
        playbook_desk.drop(db, name)
        audit.write(db, str(caller.user_id), "playbook.publish", name, {"version": version})
        return version

    return Published(version=await web.records.user(caller.claims, write))


@router.get("/{name}/versions", operation_id="playbooks_versions")
async def versions(name: Name, web: Site, caller: Caller) -> Versions:
    def read(db: Connection) -> list[VersionOut]:
        _known(db, name)
        return [VersionOut.model_validate(one, from_attributes=True) for one in playbook_desk.versions(db, name)]

    return Versions(items=await web.records.user(caller.claims, read))


@router.get("/{name}/versions/{version}", operation_id="playbooks_version")
async def version_(
    name: Name, version: Annotated[int, Path(ge=1, le=2**31 - 1)], web: Site, caller: Caller
) -> VersionText:
    yaml = await web.records.user(caller.claims, lambda db: playbooks.text_of(db, name, version))
    return VersionText(version=version, yaml=yaml)


@router.get("/{name}/diff", operation_id="playbooks_diff")
async def diff(
    name: Name,
    web: Site,
    caller: Caller,
    from_: Annotated[int, Query(alias="from", ge=1, le=2**31 - 1)],
    to: Annotated[int, Query(ge=1, le=2**31 - 1)],
) -> Diff:
    def read(db: Connection) -> tuple[str, str]:
        return playbooks.text_of(db, name, from_), playbooks.text_of(db, name, to)

    old, new = await web.records.user(caller.claims, read)
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"version {from_}", f"version {to}", lineterm="")
    return Diff(diff="\n".join(lines))


@router.post("/{name}/rollback", operation_id="playbooks_rollback")
async def rollback(name: Name, body: Back, web: Site, caller: Caller) -> Published:
    """The old text becomes the newest version: what was published stays published."""

    def write(db: Connection) -> int:
        yaml = playbooks.text_of(db, name, body.version)
        version = playbooks.publish(db, name, yaml, str(caller.user_id))
        audit.write(db, str(caller.user_id), "playbook.rollback", name, {"to": body.version, "as": version})
        return version

    return Published(version=await web.records.user(caller.claims, write))


def _known(db: Connection, name: str) -> Shelf:
    found = playbook_desk.shelf(db, name)
    if found is None:
        raise NotFound(f"There is no playbook {name}.")
    return found


def _whole(yaml: str, name: str) -> Playbook:
    try:
        return parse(yaml, name)
    except BadPlaybook as error:
        faults = _faults(error)
        raise Invalid(
            "The playbook has faults.", fields={f"line {fault.line or '?'}": fault.message for fault in faults}
        ) from error


def _checked(yaml: str) -> Checked:
    try:
        return Checked(faults=[], view=_view(parse(yaml, "the playbook")))
    except BadPlaybook as error:
        return Checked(faults=_faults(error), view=None)


def _faults(error: BadPlaybook) -> list[Fault]:
    found = []
    for line in str(error).splitlines():
        match = _FAULT.match(line)
        if match:
            found.append(Fault(line=int(match[1]) if match[1] else None, message=match[2]))
    return found


def _view(book: Playbook) -> View:
    return View(
        business=book.business.name,
        language=book.language,
        goal=f"{book.business.sells}: {', '.join(book.goals)}".replace("_", " "),
        slots=[Asked(name=fact.name, ask=fact.prompt.ask, kind=fact.type) for fact in book.facts],
        answers=[Said(name=one.name, text=one.say) for one in book.answers if one.kind == "question"],
        objections=[Said(name=one.name, text=one.say) for one in book.answers if one.kind == "objection"],
        tiers=[Tier(name=one.title, price=f"${one.price:,.0f}") for one in book.offers],
        menu=[Key(key=one.key, does=one.goes_to or one.name) for one in sorted(book.menu.choices, key=lambda c: c.key)],
    )
