"""What sounds finished and what does not, as recognisers write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialog.completeness import Ending, ending
from app.dialog.moves import Expectation

YES_NO = Expectation("ask:owns_home", "yes_no")
CHOICE = Expectation("ask:roof", "choice", ("shingle", "metal roof", "tile"))
NUMBER = Expectation("ask:bill", "number")
DAY = Expectation("appointment", "day")

# Said up to a pause in mid-sentence.
PREFIXES = """
i would like to
i would like to know
i would like to know how much
i'd like to know what the
i want to
i want a
i need a quote for my
i'm calling about the
i am calling because
i have a question about
i was wondering if
i was wondering if you could
my number is
my number is five five
you can reach me at
my name is
my name is and i
yes but
yes and
no but
yeah because
well i think
so what i
can you
can you tell me
could you please tell me
do you
what is the
what is the price of
what kind of
how much does the
how much does it
how long do you
is it possible to
i live in
we have a house in
the roof is about
the electricity bill is really
if i put solar on my roof
if you come on tuesday
when my husband comes home
because my bill is so high
my husband and
between two and
either tuesday or
i don't want
i do not really
let me see
hold on
no wait
yes hold on
one second
uh
i would um
it is a
there are
we get a lot of
tell me
i heard that
with the
for example
will the panels
is the roof
does your company
how long does the installation
what happens when
is it true that
do i have to
how much does it cost for
i'm looking for a
the thing is
quiero
quiero saber
quiero saber cuánto cuesta
me gustaría
tengo una casa en
mi número es
necesito una cotización para
la factura es muy
mi esposo y
sí pero
es que
porque la
un momento
si instalo los paneles
""".strip().splitlines()

# Said by somebody who is through.
WHOLE = """
yes
yes please
no thank you
yeah sure
no
okay
sounds good
that's right
yes i do
yes we are
no i don't
what does it cost
how much does it cost
how much is it
how long does it take
what happens to the panels in winter
what is this about
what is the price
will the panels work in the winter
is the roof too old
who am i speaking with
where are you calling from
what is it for
are you a robot
can you call me back tomorrow
do you offer financing
is there a warranty on it
please stop calling me
take me off your list please
i'm not interested
thank you
goodbye
i don't know
i am not sure
that is all thank you
sí
no gracias
cuánto cuesta la instalación
cuánto tiempo tarda
no me interesa
muchas gracias
adiós
está bien
""".strip().splitlines()

# Finished as they are, though more might come.
EITHER = """
i want solar
i need a quote for my house
my roof is about ten years old
it is a shingle roof
tell me about the price
we have a house in springfield
hello
take me off your list
tengo una casa en madrid
necesito una cotización para mi casa
""".strip().splitlines()


@pytest.mark.parametrize("words", PREFIXES)
def test_something_must_follow(words):
    assert ending(words) is Ending.OPEN
    assert ending(words.capitalize()) is Ending.OPEN


@pytest.mark.parametrize("words", WHOLE)
def test_somebody_is_through(words):
    assert ending(words) is Ending.CLOSED
    assert ending(f"{words.capitalize()}.") is Ending.CLOSED


@pytest.mark.parametrize("words", EITHER)
def test_a_statement_may_be_over_and_a_full_stop_helps_a_long_one(words):
    assert ending(words) is Ending.UNSURE
    assert ending(f"{words}.") in (Ending.UNSURE, Ending.CLOSED)


@pytest.mark.parametrize("words", PREFIXES)
def test_a_full_stop_alone_finishes_nothing(words):
    """Recognisers put one wherever they stop listening."""
    assert ending(f"{words}.") is Ending.OPEN


@pytest.mark.parametrize(
    ("words", "answer", "expected"),
    [
        ("we do", YES_NO, Ending.CLOSED),
        ("we do", Expectation(), Ending.OPEN),
        ("i am", YES_NO, Ending.CLOSED),
        ("i am", Expectation(), Ending.OPEN),
        ("a metal roof", CHOICE, Ending.CLOSED),
        ("it is a metal", CHOICE, Ending.UNSURE),
        ("two hundred", NUMBER, Ending.UNSURE),
        ("about", NUMBER, Ending.OPEN),
        ("tuesday", DAY, Ending.CLOSED),
        ("tuesday or", DAY, Ending.OPEN),
        ("tuesday at", DAY, Ending.OPEN),
        ("what", Expectation(), Ending.UNSURE),
        ("", YES_NO, Ending.UNSURE),
    ],
)
def test_what_was_asked_matters(words, answer, expected):
    assert ending(words, answer) is expected


ENGLISH = [*WHOLE[: WHOLE.index("sí")], *EITHER[: EITHER.index("tengo una casa en madrid")]]


@given(st.sampled_from(ENGLISH), st.sampled_from(["and", "but", "because", "the", "um", "i want to", "to the"]))
def test_whatever_was_said_a_dangling_word_opens_it_again(words, more):
    assert ending(f"{words} {more}") is Ending.OPEN


@given(st.text(max_size=60), st.sampled_from(["open", "yes_no", "number", "digits", "choice", "day", "time", "name"]))
def test_any_text_is_judged(words, kind):
    assert ending(words, Expectation("x", kind)) in Ending
