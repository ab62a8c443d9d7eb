import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialog import email, spelling


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("john dot smith at example dot com", "john.smith@example.com"),
        ("my email is john underscore smith at example dot co dot uk", "john_smith@example.co.uk"),
        ("It's John.Smith@Example.com.", "john.smith@example.com"),
        ("j o h n at g mail dot com", "john@gmail.com"),
        ("b as in bravo r o w n ninety nine at example dot org", "brown99@example.org"),
        ("anna double l at example dot com all lower case", "annall@example.com"),
        ("mary dash jane two at hot mail dot com", "mary-jane2@hotmail.com"),
        ("juan punto pérez arroba ejemplo punto es", "juan.perez@ejemplo.es"),
        ("mi correo es ana guion bajo uno arroba ejemplo punto com", "ana_1@ejemplo.com"),
        ("um it is sales plus test at my company dot com", "sales+test@mycompany.com"),
        ("john dot smith at", None),
        ("john at example", None),
        ("call me at nine", None),
        ("i do not have one", None),
    ],
)
def test_an_address_is_understood_as_it_is_said(said, address):
    assert email.address(said) == address


@pytest.mark.parametrize("said", ["john dot smith at", "john at example", "j o h n", "john dot"])
def test_half_an_address_is_one_that_goes_on(said):
    assert email.begun(said)


@pytest.mark.parametrize("said", ["i do not have one", "john at example dot com", "why do you need it"])
def test_a_whole_one_or_none_does_not(said):
    assert not email.begun(said)


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("jo_1@gmail.com", "J O underscore one, at gmail dot com"),
        ("Ann Lee", "A N N, L E E"),
    ],
)
def test_it_is_read_back_sign_by_sign(value, parts):
    assert " ".join(spelling.spoken(value)) == parts


@pytest.mark.parametrize(
    ("said", "letters"),
    [
        ("b as in bravo, r, o, w, n", "brown"),
        ("bravo romeo oscar whiskey november", "brown"),
        ("l double e", "lee"),
        ("my name is brown", ""),
        ("a", ""),
    ],
)
def test_spelled_letters(said, letters):
    assert spelling.letters(said) == letters


@given(st.from_regex(r"[a-z]{1,8}(?:[._-][a-z0-9]{1,5})?@[a-z]{2,8}\.(?:com|org)", fullmatch=True))
def test_what_is_read_back_is_understood_again(address):
    assert email.address(" ".join(spelling.spoken(address))) == address


@given(st.text(max_size=60))
def test_any_words_are_an_address_or_none(text):
    found = email.address(text)
    assert found is None or "@" in found
