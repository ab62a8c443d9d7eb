"""A task's message on its way through a worker, with one fault mended.

With late acknowledgement, a broker that goes while tasks run makes their acknowledgements fail. Celery asks for such
errors to be logged and passed over: then nobody learns that the connection is gone, and those messages go on counting
as being worked on. With a prefetch of one per child they are all it may hold: it takes nothing more, for ever, while
looking healthy. Nothing is passed over here: Celery hears of the loss and does what it does for any other, and connects
again.
"""

from __future__ import annotations

from typing import Any

from celery.worker import request


class Request(request.Request):  # type: ignore[misc]
    """`connection_errors` are those that an acknowledgement may end in without anybody being told: none."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **{**named, "connection_errors": ()})
