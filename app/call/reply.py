"""One reply: from the dialogue's first move to the last sound at the caller's ear.

Something is always heard in time. An answer that is late is acknowledged first (waiting.py); when nothing has come
`filler_ms` after the caller fell silent, a filler is spoken; when nothing has come `give_up_ms` after, or the dialogue
or text to speech fails or stalls, a stand-in line takes the place of the rest, and what would have come later is thrown
away. The second failure in a row, or one of a goodbye, ends the call with an apology.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count

from app.call.ledger import Ledger, Utterance
from app.call.log import CallLog
from app.call.moves import Committing, Failed, LineBegan, LineEnded, Noted, Output, Production, Through
from app.call.setup import Parts, ReadyLine, StandIns
from app.call.waiting import Waiting, acknowledge_at_ms
from app.dialog.events import Fact, ProviderFailed, ReplyBegan, ReplyEnded, Signal, TurnTimed
from app.dialog.patience import Patience
from app.errors import ProviderError
from app.ports import Commit, Line, Note, Played, Speech, TellsItsPace

_LEAST_WAIT_MS = 400  # a reply asked for late gets this much before the filler
_LOOK_MS = 20  # how often we ask whether the answer is late
_OWN_VOICE_S = 0.35  # a stand-in is heard in the call's own voice if that begins by then, else from its recording
_STAND_IN_S = 2.0  # a stand-in without a recording must have been synthesised by then


@dataclass(slots=True)
class Scene:
    """What the replies of one call share."""

    line: Line
    parts: Parts
    log: CallLog
    stand_ins: StandIns
    patience: Patience
    commit: Callable[[Fact], Awaitable[None]]
    utterances: count[int] = field(default_factory=lambda: count(1))
    failures: int = 0  # in a row
    voiceless: bool = False  # text to speech failed in the last reply
    offered_ms: int | None = None  # a person was offered in place of us, since then
    waiting: Waiting = field(init=False)

    def __post_init__(self) -> None:
        self.waiting = Waiting(self.stand_ins)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which turn is answered, when the caller fell silent, when its words were known, when we took the turn, and when
    the answer was begun if that was before."""

    turn: int
    stopped_ms: int
    transcript_ms: int | None
    decided_ms: int
    closing: bool = False
    timed: bool = True  # a nudge answers nobody
    drafted_ms: int | None = None


class Reply:
    """`run` once, then `settle` with what was cut (nothing, if nothing was)."""

    def __init__(self, scene: Scene, asked: Asked, production: Production, post: Callable[[Signal], None]) -> None:
        self._scene, self._asked, self._production, self._post = scene, asked, production, post
        self._ledger = Ledger(scene.log, asked.turn)
        self._said: asyncio.Queue[Utterance | None] = asyncio.Queue()
        self._current: Utterance | None = None
        self._last: Output | None = None
        self._acknowledged = False
        self._skipping = False  # a line of thanks, when we have just acknowledged
        self._filled = False
        self._waiting_from_ms = asked.stopped_ms
        self._quiet_from_ms = asked.stopped_ms  # the caller hears nothing from then on, as far as we know
        self._spoke = False
        self._times: dict[str, int] = {}
        self._timed = not asked.timed

    async def run(self) -> None:
        """Ends when all of it was heard; then says so."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(), name="follow")
            finish = await self._consume()
            self._said.put_nowait(None)
        self._post(ReplyEnded(closes=finish is not None, reason=finish or "finished"))

    async def say(self, ready: ReadyLine) -> None:
        """That and nothing else, to its end."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(), name="follow")
            await self._stand_in(ready)
            self._said.put_nowait(None)

    async def settle(self, cut: tuple[Played, ...] = ()) -> None:
        """The ledger's last word on every line, also to the dialogue. What the dialogue wanted to be known is known,
        heard out or not."""
        await self._production.stopped()
        for left in self._production.left():
            match left:
                case Note(fact):
                    self._scene.log.write(fact)
                case Commit(fact):
                    await self._scene.commit(fact)
        by_number = {played.utterance: played for played in cut}
        for utterance in tuple(self._ledger.unsettled()):
            played = by_number.get(utterance.number)
            if played is None and utterance.audio_ms:
                played = await self._scene.line.played(utterance.number)  # known: it was played to its end
            self._ledger.settle(utterance, played or Played(utterance.number, 0, 0))
        self._write_times()
        for heard in self._ledger.heard():
            self._scene.parts.dialogue.heard(heard)

    def word_ms(self, held: Played) -> int:
        """Where the word began in whose middle the caller stopped hearing us."""
        return self._ledger.word_ms(held)

    # --- what is to be said comes in here ---

    async def _consume(self) -> str | None:
        """The reason to end the call, or None."""
        while True:
            try:
                async with asyncio.timeout(self._wait_s()):
                    at_ms, output = await self._production.outputs.get()
            except TimeoutError:
                if self._may_acknowledge():
                    if self._scene.line.now_ms() >= self._acknowledge_at_ms():
                        self._acknowledged = await self._acknowledge()
                    continue
                if self._may_fill():
                    self._filled = True
                    await self._stand_in(self._scene.waiting.filler())
                    continue
                self._production.cancel()
                waited_ms = self._scene.line.now_ms() - self._quiet_from_ms
                return await self._replace(Failed(self._stage(), f"nothing for {waited_ms} ms", "late"))
            if isinstance(output, Noted):  # nobody hears it
                self._scene.log.write(output.fact)
                continue
            if isinstance(self._last, Committing):  # the dialogue did not keep us waiting
                self._waiting_from_ms = self._quiet_from_ms = max(self._quiet_from_ms, self._scene.line.now_ms())
            self._last = output
            match output:
                case Through(finish):
                    self._scene.failures, self._scene.voiceless = 0, False
                    return finish
                case Failed():
                    return await self._replace(output)
                case _:
                    self._take(output, at_ms)

    def _take(self, output: Output, at_ms: int) -> None:
        match output:
            case LineBegan(line):
                self._times.setdefault("first_phrase_ms", at_ms)
                self._current = self._ledger.enter(next(self._scene.utterances), line)
                self._skipping = self._acknowledged and not self._spoke and line.purpose == "acknowledge"
            case Speech() if self._skipping:
                pass
            case Speech() if self._current is not None:
                self._times.setdefault("first_audio_ms", at_ms)
                self._speak(self._current, output)
                self._spoke = True
            case LineEnded() if self._current is not None:
                self._current.finished = True
                self._end_line()

    def _speak(self, utterance: Utterance, speech: Speech) -> None:
        if not speech.mulaw:
            return
        if not utterance.audio_ms:
            self._said.put_nowait(utterance)
        before_ms = utterance.audio_ms
        utterance.add(speech)
        line = self._scene.line
        line.play(utterance.number, speech.mulaw)
        now_ms = line.now_ms()
        self._times.setdefault("first_sent_ms", now_ms)
        self._quiet_from_ms = max(self._quiet_from_ms, now_ms) + utterance.audio_ms - before_ms

    def _end_line(self) -> None:
        if self._current is not None:
            self._scene.line.end_utterance(self._current.number)
            self._current = None

    # --- when it does not come ---

    def _stage(self) -> str:
        return "tts" if isinstance(self._last, LineBegan | Speech) else "dialogue"

    def _may_fill(self) -> bool:
        """One filler covers a slow start; a slow commit, which ends by itself, gets as many as it takes. A reply that
        dies in the middle needs an apology instead."""
        return isinstance(self._last, Committing) or not (self._filled or self._spoke)

    def _may_acknowledge(self) -> bool:
        """Before the dialogue has said a word. Nobody acknowledges a goodbye, or the caller's silence."""
        answers = self._asked.timed and not self._asked.closing
        return self._scene.waiting.acknowledges and answers and self._last is None and not self._acknowledged

    def _acknowledge_at_ms(self) -> int:
        """As far as is known now: the dialogue may not have been asked yet, or begin to answer."""
        dialogue, now_ms = self._scene.parts.dialogue, self._scene.line.now_ms()
        late_in_s = dialogue.late_in_s() if isinstance(dialogue, TellsItsPace) else None
        late_ms = None if late_in_s is None else now_ms + round(late_in_s * 1000)
        return acknowledge_at_ms(self._scene.patience, self._asked.stopped_ms, self._asked.decided_ms, late_ms)

    async def _acknowledge(self) -> bool:
        """Unless the answer is there by now. True in any case: it is not tried twice."""
        if self._production.outputs.empty():
            await self._stand_in(self._scene.waiting.acknowledgement())
        return True

    def _wait_s(self) -> float:
        patience, now_ms, decided_ms = self._scene.patience, self._scene.line.now_ms(), self._asked.decided_ms
        if self._may_acknowledge():
            return min(max(0, self._acknowledge_at_ms() - now_ms), _LOOK_MS) / 1000
        if self._may_fill() or self._spoke:
            due_ms = self._quiet_from_ms + patience.filler_ms
        else:
            due_ms = max(self._waiting_from_ms + patience.give_up_ms, self._quiet_from_ms)
        return max(due_ms, decided_ms + _LEAST_WAIT_MS, now_ms) / 1000 - now_ms / 1000

    async def _replace(self, failed: Failed) -> str | None:
        """Say a stand-in instead of the rest. Returns the reason to end the call, or None."""
        scene = self._scene
        scene.failures += 1
        scene.voiceless = scene.voiceless or failed.stage == "tts"
        last = self._asked.closing or scene.failures > 1
        name = scene.parts.tts.name if failed.stage == "tts" else scene.parts.dialogue.name
        fallback = "apology" if last else "again"
        scene.log.write(ProviderFailed(failed.stage, name, failed.reason, fallback, failed.kind))
        self._end_line()
        spoken = await self._stand_in(self._apology() if last else scene.stand_ins.again)
        return "provider_outage" if last or not spoken else None

    def _apology(self) -> ReadyLine:
        """With the offer of a person, where we cannot serve the caller any more; not where all was said but goodbye."""
        scene = self._scene
        if scene.stand_ins.put_through is None or (scene.failures < 2 and scene.offered_ms is None):
            return scene.stand_ins.apology
        scene.offered_ms = scene.line.now_ms()
        return scene.stand_ins.put_through.offer

    async def _stand_in(self, ready: ReadyLine) -> bool:
        """False when not even that could be spoken."""
        utterance = self._ledger.enter(next(self._scene.utterances), ready.line, ours=True)
        if not ready.mulaw:
            await self._in_own_voice(utterance, _STAND_IN_S)
        elif self._scene.voiceless or not await self._in_own_voice(utterance, _OWN_VOICE_S):
            self._speak(utterance, Speech(ready.mulaw))
            utterance.finished = True
        self._scene.line.end_utterance(utterance.number)
        return utterance.audio_ms > 0

    async def _in_own_voice(self, utterance: Utterance, first_s: float) -> bool:
        """Whether all of it came, its first audio within `first_s`."""
        tts, now = self._scene.parts.tts, asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(first_s) as due:
                async for speech in tts.speak(utterance.line):
                    self._speak(utterance, speech)
                    due.reschedule(now() + _STAND_IN_S)
        except (ProviderError, TimeoutError) as error:
            if isinstance(error, ProviderError) or first_s >= _STAND_IN_S:
                reason = str(error) or "stand-in not spoken in time"
                kind = error.kind if isinstance(error, ProviderError) else "late"
                self._scene.log.write(ProviderFailed("tts", tts.name, reason, kind=kind))
            return False
        utterance.finished = True
        return True

    # --- what becomes of it ---

    async def _follow(self) -> None:
        """Through the utterances that have sound, in the order they are played."""
        line = self._scene.line
        while (utterance := await self._said.get()) is not None:
            began_ms = await line.began(utterance.number)
            self._times.setdefault("first_played_ms", began_ms)
            self._write_times()
            self._post(ReplyBegan(utterance.line.protected, utterance.line.text))
            self._ledger.settle(utterance, await line.played(utterance.number))

    def _write_times(self) -> None:
        if self._timed:
            return
        self._timed = True
        asked, times = self._asked, self._times
        self._scene.log.write(
            TurnTimed(
                turn=asked.turn,
                caller_stopped_ms=asked.stopped_ms,
                decided_ms=asked.decided_ms,
                transcript_ms=asked.transcript_ms,
                first_phrase_ms=times.get("first_phrase_ms"),
                first_audio_ms=times.get("first_audio_ms"),
                first_sent_ms=times.get("first_sent_ms"),
                first_played_ms=times.get("first_played_ms"),
                drafted_ms=asked.drafted_ms,
            )
        )
