"""News between processes: what is written is read, and nothing else is."""

from __future__ import annotations

import pytest

from app.api.news import MOST_BYTES, AskedToEnd, Joined, Lost, News, PassedOn, Seated, Standing, Vacated, read, write
from app.errors import BadInput


@pytest.mark.parametrize(
    "news",
    [
        Seated("CA1", "ringing", 75.0),
        Seated("CA1", "leaving", 5.0, "finished"),
        Vacated("CA1"),
        AskedToEnd("CA1", "media_lost"),
        PassedOn("CA1", "a0000000-0000-0000-0000-000000000001", "\U0001f600" * 500),
        PassedOn("CA1", "a0000000-0000-0000-0000-000000000001", '"' * 500),
        Standing(17, room=False, ready=True),
        Joined(),
        Lost(),
    ],
)
def test_what_is_written_is_read(news: News) -> None:
    datagram = write(news, 3)
    assert len(datagram) <= MOST_BYTES
    assert read(datagram) == (3, news)


@pytest.mark.parametrize("datagram", [b"", b"[]", b"{}", b'{"kind":"Lost"}', b'{"kind":"Nothing","place":1}', b"\xff"])
def test_anything_else_is_bad_input(datagram: bytes) -> None:
    with pytest.raises(BadInput):
        read(datagram)
