"""Files of spoken clips."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import BadInput
from app.providers.offline.clips import ClipFile, key, write


def test_a_clip_is_found_by_what_it_says_not_by_how_it_is_written(tmp_path: Path) -> None:
    write(tmp_path / "voice.zip", {"It's all right.": b"\x01" * 800})
    clips = ClipFile(tmp_path / "voice.zip")
    assert clips.find("it’s ALL right") == b"\x01" * 800
    assert "It's all right?" in clips
    assert clips.find("something else") is None


def test_the_same_clips_make_the_same_file(tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        write(tmp_path / name, {"yes": b"\x10" * 1600, "no": b"\x20" * 1600})
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_missing_or_foreign_file_says_which(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nobody\.zip is missing"):
        ClipFile(tmp_path / "nobody.zip")
    (tmp_path / "notes.zip").write_text("not a zip")
    with pytest.raises(BadInput, match="not a file of spoken clips"):
        ClipFile(tmp_path / "notes.zip")


@pytest.mark.parametrize(
    ("text", "found_by"),
    [("Good.  It's 5!", "good it's 5"), ("the A.I. assistant", "the a i assistant"), (", or", "or"), ("?", "")],
)
def test_key(text: str, found_by: str) -> None:
    assert key(text) == found_by
