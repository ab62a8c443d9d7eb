"""The replies of a speech-to-speech call: asked for one at a time, given up, remembered as far as they were heard."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from typing import Any

from app.providers.realtime_answer import Answer
from app.providers.realtime_wire import Wire

_CANCEL_S = 0.5


class Answers:
    """Those of one call."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._asked: dict[str, Answer] = {}  # by the name we gave the request
        self._names = count(1)
        self._open: Answer | None = None  # the reply in the conversation that may still be spoken
        self._unknown: deque[str] = deque(maxlen=16)  # lines of ours the server has not heard of

    @property
    def current(self) -> Answer | None:
        """The reply that is being spoken, or may be."""
        return self._open

    async def ask(self, request: Mapping[str, Any], *, aside: bool = False) -> Answer:
        """Asks for a reply; `aside` keeps it out of the conversation. Raises ProviderDown."""
        if not aside:
            await self.close()
            while self._unknown:
                await self._tell(self._unknown.popleft())
        answer = Answer(str(next(self._names)))
        self._asked[answer.name] = answer
        where = {"conversation": "none", "input": []} if aside else {}
        wanted = {**request, **where, "metadata": {"ask": answer.name}}
        await self._wire.send({"type": "response.create", "event_id": answer.name, "response": wanted})
        if not aside:
            self._open = answer
        return answer

    async def cancel(self, answer: Answer) -> None:
        """The server makes no other reply in the conversation before it says that this one is over."""
        answer.fail("cancelled")
        if answer.over.is_set() or not self._wire.connected:
            return
        which = {"response_id": answer.response_id} if answer.response_id else {}
        await self._wire.send({"type": "response.cancel", **which})
        with suppress(TimeoutError):
            async with asyncio.timeout(_CANCEL_S):
                await answer.over.wait()

    async def close(self) -> None:
        """The last reply is over: the server remembers of it what the caller heard."""
        answer, self._open = self._open, None
        if answer is None or not self._wire.connected:
            return
        await self.cancel(answer)
        self._asked.pop(answer.name, None)
        if not answer.item_id:
            return
        if not answer.heard_ms:
            await self._wire.send({"type": "conversation.item.delete", "item_id": answer.item_id})
        elif answer.heard_ms < answer.audio_ms:
            cut = {"item_id": answer.item_id, "content_index": 0, "audio_end_ms": answer.heard_ms}
            await self._wire.send({"type": "conversation.item.truncate", **cut})

    def remember(self, text: str) -> None:
        """A line of ours that did not come from the conversation: the server is told before the next reply."""
        self._unknown.append(text)

    async def _tell(self, text: str) -> None:
        content = [{"type": "output_text", "text": text}]
        item = {"type": "message", "role": "assistant", "content": content}
        await self._wire.send({"type": "conversation.item.create", "item": item})

    def take(self, kind: str, event: Any) -> None:
        """An event about one of them; what the server makes of its own accord is passed over."""
        if kind == "response.created":
            metadata = getattr(event.response, "metadata", None) or {}
            if answer := self._asked.get(str(metadata.get("ask", ""))):
                answer.response_id = event.response.id
            return
        response_id = getattr(event, "response_id", "") or getattr(getattr(event, "response", None), "id", "")
        for answer in tuple(self._asked.values()):
            if answer.response_id and answer.response_id == response_id:
                answer.take(kind, event)

    def refused(self, name: str, code: str) -> None:
        """The server did not take the request."""
        if answer := self._asked.get(name):
            answer.fail(code)
            answer.over.set()

    def lost(self) -> None:
        for answer in self._asked.values():
            answer.fail("the connection is gone")
