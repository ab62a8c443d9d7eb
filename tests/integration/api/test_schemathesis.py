"""Requests that nobody would think of, made from the document: no failure of ours, no answer the document lacks.

A few for each operation here; `make security` sends many (STROWGER_FUZZ sets how many).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.api.context import Web
from app.api.issuer import ALGORITHM, AUDIENCE, ISSUER
from app.api.v1.principal import claims_for
from app.embedded.launch import free_port
from app.main import create_app

from .conftest import _quiet, api_settings, furnish, id_of
from .examples import DOCUMENT

pytestmark = pytest.mark.integration

EACH = int(os.environ.get("STROWGER_FUZZ", "4"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def served(fresh_database: Callable[[], Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of a server, and an owner's token for it."""
    with fresh_database() as url:
        furnish(url)
        port = free_port(0)
        place = tmp_path_factory.mktemp("fuzz")
        address = f"http://127.0.0.1:{port}"
        app = create_app(api_settings(url, Path(place), public_url=address, log="json"), hosting=_quiet)
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", ws="none"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield address, _lasting_token(app.state.web)
        server.should_exit = True
        thread.join(10)


def _lasting_token(web: Web) -> str:
    """An owner's, for as long as a long run takes."""
    claims = claims_for(id_of("a", "owner"), id_of("a", "workspace"))
    now = web.now()
    claims |= {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + timedelta(hours=2)}
    return jwt.encode(claims, web.issuer.keys()[0], ALGORITHM)


OPERATIONS = [found.ok() for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()]


# One test for each operation: schemathesis' own parametrisation makes subtests, whose failures are lost between the
# processes of a parallel run.
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_the_api_answers_as_its_document_says(operation: Any, served: tuple[str, str]) -> None:
    address, token = served

    @settings(
        max_examples=EACH,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}
        case.call_and_validate(base_url=address, checks=CHECKS, timeout=20)

    send()
