"""Which package suits: known callers, those of whom too little is known, and what people corrected."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import playbooks
from app.dialog.playbook import parse
from app.errors import BadInput
from app.sales.offer import NOT_KNOWN, Assortment, Condition, Corrected, Package, Told
from app.sales.packages import assortment_of
from app.simulator import choosers
from ml import appetite
from ml.offer_people import people, phrasebook
from ml.offers import OfferModel, train

NORTHLIGHT = assortment_of(parse(playbooks.text_of("northlight_solar"), "northlight_solar"))
FOUR = Assortment(
    (
        Package("essential", "Essential", 49, (Condition("seats", below=5),), ("essential",)),
        Package("pro", "Pro", 99, (Condition("seats", below=20),), ("pro", "reports")),
        Package("elite", "Elite", 199, (Condition("seats", below=80),), ("elite", "manager")),
        Package("premium", "Premium", 499, (Condition("seats", at_least=80),), ("premium", "audit")),
    ),
    ("how do i pay", "is there a trial", "about fifteen people"),
)


@pytest.fixture(scope="module")
def solar() -> OfferModel:
    return train(NORTHLIGHT)


@pytest.fixture(scope="module")
def four() -> OfferModel:
    return train(FOUR)


@pytest.mark.parametrize(
    ("facts", "words", "package"),
    [
        ({"monthly_bill": "80"}, (), "essential"),
        ({"monthly_bill": "200"}, ("how does it work",), "pro"),
        ({"monthly_bill": "450"}, ("i own it",), "elite"),
        ({"monthly_bill": "80"}, ("we want a battery", "and the best there is"), "elite"),
        ({"monthly_bill": "450"}, ("money is tight so just the basics",), "essential"),
        ({}, (), None),
        ({}, ("i want to talk to a person",), None),
        ({"roof": "tile"}, ("stop calling me",), None),
    ],
)
def test_what_suits(solar: OfferModel, facts: dict[str, str], words: tuple[str, ...], package: str | None) -> None:
    assert solar.suggest(Told(facts, words)).package == package


def test_what_is_not_known_is_said_so_with_the_candidates(solar: OfferModel) -> None:
    suggestion = solar.suggest(Told())
    assert suggestion.reasons == (NOT_KNOWN,)
    assert set(suggestion.candidates) == {"essential", "pro", "elite"}


@pytest.mark.parametrize(
    "asked", ["does it come with a battery", "do you have payment plans for elite", "is a battery extra"]
)
def test_who_asks_about_something_does_not_ask_for_it(solar: OfferModel, asked: str) -> None:
    small = {"monthly_bill": "100"}
    alone, with_question = solar.probabilities(Told(small)), solar.probabilities(Told(small, (asked,)))
    assert solar.suggest(Told(small, (asked,))).package == "essential"
    assert with_question[2] == pytest.approx(alone[2], abs=0.1)
    assert solar.probabilities(Told(small, ("we want a battery",)))[2] > 2 * with_question[2]


def test_the_reason_is_what_was_told(solar: OfferModel) -> None:
    suggestion = solar.suggest(Told({"monthly_bill": "400"}, ("hello", "money is no object")))
    assert any("monthly bill 400" in reason for reason in suggestion.reasons)
    assert any("money is no object" in reason for reason in suggestion.reasons)
    assert not any("hello" in reason for reason in suggestion.reasons)


def test_the_version_says_that_nobody_taught_it_yet(solar: OfferModel) -> None:
    assert solar.version.startswith("offers-simulated-")


@pytest.mark.parametrize("name", ["solar", "four"])
def test_people_it_has_not_learned_from_are_served_well(name: str, request: pytest.FixtureRequest) -> None:
    """Their sentences were not seen either: what it says of each comes from a model without it."""
    model: OfferModel = request.getfixturevalue(name)
    examples = appetite.sentences(model.reader.assortment.besides)
    blind = OfferModel(
        type(model.reader)(model.reader.assortment, model.reader.appetite, model.reader.own, appetite.unseen(examples)),
        model.weights,
        model.base,
        model.cuts,
        model.version,
    )
    found = [
        (blind.suggest(told).package, true)
        for told, true in people(model.reader.assortment, phrasebook(examples), 800, 5)
    ]
    named = [(package, true) for package, true in found if package is not None]
    assert len(named) > 0.6 * len(found)
    assert sum(package == true for package, true in named) / len(named) >= 0.85


def test_no_sentence_of_the_evaluation_was_learned_from() -> None:
    learned = {sentence for sentence, _ in appetite.sentences()}
    assert learned.isdisjoint((*choosers.LITTLE, *choosers.MIDDLE, *choosers.MUCH))


def test_what_people_corrected_is_learned(solar: OfferModel) -> None:
    """Two corrections alike say little; a habit of the team's becomes the model's."""
    told = Told({"monthly_bill": "200"}, ("we charge a car at home",))
    habit = [Corrected(Told({"monthly_bill": str(150 + n)}, ("we charge a car",)), "elite") for n in range(12)]
    assert solar.suggest(told).package == "pro"
    taught = train(NORTHLIGHT, habit)
    assert taught.suggest(told).package == "elite"
    assert taught.version.startswith("offers-corrected-")
    assert taught.suggest(Told({"monthly_bill": "200"})).package == "pro"


def test_a_correction_to_a_package_no_longer_sold_teaches_nothing(solar: OfferModel) -> None:
    gone = [Corrected(Told({"monthly_bill": "200"}), "platinum")]
    assert train(NORTHLIGHT, gone).version == solar.version


def test_the_same_arguments_make_the_same_model(solar: OfferModel) -> None:
    again = train(NORTHLIGHT)
    assert again.version == solar.version
    assert np.array_equal(again.weights, solar.weights)


def test_two_packages_without_conditions_are_told_apart_by_words() -> None:
    model = train(Assortment((Package("small", "Small", 10, words=("small",)), Package("large", "Large", 30))))
    assert model.suggest(Told({}, ("i want everything included", "the best please"))).package == "large"
    assert model.suggest(Told()).package is None


def test_one_package_is_no_choice() -> None:
    with pytest.raises(BadInput, match="at least two"):
        train(Assortment(NORTHLIGHT.packages[:1]))


@settings(max_examples=60, deadline=None)
@given(
    facts=st.dictionaries(st.sampled_from(["seats", "roof", "zip"]), st.text(max_size=8), max_size=3),
    words=st.lists(st.text(max_size=40), max_size=5).map(tuple),
)
def test_whatever_is_told_something_honest_is_said(
    four: OfferModel, facts: dict[str, str], words: tuple[str, ...]
) -> None:
    suggestion = four.suggest(Told(facts, words))
    assert 0 <= suggestion.probability <= 1
    assert suggestion.reasons
    if suggestion.package is None:
        assert len(suggestion.candidates) > 1
    else:
        assert suggestion.candidates == (suggestion.package,)


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(st.sampled_from(["small", "best please", "how do i pay", "audit"]), max_size=4), seed=st.integers()
)
def test_the_order_of_what_was_said_does_not_matter(four: OfferModel, words: list[str], seed: int) -> None:
    shuffled = random.Random(seed).sample(words, len(words))
    mine, other = four.suggest(Told({}, tuple(words))), four.suggest(Told({}, tuple(shuffled)))
    assert (mine.package, mine.candidates) == (other.package, other.candidates)
    assert mine.probability == pytest.approx(other.probability)
