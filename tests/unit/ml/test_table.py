from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from app.errors import BadTable
from ml.table import open_table

FAULTS = {
    "empty": (b"", "is empty"),
    "blank lines only": (b"\n\n  \n", "is empty"),
    "byte-order mark only": (codecs.BOM_UTF8, "is empty"),
    "duplicate header": (b"a,b,a\n1,2,3\n", "two columns named 'a'"),
    "short row": (b"a,b,c\n1,2,3\n4,5\n", "line 3: 2 values where the header names 3"),
    "long row": (b"a,b\n1,2\n4,5,6\n", "line 3: 3 values"),
    "open quote": (b'a,b\n1,"2\n', "never closed"),
    "stray quote": (b'a,b\n1,"2"3\n', "quoting is broken"),
    "endless value": (b'a,b\n1,"' + b"x" * 200_000 + b'"\n', "longer than"),
    "excel": (b"PK\x03\x04....", "Excel"),
    "old excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel"),
    "gzip": (b"\x1f\x8b\x08\x00", "compressed"),
    "parquet": (b"PAR1....", "Parquet"),
    "binary": (b"a,b\n\x00\x01,2\n", "binary"),
    "half utf-16": (codecs.BOM_UTF16_LE + b"a", "damaged"),
}


def read(path: Path) -> list[list[str]]:
    return list(open_table(path).rows())


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_file_is_one_sentence(tmp_path: Path, name: str) -> None:
    body, says = FAULTS[name]
    path = tmp_path / "leads.csv"
    path.write_bytes(body)
    with pytest.raises(BadTable) as raised:
        read(path)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_file_and_a_folder_are_one_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(BadTable, match="cannot be read"):
            open_table(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found_out(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(f"name{delimiter}city\r\nJosé{delimiter}Köln\r\n".encode(encoding))
    table = open_table(path)
    assert table.header == ("name", "city")
    assert list(table.rows()) == [["José", "Köln"]]


def test_a_late_byte_that_is_no_utf8_still_reads(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(b"name\n" + b"plain\n" * 300_000 + b"Jos\xe9\n")
    assert read(path)[-1] == ["José"]


def test_quotes_line_breaks_blank_lines_and_trailing_delimiters(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(b'a,b,\n"x,1","two\nlines",\n\n3,4,\n')
    table = open_table(path)
    assert table.header == ("a", "b")
    assert list(table.rows()) == [["x,1", "two\nlines"], ["3", "4"]]


def test_id_column_is_the_first_whose_name_ends_so(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(b"identity,lead_id,customer_id\n1,2,3\n")
    assert open_table(path).id_column() == "lead_id"


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_chunks_join_to_the_rows_whatever_their_size(tmp_path: Path, size: int) -> None:
    path = tmp_path / "leads.csv"
    path.write_text("a,b\n" + "".join(f"{i},{i * i}\n" for i in range(7)))
    table = open_table(path)
    chunks = [chunk for chunk, _ in table.chunks(size)]
    assert max(map(len, chunks)) <= size
    assert [row for chunk in chunks for row in chunk] == list(table.rows())
