import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialog import phrases, words
from app.dialog.readback import gathered, groups, mended, said, spoken

NUMBER = "5550123456"


@pytest.mark.parametrize(
    ("digits", "parts"),
    [
        ("", ()),
        ("94110", ("94110",)),
        ("555012", ("555", "012")),
        ("5550123", ("555", "0123")),
        (NUMBER, ("555", "012", "3456")),
        ("15550123456", ("1", "555", "012", "3456")),
    ],
)
def test_a_number_is_read_back_in_groups(digits, parts):
    assert groups(digits) == parts


def test_a_group_ends_in_a_comma_the_number_does_not():
    assert " ".join(spoken(NUMBER)) == "five five five, zero one two, three four five six"
    assert " ".join(spoken("94110")) == "nine four one one zero"


@given(st.text(alphabet="0123456789", max_size=14))
def test_no_digit_is_lost_in_a_read_back(digits):
    assert "".join(groups(digits)) == digits
    assert words.digits(" ".join(spoken(digits))) == digits


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("five five five and then oh one two", "555012"),
        ("it is five five five, let me see, zero one", "55501"),
        ("five five six no five five five zero one", "55501"),
        ("three four sorry three five", "35"),
        ("no idea", ""),
    ],
)
def test_what_is_put_right_in_the_same_breath_counts(text, digits):
    assert said(text) == digits


@pytest.mark.parametrize(
    ("so_far", "text", "whole"),
    [
        ("", "five five five", "555"),
        ("555", "zero one two", "555012"),
        ("555012", "three four five six", NUMBER),
        ("555012", "five five five zero one two three four five six", NUMBER),  # all of it again
        ("555012", "five five five zero one two three", "5550123"),  # begun again
        ("555012", "one two three four five six seven", ""),  # does not fit
    ],
)
def test_the_parts_of_a_number_make_the_whole(so_far, text, whole):
    assert gathered(so_far, text, 10) == whole


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("no it's seven at the end", "5550123457"),
        ("no, the last one is a seven", "5550123457"),
        ("the last two are one seven", "5550123417"),
        ("it ends in double seven", "5550123477"),
        ("no it starts with four", "4550123456"),
        ("the fourth digit is nine", "5559123456"),
        ("no, four nine, not four five", "5550123496"),
        ("not six but seven", "5550123457"),
        ("no zero one nine", "5550193456"),
        ("no five five five zero one nine three four five six", "5550193456"),
    ],
)
def test_the_caller_mends_a_number(text, number):
    assert mended(NUMBER, text) == number


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "yes",
        "yes that is right",
        "no that is wrong",
        "not five but six",
        "the tenth of may",
        "nine nine nine",
        "2",
    ],
)
def test_what_says_not_how_changes_nothing(text):
    assert mended(NUMBER, text) is None


@given(st.text(alphabet="0123456789", min_size=6, max_size=12), st.text(max_size=40))
def test_a_mended_number_is_as_long_as_before(digits, text):
    found = mended(digits, text)
    assert found is None or (len(found) == len(digits) and found.isdecimal())


@given(st.text(alphabet="0123456789", min_size=10, max_size=10), st.integers(1, 4))
def test_the_end_may_be_said_again(digits, count):
    new = "".join(str(9 - int(digit)) for digit in digits[-count:])
    told = f"no it is {' '.join(phrases.spell(new))} at the end"
    assert mended(digits, told) == digits[:-count] + new
