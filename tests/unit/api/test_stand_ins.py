"""What a playbook says when nobody has anything to say, from the voice pack that ships."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from app import playbooks
from app.api.stand_ins import open_pack, stand_ins
from app.dialog.playbook import parse

BOOK = parse(playbooks.text_of("northlight_solar"), "northlight_solar.yaml")
NEW_YORK = ZoneInfo("America/New_York")
NOON = datetime(2026, 11, 23, 12, tzinfo=NEW_YORK)  # a Monday


def with_person(book=BOOK):
    return replace(book, business=replace(book.business, transfer="+12025550142"))


def test_F13_the_offer_of_a_person_is_at_hand_as_sound():
    found = stand_ins(with_person(), open_pack(), NOON.astimezone(ZoneInfo("UTC"))).put_through
    assert found is not None
    assert "press one" in found.offer.line.text
    assert len(found.offer.mulaw) > 8000 * 4
    assert len(found.taken.mulaw) > 8000


@pytest.mark.parametrize("at", [NOON.replace(hour=3), NOON.replace(day=22)])
def test_F13_nobody_is_offered_when_the_business_is_closed(at):
    assert stand_ins(with_person(), None, at).put_through is None


def test_F13_nobody_is_offered_where_the_playbook_names_nobody():
    assert stand_ins(BOOK, None, NOON).put_through is None
