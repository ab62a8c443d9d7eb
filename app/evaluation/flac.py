"""Reads FLAC: mono, up to 24 bits, as 16-bit-sized integers. Enough for recordings of a telephone, and no more.

Written after RFC 9639. A file is decoded from its bytes to its samples and checked against the MD5 of the samples that
its encoder left in it, so the checksums of single frames are skipped. About a second for four minutes of sound.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.errors import BadInput

Integers = npt.NDArray[np.int64]

_BLOCK_SIZES = {1: 192, **{code: 576 << code - 2 for code in range(2, 6)}, **{c: 256 << c - 8 for c in range(8, 16)}}
_FIXED: tuple[tuple[int, ...], ...] = ((), (1,), (-1, 2), (1, -3, 3), (-1, 4, -6, 4))  # oldest sample first
_DEPTHS = {1: 8, 2: 12, 4: 16, 5: 20, 6: 24}


@dataclass(frozen=True, slots=True)
class Sound:
    rate: int
    samples: npt.NDArray[np.int32]


def decode(data: bytes) -> Sound:
    """Raises BadInput for what is no FLAC, is not mono, uses what RFC 9639 reserves, or does not match its MD5."""
    if data[:4] != b"fLaC" or len(data) < 42:
        raise BadInput("not a FLAC file")
    info = int.from_bytes(data[18:26], "big")
    rate, channels, depth, count = info >> 44, (info >> 41 & 7) + 1, (info >> 36 & 31) + 1, info & (1 << 36) - 1
    if channels != 1 or depth > 24:
        raise BadInput(f"FLAC with {channels} channels of {depth} bits; one channel of at most 24 bits is read")
    try:
        reader = _Reader(data[_frames_from(data) :])
        blocks: list[_Block] = []
        while (got := sum(block.size for block in blocks)) < count or (not count and reader.more):
            blocks.append(reader.block(depth))
    except IndexError:
        raise BadInput("the file ends in the middle of a frame") from None
    samples = _restored(blocks) if blocks else np.zeros(0, np.int64)
    assert not count or got == samples.size
    wanted = data[26:42]
    if any(wanted) and hashlib.md5(_as_bytes(samples, depth), usedforsecurity=False).digest() != wanted:
        raise BadInput("the sound does not match the checksum in its FLAC file")
    return Sound(rate, samples.astype(np.int32))


@dataclass(frozen=True, slots=True)
class _Block:
    """Each sample is the sum of `weights` times those before it, shifted right, plus what `residual` adds."""

    warm: list[int]
    residual: Integers
    weights: tuple[int, ...] = ()  # for the oldest sample first
    shift: int = 0
    wasted: int = 0  # bits that were zero in all samples and are left out

    @property
    def size(self) -> int:
        return len(self.warm) + len(self.residual)


def _restored(blocks: Sequence[_Block]) -> Integers:
    """One sample after the other, but of all blocks at once: they do not depend on each other."""
    order = max(len(block.warm) for block in blocks)
    longest = max(len(block.residual) for block in blocks)
    samples = np.zeros((order + longest, len(blocks)), np.int64)  # the first predicted one of each lies in row `order`
    weights = np.zeros((order, len(blocks)), np.int64)
    for column, block in enumerate(blocks):
        samples[order - len(block.warm) : order, column] = block.warm
        samples[order : order + len(block.residual), column] = block.residual
        weights[order - len(block.weights) :, column] = block.weights
    shifts = np.array([block.shift for block in blocks], np.int64)
    product, predicted = np.empty_like(weights), np.empty_like(shifts)
    for at in range(longest if order else 0):
        np.multiply(weights, samples[at : at + order], out=product)
        np.add.reduce(product, axis=0, out=predicted)
        np.right_shift(predicted, shifts, out=predicted)
        samples[at + order] += predicted
    parts = [
        samples[order - len(block.warm) : order + len(block.residual), column] << block.wasted
        for column, block in enumerate(blocks)
    ]
    return np.concatenate(parts)


def _frames_from(data: bytes) -> int:
    at = 4
    while True:
        last, length = data[at] & 0x80, int.from_bytes(data[at + 1 : at + 4], "big")
        at += 4 + length
        if last:
            return at


def _as_bytes(samples: Integers, depth: int) -> bytes:
    width = (depth + 7) // 8
    return samples.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :width].tobytes()


class _Reader:
    """The bits of all frames, and where we are in them."""

    def __init__(self, data: bytes) -> None:
        self._bits = np.unpackbits(np.frombuffer(data, np.uint8))
        self._at = 0
        size = self._bits.size
        ones = np.where(self._bits, np.arange(size), size)
        self._next_one: list[int] = np.minimum.accumulate(ones[::-1])[::-1].tolist()  # from every bit on

    @property
    def more(self) -> bool:
        return self._at + 40 < self._bits.size

    def _unsigned(self, width: int) -> int:
        if self._at + width > self._bits.size:
            raise IndexError
        value = 0
        for bit in self._bits[self._at : self._at + width].tolist():
            value = value << 1 | bit
        self._at += width
        return value

    def _signed(self, width: int) -> int:
        value = self._unsigned(width)
        return value - (1 << width) if width and value >> width - 1 else value

    def _unary(self) -> int:
        zeros = self._next_one[self._at] - self._at
        self._at += zeros + 1
        return zeros

    def block(self, depth: int) -> _Block:
        if self._unsigned(15) != 0x7FFC:
            raise BadInput("a frame of the FLAC file does not begin where it should")
        self._unsigned(1)
        size_code, rate_code, _, depth_code, _ = (self._unsigned(width) for width in (4, 4, 4, 3, 1))
        first = self._unsigned(8)  # the frame's number, coded like a character of UTF-8
        self._at += 8 * max(0, 8 - (~first & 0xFF).bit_length() - 1)
        size = _BLOCK_SIZES.get(size_code) or 1 + self._unsigned({6: 8, 7: 16}.get(size_code, 0))
        self._at += {12: 8, 13: 16, 14: 16}.get(rate_code, 0)
        self._at += 8  # checksum of the header
        block = self._subframe(size, _DEPTHS.get(depth_code, depth))
        self._at += -self._at % 8 + 16  # padding and checksum of the frame
        return block

    def _subframe(self, size: int, depth: int) -> _Block:
        self._unsigned(1)
        kind, wasted = self._unsigned(6), self._unsigned(1)
        if wasted:
            wasted += self._unary()
            depth -= wasted
        if kind == 0:
            return _Block([], np.full(size, self._signed(depth), np.int64), wasted=wasted)
        if kind == 1:
            return _Block([], np.array([self._signed(depth) for _ in range(size)], np.int64), wasted=wasted)
        if 8 <= kind <= 12:
            order = kind - 8
            warm = [self._signed(depth) for _ in range(order)]
            return _Block(warm, self._residual(size, order), _FIXED[order], wasted=wasted)
        if kind >= 32:
            order = kind - 31
            warm = [self._signed(depth) for _ in range(order)]
            precision, shift = self._unsigned(4) + 1, self._signed(5)
            newest_first = [self._signed(precision) for _ in range(order)]
            return _Block(warm, self._residual(size, order), tuple(newest_first[::-1]), shift, wasted)
        raise BadInput(f"the FLAC file uses a kind of frame ({kind}) that is reserved")

    def _residual(self, size: int, order: int) -> Integers:
        method, partitions = self._unsigned(2), self._unsigned(4)
        if method > 1:
            raise BadInput("the FLAC file codes its residual in a way that is reserved")
        width = 5 if method else 4
        parts = [np.zeros(0, np.int64)]
        for index in range(1 << partitions):
            length = (size >> partitions) - (0 if index else order)
            parameter = self._unsigned(width)
            if parameter == (1 << width) - 1:
                raw = self._unsigned(5)
                parts.append(np.array([self._signed(raw) for _ in range(length)], np.int64))
            elif length:
                parts.append(self._rice(length, parameter))
        return np.concatenate(parts)

    def _rice(self, length: int, parameter: int) -> Integers:
        """Only where a code begins depends on the one before; the rest is done for all of them at once."""
        next_one, at, skip = self._next_one, self._at, parameter + 1
        stops: list[int] = []  # where the ones are that end the unary part of each code
        for _ in range(length):
            stop = next_one[at]
            stops.append(stop)
            at = stop + skip
        if at > self._bits.size:
            raise IndexError
        stop_at = np.array(stops, np.int64)
        value = np.diff(stop_at, prepend=self._at - skip) - skip
        for offset in range(1, skip):
            value = value << 1 | self._bits[stop_at + offset]
        self._at = at
        return (value >> 1) ^ -(value & 1)
