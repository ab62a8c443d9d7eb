"""A CSV file as a stream of rows: encoding, byte-order mark and delimiter are found out, every fault is one sentence.

Nothing here holds more than one chunk in memory, so the size of the file does not matter.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

from app.errors import BadTable

DELIMITERS = ",;\t|"
MAX_COLUMNS = 2_000
CHUNK_ROWS = 4_096
_SCAN_BYTES = 1 << 20
_NOT_TEXT = {
    b"PK\x03\x04": "is an Excel workbook or a zip archive, not a CSV file: save it as CSV first",
    b"\x1f\x8b": "is compressed: unpack it first",
    b"\xd0\xcf\x11\xe0": "is an old Excel workbook, not a CSV file: save it as CSV first",
    b"PAR1": "is a Parquet file, not a CSV file: save it as CSV first",
    b"%PDF": "is a PDF file, not a CSV file",
}


@dataclass(frozen=True, slots=True)
class Table:
    """A readable CSV file with a sound header. `rows` may be asked for any number of times."""

    path: Path
    header: tuple[str, ...]
    encoding: str
    delimiter: str

    def rows(self) -> Iterator[list[str]]:
        """Rows in file order, each as long as the header; blank lines are skipped. Raises BadTable."""
        for chunk, _ in self.chunks(CHUNK_ROWS):
            yield from chunk

    def chunks(self, size: int) -> Iterator[tuple[list[list[str]], float]]:
        """Lists of up to `size` rows, with the share of the file read so far. Raises BadTable."""
        width = len(self.header)
        total = max(1, self.path.stat().st_size)
        with _open(self.path) as raw, TextIOWrapper(raw, self.encoding, newline="") as text:
            reader = csv.reader(text, delimiter=self.delimiter, strict=True)
            chunk: list[list[str]] = []
            try:
                _skip_header(reader)
                for row in reader:
                    if len(row) != width:
                        if not row or (len(row) == 1 and not row[0].strip() and width > 1):
                            continue
                        row = self._fit(row, width, reader.line_num)
                    chunk.append(row)
                    if len(chunk) == size:
                        yield chunk, min(1.0, raw.tell() / total)
                        chunk = []
            except csv.Error as error:
                raise BadTable(f"{self.path.name}, line {reader.line_num}: {_quoting(error)}.") from None
            if chunk:
                yield chunk, 1.0

    def _fit(self, row: list[str], width: int, line: int) -> list[str]:
        """A trailing delimiter is forgiven; anything else would put values under the wrong name."""
        if len(row) > width and not any(cell.strip() for cell in row[width:]):
            return row[:width]
        raise BadTable(
            f"{self.path.name}, line {line}: {len(row)} values where the header names {width} columns; "
            "quote values that contain the delimiter, or fill the missing ones with nothing between delimiters."
        )

    def index(self, name: str) -> int:
        """Where a column is. Raises BadTable when it is not there."""
        try:
            return self.header.index(name)
        except ValueError:
            raise BadTable(
                f"{self.path.name} has no column {name!r}; it has {', '.join(map(repr, self.header[:30]))}."
            ) from None

    def id_column(self) -> str | None:
        """The first column whose name ends in `_id`."""
        return next((name for name in self.header if name.lower().endswith("_id")), None)


def open_table(path: Path) -> Table:
    """Raises BadTable with one sentence when the file cannot be read as a CSV table with a header."""
    try:
        encoding = _encoding(path)
        with _open(path) as raw, TextIOWrapper(raw, encoding, newline="") as text:
            first = _first_line(text)
    except OSError as error:
        raise BadTable(f"{path} cannot be read: {error.strerror or error}.") from None
    if not first.strip():
        raise BadTable(f"{path.name} is empty.")
    delimiter = _delimiter(first)
    with _open(path) as raw, TextIOWrapper(raw, encoding, newline="") as text:
        try:
            header = _skip_header(csv.reader(text, delimiter=delimiter, strict=True))
        except csv.Error as error:
            raise BadTable(f"{path.name}, header: {_quoting(error)}.") from None
    return Table(path, _sound(header, path.name), encoding, delimiter)


def _open(path: Path) -> BinaryIO:
    return path.open("rb", buffering=_SCAN_BYTES)


def _encoding(path: Path) -> str:
    """Reads the whole file once: a wrong guess from its beginning would fail in its middle."""
    with _open(path) as raw:
        head = raw.read(_SCAN_BYTES)
        for magic, what in _NOT_TEXT.items():
            if head.startswith(magic):
                raise BadTable(f"{path.name} {what}.")
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return _checked(path, "utf-16")
        decoder = codecs.getincrementaldecoder("utf-8")()
        block = head
        utf8 = True
        while block:
            if b"\x00" in block:
                raise BadTable(f"{path.name} holds binary data, not CSV text: save it as CSV in UTF-8.")
            if utf8:
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    utf8 = False
            block = raw.read(_SCAN_BYTES)
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            utf8 = False
    if not utf8:
        return "cp1252" if _decodes(path, "cp1252") else "latin-1"
    return "utf-8-sig"


def _checked(path: Path, encoding: str) -> str:
    if not _decodes(path, encoding):
        raise BadTable(f"{path.name} is damaged: it starts as {encoding.upper()} text but does not go on as such.")
    return encoding


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with _open(path) as raw:
        try:
            while block := raw.read(_SCAN_BYTES):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeError:
            return False
    return True


def _first_line(text: TextIOWrapper) -> str:
    for _ in range(1_000):
        line = text.readline(_SCAN_BYTES)
        if not line or line.strip():
            return line
    return ""


def _delimiter(line: str) -> str:
    """The delimiter that splits the header into most columns, quoted text aside; a comma when none occurs."""
    bare = "".join(part for i, part in enumerate(line.split('"')) if i % 2 == 0)
    return max(DELIMITERS, key=bare.count)


def _skip_header(reader: Iterator[list[str]]) -> list[str]:
    for row in reader:
        if any(cell.strip() for cell in row):
            return row
    return []


def _sound(header: list[str], file: str) -> tuple[str, ...]:
    names = [cell.strip() for cell in header]
    while len(names) > 1 and not names[-1]:
        names.pop()
    if len(names) > MAX_COLUMNS:
        raise BadTable(f"{file} has {len(names)} columns; at most {MAX_COLUMNS} are supported.")
    names = [name or f"column_{i}" for i, name in enumerate(names, 1)]
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise BadTable(f"{file} has two columns named {name!r}: rename one of them.")
        seen.add(name)
    return tuple(names)


def _quoting(error: csv.Error) -> str:
    reason = str(error)
    if "unexpected end of data" in reason:
        return "a quoted value is never closed"
    if "field larger than" in reason:
        return "a value is longer than 131,072 characters; is a quote missing"
    return f"the quoting is broken ({reason})"
