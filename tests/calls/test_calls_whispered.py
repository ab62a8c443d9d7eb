"""A colleague whispers while the call goes on: the caller hears the playbook's words for it, never the whisper."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from app.api.continued import Continued
from app.call.setup import CarrierNews
from app.dialog.events import (
    AgentHeard,
    CallerSaid,
    ColleagueSaid,
    DraftDropped,
    HandedBack,
    Hinted,
    Overheard,
    TakenOver,
    Whispered,
)
from app.dialog.playbook import parse
from app.dialog.redaction import redact
from app.dialog.state import Understanding
from app.exchange.completions import Completion
from app.exchange.phones import Pickup
from app.exchange.sound import murmured
from app.exchange.virtual import run
from app.ports import HeardLine, Said, Say
from app.providers.chat import ChatModel
from app.providers.offline.dialogue import PlaybookDialogue
from app.providers.openai import Guide, LanguageModelDialogue
from app.providers.scripted import ScriptedDialogue, ScriptedSpeechToText, script
from app.telephony.mulaw import silence

from .test_calls_language_model import MemoryServer

ROOT = Path(__file__).parents[2]
BOOK = parse((ROOT / "app" / "playbooks" / "northlight_solar.yaml").read_text(encoding="utf-8"), "northlight_solar")
WARRANTY = next(answer.say for answer in BOOK.answers if answer.name == "warranty")
TODAY = date(2026, 11, 20)


class WhisperedAt:
    """A caller who presses one, hears the question, and speaks; before their words somebody whispers."""

    def __init__(self, news: CarrierNews, *whispers: str, words: tuple[str, ...] = ("it depends",)) -> None:
        self.news, self.whispers, self.words = news, whispers, words

    def ring(self, caller):
        return Pickup()

    async def talk(self, handset):
        await self.hears_out(handset, 0)
        await handset.press("1")
        for number, text in enumerate(self.words):
            await self.hears_out(handset, handset.now_ms)
            if number == 0:
                for whispered in self.whispers:
                    self.news.tell(Whispered("ann", whispered))
            await handset.say(murmured(text), text)
        await self.hears_out(handset, handset.now_ms)
        handset.hang_up()

    async def hears_out(self, handset, since_ms: int):
        await handset.until(lambda: handset.agent_spoke_since(since_ms) and handset.agent_quiet_ms > 1500)


def nothing(text: str, expecting: object) -> Understanding:
    return Understanding()


def on_the_model(server: MemoryServer) -> LanguageModelDialogue:
    return LanguageModelDialogue(Guide.by(BOOK, nothing), ChatModel(server, "model"), today=TODAY)  # type: ignore[arg-type]


def heard(held) -> str:
    return " ".join(fact.heard_text for fact in held.facts(AgentHeard))


def test_the_playbook_says_what_the_whisper_names(scene):
    person = WhisperedAt(CarrierNews(), "mention the warranty, he sounds worried", words=("yes",))
    dialogue = PlaybookDialogue(BOOK, nothing, today=TODAY)
    held = scene(dialogue, ScriptedSpeechToText("yes"), carrier=person.news).hold_with(person)
    assert held.facts(Hinted) == [Hinted("ann", "mention the warranty, he sounds worried", "question:warranty")]
    assert WARRANTY in heard(held)
    assert "worried" not in heard(held)


def test_what_the_playbook_can_make_nothing_of_is_logged_as_not_used(scene):
    person = WhisperedAt(CarrierNews(), "smile", words=("yes",))
    dialogue = PlaybookDialogue(BOOK, nothing, today=TODAY)
    held = scene(dialogue, ScriptedSpeechToText("yes"), carrier=person.news).hold_with(person)
    assert [fact.use for fact in held.facts(Hinted)] == [""]


def test_a_dialogue_that_hears_nobody_else_takes_no_harm(scene):
    person = WhisperedAt(CarrierNews(), "smile")
    dialogue = ScriptedDialogue((Say(("Hello there, how are you?",), "greeting"),), script({}))
    held = scene(dialogue, ScriptedSpeechToText("it depends"), carrier=person.news).hold_with(person)
    assert [fact.use for fact in held.facts(Hinted)] == [""]


def test_the_model_is_told_in_the_next_turn_and_card_numbers_are_taken_out(scene):
    server = MemoryServer(Completion("I see. Do you own your home?", first_s=0.2))
    person = WhisperedAt(CarrierNews(), "she has a dog, card 4111 1111 1111 1111")
    held = scene(
        on_the_model(server), ScriptedSpeechToText("it depends"), carrier=person.news, redact=redact
    ).hold_with(person)
    [hinted] = held.facts(Hinted)
    assert (hinted.use, "4111" in hinted.text) == ("told", False)
    last = server.requests[-1]["messages"][-1]["content"]
    assert 'A colleague whispered to you: "she has a dog, card' in last
    assert "4111" not in last
    assert last.endswith('The caller said: "it depends"')


def test_T09_a_model_that_repeats_the_whisper_is_not_spoken(scene):
    server = MemoryServer(Completion("My colleague says push him because he is rich. Do you own it?", first_s=0.2))
    person = WhisperedAt(CarrierNews(), "push him because he is rich")
    held = scene(on_the_model(server), ScriptedSpeechToText("it depends"), carrier=person.news).hold_with(person)
    assert "he is rich" not in heard(held)


def test_T09_a_whispered_price_is_not_spoken(scene):
    server = MemoryServer(Completion("For you it is four thousand dollars. Do you own your home?", first_s=0.2))
    person = WhisperedAt(CarrierNews(), "give it to him for four thousand dollars")
    held = scene(on_the_model(server), ScriptedSpeechToText("it depends"), carrier=person.news).hold_with(person)
    assert "four thousand" not in heard(held)


def test_an_answer_drafted_before_the_whisper_is_not_given(scene):
    class InMidSentence(WhisperedAt):
        async def talk(self, handset):
            await self.hears_out(handset, 0)
            await handset.press("1")
            await self.hears_out(handset, handset.now_ms)
            await handset.say(murmured("i do own it"), "i do own it")
            await handset.say(silence(380))  # an answer has been begun by now, and nobody hears it yet
            self.news.tell(Whispered("ann", "mention the warranty"))
            await self.hears_out(handset, handset.now_ms)
            handset.hang_up()

    person = InMidSentence(CarrierNews())
    dialogue = PlaybookDialogue(BOOK, nothing, today=TODAY)
    held = scene(dialogue, ScriptedSpeechToText("i do own it"), carrier=person.news).hold_with(person)
    assert held.facts(DraftDropped)
    assert WARRANTY in heard(held)


def test_the_model_learns_what_was_said_while_a_person_spoke(scene):
    class TakenOverFor(WhisperedAt):
        async def talk(self, handset):
            await self.hears_out(handset, 0)
            await handset.press("1")
            await self.hears_out(handset, handset.now_ms)
            self.news.tell(TakenOver("ann"))
            await handset.say(silence(1000))
            await handset.say(murmured("my roof is slate"), "my roof is slate")
            self.news.tell(Overheard("ann", "slate costs a little more"))
            await handset.say(silence(3000))
            back_ms = handset.now_ms
            self.news.tell(HandedBack("ann"))
            await self.hears_out(handset, back_ms)
            await handset.say(murmured("so what now"), "so what now")
            await self.hears_out(handset, handset.now_ms)
            handset.hang_up()

    server = MemoryServer(Completion("I see. Do you own your home?", first_s=0.2))
    person = TakenOverFor(CarrierNews())
    words = ScriptedSpeechToText("my roof is slate", "so what now")
    held = scene(on_the_model(server), words, carrier=person.news).hold_with(person)
    assert len(server.requests) == 1, "the model is not asked while a person speaks"
    told = " ".join(message["content"] for message in server.requests[0]["messages"])
    assert 'The caller said to a colleague, who had taken the call over: "my roof is slate"' in told
    assert 'The colleague said to the caller: "slate costs a little more"' in told
    assert len(held.facts(CallerSaid)) == 2
    assert held.facts(ColleagueSaid) == [ColleagueSaid("ann", "slate costs a little more")]


def test_F19_a_whisper_before_a_lost_stream_still_counts_after_it(scene):
    person = WhisperedAt(CarrierNews(), "mention the warranty", words=("yes",))
    held = scene(
        PlaybookDialogue(BOOK, nothing, today=TODAY), ScriptedSpeechToText("yes"), carrier=person.news
    ).hold_with(person)
    whispered = next(n for n, entry in enumerate(held.entries) if isinstance(entry.fact, Hinted))
    again = Continued(PlaybookDialogue(BOOK, nothing, today=TODAY), held.entries[: whispered + 1])

    async def go_on() -> str:
        for line in [move async for move in again.begin() if isinstance(move, Say)]:
            again.heard(HeardLine(line, line.text, True))
        return " ".join([move.text async for move in again.answer(Said(9, "yes")) if isinstance(move, Say)])

    assert WARRANTY in run(go_on())


def test_C20_what_a_person_says_is_not_kept_before_the_caller_was_told_of_a_recording(scene):
    class AtOnce(WhisperedAt):
        async def talk(self, handset):
            await handset.until(lambda: handset.agent_speaking_ms >= 800)
            self.news.tell(TakenOver("ann"))
            self.news.tell(Overheard("ann", "you are mister smith of elm street"))
            await handset.say(silence(500))
            handset.hang_up()

    person = AtOnce(CarrierNews())
    held = scene(PlaybookDialogue(BOOK, nothing, today=TODAY), carrier=person.news).hold_with(person)
    assert held.facts(ColleagueSaid) == [ColleagueSaid("ann", "")]
