"""What the caller's words do to the conversation, in order of precedence: facts, answers, questions, requests."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.dialog import answers, readback, spelling, visits, words
from app.dialog.events import (
    ConsentGiven,
    HumanRequested,
    ObjectionMet,
    QuestionAnswered,
)
from app.dialog.reply import Reply
from app.dialog.script import Answer, Choice, WantedFact
from app.dialog.state import Understanding

SURE = 0.8  # an intent that overrides an answer we already found
NEITHER = frozenset({"dont_know", "repeat", "goodbye", "wants_human", "wrong_number", "call_back_later", "no_time"})
MOST_OBJECTIONS = 4
MOST_MISREADINGS = 2


def listen(reply: Reply, text: str, meaning: Understanding) -> bool:
    """True when the words led somewhere; the reply then lacks only its next question."""
    learned = _facts(reply, text, meaning)
    settled = learned or _answer(reply, text, meaning)
    if reply.over:
        return True
    told = _tell(reply, text, meaning, settled)
    wished = not reply.over and _wish(reply, text, meaning, settled or told)
    return settled or told or wished


# --- facts -----------------------------------------------------------------------------------------------------------


def _facts(reply: Reply, text: str, meaning: Understanding) -> bool:
    """Answers, corrections and volunteered facts."""
    about, _, name = reply.state.topic.partition(":")
    fact = reply.book.fact(name) if about == "ask" else None
    found = _direct(reply, fact, text, meaning) if fact else None
    partly = fact is not None and found is None and _dictated(reply, fact, text, meaning)
    change = None if found or partly else answers.corrected(reply.book, text, reply.state.facts)
    if change:
        reply.learn(change[0], change[1], text)
        reply.say(reply.book.lines.corrected, "acknowledge")
    elif fact and found is None and fact.yes_no:
        found = {True: "yes", False: "no", None: None}[_agreed(reply, text, meaning)]
    if fact and found is not None:
        take(reply, fact, found, text)
    extra = {}
    if about in ("menu", "ask", "confirm", "closing") and not change and not partly:
        extra = answers.volunteered(reply.book, text, reply.state.facts, fact.name if fact else "")
    for other, value in extra.items():
        take(reply, reply.book.fact(other), value, text, thank=found is None)
    if (change or extra) and not reply.state.route:
        reply.change(route="sales")
    return bool(found or change or extra or partly)


def _dictated(reply: Reply, fact: WantedFact, text: str, meaning: Understanding) -> bool:
    """A long number in several turns: what was said before is kept, and the rest asked for."""
    if fact.type != "digits" or fact.length < readback.IN_PARTS or meaning.about.startswith("question:"):
        return False
    whole = readback.gathered(reply.state.so_far, text, fact.length)
    if not readback.said(text):
        return False
    if len(whole) == fact.length:
        take(reply, fact, whole, text)
    else:
        reply.change(so_far=whole)
    return bool(whole)


def _direct(reply: Reply, fact: WantedFact, text: str, meaning: Understanding) -> str | None:
    """Explicit words for the open question, unless they are the caller's own question."""
    value = answers.read(fact, text)
    if value is None or (fact.type == "name" and (meaning.about or meaning.intent not in ("other", "greeting"))):
        return None
    own_question = meaning.about.startswith("question:") and answers.is_question(text)
    return None if own_question and not reply.state.asked else value


def _agreed(reply: Reply, text: str, meaning: Understanding) -> bool | None:
    """Yes or no, to a question that was heard; "no idea" and "okay bye" are neither."""
    if not reply.state.asked or meaning.intent in NEITHER or meaning.about.startswith("objection:"):
        return None
    agreed = words.yes_or_no(text)
    if agreed is None and meaning.intent in ("yes", "no") and not meaning.about:
        return meaning.intent == "yes"
    return agreed


def take(reply: Reply, fact: WantedFact, value: str, said: str, *, thank: bool = True, sure: bool = False) -> None:
    """Keeps a fact, or reads it back first: one wrong digit of a zip code is another town."""
    if fact.confirm and not sure:
        reply.change(confirming=fact.name, unconfirmed=value, so_far="")
        return
    reply.change(so_far="")
    reply.learn(fact.name, value, said)
    choice = next((choice for choice in fact.choices if choice.name == value), None)
    if choice and choice.reply:
        reply.say(choice.reply, f"reply:{fact.name}")
    elif thank:
        reply.thank()
    if choice and choice.ends:
        reply.change(route="done", visit_settled=True)


# --- answers to the other questions ----------------------------------------------------------------------------------


def _answer(reply: Reply, text: str, meaning: Understanding) -> bool:
    about = reply.state.topic.partition(":")[0]
    agreed = _agreed(reply, text, meaning)
    match about:
        case "confirm":
            return confirm(reply, agreed, text)
        case "menu":
            return _menu(reply, text, meaning, agreed)
        case "appointment":
            return _appointment(reply, text, meaning)
        case "callback":
            return _callback(reply, text)
        case "whatsapp" if agreed is not None and not meaning.about:
            return consent(reply, agreed)
        case "closing":
            return _closing(reply, text, meaning, agreed)
    return False


def confirm(reply: Reply, agreed: bool | None, said: str) -> bool:
    """What the caller says to a read-back: yes, no, or how it should be."""
    fact = reply.book.fact(reply.state.confirming)
    if fact.type == "digits":
        mended = readback.mended(reply.state.unconfirmed, said)
    else:
        mended = answers.read(fact, said) if fact.type == "email" else spelling.letters(said).title()
    if mended and mended != reply.state.unconfirmed:
        reply.change(unconfirmed=mended)
    elif agreed:
        value = said = reply.state.unconfirmed
        reply.change(confirming="", unconfirmed="")
        take(reply, fact, value, said, sure=True)
    elif agreed is False:
        reply.change(confirming="", unconfirmed="", misread=reply.state.misread + 1)
        if fact.written and reply.state.misread >= MOST_MISREADINGS:
            in_writing(reply, fact)
        elif reply.state.misread > MOST_MISREADINGS:
            skip(reply, fact.name)
    else:
        return False
    return True


def _menu(reply: Reply, text: str, meaning: Understanding, agreed: bool | None) -> bool:
    choice = answers.choose((c for c in reply.book.menu.choices if c.goes_to != "opt_out"), text)
    if choice and not (meaning.about.startswith("question:") and answers.is_question(text)):
        go(reply, choice, text)
        return True
    if meaning.intent == "interested" or (agreed and not meaning.about):
        reply.change(route="sales")
        reply.thank()
        return True
    return meaning.intent == "greeting"


def go(reply: Reply, choice: Choice, said: str) -> None:
    """Where a menu choice leads."""
    if choice.goes_to == "opt_out":
        reply.opt_out(said)
        return
    if choice.reply:
        reply.say(choice.reply, f"reply:{choice.name}")
    elif choice.goes_to != "goodbye":
        reply.thank()
    if choice.goes_to == "human":
        reply.ask_for_human(prepare=not choice.reply)  # with words of its own it leads to service, not to sales
    elif choice.goes_to == "goodbye":
        reply.finish("finished", reply.book.closing.goodbye)
    else:
        reply.change(route=choice.goes_to)


def _appointment(reply: Reply, text: str, meaning: Understanding) -> bool:
    if meaning.about and not words.holds_any(words.normal(text), ("first", "second")):
        return False
    times = visits.available(reply.book.appointment, reply.state.today)
    made = visits.choose(text, reply.state.visits, times, reply.state.today, asked=reply.state.asked)
    match made:
        case visits.Chosen(at):
            reply.book_visit(at, text)
        case visits.Others(near):
            other_times(reply, near)
        case visits.Declined():
            decline_visit(reply)
        case None:
            return False
    return True


def other_times(reply: Reply, near: tuple[datetime, ...] = ()) -> None:
    """Two other times, the asked-for ones first; twice refused, a person takes over."""
    state = reply.state
    refused = (*state.refused, *state.visits)
    times = visits.available(reply.book.appointment, state.today)
    left = tuple(at for at in (*near, *times) if at not in refused)
    pair = tuple(dict.fromkeys(left))[:2] if near else visits.two_of(left)
    if len(pair) < 2 or len(refused) > 4:
        reply.say(reply.book.appointment.none_fit, "none_fit")
        reply.ask_for_human()
        return
    reply.change(visits=tuple(sorted(pair)), refused=refused)


def decline_visit(reply: Reply) -> None:
    reply.change(visit_settled=True, eager=False)
    reply.say(reply.book.appointment.declined, "appointment_declined")


def _callback(reply: Reply, text: str) -> bool:
    choice = answers.choose(reply.book.callback.choices, text)
    if choice:
        call_back(reply, text)
    return bool(choice)


def call_back(reply: Reply, when: str) -> None:
    """`when` as the caller put it; empty when he did not."""
    reply.note(HumanRequested(when))
    reply.change(callback=when)
    reply.say(reply.book.callback.promise, "callback_promised")
    reply.promise()


def consent(reply: Reply, agreed: bool) -> bool:
    """Consent is durable before the message is promised (C50)."""
    reply.change(whatsapp=agreed, wants_info=False)
    if agreed:
        reply.commit(ConsentGiven("whatsapp", reply.book.whatsapp.prompt.ask))
        reply.promise()
    reply.say(reply.book.whatsapp.yes if agreed else reply.book.whatsapp.no, "whatsapp_answer")
    return True


def _closing(reply: Reply, text: str, meaning: Understanding, agreed: bool | None) -> bool:
    if meaning.about:
        return False
    if (
        agreed is False
        or meaning.intent == "done"
        or words.normal(text) in ("thank you", "thanks", "thank you very much")
    ):
        reply.finish("finished", reply.book.closing.goodbye)
        return True
    if agreed:
        reply.invite()
        return True
    return False


# --- questions and objections ----------------------------------------------------------------------------------------


def _tell(reply: Reply, text: str, meaning: Understanding, settled: bool) -> bool:
    answer = reply.book.answer(meaning.about) if meaning.about else None
    answer = answer or reply.book.answer_meaning(meaning.intent)
    if answer is None or (settled and meaning.about_confidence < SURE and not answers.is_question(text)):
        return False
    if answer.kind == "objection" and reply.state.topic.startswith("ask:") and meaning.intent == "dont_know":
        return False
    if answer.kind == "question" and _sounds_like_an_answer(reply, answer, text, meaning, settled):
        return False
    if answer.kind == "question":
        reply.change(told=reply.state.told | {answer.name})
        reply.note(QuestionAnswered(answer.name))
        reply.say(answer.say, f"answer:{answer.name}")
        if answer.shows_interest and not reply.state.route:
            reply.change(route="sales")
    else:
        _object(reply, answer)
    return True


def _sounds_like_an_answer(reply: Reply, asked: Answer, text: str, meaning: Understanding, settled: bool) -> bool:
    """Words that share a topic with a question of the caller's are no question: "it is a tile roof" is not about leaks.
    What we told once is told again only to somebody who plainly asks."""
    if answers.is_question(text):
        return False
    open_question = reply.state.topic.startswith("ask:") and reply.state.asked
    unsure = open_question and meaning.about_confidence < SURE
    return settled or unsure or asked.name in reply.state.told


def _object(reply: Reply, objection: Answer) -> None:
    """An objection is answered once and then respected."""
    reply.note(ObjectionMet(objection.name))
    met = reply.state.met
    if objection.name not in met and len(met) < MOST_OBJECTIONS:
        reply.change(met=(*met, objection.name), route=reply.state.route or "sales")
        reply.say(objection.say, f"objection:{objection.name}")
        return
    reply.say(reply.book.lines.respect, "respect")
    reply.change(route="done", visit_settled=True, eager=False, confirming="")
    if objection.closes_when_repeated or reply.state.topic == "closing":
        reply.finish("finished", reply.book.closing.goodbye)


# --- requests --------------------------------------------------------------------------------------------------------


def _wish(reply: Reply, text: str, meaning: Understanding, settled: bool) -> bool:
    """What callers may ask for at any time. When the turn was already used, only a strong wish counts."""
    if settled and (meaning.intent != "wants_human" or meaning.confidence < SURE):
        return False
    state = reply.state
    match meaning.intent:
        case "wants_human" | "call_back_later":
            if state.callback is None:
                reply.thank()
                reply.ask_for_human()
            when = answers.choose(reply.book.callback.choices, text)
            if when and state.callback is None:
                call_back(reply, text)
        case "book_appointment" if state.visit is None:
            reply.thank()
            reply.change(route="sales", eager=True, visit_settled=False)
        case "send_info" if state.whatsapp is None:
            reply.thank()
            reply.change(wants_info=True, route=state.route or "sales")
        case "goodbye" | "done":
            reply.finish("finished", reply.book.closing.goodbye)
        case "wrong_number":
            reply.finish("finished", reply.book.lines.wrong_number)
        case "voicemail" if state.direction == "outbound":
            reply.finish("finished", reply.book.lines.voicemail)
        case "dont_know" if state.topic.startswith("ask:"):
            skip(reply, state.topic.removeprefix("ask:"))
        case "repeat" | "greeting":
            reply.change(put=state.put - {state.topic})
        case "question_product":
            reply.say(reply.book.lines.no_answer, "no_answer")
        case _:
            return False
    return True


def in_writing(reply: Reply, fact: WantedFact) -> None:
    """What we could not make out is left to a message: the caller writes it back. Without consent we just go on."""
    if reply.state.whatsapp is False or "whatsapp" not in reply.book.goals:
        skip(reply, fact.name)
        return
    reply.say(reply.book.lines.in_writing, "in_writing")
    reply.change(skipped=reply.state.skipped | {fact.name}, confirming="", unconfirmed="", unclear=0, misread=0)
    reply.change(wants_info=reply.state.whatsapp is None)
    reply.promise()


def skip(reply: Reply, name: str) -> None:
    """Goes on without a fact."""
    reply.say(reply.book.lines.move_on, "move_on")
    reply.state = replace(reply.state, skipped=reply.state.skipped | {name}, confirming="", unconfirmed="", so_far="")
