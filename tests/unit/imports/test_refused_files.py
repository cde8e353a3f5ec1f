"""The longest list of files that we could make of which no row can be read, and what each answers."""
# ruff: noqa: ISC004  # messages are longer than a line

import os

import pytest
import zstandard

from schemas.options import ImportOptions
from schemas.vocabulary import FileType
from service.errors import SourceRefusedError
from tests.unit.imports.file_parts import cut_blocks, import_file
from tests.unit.imports.odd_files import BOTH, CSV, HEADER, JSON, NDJSON, gzip_of, wide

BOMB = HEADER + (b"1," + b"a" * 98 + b"\n") * 200_000

REFUSED: dict[str, tuple[bytes, FileType, str]] = {
    "csv, empty": (b"", CSV, "The file is empty: it has no header line; add one and create a new task"),
    "csv, a byte order mark alone": (
        b"\xef\xbb\xbf",
        CSV,
        "The file is empty: it has no header line; add one and create a new task",
    ),
    "json, empty": (b"", JSON, "The file is empty: it holds no JSON; to import nothing, send []"),
    "csv, carriage returns as line ends": (
        BOTH.replace(b"\n", b"\r"),
        CSV,
        'The header lacks name, which every row needs; it has external_id, "name\\r1", '
        '"Ann\\r2", Bob. Add what is missing, or say by the option mapping which columns they are, '
        "and create a new task",
    ),
    "csv, a quote left open": (
        HEADER + b'1,"Ann\n2,Bob\n',
        CSV,
        "Row 1 (line 2): a quote that opens a field in line 2 is never closed; close it, or double it",
    ),
    "csv, a quote left open in the header": (
        b'external_id,"name\n1,Ann\n',
        CSV,
        "The header (line 1): a quote that opens a field in line 1 is never closed; close it, or double it",
    ),
    "csv, 1,001 columns": (
        wide(1001),
        CSV,
        "The header names more than 1000 columns (WHARF_COLUMNS_MAX); leave some out",
    ),
    "csv, no line end": (
        HEADER + b"1," + b"x" * (1 << 21),
        CSV,
        "Row 1 (line 2): no line end within 2097152 bytes, twice what a row may be long (WHARF_ROW_MAX_BYTES); "
        "is a quote not closed?",
    ),
    "ndjson, no line end": (
        b'{"a":"' + b"x" * (1 << 21),
        NDJSON,
        "Row 1 (line 1): no line end within 2097152 bytes, twice what a row may be long (WHARF_ROW_MAX_BYTES); "
        "is it one object in each line?",
    ),
    "json, no comma": (
        b'[{"a":1},\n{"a":"' + b"x" * (1 << 21),
        JSON,
        "Row 2 (line 2): the array goes on for 2097152 bytes without a comma behind this row, twice what a row "
        "may be long (WHARF_ROW_MAX_BYTES); is a quote or a bracket not closed?",
    ),
    "json, cut off": (
        b'[{"a":1},\n\n{"a":',
        JSON,
        "Row 2 (line 3): the file ends before the array does; is it cut off, or is a bracket or a quote not closed?",
    ),
    "json, closed by another bracket": (
        b'[{"a":1},\n{"a":1}}',
        JSON,
        "Row 2 (line 2): a } closes the array, which begins with [",
    ),
    "json, two arrays": (
        b'[{"a":1}]\n\n[{"a":1}]',
        JSON,
        "Line 3: something stands behind the end of the array; put all rows into one array",
    ),
    "json that is csv": (
        BOTH,
        JSON,
        "The file is no JSON of rows: it must begin with [ for an array, or with { for one object in each line, "
        "not with 'e' (line 1)",
    ),
    "json, a text alone": (
        b'"a"',
        JSON,
        "The file is no JSON of rows: it must begin with [ for an array, or with { for one object in each line, "
        "not with '\"' (line 1)",
    ),
    "json, a megabyte of white space": (
        b" " * (1 << 20) + b"  []",
        JSON,
        "The file begins with more than 1048576 bytes of white space; take it out",
    ),
    "csv that is a zip": (
        b"PK\x03\x04\x14\x00\x06\x00",
        CSV,
        "The file is no CSV text: it looks like a zip or xlsx file; unpack it, or save the sheet as CSV and create "
        "a new task",
    ),
    "csv that is parquet": (
        b"PAR1\x15\x04\x15\x10",
        CSV,
        "The file is no CSV text: it looks like a Parquet file; name the file_type PARQUET and create a new task",
    ),
    "json that is xz": (
        b"\xfd7zXZ\x00\x00\x04",
        JSON,
        "The file is no JSON text: it looks like an xz file; decompress it, or compress it with gzip or zstd and "
        "create a new task",
    ),
    "csv that is bzip2": (
        b"BZh91AY&SY",
        CSV,
        "The file is no CSV text: it looks like a bzip2 file; decompress it, or compress it with gzip or zstd and "
        "create a new task",
    ),
    "csv that is a pdf": (
        b"%PDF-1.7\n",
        CSV,
        "The file is no CSV text: it looks like a PDF; save the table as CSV and create a new task",
    ),
    "csv that is an old Excel file": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        CSV,
        "The file is no CSV text: it looks like an old Excel file; save the sheet as CSV and create a new task",
    ),
    "csv, gzip in gzip": (
        gzip_of(gzip_of(BOTH)),
        CSV,
        "The file is no CSV text: it looks like a gzip file within another compressed file; compress it once and "
        "create a new task",
    ),
    "csv, gzip in zstd": (
        zstandard.compress(gzip_of(BOTH)),
        CSV,
        "The file is no CSV text: it looks like a gzip file within another compressed file; compress it once and "
        "create a new task",
    ),
    "csv, gzip cut off": (
        gzip_of(BOTH)[:-9],
        CSV,
        "The gzip data ends early; compress the file again and create a new task",
    ),
    "csv, gzip with a wrong checksum": (
        gzip_of(BOTH)[:-8] + bytes(8),
        CSV,
        "The gzip data is damaged; compress the file again and create a new task",
    ),
    "csv, gzip and garbage": (
        gzip_of(BOTH) + b"garbage",
        CSV,
        "The gzip data is damaged; compress the file again and create a new task",
    ),
    "csv, zstd cut off": (
        zstandard.compress(BOTH)[:-1],
        CSV,
        "The zstd data ends early; compress the file again and create a new task",
    ),
    "csv, zstd and garbage": (
        zstandard.compress(BOTH) + b"garbage",
        CSV,
        "The zstd data is damaged; compress the file again and create a new task",
    ),
    "csv, a bomb of gzip": (
        gzip_of(BOMB),
        CSV,
        "The gzip data grows to more than 200 times its size; send the file uncompressed",
    ),
    "csv, a bomb of zstd": (
        zstandard.compress(BOMB),
        CSV,
        "The zstd data grows to more than 200 times its size; send the file uncompressed",
    ),
    "csv, UTF-16 with half a character": (
        b"\xff\xfe" + "external_id,name\n1,A".encode("utf-16-le") + b"\x00\xd8\n\x00",
        CSV,
        "The file is no utf-16-le text: byte 43 cannot be read; name its encoding, or save it as UTF-8",
    ),
    "csv, UTF-16 with half a unit": (
        b"\xff\xfe" + "external_id,name\n1".encode("utf-16-le") + b"a",
        CSV,
        "The file is no utf-16-le text: byte 39 cannot be read; name its encoding, or save it as UTF-8",
    ),
    "csv, a header that is no UTF-8": (
        b"a,\xc3\n1,2\n",
        CSV,
        "The file is not UTF-8 CSV text: byte 3 of the header is not UTF-8; save it as UTF-8, or name its encoding "
        "in the options",
    ),
    "csv, NUL in the header": (
        b"external_id,na\0me\n1,2\n",
        CSV,
        "The file is not UTF-8 CSV text: its header holds a NUL byte; is it text in UTF-16, or another format?",
    ),
    "csv that is an object of json": (
        b'{"name":"Ann"}',
        CSV,
        'The header lacks external_id, name, which every row needs; it has {"name":"Ann"}. '
        "It looks like JSON: name the file_type JSON and create a new task",
    ),
    "csv, an array of JSON": (
        b'[{"external_id": "1", "name": "Ann"}]',
        CSV,
        "The file is no CSV text: it looks like an array of JSON objects; name the file_type JSON and create a new "
        "task",
    ),
    "csv, a web page": (
        b"<!DOCTYPE html>\n<title>Sign in</title>\n",
        CSV,
        "The header lacks external_id, name, which every row needs; it has <!DOCTYPE html>. It looks like a web page "
        "or XML, perhaps an error or a login page: look where the file comes from and create a new task",
    ),
    "csv, names with capitals and spaces": (
        b"External ID, Name \n1,Ann\n",
        CSV,
        'The header lacks external_id, name, which every row needs; it has External ID, "Name ". Rename them, or give '
        'the option mapping {"External ID": "external_id", "Name ": "name"} and create a new task',
    ),
    "csv, a line that tells the delimiter": (
        b"sep=;\nexternal_id;name\n",
        CSV,
        "The header lacks external_id, name, which every row needs; it has sep=;. Take out the line that begins "
        "with sep= and create a new task",
    ),
    "csv, another delimiter than those that are found": (
        b"external_id^name\n1^Ann\n",
        CSV,
        "The header lacks external_id, name, which every row needs; it has external_id^name. Add what is missing, or "
        "name the delimiter in the options where that was not found, and create a new task",
    ),
    "csv, a column is missing": (
        b"Symbol,name\n",
        CSV,
        "The header lacks external_id, which every row needs; it has Symbol, name. Add what is missing, or say by "
        "the option mapping which columns they are, and create a new task",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("block_bytes", [1, 1 << 20])
def test_an_odd_file_is_refused_with_what_to_do(name: str, block_bytes: int) -> None:
    data, file_type, message = REFUSED[name]
    with pytest.raises(SourceRefusedError) as refused:
        import_file(cut_blocks(data, block_bytes), file_type)
    assert refused.value.message == message


def test_a_mapped_column_that_the_header_lacks_is_told() -> None:
    with pytest.raises(SourceRefusedError) as refused:
        import_file([BOTH], options=ImportOptions(mapping={"Symbol": "external_id"}))
    assert refused.value.message == (
        "The header lacks Symbol, which the mapping names; it has external_id, name. "
        "Mend the mapping and create a new task"
    )


def test_a_file_that_grows_beyond_the_absolute_limit_is_refused() -> None:
    with pytest.raises(SourceRefusedError) as refused:
        import_file([gzip_of(os.urandom(3000))], max_bytes=2000)
    assert refused.value.message == "The file is longer than 2000 bytes (WHARF_FILE_MAX_BYTES); split it"
