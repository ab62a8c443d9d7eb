"""What the estimate during the call would do next, at the points where the playbook itself has a choice.

Advice picks among what the playbook could say now, and adds nothing to it. It comes after the caller: whoever asks for
a person, a visit or no more calls gets that, whatever the advice. What it changes:

    ask        nothing: asking what is not known yet is what the playbook does
    handle     while an objection stands the offer is not named; it waits for a later turn
    offer      the offer that suits is named now, before the questions that are left
    close      the visit is proposed now, before the questions that are left
    hand_over  a person is proposed
"""

from __future__ import annotations

from app.dialog import offers
from app.dialog.events import AdviceTaken
from app.dialog.reply import Reply

FOLLOW, NOTE = "follow", "note"


def follow(reply: Reply) -> None:
    """Once a turn, before the next question. Where the playbook only notes the advice, nothing happens."""
    state, book = reply.state, reply.book
    if book.next_action != FOLLOW or not state.advised or reply.over or state.confirming or state.route != "sales":
        return
    taken = False
    match state.advised:
        case "handle":
            taken = not state.offered and "offer" in book.goals and offers.suiting(book, state.facts) is not None
        case "offer":
            taken = _offer(reply)
        case "close" if "appointment" in book.goals and not state.visit_settled and not state.eager:
            reply.change(eager=True)
            taken = True
        case "hand_over" if not state.human_asked:
            reply.ask_for_human()
            taken = True
    if taken:
        reply.note(AdviceTaken(state.advised))


def _offer(reply: Reply) -> bool:
    if reply.state.offered or "offer" not in reply.book.goals:
        return False
    offer = offers.suiting(reply.book, reply.state.facts)
    if offer is None:
        return False
    reply.say(offer.say, "offer")
    return True
