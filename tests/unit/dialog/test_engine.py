"""Conversations as tables: what the caller does, what the agent says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.dialog.events import (
    AppointmentRequested,
    ConsentGiven,
    DisclosureHeard,
    FactLearned,
    FollowUpPromised,
    HumanRequested,
    ObjectionMet,
    OptedOut,
    QuestionAnswered,
    RecordingRefused,
)
from app.dialog.moves import Closing, Commit, Finish, Note, Say
from app.dialog.playbook import Playbook

if TYPE_CHECKING:
    from tests.unit.dialog.conftest import Talk


def learned(talk: Talk) -> dict[str, str]:
    return {fact.name: fact.value for fact in talk.of(FactLearned)}


# --- the opening -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_C30_the_first_sentence_names_us_and_says_that_we_are_a_machine(new_talk: type[Talk], direction: str) -> None:
    first = next(move for move in new_talk(direction=direction).moves if isinstance(move, Say))
    assert "Northlight Solar" in first.text
    assert "automated A.I. assistant" in first.text


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_C05_the_way_to_opt_out_follows_the_identification(new_talk: type[Talk], direction: str) -> None:
    lines = [move for move in new_talk(direction=direction).moves if isinstance(move, Say)]
    assert lines[1].purpose == "disclosure:opt_out"
    assert "press nine" in lines[1].text


def test_what_was_heard_is_logged_as_disclosed(talk: Talk) -> None:
    talk.says("sales")
    assert {fact.kind for fact in talk.of(DisclosureHeard)} == {"identity", "ai", "opt_out", "recording"}


@pytest.mark.parametrize("share", [n / 20 for n in range(20)])
def test_C04_interrupted_disclosures_are_complete_within_two_turns(new_talk: type[Talk], share: float) -> None:
    talk = new_talk(heard=share)
    talk.says("yes hello", "greeting", heard=share)
    talk.says("sales", heard=share)
    assert talk.state.undisclosed == (), "what is unheard after two interruptions is said to its end"
    talk.says("yes", "yes")
    assert {fact.kind for fact in talk.of(DisclosureHeard)} == {"identity", "ai", "opt_out", "recording"}


def test_a_disclosure_is_not_repeated_once_heard(new_talk: type[Talk]) -> None:
    talk = new_talk(heard=0.45)
    said = talk.says("sales")
    assert said.startswith("One thing first.")
    assert "recorded" in said
    assert "A.I. assistant" not in said
    assert "recorded" not in talk.says("yes", "yes")


# --- the way through -------------------------------------------------------------------------------------------------


def test_a_caller_who_answers_everything_is_qualified_booked_and_written_to(talk: Talk) -> None:
    talk.through_the_facts()
    assert learned(talk) == {
        "owns_home": "yes",
        "roof": "tile",
        "monthly_bill": "200",
        "shade": "full_sun",
        "timeframe": "soon",
        "zip_code": "94107",
    }
    assert "most people choose Pro" in talk.last
    assert "Saturday at ten in the morning" in talk.last
    assert "Monday at four in the afternoon" in talk.last
    assert "WhatsApp" in talk.says("monday at four please", "book_appointment")
    assert [fact.slot for fact in talk.of(AppointmentRequested)] == ["2026-11-23T16:00"]
    talk.says("yes", "yes")
    assert [fact.kind for fact in talk.of(ConsentGiven)] == ["whatsapp"]
    assert [fact.template for fact in talk.of(FollowUpPromised)] == ["appointment_summary"]
    assert talk.says("no thank you", "no").endswith("Goodbye.")
    assert talk.ended == "finished"


ANSWERS = [
    ("ask:owns_home", "well yes we do", "yes"),
    ("ask:owns_home", "no we rent", "no"),
    ("ask:owns_home", "i don't own it", "no"),
    ("ask:owns_home", "it's mine", "yes"),
    ("ask:roof", "i think it's asphalt shingles", "shingle"),
    ("ask:roof", "not flat it is metal", "metal"),
    ("ask:roof", "shingle no wait tile", "tile"),
    ("ask:monthly_bill", "about one twenty", "120"),
    ("ask:monthly_bill", "between one fifty and two hundred", "175"),
    ("ask:monthly_bill", "$240", "240"),
    ("ask:monthly_bill", "a hundred and fifty dollars a month", "150"),
    ("ask:shade", "just a little shade in the morning", "some_shade"),
    ("ask:shade", "there are no trees", "full_sun"),
    ("ask:shade", "it is mostly shade", "much_shade"),
    ("ask:timeframe", "as soon as possible", "soon"),
    ("ask:timeframe", "oh no rush", "just_looking"),
]


@pytest.mark.parametrize(("topic", "said", "value"), ANSWERS)
def test_answers_in_the_callers_own_words(talk: Talk, topic: str, said: str, value: str) -> None:
    script = {
        "ask:owns_home": [],
        "ask:roof": ["yes"],
        "ask:monthly_bill": ["yes", "tile"],
        "ask:shade": ["yes", "tile", "two hundred dollars"],
        "ask:timeframe": ["yes", "tile", "two hundred dollars", "no shade"],
    }
    talk.says("sales")
    for line in script[topic]:
        talk.says(line)
    assert talk.state.topic == topic
    talk.says(said)
    assert learned(talk)[topic.removeprefix("ask:")] == value


def test_facts_volunteered_early_are_not_asked_again(talk: Talk) -> None:
    talk.says("i want solar we own our home and we have a tile roof", "interested")
    assert learned(talk) == {"owns_home": "yes", "roof": "tile"}
    assert talk.state.topic == "ask:monthly_bill"


def test_a_question_about_a_thing_is_no_fact_about_the_caller(talk: Talk) -> None:
    talk.says("does it work on a flat roof", about="question:how_it_works")
    assert learned(talk) == {}


def test_a_correction_changes_the_fact_and_the_question_stays_open(talk: Talk) -> None:
    for line in ("sales", "yes", "metal"):
        talk.says(line)
    said = talk.says("no i said tile", "no")
    assert learned(talk)["roof"] == "tile"
    assert said.startswith("Thank you, I have changed that.")
    assert talk.state.topic == "ask:monthly_bill"


def test_a_tenant_is_told_why_and_not_asked_for_a_visit(talk: Talk) -> None:
    talk.says("sales")
    assert "landlord" in talk.says("no i rent")
    assert talk.state.topic == "closing"


# --- digits ----------------------------------------------------------------------------------------------------------


def at_the_zip(talk: Talk) -> Talk:
    for line in ("sales", "yes", "tile", "two hundred dollars", "no shade", "soon"):
        talk.says(line)
    return talk


def test_digits_are_read_back_and_kept_only_when_confirmed(talk: Talk) -> None:
    assert at_the_zip(talk).says("nine four one double oh") == "I heard nine four one zero zero. Is that right?"
    assert "zip_code" not in learned(talk)
    assert "nine four one one zero" in talk.says("no nine four one one oh", "no")
    talk.says("that's right", "yes")
    assert learned(talk)["zip_code"] == "94110"


def test_after_two_wrong_read_backs_the_keypad_is_offered(talk: Talk) -> None:
    at_the_zip(talk)
    for _ in range(2):
        talk.says("nine four one double oh")
        said = talk.says("no", "no")
    assert said == "Please type your five digit zip code on the keypad."
    talk.presses("94107")
    assert learned(talk)["zip_code"] == "94107"


# --- questions and objections ----------------------------------------------------------------------------------------


def test_a_question_is_answered_and_the_open_one_put_again(talk: Talk) -> None:
    talk.says("sales")
    said = talk.says("how much does it cost", "price", "question:price")
    assert said == (
        "Most homes pay between ten and twenty eight thousand dollars. A free visit gives you the exact price. "
        "Is the house yours, or do you rent it?"
    )
    assert talk.of(QuestionAnswered)[0].name == "price"


def test_an_answer_with_a_question_counts_as_both(talk: Talk) -> None:
    talk.says("sales")
    said = talk.says("yes but how long is the warranty", "yes", "question:warranty")
    assert learned(talk) == {"owns_home": "yes"}
    assert "twenty five year warranty" in said
    assert "What kind of roof" in said


def test_an_objection_is_answered_once_and_then_respected(talk: Talk) -> None:
    talk.says("sales")
    assert "big step" in talk.says("that's too expensive", "price", "objection:too_expensive")
    assert talk.says("no it is too expensive", "price", "objection:too_expensive").startswith(
        "I understand, and I will"
    )
    assert talk.state.topic == "closing"
    assert [fact.name for fact in talk.of(ObjectionMet)] == ["too_expensive"] * 2


def test_not_interested_twice_is_goodbye(talk: Talk) -> None:
    talk.says("i'm not interested", "not_interested", "objection:not_interested")
    assert talk.says("no really not interested", "not_interested", "objection:not_interested").endswith("Goodbye.")
    assert talk.ended == "finished"
    assert talk.of(OptedOut) == []


# --- visits ----------------------------------------------------------------------------------------------------------

VISITS = [
    ("the first one", "2026-11-21T10:00"),
    ("the second one please", "2026-11-23T16:00"),
    ("saturday", "2026-11-21T10:00"),
    ("monday", "2026-11-23T16:00"),
    ("at four", "2026-11-23T16:00"),
    ("tuesday at two", "2026-11-24T14:00"),
    ("how about thursday at eleven", "2026-11-26T11:00"),
    ("wednesday afternoon", "2026-11-25T17:00"),
    ("monday at ten", "2026-11-23T10:00"),
    ("either one is fine", "2026-11-21T10:00"),
]


@pytest.mark.parametrize(("said", "slot"), VISITS)
def test_a_visit_is_chosen_in_words(talk: Talk, said: str, slot: str) -> None:
    talk.through_the_facts().says(said, "book_appointment")
    assert [fact.slot for fact in talk.of(AppointmentRequested)] == [slot]


def test_other_times_are_offered_and_then_a_person(talk: Talk) -> None:
    said = talk.through_the_facts().says("neither of those", "no")
    assert said.startswith("Please say Monday at ten in the morning")
    talk.says("no another day please", "no")
    assert "Then a person will call you back" in talk.says("no", "no")
    assert talk.state.topic == "callback"


def test_asking_for_a_day_offers_the_times_of_that_day(talk: Talk) -> None:
    said = talk.through_the_facts().says("do you have tuesday", "book_appointment")
    assert "Tuesday at ten in the morning, or Tuesday at two in the afternoon" in said


def test_yes_to_an_either_or_books_nothing(talk: Talk) -> None:
    talk.through_the_facts().says("yes", "yes")
    assert talk.of(AppointmentRequested) == []


def test_a_caller_who_wants_a_visit_at_once_gets_it_before_the_questions(talk: Talk) -> None:
    assert "I have Saturday" in talk.says("can somebody come out", "book_appointment")
    talk.says("saturday at ten", "book_appointment")
    assert talk.state.topic == "ask:owns_home"


# --- people, messages, consent ---------------------------------------------------------------------------------------


def test_a_request_for_a_person_is_logged_at_once_and_again_with_the_time(talk: Talk) -> None:
    assert "When should a person call you back?" in talk.says("let me talk to a person", "wants_human")
    said = talk.says("tomorrow morning")
    assert "A person will call you back at this number." in said
    assert [fact.when for fact in talk.of(HumanRequested)] == ["", "tomorrow morning"]
    talk.says("i would rather not say")
    talk.says("yes", "yes")
    assert [fact.template for fact in talk.of(FollowUpPromised)] == ["callback_summary"]


def test_C50_no_message_is_promised_without_a_yes_to_the_whole_question(talk: Talk) -> None:
    talk.through_the_facts().says("saturday", heard=0.5)
    talk.says("yes", "yes")
    assert talk.of(ConsentGiven) == []
    assert talk.state.topic == "whatsapp"
    talk.says("yes", "yes")
    assert "Northlight Solar" in talk.of(ConsentGiven)[0].wording


def test_C50_no_means_no_message(talk: Talk) -> None:
    talk.through_the_facts().says("saturday")
    assert "I will not send anything" in talk.says("no", "no")
    assert talk.of(FollowUpPromised) == []


def test_consent_is_committed_before_the_promise(talk: Talk) -> None:
    talk.through_the_facts().says("saturday")
    talk.says("sure", "yes")
    kinds = [type(move.fact).__name__ for move in talk.reply if isinstance(move, Commit | Note)]
    assert kinds.index("ConsentGiven") < kinds.index("FollowUpPromised")


# --- safety ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["take me off your list", "stop calling me", "i'm busy don't call again"])
def test_C05_opting_out_is_committed_confirmed_without_interruption_and_ends_the_call(talk: Talk, said: str) -> None:
    talk.says(said, "no_time", "question:price")
    commit, confirmation, end = (move for move in talk.reply if not isinstance(move, Note))
    assert commit == Commit(OptedOut(said))
    assert isinstance(confirmation, Say)
    assert confirmation.protected
    assert end == Finish("opted_out")


def test_C05_a_model_may_add_an_opt_out_when_it_is_sure(talk: Talk) -> None:
    talk.says("please strike us from the ledger", "stop_calling", sure=0.95)
    assert talk.ended == "opted_out"


def test_C05_nothing_more_is_said_after_an_opt_out(talk: Talk) -> None:
    talk.says("stop calling")
    assert talk.says("how much is it", "price", "question:price") == ""
    assert talk.ended == "opted_out"


@pytest.mark.parametrize("lines", [[], ["sales"], ["sales", "yes"], ["support"], ["sales", "yes", "tile", "huh"]])
def test_C05_key_nine_works_at_any_moment(talk: Talk, lines: list[str]) -> None:
    for line in lines:
        talk.says(line)
    talk.presses("9")
    assert talk.ended == "opted_out"


def test_C05_nine_inside_a_zip_code_is_a_digit(talk: Talk) -> None:
    at_the_zip(talk).presses("94107")
    assert talk.ended == ""
    assert learned(talk)["zip_code"] == "94107"


def test_C32_the_robot_question_is_answered_truthfully_and_the_talk_goes_on(talk: Talk) -> None:
    talk.says("sales")
    said = talk.says("wait are you a robot", "trust")
    assert said.startswith("Yes, I am an automated A.I. assistant, not a person.")
    assert talk.state.topic == "ask:owns_home"


def test_C20_a_refused_recording_is_committed_and_the_talk_goes_on(talk: Talk) -> None:
    said = talk.says("i don't want to be recorded")
    assert Commit(RecordingRefused("i don't want to be recorded")) in talk.reply
    assert "I will not keep a recording" in said
    assert talk.state.topic == "menu"


# --- when understanding fails ----------------------------------------------------------------------------------------


def test_unclear_once_asks_in_other_words_twice_offers_the_keypad_then_goes_on(talk: Talk) -> None:
    talk.says("sales")
    assert talk.says("") == "Sorry, I did not catch that. Is the house yours, or do you rent it?"
    assert talk.says("") == "Sorry, I still did not understand. Press one if you own your home, or two if you rent."
    assert talk.says("").startswith("That is no problem. Let us go on. What kind of roof")


def test_the_keypad_answers_everything(talk: Talk) -> None:
    for keys in ("1", "1", "2", "200#", "1", "1", "94107", "2", "1", "2"):
        talk.presses(keys)
    assert learned(talk) == {
        "owns_home": "yes",
        "roof": "tile",
        "monthly_bill": "200",
        "shade": "full_sun",
        "timeframe": "soon",
        "zip_code": "94107",
    }
    assert [fact.slot for fact in talk.of(AppointmentRequested)] == ["2026-11-23T16:00"]
    assert talk.ended == "finished"


def test_a_caller_on_the_keypad_who_wants_a_person(talk: Talk) -> None:
    assert "service team" in talk.presses("2")
    talk.presses("2")
    assert [fact.when for fact in talk.of(HumanRequested)] == ["", "tomorrow"]


def test_a_yes_to_a_question_that_was_not_heard_is_no_answer(talk: Talk) -> None:
    talk.says("sales", heard=0.2)
    assert talk.says("yes", "yes") == "First, do you own your home?"
    assert learned(talk) == {}


def test_silence_is_nudged_with_the_question(talk: Talk) -> None:
    talk.says("sales")
    assert talk.is_silent(1) == "Are you still there? Is the house yours, or do you rent it?"
    assert talk.is_silent(2).startswith("I can not hear you.")


@pytest.mark.parametrize("reason", ["silence", "too_long", "drained", "provider_outage", "error"])
def test_a_call_that_must_end_says_goodbye(talk: Talk, reason: str) -> None:
    assert talk.does(Closing(1, reason)).endswith("Goodbye.")
    assert talk.ended == reason


def test_goodbye_ends_the_call_with_our_number(talk: Talk) -> None:
    assert "two oh two" in talk.says("okay bye", "goodbye")
    assert talk.ended == "finished"


def test_a_goodbye_can_be_interrupted_by_another_question(talk: Talk) -> None:
    talk.says("bye", "goodbye", heard=0.3)
    assert "twenty five year" in talk.says("wait is there a warranty", "question_product", "question:warranty")
    assert talk.ended == ""


def test_more_questions_at_the_end_are_invited(talk: Talk, playbook: Playbook) -> None:
    talk.through_the_facts().says("saturday")
    talk.says("no", "no")
    assert talk.says("yes", "yes") == playbook.closing.go_on
    assert talk.says("is there a warranty", about="question:warranty").endswith("Please say yes or no.")


def test_an_answer_that_shares_a_topic_with_a_question_is_no_question(talk: Talk) -> None:
    talk.says("sales")
    talk.says("yes")
    said = talk.says("it is a tile roof", about="question:roof_damage")
    assert [fact.value for fact in talk.of(FactLearned) if fact.name == "roof"] == ["tile"]
    assert "seal every hole" not in said


def test_words_we_misheard_are_not_answered_twice_with_the_same_thing(talk: Talk) -> None:
    talk.says("sales")
    talk.says("yes")
    assert "seal every hole" in talk.says("it is a time roof", about="question:roof_damage")
    assert "seal every hole" not in talk.says("it is a time roof", about="question:roof_damage")


def test_somebody_who_plainly_asks_is_told_again(talk: Talk) -> None:
    talk.says("sales")
    for _ in range(2):
        assert "seal every hole" in talk.says("will it damage my roof", about="question:roof_damage")


BILL = "About how many dollars is your electric bill each month?"


def test_who_wants_a_person_is_asked_once_what_that_person_should_know(talk: Talk) -> None:
    talk.says("let me talk to a person", "wants_human")
    said = talk.says("tomorrow")
    assert said.index("A person will call you back") < said.index(BILL)
    assert BILL not in talk.says("i do not know", "dont_know"), "asked once"
    assert talk.state.topic == "whatsapp"


def test_what_is_known_or_was_asked_before_is_not_asked_again(talk: Talk) -> None:
    for line in ("sales", "yes", "tile", "two hundred dollars"):
        talk.says(line, "yes" if line == "yes" else "other")
    talk.says("let me talk to a person", "wants_human")
    assert BILL not in talk.says("tomorrow")


def test_a_customer_with_a_broken_system_is_not_asked_about_a_new_one(talk: Talk) -> None:
    talk.says("support")
    assert BILL not in talk.says("tomorrow")


def test_who_asks_by_key_wants_no_talk(talk: Talk) -> None:
    talk.presses("0")
    assert BILL not in talk.presses("2")
    assert talk.state.topic == "whatsapp"


def test_a_bill_told_for_the_person_is_kept_as_a_fact(talk: Talk) -> None:
    talk.says("let me talk to a person", "wants_human")
    talk.says("tomorrow")
    talk.says("about two hundred dollars")
    assert talk.state.facts["monthly_bill"] == "200"
