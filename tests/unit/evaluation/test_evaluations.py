"""The commands on small folders of sounds made here."""

from __future__ import annotations

import io
import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.evaluation import answers, keys
from app.evaluation.made_up import answered_calls
from app.evaluation.recordings import Recording
from app.evaluation.variations import VARIATIONS, varied
from app.telephony import dtmf, mulaw


def wav(sound: bytes) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sink:
        sink.setnchannels(1)
        sink.setsampwidth(2)
        sink.setframerate(8000)
        sink.writeframes(mulaw.decode(sound).astype("<i2").tobytes())
    return out.getvalue()


def written(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_keys_are_counted_by_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quiet = mulaw.silence(100)
    (tmp_path / "list.csv").write_text("file,kind,digits\na.wav,clean,12#\nb.wav,clean,3\nc.wav,silence,\n")
    (tmp_path / "a.wav").write_bytes(wav(quiet + dtmf.tones("12#") + quiet))
    (tmp_path / "b.wav").write_bytes(wav(quiet + dtmf.tones("4") + quiet))  # wrongly labelled
    (tmp_path / "c.wav").write_bytes(wav(quiet * 5))
    assert keys.report(tmp_path, as_json=True) == 0
    table = written(capsys)["variations"]["as recorded"]
    assert table["clean"] == {"right": 1, "sequences": 2, "false_keys": 1}
    assert table["silence"] == {"right": 1, "sequences": 1, "false_keys": 0}
    assert keys.report(tmp_path, as_json=False) == 0
    assert "2 of 3 sequences right" in capsys.readouterr().out


def test_made_up_calls_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = answered_calls()[:4]
    rows = [{"file": f"{index}.wav", **{**call.row, "file": f"{index}.wav"}} for index, call in enumerate(few)]
    (tmp_path / "list.jsonl").write_text("\n".join(map(json.dumps, rows)))
    for index, call in enumerate(few):
        (tmp_path / f"{index}.wav").write_bytes(wav(call.mulaw))
    assert answers.report(tmp_path, as_json=True) == 0
    table = written(capsys)["variations"]["as recorded"]
    assert table["confusion"] == {"human": {"human": 2}, "machine": {"machine": 2}}
    assert (table["people_right"], table["machines_right"], table["wrong"]) == (1.0, 1.0, [])
    assert table["people_decided_ms"]["worst"] < 1800
    assert table["beep_end_error_ms"]["worst"] < 50
    assert table["beeps_missed"] == 0


def test_what_is_labelled_wrongly_counts_as_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.jsonl").write_text(json.dumps({"file": "a.wav", "label": "machine", "segments": []}))
    (tmp_path / "a.wav").write_bytes(wav(answered_calls()[0].mulaw))
    assert answers.report(tmp_path, as_json=True) == 0
    table = written(capsys)["variations"]["as recorded"]
    assert (table["machines_right"], table["wrong"]) == (0.0, ["a.wav"])


def test_variations_change_the_sound_and_made_up_calls_do_not_change() -> None:
    first, again = answered_calls()[0], answered_calls()[0]
    assert np.array_equal(first.samples, again.samples)
    changed = [varied(first.samples, name) for name in VARIATIONS]
    assert len({sound.tobytes() for sound in changed}) == len(VARIATIONS)
    assert isinstance(first, Recording)
