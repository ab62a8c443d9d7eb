"""What holds in every conversation, whatever the caller says, presses, or lets us finish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from app.dialog import engine
from app.dialog.events import FollowUpPromised, OptedOut
from app.dialog.moves import CallerTurn, Closing, Commit, Finish, Note, Pressed, Said, Say, Silent
from app.dialog.state import Understanding
from app.providers.offline.clips import key

if TYPE_CHECKING:
    from tests.unit.dialog.conftest import Talk

SAYINGS = [
    "yes", "no", "sales", "support", "tile", "no i said metal", "two hundred dollars", "nine four one oh seven",
    "no shade", "soon", "we rent", "i own it", "saturday", "the second one", "neither", "tomorrow", "bye",
    "how much does it cost", "are you a robot", "don't record me", "thank you", "",
    "my zip code is one zero zero zero one", "hmm", "what", "1", "¿qué?",
]  # fmt: skip
INTENTS = [
    "other", "yes", "no", "interested", "not_interested", "price", "no_time", "call_back_later", "send_info", "trust",
    "wants_human", "book_appointment", "who_is_this", "repeat", "greeting", "dont_know", "question_product",
    "voicemail",
]  # fmt: skip
ABOUT = [
    "",
    "",
    "",
    "question:price",
    "question:warranty",
    "objection:too_expensive",
    "objection:trust",
    "question:gone",
]
KEYS = ["0", "1", "2", "3", "4", "*", "#", "94107", "200", "99", "7"]

a_turn: st.SearchStrategy[CallerTurn] = st.one_of(
    st.builds(Said, st.just(1), st.sampled_from(SAYINGS)),
    st.builds(Pressed, st.just(1), st.sampled_from(KEYS)),
    st.builds(Silent, st.just(1), st.integers(1, 3)),
)
a_meaning = st.builds(Understanding, st.sampled_from(INTENTS), st.floats(0, 1), st.sampled_from(ABOUT), st.floats(0, 1))
a_conversation = st.lists(st.tuples(a_turn, a_meaning, st.sampled_from([1.0, 1.0, 0.6, 0.2, 0.0])), max_size=25)


@settings(max_examples=150, deadline=None)
@given(script=a_conversation, opening=st.floats(0, 1), direction=st.sampled_from(["inbound", "outbound"]))
def test_nothing_is_said_that_is_not_in_the_playbook(
    new_talk: type[Talk], script: list[tuple[CallerTurn, Understanding, float]], opening: float, direction: str
) -> None:
    talk = new_talk(direction=direction, heard=opening)
    for turn, meaning, heard in script:
        talk.does(turn, meaning, heard)
    assert {key(part) for part in talk.spoken()} <= {key(part) for part in talk.playbook.spoken_parts()}


@settings(max_examples=150, deadline=None)
@given(script=a_conversation)
def test_a_known_fact_is_never_asked_for(
    new_talk: type[Talk], script: list[tuple[CallerTurn, Understanding, float]]
) -> None:
    talk = new_talk()
    for turn, meaning, heard in script:
        talk.does(turn, meaning, heard)
        asked = {move.purpose for move in talk.reply if isinstance(move, Say) and move.purpose.startswith("ask:")}
        assert not asked & {f"ask:{name}" for name in talk.state.facts}


@settings(max_examples=100, deadline=None)
@given(script=a_conversation, words=st.sampled_from(["stop calling me", "take me off your list", "no me llame más"]))
def test_C05_an_opt_out_always_ends_the_call_durably(
    new_talk: type[Talk], script: list[tuple[CallerTurn, Understanding, float]], words: str
) -> None:
    talk = new_talk()
    for turn, meaning, heard in script:
        talk.does(turn, meaning, heard)
    if talk.state.ended == "opted_out":
        return
    talk.says(words)
    acts = [move for move in talk.reply if not isinstance(move, Note)]
    assert acts[0] == Commit(OptedOut(words))
    assert [move.purpose for move in acts if isinstance(move, Say)] == ["opt_out"]
    assert acts[-1] == Finish("opted_out")


@settings(max_examples=60, deadline=None)
@given(script=st.lists(st.tuples(a_turn, a_meaning, st.sampled_from([1.0, 0.3])), min_size=1, max_size=6))
def test_every_conversation_ends(new_talk: type[Talk], script: list[tuple[CallerTurn, Understanding, float]]) -> None:
    """Also with a caller who says the same few things for ever."""
    talk = new_talk()
    for number in range(engine.TURN_LIMIT + 1):
        talk.does(*script[number % len(script)])
        if talk.ended:
            return
    raise AssertionError(f"still talking about {talk.state.topic}")


@settings(max_examples=150, deadline=None)
@given(script=a_conversation)
def test_C50_a_message_is_promised_only_after_consent(
    new_talk: type[Talk], script: list[tuple[CallerTurn, Understanding, float]]
) -> None:
    talk = new_talk()
    for turn, meaning, heard in script:
        talk.does(turn, meaning, heard)
    kinds = [type(fact).__name__ for fact in talk.facts]
    if talk.of(FollowUpPromised):
        assert kinds.index("ConsentGiven") < kinds.index("FollowUpPromised")


@settings(max_examples=100, deadline=None)
@given(script=a_conversation, reason=st.sampled_from(["silence", "too_long", "drained"]))
def test_a_call_that_must_close_closes(
    new_talk: type[Talk], script: list[tuple[CallerTurn, Understanding, float]], reason: str
) -> None:
    talk = new_talk()
    for turn, meaning, heard in script:
        talk.does(turn, meaning, heard)
    talk.does(Closing(1, reason))
    assert talk.ended
