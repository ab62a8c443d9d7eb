from __future__ import annotations

import pytest

from app.errors import BadTable
from ml.label import is_positive, positive_of


@pytest.mark.parametrize(
    ("cells", "positive"),
    [
        (["0", "1"], "1"),
        (["0.0", "1.0", "1"], "1"),
        (["Yes", "no", "NO"], "yes"),
        (["TRUE", "False", ""], "true"),
        (["won", "lost"], "won"),
        (["No", "churned"], "churned"),
    ],
)
def test_the_positive_value_is_the_yes_of_the_pair(cells: list[str], positive: str) -> None:
    assert positive_of(cells, "y") == positive


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["1", "1"], "always '1'"),
        (["", "NA"], "is empty"),
        (["a", "b", "c"], "more than two values"),
        (["red", "blue"], "--positive"),
        (["3.7", "inf", "nan"], "--positive"),
    ],
)
def test_a_label_that_cannot_be_learned_is_one_sentence(cells: list[str], says: str) -> None:
    with pytest.raises(BadTable, match=says):
        positive_of(cells, "y")


def test_asked_for_by_name() -> None:
    assert positive_of(["red", "blue"], "y", "Blue") == "blue"
    with pytest.raises(BadTable, match="never is 'green'"):
        positive_of(["red", "blue"], "y", "green")


def test_an_unknown_label_is_neither() -> None:
    assert [is_positive(c, "1", "y") for c in ("1", "1.0", "0", "", "unknown")] == [True, True, False, None, None]
