from __future__ import annotations

import io
import json
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest

from app.errors import BadInput
from app.evaluation.recordings import recordings


def wav(samples: list[int], rate: int = 8000) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sink:
        sink.setnchannels(1)
        sink.setsampwidth(2)
        sink.setframerate(rate)
        sink.writeframes(np.array(samples, "<i2").tobytes())
    return out.getvalue()


def test_rows_come_with_their_sound_from_a_zip_or_the_folder(tmp_path: Path) -> None:
    (tmp_path / "some.jsonl").write_text(
        json.dumps({"file": "a.wav", "label": "x"}) + "\n" + json.dumps({"file": "b.wav"})
    )
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as zipped:
        zipped.writestr("a.wav", wav([1, 2]))
    (tmp_path / "b.wav").write_bytes(wav([3] * 8000))
    first, second = recordings(tmp_path, "sounds")
    assert (first.name, first.row["label"], first.samples.tolist()) == ("a.wav", "x", [1, 2])
    assert second.seconds == 1.0
    assert len(second.mulaw) == 8000


def test_a_table_will_do(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("file,digits\na.wav,12\n")
    (tmp_path / "a.wav").write_bytes(wav([1]))
    assert [row.row["digits"] for row in recordings(tmp_path, "sounds")] == ["12"]


@pytest.mark.parametrize(
    ("listed", "says"),
    [
        (None, "no list of recordings"),
        ('{"label": "x"}', "must name its `file`"),
        ("{", "line 1"),
        ('{"file": "none.wav"}', "neither in"),
        ('{"file": "fast.wav"}', "16000 samples a second"),
        ('{"file": "text.wav"}', "not a FLAC file"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(tmp_path: Path, listed: str | None, says: str) -> None:
    (tmp_path / "fast.wav").write_bytes(wav([1], rate=16000))
    (tmp_path / "text.wav").write_text("words")
    if listed is not None:
        (tmp_path / "list.jsonl").write_text(listed)
    with pytest.raises(BadInput, match=says):
        list(recordings(tmp_path, "sounds"))


def test_no_folder_at_all_says_what_is_needed() -> None:
    with pytest.raises(BadInput, match=r"--data.*a folder with sounds"):
        list(recordings(None, "sounds"))
