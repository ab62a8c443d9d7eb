"""Puts the API together: every module of this package that has a `router` is part of it."""

from __future__ import annotations

import importlib
import pkgutil

from fastapi import APIRouter, Depends, FastAPI

from app.api import v1
from app.api.v1.admission import admit

PREFIX = "/api/v1"


def add_to(whole: FastAPI | APIRouter) -> None:
    """Under its prefix, which has to be named here: without one FastAPI would build each route once more to look at
    its path."""
    api = APIRouter(dependencies=[Depends(admit, scope="function")])
    for found in sorted(pkgutil.iter_modules(v1.__path__), key=lambda one: one.name):
        part = getattr(importlib.import_module(f"{v1.__name__}.{found.name}"), "router", None)
        if isinstance(part, APIRouter):
            api.include_router(part)
    whole.include_router(api, prefix=PREFIX)
