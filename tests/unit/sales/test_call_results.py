import pytest

from app.dialog.events import (
    AgentHeard,
    AnsweredBy,
    AppointmentRequested,
    CallEnded,
    CallerKeyed,
    CallerSaid,
    CallerVoice,
    ConsentGiven,
    Entry,
    Fact,
    FactLearned,
    FollowUpPromised,
    HumanRequested,
    Interrupted,
    ObjectionMet,
    OptedOut,
    ProviderFailed,
    QuestionAnswered,
    TurnTimed,
)
from app.sales.conversation import conversation_of
from app.sales.lead import Conversation
from app.sales.outcome import Result, outcome_of

SPOKE = CallerSaid(1, "hello", 0.9, 0, 400, "test")
FACTS = (
    FactLearned("roof", "tile", "tiles"),
    FactLearned("bill", "200", "two hundred"),
    FactLearned("zip", "1", "one"),
)
BOOKED = AppointmentRequested("2026-12-01T10:00", "the first")


def log(*facts: Fact) -> list[Entry]:
    return [Entry(seq, seq * 1000, fact) for seq, fact in enumerate(facts, 1)]


@pytest.mark.parametrize(
    ("facts", "result"),
    [
        ((*FACTS, BOOKED, HumanRequested(), OptedOut("stop"), CallEnded("opted_out")), Result.OPTED_OUT),
        ((*FACTS, BOOKED, HumanRequested(), CallEnded("finished")), Result.BOOKED),
        ((*FACTS, HumanRequested("tomorrow"), CallEnded("finished")), Result.HUMAN_REQUESTED),
        ((SPOKE, *FACTS, CallEnded("caller_hung_up")), Result.QUALIFIED),
        ((SPOKE, *FACTS[:2], CallEnded("finished")), Result.CONVERSED),
        ((SPOKE, *FACTS, CallEnded("provider_outage")), Result.QUALIFIED),
        ((SPOKE, CallEnded("provider_outage")), Result.PROVIDER_OUTAGE),
        ((SPOKE, CallEnded("media_lost")), Result.MEDIA_LOST),
        ((SPOKE, CallEnded("media_lost"), CallEnded("finished")), Result.CONVERSED),
        ((SPOKE,), Result.MEDIA_LOST),
        ((), Result.MEDIA_LOST),
        ((CallerSaid(1, "", 0.0, 0, 400, "test"), CallEnded("silence")), Result.SILENT),
        ((CallerSaid(1, "", 0.8, 0, 400, "test"), CallEnded("silence")), Result.CONVERSED),
        ((CallEnded("caller_hung_up"),), Result.ABANDONED),
        ((AnsweredBy("voicemail", 0.9, 2900), CallEnded("message_left")), Result.VOICEMAIL),
        ((AnsweredBy("voicemail", 0.9, 2900), CallEnded("voicemail")), Result.VOICEMAIL),
        ((AnsweredBy("unavailable", 0.9, 2900), CallEnded("unavailable")), Result.NOT_REACHED),
        ((AnsweredBy("screening", 0.9, 2900), SPOKE, CallEnded("finished")), Result.CONVERSED),
        ((CallerKeyed(1, "1"), CallEnded("caller_hung_up")), Result.CONVERSED),
    ],
)
def test_the_best_that_was_achieved_is_the_result(facts, result):
    assert outcome_of("CA1", log(*facts)).result is result


def test_what_was_learned_promised_and_agreed_to():
    outcome = outcome_of(
        "CA1",
        log(
            SPOKE,
            FactLearned("roof", "tile", ""),
            FactLearned("roof", "slate", "no, slate"),
            BOOKED,
            ConsentGiven("recording", "r"),
            ConsentGiven("whatsapp", "May we write?"),
            FollowUpPromised("summary"),
            Interrupted(1, 100, 200),
            CallerKeyed(2, "1"),
            TurnTimed(1, 1000, 1500, 1300, 1700, 1900, 1905, 1950),
            TurnTimed(2, 1000, 1500, 1300, 1700, 1900, 1905, 2950),
            TurnTimed(3, 1000, 1500, 1300, 1700, None, None, None),
            CallEnded("finished"),
        ),
    )
    assert outcome.facts == {"roof": "slate"}
    assert outcome.appointment == "2026-12-01T10:00"
    assert (outcome.follow_up, outcome.whatsapp_consent) == ("summary", "May we write?")
    assert (outcome.turns, outcome.interruptions, outcome.duration_ms) == (2, 1, 13_000)
    assert (outcome.reply_p50_ms, outcome.reply_p95_ms) == (950, 1950)


def test_the_conversation_in_numbers():
    conversation = conversation_of(
        log(
            CallerVoice(0, 3000),
            AgentHeard(1, "hi", 9000, 12_000, False),
            SPOKE,
            QuestionAnswered("warranty"),
            ObjectionMet("too_expensive"),
            *FACTS,
            FactLearned("roof", "slate", ""),
            HumanRequested("tomorrow"),
            ProviderFailed("tts", "x", "y"),
            CallEnded("finished"),
        )
    )
    assert conversation == Conversation(
        talk_share=0.25,
        caller_turns=1,
        questions=1,
        objections=1,
        facts=3,
        price_talk=True,
        callback_asked=True,
        human_asked=True,
        seconds=12.0,
        volunteered=3,
    )


def test_an_empty_log_is_an_empty_conversation():
    assert conversation_of([]) == Conversation()


def test_when_to_call_back_is_kept_with_the_facts() -> None:
    asked = log(SPOKE, HumanRequested(), HumanRequested("tomorrow morning"), CallEnded("finished"))
    assert outcome_of("CA1", asked).facts == {"callback": "tomorrow morning"}


def test_a_person_asked_for_without_a_time_adds_no_fact() -> None:
    assert outcome_of("CA1", log(SPOKE, HumanRequested(), CallEnded("finished"))).facts == {}
