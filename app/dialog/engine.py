"""The conversation as a pure function: `(state, turn, understanding, playbook) -> (state, moves)`.

    begin    the greeting with its disclosures, and the first question
    answer   the caller's turn: safety first, then what he said or pressed, then the next question
    heard    what became of a line: only what was heard counts as asked, disclosed or offered
    hint     what a colleague whispers meanwhile, for the next turn
    advise   what the estimate would do next, for the next turn

Order of precedence in a turn: no more calls, words that may ask for that (which we ask about), do not record, are you a
robot, facts, answers, questions and objections, other requests, and at last "I did not catch that".
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from app.dialog import advice, guards, hints, keypad, leaving, listening, repeats
from app.dialog.events import DisclosureHeard, RecordingRefused, Understood
from app.dialog.moves import CallerTurn, Closing, HeardLine, MachineListens, Move, Pressed, Said, Silent
from app.dialog.reply import Reply
from app.dialog.script import Playbook
from app.dialog.state import State, Understanding

TURN_LIMIT = 80  # no conversation needs more; every one ends
SURE_OF_OPT_OUT = 0.9  # a model may add opt-outs to those of the guard, when it is sure
SURE_OF_ROBOT = 0.8
KEYPAD_AFTER = 2  # unclear answers
WRITTEN_AFTER = 1  # unclear answers before, where a keypad does not help
ENOUGH_HEARD = 0.5  # share of its words that makes a question asked
ENOUGH_FOR_CONSENT = 0.8

Result = tuple[State, tuple[Move, ...]]


def begin(playbook: Playbook, *, today: date, direction: str = "inbound") -> Result:
    """`today` is the business's local date; `direction` "inbound" or "outbound"."""
    opening = playbook.opening(direction)
    due = tuple(line.purpose for line in opening if line.discloses)
    reply = Reply(State(today=today, direction=direction, undisclosed=due, disclosings=1), playbook)
    for line in opening:
        reply.say(line.say, line.purpose)
    reply.ask()
    return reply.state, reply.moves()


def answer(state: State, turn: CallerTurn, meaning: Understanding, playbook: Playbook) -> Result:
    """The next state and what to do. Says nothing that is not made of the playbook's spoken parts."""
    reply = Reply(replace(state, turns=state.turns + 1), playbook)
    if isinstance(turn, MachineListens):
        return _tell_machine(reply, turn.kind)
    if state.ended == "opted_out":
        reply.finish("opted_out", "")
        return reply.state, reply.moves()
    reply.change(ended="")
    match turn:
        case Closing(reason=reason):
            _close(reply, reason)
        case Silent(nudge=nudge):
            _nudge(reply, nudge)
        case Pressed(digits=digits):
            if not keypad.press(reply, digits):
                _unclear(reply)
        case Said(text=text) if text.strip():
            reply.change(sayings=repeats.remembered(state.sayings, text))
            _listen(reply, turn.turn, text, meaning)
        case Said():
            _unclear(reply)
    if isinstance(turn, Said | Pressed) and not reply.state.unclear and not reply.state.leaving:
        hints.follow(reply)
        advice.follow(reply)
    if not reply.over and (reply.state.turns >= TURN_LIMIT or repeats.in_a_loop(reply.state.sayings)):
        reply.finish("too_long", playbook.lines.limit_goodbye)
    _go_on(reply)
    reply.change(advised="")
    return reply.state, reply.moves()


def heard(state: State, line: HeardLine, playbook: Playbook) -> State:
    """Call it for every line of a reply, in order, before the caller's next turn."""
    purpose = line.line.purpose
    if purpose.startswith("disclosure:") and line.complete and purpose in state.undisclosed:
        told = tuple(DisclosureHeard(kind) for kind in purpose.removeprefix("disclosure:").split("+"))
        left = tuple(other for other in state.undisclosed if other != purpose)
        return replace(state, undisclosed=left, news=(*state.news, *told))
    if purpose == "offer" and _share(line) >= ENOUGH_HEARD:
        return replace(state, offered=True)
    if purpose == state.topic and _asked(line, playbook):
        return replace(state, asked=True, put=state.put | {purpose})
    return state


def hint(state: State, text: str, meaning: Understanding, playbook: Playbook) -> tuple[State, str]:
    """What a colleague whispers, for the caller's next turn; and what it leads to, as `hints.meant`."""
    label = hints.meant(text, state, playbook, meaning)
    return (replace(state, hinted=hints.keep(state, label)), label) if label else (state, "")


def advise(state: State, action: str) -> State:
    """`action` as `events.Estimated` has it. Followed where the playbook says so, at the caller's next turn."""
    return replace(state, advised=action)


def _share(line: HeardLine) -> float:
    return 1.0 if line.complete else len(line.heard_text.split()) / max(len(line.line.text.split()), 1)


def _asked(line: HeardLine, playbook: Playbook) -> bool:
    if line.line.purpose == "whatsapp":
        named = line.complete or playbook.business.name in line.heard_text
        return named and _share(line) >= ENOUGH_FOR_CONSENT
    return _share(line) >= ENOUGH_HEARD


def _listen(reply: Reply, turn: int, text: str, meaning: Understanding) -> None:
    if guards.opts_out(text) or (meaning.intent == "stop_calling" and meaning.confidence >= SURE_OF_OPT_OUT):
        reply.note(Understood(turn, "stop_calling", 1.0))
        reply.opt_out(text)
        return
    if leaving.listen(reply, turn, text, meaning):
        return
    understood = False
    if guards.refuses_recording(text):
        reply.commit(RecordingRefused(text))
        reply.say(reply.book.lines.recording_refused, "recording_refused")
        understood = True
    if guards.asks_robot(text) or (meaning.intent == "is_robot" and meaning.confidence >= SURE_OF_ROBOT):
        reply.note(Understood(turn, "is_robot", 1.0))
        reply.say(reply.book.lines.robot, "robot")
        understood = True
    elif not understood:
        reply.note(Understood(turn, meaning.about or meaning.intent, meaning.about_confidence or meaning.confidence))
    if not understood and not listening.listen(reply, text, meaning):
        _unclear(reply)
    elif not reply.over:
        reply.change(unclear=0)


def _tell_machine(reply: Reply, kind: str) -> Result:
    """Nothing interrupts it, and no question follows: nobody is there to answer."""
    if kind == "screening":
        reply.say(reply.book.machines.screening, "screening", protected=True)
    else:
        reply.say(reply.book.lines.voicemail, "voicemail", protected=True)
        reply.finish("message_left", "")
    return reply.state, reply.moves()


def _unclear(reply: Reply) -> None:
    """Once: sorry, and the question in other words. Twice: the keypad. Then we go on without the answer."""
    state, book = reply.state, reply.book
    if state.topic and not state.asked and not state.unclear and state.turns < TURN_LIMIT // 2:
        reply.change(unclear=1)
        return  # the question was not heard, so there is nothing to be sorry about: it is put again
    reply.change(unclear=state.unclear + 1)
    name = state.topic.partition(":")[2]
    if state.topic == f"ask:{name}" and book.fact(name).written and state.unclear >= WRITTEN_AFTER:
        listening.in_writing(reply, book.fact(name))
        return
    if state.unclear < KEYPAD_AFTER:
        lines = book.lines.unclear
        reply.say(lines[min(state.unclear, len(lines) - 1)], "unclear")
        return
    reply.change(unclear=0)
    about = state.topic.partition(":")[0]
    match about:
        case "ask" | "confirm":
            listening.skip(reply, state.topic.partition(":")[2])
        case "callback":
            listening.call_back(reply, "")
        case "whatsapp":
            listening.consent(reply, False)
        case "closing":
            reply.finish("finished", book.closing.goodbye)
        case "leaving":
            reply.change(leaving="")
        case _:
            reply.say(book.appointment.none_fit if about == "appointment" else book.lines.no_answer, "move_on")
            reply.ask_for_human()


def _nudge(reply: Reply, nudge: int) -> None:
    lines = reply.book.lines.silence
    reply.say(lines[min(max(nudge, 1), len(lines)) - 1], "nudge")


def _close(reply: Reply, reason: str) -> None:
    lines = reply.book.lines
    goodbyes = {
        "silence": lines.silence_goodbye,
        "too_long": lines.limit_goodbye,
        "drained": lines.outage,
        "provider_outage": lines.outage,
        "error": lines.outage,
    }
    reply.finish(reason, goodbyes.get(reason, reply.book.closing.goodbye))


def _go_on(reply: Reply) -> None:
    """Disclosures first, then the next question; the keypad is offered when words failed twice."""
    reply.disclose()
    reply.ask(keypad=reply.state.unclear >= KEYPAD_AFTER or reply.state.misread >= KEYPAD_AFTER)
