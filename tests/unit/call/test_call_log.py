import pytest

from app.call.log import CallLog
from app.call.setup import CallSetup, Resumed
from app.dialog.events import (
    AgentHeard,
    AgentSaid,
    AppointmentRequested,
    CallBegan,
    CallerKeyed,
    CallerSaid,
    ConsentGiven,
    DisclosureHeard,
    FactLearned,
    HumanRequested,
    OptedOut,
    RecordingRefused,
    to_record,
)
from tests.unit.call.journal import Journal

BEGAN = CallBegan("CA1", "inbound", "+12025550111", "+12025550100", "test", 1, "", "", "")
CARD = "4111111111111111"
WORDS = [
    CallerSaid(1, "SECRET", 1.0, 0, 1, "x"),
    FactLearned("roof", "tile", "SECRET"),
    AppointmentRequested("2026-12-01T10:00", "SECRET"),
    HumanRequested("SECRET"),
    OptedOut("SECRET"),
]


def a_log(resumed: Resumed | None = None) -> tuple[CallLog, Journal]:
    journal = Journal()
    setup = CallSetup(BEGAN, lambda text: text.replace(CARD, "[card]"), resumed=resumed)
    return CallLog(journal, lambda: 1234, setup), journal


@pytest.mark.parametrize("fact", WORDS, ids=lambda fact: type(fact).__name__)
def test_C20_the_callers_words_are_kept_only_between_disclosure_and_refusal(fact):
    log, journal = a_log()
    for between in (None, DisclosureHeard("ai"), DisclosureHeard("recording"), RecordingRefused("SECRET"), None):
        if between is not None:
            log.write(between)
        log.write(fact)
    log.write(ConsentGiven("recording", "May we?"))
    log.write(fact)
    kept = ["SECRET" in repr(entry.fact) for entry in journal.entries if type(entry.fact) is type(fact)]
    assert kept == [False, False, True, False, False, True]
    assert "SECRET" not in repr([entry.fact for entry in journal.entries if isinstance(entry.fact, RecordingRefused)])


def test_C20_a_resumed_call_remembers_whether_it_may_store():
    for may_store in (True, False):
        log, journal = a_log(Resumed("MZ2", 40, 0, 1, 1, may_store))
        log.write(WORDS[0])
        assert ("SECRET" in repr(journal.entries)) is may_store
        assert journal.entries[0].seq == 40


def test_C61_nothing_a_fact_says_escapes_redaction():
    log, journal = a_log()
    log.write(DisclosureHeard("recording"))
    for fact in (
        CallerSaid(1, f"it is {CARD}", 1.0, 0, 1, "x"),
        CallerKeyed(1, CARD),
        FactLearned("number", CARD, CARD),
        AgentSaid(1, 1, f"you said {CARD}", "confirm"),
        AgentHeard(1, f"you said {CARD}", 1, 1, True),
        AppointmentRequested("x", CARD),
        HumanRequested(CARD),
        OptedOut(CARD),
    ):
        log.write(fact)
    assert CARD not in repr([to_record(entry.fact) for entry in journal.entries])


def test_a_disclosure_is_logged_once_and_entries_are_numbered_without_gaps():
    log, journal = a_log()
    for fact in (DisclosureHeard("ai"), DisclosureHeard("ai"), DisclosureHeard("recording"), WORDS[0]):
        log.write(fact)
    assert [(entry.seq, entry.at_ms) for entry in journal.entries] == [(1, 1234), (2, 1234), (3, 1234)]
