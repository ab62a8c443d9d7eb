"""The drill of people's words: the model moves towards those that agree, and outcomes stay in charge."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest

from app.sales.lead import Tier
from app.sales.learning import Known, Opinion
from app.sales.priority import Lines
from ml.candidates import log_losses
from ml.dataset import Dataset, data_hash
from ml.model import Model
from ml.opinions import MOST, WEIGHT, Words, agreement, taught, words_of
from ml.own import block_for, training_table
from ml.pipeline import Fitted, Plan, fit, one_thread
from ml.simulate import SimulatedLead, leads

LINES = Lines(hot=0.4, warm=0.12)
QUICK = Plan(quick=True)
START = datetime(2026, 9, 1, tzinfo=UTC)


def known(made_up: list[SimulatedLead]) -> list[Known]:
    return [
        Known(UUID(int=n + 1), START + timedelta(hours=n), START + timedelta(days=30, hours=n), one.converted, one.row)
        for n, one in enumerate(made_up)
    ]


def opinions(made_up: list[SimulatedLead], say: Callable[[SimulatedLead], Tier]) -> list[Opinion]:
    return [Opinion(UUID(int=5_000 + n), START, say(one), one.row) for n, one in enumerate(made_up)]


def asked_back(lead: SimulatedLead) -> bool:
    return lead.row["callback_asked"] == "yes"


def chance(model: Model, made_up: list[SimulatedLead]) -> np.ndarray:
    return model.predict(block_for(model.schema, [one.row for one in made_up])).probability


class Office:
    def __init__(self) -> None:
        self.table = training_table(known(leads(900, seed=3)))
        with one_thread():
            self.champion = fit(self.table, QUICK).model
        self.unseen = leads(600, seed=5)
        self.scores = self.champion.predict(self.table.block).probability.tolist()

    def words(self, said: list[Opinion]) -> Words:
        return words_of(said, LINES, self.scores)

    def teach(self, words: Words) -> tuple[Fitted, Dataset]:
        table = taught(self.table, words)
        with one_thread():
            return fit(table, QUICK), table


@pytest.fixture(scope="module")
def office() -> Office:
    return Office()


def people_like_callbacks(lead: SimulatedLead) -> Tier:
    """Their own rule, and one that the simulated truth does not have."""
    return Tier.HOT if asked_back(lead) else Tier.COLD


def test_the_model_moves_towards_words_that_agree_with_each_other(office: Office) -> None:
    words = office.words(opinions(leads(300, seed=4), people_like_callbacks))
    fitted, table = office.teach(words)
    backs = [one for one in office.unseen if asked_back(one)]
    others = [one for one in office.unseen if not asked_back(one)]
    before, after = office.champion, fitted.model
    assert chance(after, backs).mean() > 1.15 * chance(before, backs).mean()
    assert chance(after, others).mean() < chance(before, others).mean()
    agreed = agreement(fitted, table, words, before)
    assert agreed is not None
    assert agreed.words == 300
    assert agreed.after > agreed.before + 0.03


def test_outcomes_go_on_deciding_the_level(office: Office) -> None:
    """Everybody is hot, people say: the average promise stays what outcomes say it is."""
    fitted, table = office.teach(office.words(opinions(leads(300, seed=4), lambda lead: Tier.HOT)))
    promised = fitted.model.predict(table.block).probability.mean()
    assert promised == pytest.approx(office.table.y.mean(), abs=0.02)


def test_words_at_random_cost_little(office: Office) -> None:
    dice = np.random.default_rng(8)
    said = opinions(leads(300, seed=4), lambda lead: Tier.HOT if dice.random() < 0.5 else Tier.COLD)
    fitted, _ = office.teach(office.words(said))
    y = np.array([one.converted for one in office.unseen], dtype=np.int8)

    def loss(model: Model) -> float:
        p = chance(model, office.unseen)
        return float(log_losses(y, np.log(p / (1 - p))).mean())

    assert loss(fitted.model) < loss(office.champion) + 0.01


def test_a_word_weighs_half_an_outcome_and_all_together_half_of_the_outcomes(office: Office) -> None:
    few = taught(office.table, office.words(opinions(leads(10, seed=4), people_like_callbacks))).beside
    many = taught(office.table, office.words(opinions(leads(4_000, seed=4), people_like_callbacks))).beside
    assert few is not None
    assert many is not None
    assert few.weight.sum() == pytest.approx(10 * WEIGHT)
    assert many.weight.sum() == pytest.approx(MOST * 900)


def test_hot_means_as_often_as_hot_leads_buy_and_not_surely(office: Office) -> None:
    words = office.words(opinions(leads(50, seed=4), lambda lead: Tier.HOT))
    hot = [p for p in office.scores if p >= LINES.hot]
    assert words.levels[Tier.HOT] == pytest.approx(np.mean(hot))
    beside = taught(office.table, words).beside
    assert beside is not None
    assert beside.weight[beside.y == 1].sum() / beside.weight.sum() == pytest.approx(np.mean(hot))


def test_without_words_nothing_changes_and_with_them_the_data_have_another_hash(office: Office) -> None:
    nobody = office.words([])
    assert taught(office.table, nobody).beside is None
    assert data_hash(taught(office.table, nobody)) == data_hash(office.table)
    with one_thread():
        fitted = fit(office.table, QUICK)
    assert agreement(fitted, office.table, nobody, office.champion) is None
    spoken = taught(office.table, office.words(opinions(leads(10, seed=4), people_like_callbacks)))
    assert data_hash(spoken) != data_hash(office.table)
