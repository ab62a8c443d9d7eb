"""Words that may ask not to be called again: we ask whether they do.

The rules of `guards` decide alone and at once. A model is a second opinion that can only add: what it takes for such a
wish, and the rules do not, is put to the caller as a question, and "yes", or saying it again, is the wish.
"""

from __future__ import annotations

from app.dialog import words
from app.dialog.events import Understood
from app.dialog.reply import Reply
from app.dialog.state import Understanding

ASK_FROM = 0.4  # of the model's probability; measured in docs/models.md
MOST_ASKED = 2  # in one call: more would be a nuisance, and the rules go on listening
MAYBE = "maybe_stop_calling"


def listen(reply: Reply, turn: int, text: str, meaning: Understanding) -> bool:
    """True when the turn was about this and is dealt with."""
    doubtful = meaning.stop >= ASK_FROM
    if reply.state.leaving and reply.state.asked:
        agreed = words.yes_or_no(text)
        if agreed or (agreed is None and doubtful):
            reply.note(Understood(turn, "stop_calling", 1.0))
            settle(reply, True)
            return True
        if agreed is False:
            settle(reply, False)
            return True
        reply.change(leaving="")  # it was about something else
    if not (doubtful and reply.book.lines.opt_out_question and reply.state.leavings < MOST_ASKED):
        return False
    reply.note(Understood(turn, MAYBE, meaning.stop))
    reply.change(leaving=text, leavings=reply.state.leavings + 1, unclear=0)
    return True


def settle(reply: Reply, leaves: bool) -> None:
    """The answer to our question: the wish counts with the words it was first put in."""
    if leaves:
        reply.opt_out(reply.state.leaving)
    else:
        reply.change(leaving="", unclear=0)
        reply.thank()
