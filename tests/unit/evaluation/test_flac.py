from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInput
from app.evaluation.flac import decode

FIXED = {0: (), 1: (1,), 2: (2, -1), 3: (3, -3, 1), 4: (4, -6, 4, -1)}  # newest sample first


class Bits:
    def __init__(self) -> None:
        self.text = ""

    def put(self, value: int, width: int) -> Bits:
        self.text += format(value & (1 << width) - 1, f"0{width}b") if width else ""
        return self

    def rice(self, value: int, parameter: int) -> None:
        folded = value << 1 if value >= 0 else (-value << 1) - 1
        self.text += "0" * (folded >> parameter) + "1"
        self.put(folded, parameter)

    def done(self) -> bytes:
        padded = self.text + "0" * (-len(self.text) % 8)
        return bytes(int(padded[at : at + 8], 2) for at in range(0, len(padded), 8))


def written(blocks: list[bytes], samples: list[int], *, channels: int = 1, rate: int = 8000) -> bytes:
    raw = np.array(samples, "<i2").tobytes()
    info = rate << 44 | (channels - 1) << 41 | 15 << 36 | len(samples)
    stream_info = bytes(10) + info.to_bytes(8, "big") + hashlib.md5(raw).digest()
    return b"fLaC\x80" + len(stream_info).to_bytes(3, "big") + stream_info + b"".join(blocks)


def frame(size: int, number: int = 0) -> Bits:
    bits = Bits().put(0x7FFC, 15).put(0, 1).put(7, 4).put(4, 4).put(0, 4).put(4, 3).put(0, 1)
    for byte in chr(number).encode():  # numbers of frames are coded like characters
        bits.put(byte, 8)
    return bits.put(size - 1, 16).put(0, 8)


def closed(bits: Bits) -> bytes:
    return bits.done() + bytes(2)


def predicted(samples: list[int], kind: int, weights: tuple[int, ...], shift: int = 0, rice: int = 5) -> Bits:
    """A subframe with its residual in one partition."""
    order = len(weights)
    bits = Bits().put(kind, 7).put(0, 1)
    for sample in samples[:order]:
        bits.put(sample, 16)
    if kind >= 32:
        bits.put(11, 4).put(shift, 5)
        for weight in weights:
            bits.put(weight, 12)
    bits.put(0, 2).put(0, 4).put(rice, 4)
    for at in range(order, len(samples)):
        guess = sum(w * s for w, s in zip(weights, samples[at - order : at][::-1], strict=True)) >> shift
        bits.rice(samples[at] - guess, rice)
    return bits


def joined(head: Bits, body: Bits) -> bytes:
    head.text += body.text
    return closed(head)


sound = st.lists(st.integers(-2000, 2000), min_size=5, max_size=60)


@given(sound, st.integers(0, 4), st.integers(0, 14))
def test_polynomial_prediction(samples: list[int], order: int, rice: int) -> None:
    block = joined(frame(len(samples)), predicted(samples, 8 + order, FIXED[order], rice=max(rice, 6)))
    assert decode(written([block], samples)).samples.tolist() == samples


@given(sound, st.lists(st.integers(-2047, 2047), min_size=1, max_size=5), st.integers(8, 13))
def test_linear_prediction_rounds_down(samples: list[int], weights: list[int], shift: int) -> None:
    body = predicted(samples, 31 + len(weights), tuple(weights), shift, rice=9)
    assert decode(written([joined(frame(len(samples)), body)], samples)).samples.tolist() == samples


def test_blocks_of_every_kind_follow_each_other() -> None:
    constant = joined(frame(4), Bits().put(0, 8).put(-7, 16))
    verbatim_bits = Bits().put(1, 7).put(0, 1)
    for sample in (5, -6, 32767):
        verbatim_bits.put(sample, 16)
    verbatim = joined(frame(3, 200), verbatim_bits)
    line = [10, 20, 30, 40, 50, 61]
    smooth = joined(frame(6, 3000), predicted(line, 10, FIXED[2]))
    samples = [-7, -7, -7, -7, 5, -6, 32767, *line]
    assert decode(written([constant, verbatim, smooth], samples)).samples.tolist() == samples


def test_bits_that_are_always_zero_are_put_back() -> None:
    bits = Bits().put(0, 7).put(1, 1)
    bits.text += "001"  # two more than one
    block = joined(frame(5), bits.put(-3, 13))
    assert decode(written([block], [-24] * 5)).samples.tolist() == [-24] * 5


def test_residual_that_is_not_coded() -> None:
    bits = Bits().put(8, 7).put(0, 1).put(0, 2).put(0, 4).put(15, 4).put(7, 5)
    for sample in (1, -64, 63):
        bits.put(sample, 7)
    assert decode(written([joined(frame(3), bits)], [1, -64, 63])).samples.tolist() == [1, -64, 63]


GOOD = written([joined(frame(4), Bits().put(0, 8).put(-7, 16))], [-7] * 4)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"RIFF" + bytes(60), "not a FLAC file"),
        (written([], [1], channels=2), "2 channels"),
        (GOOD[:-4], "ends in the middle"),
        (GOOD[:46] + bytes(20), "does not begin"),
        (GOOD[:-3] + b"\x01" + GOOD[-2:], "checksum"),
    ],
)
def test_what_cannot_be_read_is_said(data: bytes, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        decode(data)
