import pytest

from app.errors import BadInput
from app.replay import run_diff


@pytest.mark.parametrize("setting", ["pause_ms", "pause_ms=soon", "pace_ms=900", "expected=1", "dictated=1"])
def test_a_setting_of_turn_taking_that_there_is_not_is_named_before_anything_is_opened(setting):
    with pytest.raises(BadInput, match="pause_ms=900"):
        run_diff("CA1", [setting], as_json=False)
