"""Puts people of ours through to a live call, wherever it is held: in this process, in another behind the same port, or
on another machine.

A neighbour is told over the channel of news, and asked over a trunk for what has sound: it mixes what a listener hears,
and answers the offer of a browser's telephone itself, so that what is said goes from the browser to it and no other
way. Another machine is asked through Redis, and for no sound.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from app import observe
from app.api.abroad import Abroad
from app.api.news import AskedToEnd, PassedOn
from app.api.switchboard import Switchboard
from app.api.trunks import Ask, Reply, Trunk, Trunks, Unanswered
from app.api.v1.errors import HeldElsewhere
from app.dialog.events import HandedBack, Overheard, TakenOver, Whispered
from app.errors import BadInput, Conflict, StrowgerError
from app.phone.earpiece import FRAME_BYTES
from app.phone.patch import Listener, Patch
from app.store.calls import CallRow

if TYPE_CHECKING:  # aiortc brings much along; it is loaded when somebody phones
    from app.phone.browser import Browser
    from app.phone.takeover import PatchedLine

log = observe.log(__name__)

NOT_GOING_ON = "This call is not going on."
CHANGING = "This call is just moving to another process. Try again in a moment."
FAR = (
    "This call is held by another machine, or was lost with it. From here it can be whispered into and ended, "
    "if that machine answers, but neither listened to nor taken over."
)
_ERRORS: dict[str, type[StrowgerError]] = {kind.code: kind for kind in (BadInput, Conflict)}


async def _nothing() -> None:
    return


@dataclass(frozen=True, slots=True)
class Joined:
    """`talk` is to run once the browser has the answer, until either side is gone; where another process talks with the
    browser it does nothing."""

    sdp: str
    talk: Callable[[], Awaitable[None]] = _nothing


class Attendant:
    def __init__(
        self, board: Switchboard, trunks: Trunks | None, abroad: Abroad, ice_servers: tuple[str, ...] = ()
    ) -> None:
        self._board, self._trunks, self._abroad = board, trunks, abroad
        self._ice_servers = ice_servers

    # Each raises Conflict for a call that is not going on, and HeldElsewhere for one that cannot be reached from here.

    async def tell(self, call: CallRow, news: TakenOver | HandedBack | Whispered) -> None:
        if self._board.tell(call.call_sid, news):
            return
        self._look_far(call)
        if isinstance(news, Whispered) and await self._abroad.ask(PassedOn(call.call_sid, news.who, news.text)):
            return
        raise HeldElsewhere(FAR)

    async def end(self, call: CallRow, reason: str) -> None:
        if self._board.end(call.call_sid, reason):
            return
        self._look_far(call)
        if not await self._abroad.ask(AskedToEnd(call.call_sid, reason)):
            raise HeldElsewhere(FAR)

    def look(self, call: CallRow) -> None:
        """Raises as all do, for somebody who will ask to listen."""
        if self._board.patch(call.call_sid) is None and self._board.held_at(call.call_sid) is None:
            self._look_far(call)
            raise HeldElsewhere(FAR)

    @asynccontextmanager
    async def listening(self, call: CallRow) -> AsyncIterator[Listener]:
        """Both sides of the call."""
        if patch := self._board.patch(call.call_sid):
            with patch.listening() as listener:
                yield listener
            return
        async with self._asking(call, Ask(call.call_sid)) as (_, trunk):
            listener = Listener(agent_too=True)
            carrying = asyncio.ensure_future(_carry(trunk, listener))
            try:
                yield listener
            finally:
                carrying.cancel()
                await asyncio.wait((carrying,))

    async def join(self, call: CallRow, who: str, sdp: str) -> Joined:
        """A browser's telephone, by its offer, to speak on the call once it is taken over. Raises BadInput for an offer
        that is none."""
        if patch := self._board.patch(call.call_sid):
            return await self._join_here(patch, call.call_sid, who, sdp)
        async with self._asking(call, Ask(call.call_sid, who, sdp)) as (reply, _):
            return Joined(reply.sdp)

    async def answer(self, trunk: Trunk) -> None:
        """To another process, for a call of this one."""
        ask = await trunk.hear(Ask)
        patch = self._board.patch(ask.call_sid)
        if patch is None:
            await trunk.say(Reply(code=Conflict.code, detail=CHANGING))
        elif ask.sdp is None:
            await trunk.say(Reply())
            with patch.listening() as listener:
                while (piece := await listener.pieces.get()) is not None:
                    trunk.writer.write(piece)
                    await trunk.writer.drain()
        else:
            await self._answer_offer(trunk, patch, ask, ask.sdp)

    async def _answer_offer(self, trunk: Trunk, patch: Patch, ask: Ask, sdp: str) -> None:
        try:
            joined = await self._join_here(patch, ask.call_sid, ask.who, sdp)
        except StrowgerError as error:
            await trunk.say(Reply(code=error.code, detail=str(error)))
            return
        await trunk.say(Reply(joined.sdp))
        await joined.talk()

    async def _join_here(self, patch: Patch, sid: str, who: str, sdp: str) -> Joined:
        from app.phone.browser import Browser, Offer
        from app.phone.takeover import PatchedLine

        line = PatchedLine(patch, lambda text: self._board.tell(sid, Overheard(who, text)))
        browser = Browser(line, self._ice_servers)
        answer = await browser.answer(Offer(sdp, "offer"))
        return Joined(answer.sdp, partial(self._speak, browser, line, sid, who))

    async def _speak(self, browser: Browser, line: PatchedLine, sid: str, who: str) -> None:
        """A browser that goes away hands the call back: the caller is never left with nobody."""
        reason = await browser.talk(line.talk)
        self._board.tell(sid, HandedBack(who))
        log.info("patched out", call=sid, reason=reason)

    @asynccontextmanager
    async def _asking(self, call: CallRow, ask: Ask) -> AsyncIterator[tuple[Reply, Trunk]]:
        """Of the neighbour that holds it; the reply is no error."""
        place = self._board.held_at(call.call_sid)
        if place is None or self._trunks is None:
            self._look_far(call)
            raise HeldElsewhere(FAR)
        try:
            async with self._trunks.asking(place, ask) as (reply, trunk):
                if reply.code is not None:
                    raise _ERRORS.get(reply.code, Conflict)(reply.detail)
                yield reply, trunk
        except Unanswered as error:
            raise Conflict(CHANGING) from error

    def _look_far(self, call: CallRow) -> None:
        """Raises Conflict unless another machine may hold it: nobody behind this port does."""
        if call.ended_at is not None or self._board.knows(call.call_sid):
            raise Conflict(NOT_GOING_ON)


async def _carry(trunk: Trunk, listener: Listener) -> None:
    """20 ms at a time; whoever listens on a slow line misses the oldest here, as they would there."""
    try:
        while True:
            listener.mixed(await trunk.reader.readexactly(FRAME_BYTES))
    except (asyncio.IncompleteReadError, OSError):
        listener.over()
