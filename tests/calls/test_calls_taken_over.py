"""A person of ours takes a call over: the agent is silent at once, goes on listening, and comes back when asked."""

from app.call.setup import CarrierNews
from app.dialog.events import CallerSaid, CameBack, HandedBack, SteppedAside, TakenOver
from app.exchange.phones import Pickup
from app.exchange.sound import murmured
from app.ports import Finish, Said, Say, Silent
from app.providers.scripted import ScriptedDialogue, ScriptedSpeechToText, script
from app.telephony.mulaw import silence

LONG = Say(("Hello, this is Northlight, and I have a great deal to say about the sun.",), "greeting")
AGAIN = Say(("Is the house yours?",), "ask:owns_home")
BYE = (Say(("Done. Goodbye.",), "opt_out"), Finish("opted_out"))


class TakenOverCaller:
    """While the agent greets them, somebody takes over; they talk, and after a while the call is handed back."""

    def __init__(self, news: CarrierNews, *words: str, back: bool = True) -> None:
        self.news, self.words, self.back = news, words, back
        self.taken_ms = self.back_ms = 0

    def ring(self, caller):
        return Pickup()

    async def talk(self, handset):
        await handset.until(lambda: handset.agent_speaking_ms >= 800)
        self.taken_ms = handset.now_ms
        self.news.tell(TakenOver("ann"))
        for text in self.words:
            await handset.say(silence(2000))
            await handset.say(murmured(text), text)
        await handset.say(silence(4000))
        if self.back:
            self.back_ms = handset.now_ms
            self.news.tell(HandedBack("ann"))
            await handset.until(lambda: handset.agent_spoke_since(self.back_ms) and handset.agent_quiet_ms > 500)
            handset.hang_up()


def held(scene, person, dialogue, *words):
    return scene(dialogue, ScriptedSpeechToText(*words), carrier=person.news).hold_with(person)


def test_the_agent_is_silent_while_a_person_speaks_and_hears_everything(scene):
    person = TakenOverCaller(CarrierNews(), "how much is it", "and when")
    dialogue = ScriptedDialogue((LONG,), script({}, otherwise=(AGAIN,)))
    call = held(scene, person, dialogue, "how much is it", "and when")
    assert len(call.facts(CallerSaid)) == 2  # without their words: nobody had told the caller of a recording yet (C20)
    assert [type(turn) for turn in dialogue.turns] == [Silent]  # asked once, when it was handed back
    spoke = [stretch for stretch in call.record.handset.heard if stretch.from_ms > person.taken_ms + 200]
    assert all(stretch.from_ms >= person.back_ms for stretch in spoke)
    assert len(spoke) == 1


def test_the_agent_falls_silent_at_once_and_the_ledger_says_how_much_was_heard(scene):
    person = TakenOverCaller(CarrierNews(), back=True)
    dialogue = ScriptedDialogue((LONG,), script({}, otherwise=(AGAIN,)))
    call = held(scene, person, dialogue)
    assert call.agent_silent_after(person.taken_ms) <= person.taken_ms + 400
    assert not dialogue.heard_lines[0].complete
    assert [fact.who for fact in (*call.facts(SteppedAside), *call.facts(CameBack))] == ["ann", "ann"]


def test_C06_stop_calling_me_is_obeyed_whoever_speaks(scene):
    person = TakenOverCaller(CarrierNews(), "please stop calling me", back=False)
    dialogue = ScriptedDialogue((LONG,), script({"please stop calling me": BYE}))
    call = held(scene, person, dialogue, "please stop calling me")
    assert call.reason == "opted_out"
    assert [type(turn) for turn in dialogue.turns] == [Said]


def test_a_quiet_caller_is_not_hung_up_on_while_a_person_speaks(scene):
    person = TakenOverCaller(CarrierNews())

    async def waits(handset, talk=person.talk):
        await handset.until(lambda: handset.agent_speaking_ms >= 800)
        person.news.tell(TakenOver("ann"))
        await handset.say(silence(60_000))
        person.back_ms = handset.now_ms
        handset.hang_up()

    person.talk = waits
    dialogue = ScriptedDialogue((LONG,), script({}, otherwise=(AGAIN,)))
    call = held(scene, person, dialogue)
    assert call.reason == "caller_hung_up"
    assert dialogue.turns == []


def test_hanging_up_while_the_agent_speaks_again_ends_the_call(scene):
    person = TakenOverCaller(CarrierNews())

    async def leaves(handset):
        await handset.until(lambda: handset.agent_speaking_ms >= 800)
        person.news.tell(TakenOver("ann"))
        await handset.say(silence(3000))
        back_ms = handset.now_ms
        person.news.tell(HandedBack("ann"))
        await handset.until(lambda: handset.agent_spoke_since(back_ms))
        person.news.tell(HandedBack("ann"))  # their browser says so, too, when it goes away
        await handset.say(silence(600))
        handset.hang_up()

    person.talk = leaves
    dialogue = ScriptedDialogue((LONG,), script({}, otherwise=(AGAIN, LONG)))
    call = held(scene, person, dialogue)
    assert call.reason == "caller_hung_up"
    assert not dialogue.heard_lines[-1].complete
