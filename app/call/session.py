"""One call, one task group: what happens goes into the inbox, turn-taking decides, this carries it out.

Nothing outlives the call. Hanging up, a limit and a drain all end in the same place: the reply in the air is cancelled,
the ledger is settled with what was heard, and the log is closed with the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from dataclasses import replace
from itertools import count

from app.call.draft import Draft, write_unreported
from app.call.ear import Ear
from app.call.log import CallLog
from app.call.moves import Production
from app.call.reply import Asked, Reply, Scene
from app.call.setup import CallSetup, Parts, ReadyLine
from app.dialog import rerun, transfer, turns
from app.dialog.events import (
    AgentKeyed,
    CallEnded,
    CallerKeyed,
    CallerSaid,
    CallerSilent,
    CallResumed,
    CameBack,
    ColleagueSaid,
    Fact,
    HandedBack,
    Heard,
    Hinted,
    HumanRequested,
    HungUp,
    Interrupted,
    MustEnd,
    Overheard,
    ProviderFailed,
    ReplyBegan,
    ReplyEnded,
    Signal,
    SteppedAside,
    TakenOver,
    Tick,
    Whispered,
)
from app.dialog.guards import opts_out
from app.dialog.keypad import OPT_OUT
from app.dialog.moves import CallerTurn, Expectation
from app.dialog.patience import Patience
from app.dialog.reception import Hush, Learned, Press, Reception, SayTo
from app.dialog.turns import CutReply, DropDraft, Duck, EndCall, Hold, Phase, PutAside, Restore, Turn
from app.errors import ProviderError, StoreError
from app.ports import (
    Closing,
    Commit,
    Finish,
    HearsColleagues,
    Journal,
    Line,
    MachineListens,
    Move,
    Note,
    Pressed,
    Said,
    Silent,
    TakesAdvice,
    Volume,
)
from app.sales.conversation import conversation_of
from app.sales.next_action import estimate
from app.telephony import dtmf

OUTAGE, TRANSFERRED = "provider_outage", "transferred"  # reasons to end
_LAST_WORDS_S = 5.0  # for speech to text and the dialogue to take in what was said while hanging up


async def converse(
    call: CallSetup,
    line: Line,
    parts: Parts,
    journal: Journal,
    patience: Patience,
    ending: Awaitable[str] | None = None,
) -> str:
    """Returns the end reason when the call is over; nothing started here is still running then.

    `ending`, when it resolves, makes the session say goodbye and end with that reason. Cancelling ends it at once.
    """
    return await Session(call, line, parts, CallLog(journal, line.now_ms, call), patience).run(ending)


class Session:
    def __init__(self, call: CallSetup, line: Line, parts: Parts, log: CallLog, patience: Patience) -> None:
        self._call, self._line, self._parts, self._log, self._patience = call, line, parts, log, patience
        self._waits = patience.expecting(Expectation())
        self._group = asyncio.TaskGroup()
        # Not bounded: nothing waits in here but a call's few signals, and the session never keeps them waiting.
        self._inbox: asyncio.Queue[tuple[Reply | None, Signal]] = asyncio.Queue()
        self._turn = Turn(
            since_ms=line.now_ms(), sign_ms=line.now_ms(), number=call.resumed.turns if call.resumed else 0
        )
        self._scene = Scene(line, parts, log, call.stand_ins, patience, self._commit)
        if call.resumed:
            self._scene.utterances = count(call.resumed.utterances + 1)
        self._reply: Reply | None = None
        self._speaking: asyncio.Task[None] | None = None
        self._draft: Draft | None = None
        self._expected: Expectation | None = None  # of the caller, as the log has it
        self._words_ms: int | None = None  # when the words of the turn were complete
        placed = call.began.direction == "outbound" and not call.resumed
        self._reception = Reception(call.machines) if placed else None
        self._estimated = 0  # the turn after which the chance of a sale was estimated last
        self._aside = False  # a person of ours speaks instead
        self._reason = "error"  # until we know better
        parts.report_to(log.write)

    async def run(self, ending: Awaitable[str] | None) -> str:
        self._write_beginning()
        try:
            async with self._group:
                ear = Ear(self._line, self._parts, self._log, self._post, self._wants_beeps)
                if self._call.carrier is not None:
                    self._call.carrier.listen(self._post)
                senses = [
                    self._group.create_task(ear.watch(), name="watch"),
                    listening := self._group.create_task(ear.listen(), name="listen"),
                ]
                if ending is not None:
                    senses.append(self._group.create_task(self._obey(ending), name="obey"))
                now_ms = self._line.now_ms()
                self._begin_reply(self._parts.dialogue.begin(), Asked(self._turn.number, now_ms, None, now_ms))
                self._reason, heard_out = await self._take_turns()
                await self._line.close()
                if not heard_out:
                    await self._take_last_words(listening)
                for sense in senses:
                    sense.cancel()
        except asyncio.CancelledError:
            self._reason = "drained"
            raise
        finally:
            await self._drop_draft()
            await self._cut(CutReply(self._line.now_ms(), by_caller=False))  # if we were cancelled in mid-word
            await self._line.close()
            for used in self._parts.used():
                self._log.write(used)
            self._log.write(CallEnded(self._reason))
        return self._reason

    # --- turns ---

    async def _take_turns(self) -> tuple[str, bool]:
        """The end reason, and whether the caller's last words were answered."""
        while True:
            signal = await self._next()
            if isinstance(signal, Heard) and signal.final and signal.text:
                self._words_ms = self._line.now_ms()
            if isinstance(signal, ReplyEnded):
                await self._end_reply()
            if isinstance(signal, TakenOver | HandedBack):
                await self._change_hands(signal)
                continue
            if isinstance(signal, Whispered):
                await self._take_hint(signal)
                continue
            if isinstance(signal, Overheard):
                self._overhear(signal)
                continue
            if (person := self._wants_person(signal)) is not None:
                return await self._part(person)
            if self._reception is not None:
                if (ended := await self._receive(self._reception, signal)) is not None:
                    return ended, not isinstance(signal, HungUp)
                if self._reception.in_charge and not isinstance(signal, HungUp):
                    continue
            actions = self._step(signal)
            if isinstance(signal, ReplyBegan):  # it is heard: nobody waits for what comes now
                self._estimate()
            for action in actions:
                match action:
                    case turns.Draft(to):
                        if not self._aside:
                            self._begin_draft(to)
                    case DropDraft():
                        await self._drop_draft()
                    case turns.Reply():
                        await self._answer(action)
                    case CutReply():
                        await self._cut(action)
                    case Duck() | Hold() | Restore():
                        self._change_volume(action)
                    case PutAside(aside):
                        self._log.write(aside)
                    case EndCall(reason):
                        if reason == OUTAGE and self._scene.offered_ms is not None and isinstance(signal, ReplyEnded):
                            return await self._await_choice()
                        return reason, not isinstance(signal, HungUp)
            assert self._turn.phase is not Phase.OVER

    def _wants_person(self, signal: Signal) -> bool | None:
        """What the caller says to the offer of one, if it was made."""
        offered_ms = self._scene.offered_ms
        return None if offered_ms is None else transfer.choice(signal, offered_ms)

    async def _await_choice(self) -> tuple[str, bool]:
        """The offer was heard. As `_take_turns`."""
        person = False
        with suppress(TimeoutError):
            async with asyncio.timeout(transfer.WAIT_S):
                while True:
                    _, signal = await self._inbox.get()
                    if isinstance(signal, HungUp):
                        return "media_lost" if signal.lost else "caller_hung_up", False
                    if (said := self._wants_person(signal)) is not None:
                        person = said
                        break
        return await self._part(person)

    async def _part(self, person: bool) -> tuple[str, bool]:
        """Says so and ends: to a person, who is also noted in case nobody answers there, or with our apology."""
        await self._cut(CutReply(self._line.now_ms(), by_caller=False))
        self._line.turn(Volume.FULL)
        put_through = self._call.stand_ins.put_through
        if person:
            self._log.write(HumanRequested())
        await self._say(put_through.taken if put_through is not None and person else self._call.stand_ins.apology)
        return TRANSFERRED if person else OUTAGE, True

    async def _say(self, ready: ReadyLine) -> None:
        """Whatever has failed."""
        now_ms = self._line.now_ms()
        asked = Asked(self._turn.number, now_ms, None, now_ms, closing=True, timed=False)
        production = Production(_saying(), self._parts.tts, self._commit, self._line.now_ms)
        reply = Reply(self._scene, asked, production, lambda signal: None)
        await reply.say(ready)
        await reply.settle()

    async def _change_hands(self, signal: TakenOver | HandedBack) -> None:
        """The agent falls silent at once and goes on listening; handed back, it asks again what it had asked."""
        now_ms, aside = self._line.now_ms(), isinstance(signal, TakenOver)
        if aside is self._aside:
            return  # told twice
        self._aside = aside
        if aside:
            await self._drop_draft()
            await self._cut(CutReply(now_ms, by_caller=False))
            self._line.turn(Volume.FULL)
            self._log.write(SteppedAside(signal.who))
            self._turn = turns.hushed(self._turn, self._line.now_ms())
        else:
            self._log.write(CameBack(signal.who))
            asked = Asked(self._turn.number, now_ms, None, now_ms, timed=False)
            self._begin_reply(self._parts.dialogue.answer(Silent(asked.turn, 1)), asked)
            self._turn = turns.answering(self._turn, now_ms)

    async def _take_hint(self, signal: Whispered) -> None:
        """For the caller's next turn: an answer begun before it was known is begun again."""
        await self._drop_draft()
        text, dialogue = self._call.redact(signal.text), self._parts.dialogue
        use = dialogue.hint(text) if isinstance(dialogue, HearsColleagues) else ""
        self._log.write(Hinted(signal.who, text, use))

    def _overhear(self, signal: Overheard) -> None:
        text = self._call.redact(signal.text)
        self._log.write(ColleagueSaid(signal.who, text))
        if isinstance(self._parts.dialogue, HearsColleagues):
            self._parts.dialogue.overheard(text, "colleague")

    def _stays_silent(self, to: CallerTurn) -> bool:
        """While a person of ours speaks, the agent answers one wish only, and the end of a call."""
        wish = (isinstance(to, Said) and opts_out(to.text)) or (isinstance(to, Pressed) and to.digits == OPT_OUT)
        return self._aside and not (wish or isinstance(to, Closing))

    async def _receive(self, reception: Reception, signal: Signal) -> str | None:
        """What a machine on the other end calls for. Returns the reason to end the call, or None."""
        was_in_charge = reception.in_charge
        for act in reception.step(signal, self._line.now_ms()):
            match act:
                case Learned(fact):
                    self._log.write(fact)
                case Hush():
                    await self._drop_draft()
                    await self._cut(CutReply(self._line.now_ms(), by_caller=False))
                    self._line.turn(Volume.FULL)
                case SayTo(kind):
                    now_ms = self._line.now_ms()
                    asked = Asked(self._turn.number, now_ms, None, now_ms, timed=False)
                    self._begin_reply(self._parts.dialogue.answer(MachineListens(asked.turn, kind)), asked)
                case Press(keys):
                    self._press(keys)
                case EndCall(reason):
                    return reason
        if was_in_charge or reception.in_charge:
            self._turn = turns.hushed(self._turn, self._line.now_ms())
        return None

    def _press(self, keys: str) -> None:
        """As tones: the media stream has no other way."""
        utterance = next(self._scene.utterances)
        self._log.write(AgentKeyed(keys))
        self._line.play(utterance, dtmf.tones(keys))
        self._line.end_utterance(utterance)

    def _wants_beeps(self) -> bool:
        return self._reception is not None and self._reception.listens(self._line.now_ms())

    def _step(self, signal: Signal) -> turns.Actions:
        now_ms, waits, before = self._line.now_ms(), self._waits_now(), self._turn
        self._turn, actions = turns.step(before, signal, now_ms, waits)
        if not isinstance(signal, Tick) or self._turn is not before:
            match signal:
                case Heard(text=text):
                    signal = replace(signal, text=self._call.redact(text))
                case ReplyBegan(line=line):
                    signal = replace(signal, line=self._call.redact(line))
            news = None if waits.expected == self._expected else waits.expected
            self._expected = waits.expected
            self._log.write(rerun.told(signal, now_ms, news, keep_words=self._log.may_store))
        return actions

    def _waits_now(self) -> Patience:
        """With what the dialogue expects. Asked for at every signal, and nearly always what it was before."""
        expected = self._parts.dialogue.expecting()
        if expected != self._waits.expected:
            self._waits = self._patience.expecting(expected)
        return self._waits

    async def _next(self) -> Signal:
        """The next signal, or a Tick when something is due. Word from a reply that was cut meanwhile is no news."""
        due_ms = turns.deadline(self._turn, self._waits_now())
        if self._reception is not None:
            soon_ms = self._reception.deadline(self._line.now_ms())
            due_ms = soon_ms if due_ms is None or self._reception.in_charge else min(due_ms, soon_ms or due_ms)
        wait_s = None if due_ms is None else max(0, due_ms - self._line.now_ms() + 1) / 1000
        try:
            async with asyncio.timeout(wait_s):
                while True:
                    reply, signal = await self._inbox.get()
                    if reply is None or reply is self._reply:
                        return signal
        except TimeoutError:
            return Tick()

    async def _answer(self, action: turns.Reply) -> None:
        to, draft = action.to, self._draft
        match to:
            case Said():
                to = replace(to, text=self._call.redact(to.text))
                self._write_words(to, action.heard)
            case Pressed():
                to = replace(to, digits=self._call.redact(to.digits))
                self._log.write(CallerKeyed(to.turn, to.digits))
            case Silent(nudge=nudge):
                self._log.write(CallerSilent(nudge))
        if self._stays_silent(to):
            if isinstance(to, Said) and to.text and isinstance(self._parts.dialogue, HearsColleagues):
                self._parts.dialogue.overheard(to.text)
            self._turn = turns.hushed(self._turn, self._line.now_ms())
            return
        asked = Asked(
            turn=to.turn,
            stopped_ms=action.stopped_ms,
            transcript_ms=self._words_ms if isinstance(to, Said) else None,
            decided_ms=self._line.now_ms(),
            closing=isinstance(to, Closing),
            timed=isinstance(to, Said | Pressed),
        )
        self._words_ms = None
        put_through = self._call.stand_ins.put_through
        if put_through is not None and isinstance(to, Closing) and to.reason == OUTAGE:
            self._scene.offered_ms = self._line.now_ms()
            self._begin_reply(_saying(put_through.offer.line, Finish(OUTAGE)), asked)
            return
        if draft is not None and draft.production.failed:  # a fresh answer may do better
            await self._drop_draft()
            draft = None
        if draft is None:
            self._begin_reply(self._parts.dialogue.answer(to), asked)
        else:
            self._draft, self._parts.dialogue = None, draft.adopt()
            self._speak(draft.production, replace(asked, drafted_ms=draft.begun_ms))

    def _begin_draft(self, said: Said) -> None:
        fork = self._parts.dialogue.fork()
        if fork is not None:
            said = replace(said, text=self._call.redact(said.text))
            self._draft = Draft(said, fork, self._parts.tts, self._commit, self._line.now_ms)
            self._draft.begin(self._group)

    async def _drop_draft(self) -> None:
        draft, self._draft = self._draft, None
        if draft is not None:
            await draft.drop(self._log)

    def _begin_reply(self, moves: AsyncIterator[Move], asked: Asked) -> None:
        production = Production(moves, self._parts.tts, self._commit, self._line.now_ms)
        production.begin(self._group, f"answer {asked.turn}")
        self._speak(production, asked)

    def _speak(self, production: Production, asked: Asked) -> None:
        reply = Reply(self._scene, asked, production, lambda signal: self._inbox.put_nowait((reply, signal)))
        self._reply = reply
        self._speaking = self._group.create_task(reply.run(), name=f"reply {asked.turn}")

    async def _end_reply(self) -> None:
        if self._reply is not None:
            await self._reply.settle()
            self._reply = self._speaking = None

    async def _cut(self, action: CutReply) -> None:
        """Silence first, then the books."""
        reply, speaking = self._reply, self._speaking
        if reply is None or speaking is None:
            return
        speaking.cancel()
        cut = await self._line.clear()
        cleared_ms = self._line.now_ms()
        await asyncio.wait([speaking])
        if cut and action.by_caller:
            silent_ms = cleared_ms if action.held_ms is None else action.held_ms
            self._log.write(Interrupted(cut[0].utterance, action.voice_ms, silent_ms, action.quiet_ms))
        await reply.settle(cut)
        write_unreported(self._parts.dialogue, self._log)
        self._reply = self._speaking = None

    def _change_volume(self, action: Duck | Hold | Restore) -> None:
        match action:
            case Duck():
                self._line.turn(Volume.LOW)
            case Hold():
                self._line.turn(Volume.HELD)
            case Restore():
                held = self._line.held()
                if held is not None and self._reply is not None:
                    self._line.go_back(held.utterance, self._reply.word_ms(held))
                self._line.turn(Volume.FULL)

    # --- what else there is to do ---

    def _estimate(self) -> None:
        """Once per turn. After a resumption the log in hand is not the whole call: then there is none."""
        model, turn = self._call.live, self._turn.number
        if model is None or self._call.resumed or turn <= self._estimated:
            return
        self._estimated = turn
        found = estimate(turn, conversation_of(self._log.talk), model)
        self._log.write(found)
        if isinstance(dialogue := self._parts.dialogue, TakesAdvice):
            dialogue.advise(found.next_action)

    def _post(self, signal: Signal) -> None:
        self._inbox.put_nowait((None, signal))

    async def _obey(self, ending: Awaitable[str]) -> None:
        self._post(MustEnd(await ending))

    async def _commit(self, fact: Fact) -> None:
        """In a task of its own: an interruption cancels the reply, not the opt-out."""
        await asyncio.shield(self._group.create_task(self._make_durable(fact), name="commit"))

    async def _make_durable(self, fact: Fact) -> None:
        try:
            async with asyncio.timeout(self._patience.commit_ms / 1000):
                await self._log.commit(fact)
        except (StoreError, TimeoutError) as error:  # the journal has it and keeps trying
            self._log.write(ProviderFailed("journal", "", str(error) or "not durable in time"))

    async def _take_last_words(self, listening: asyncio.Task[None]) -> None:
        """The caller hung up on words nobody answered: they may have been "take me off your list"."""
        turn = self._turn
        if not (turn.text or turn.quiet_ms is not None or turn.voice_ms is not None):
            return
        try:
            async with asyncio.timeout(_LAST_WORDS_S):
                await asyncio.wait([listening])
                await self._understand_last_words()
        except (TimeoutError, ProviderError):
            return

    async def _understand_last_words(self) -> None:
        heard = [*self._turn.heard]
        while not self._inbox.empty():
            _, signal = self._inbox.get_nowait()
            if isinstance(signal, Heard) and signal.final and signal.text:
                heard.append(signal)
        if not heard:
            return
        text = self._call.redact(" ".join(words.text for words in heard))
        said = Said(self._turn.number + 1, text, min(words.confidence for words in heard))
        self._write_words(said, tuple(heard))
        async for move in self._parts.dialogue.answer(said):
            match move:
                case Note(fact):
                    self._log.write(fact)
                case Commit(fact):
                    await self._commit(fact)

    def _write_words(self, said: Said, heard: tuple[Heard, ...]) -> None:
        first, last = (heard[0], heard[-1]) if heard else (Heard(""), Heard(""))
        self._log.write(
            CallerSaid(said.turn, said.text, said.confidence, first.started_ms, last.ended_ms, last.provider)
        )

    def _write_beginning(self) -> None:
        parts, resumed = self._parts, self._call.resumed
        if resumed:
            self._log.write(CallResumed(resumed.stream_sid))
        else:
            began = self._call.began
            self._log.write(replace(began, stt=parts.stt.name, dialogue=parts.dialogue.name, tts=parts.tts.name))
        self._log.write(rerun.began(self._turn, self._patience))


async def _saying(*moves: Move) -> AsyncIterator[Move]:
    for move in moves:
        yield move
