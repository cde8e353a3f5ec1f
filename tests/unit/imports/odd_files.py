"""The longest list of odd files that we could make, of those that are taken: their rows and their row errors."""

import gzip
import json
from dataclasses import replace
from typing import Any

import zstandard

from schemas.options import ImportOptions, Mode
from schemas.vocabulary import FileType

ANN: dict[str, Any] = {"external_id": "1", "name": "Ann"}
BOB: dict[str, Any] = {"external_id": "2", "name": "Bob"}
HEADER = b"external_id,name\n"
BOTH = HEADER + b"1,Ann\n2,Bob\n"
JSON, NDJSON, CSV = FileType.JSON, FileType.NDJSON, FileType.CSV


def gzip_of(data: bytes) -> bytes:
    """The same bytes each time: gzip has a clock."""
    return gzip.compress(data, mtime=0)


def deep(levels: int) -> bytes:
    return b'[{"external_id":"1","name":"Ann","metadata":{"a":' + b"[" * levels + b"]" * levels + b"}}]"


def array(cells: bytes) -> bytes:
    return b'[{"external_id":"1","name":"Ann",' + cells + b"}]"


def with_metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    return {**ANN, "metadata": metadata}


def wide(columns: int) -> bytes:
    names = ["external_id", "name", *(f"metadata.c{place}" for place in range(columns - 2))]
    return ",".join(names).encode() + b"\n1,Ann\n"


TAKEN: dict[str, tuple[bytes, FileType, ImportOptions, list[dict[str, Any]], list[tuple[int, str, str]]]] = {}


def takes(
    name: str,
    data: bytes,
    values: list[dict[str, Any]],
    errors: list[tuple[int, str, str]] | None = None,
    file_type: FileType = CSV,
    **options: Any,
) -> None:
    TAKEN[name] = (data, file_type, replace(ImportOptions(), **options), values, errors or [])


takes("csv, header only", HEADER, [])
takes("csv, header without line end", b"external_id,name", [])
takes("csv, header and blank lines", HEADER + b"\n\r\n\n", [])
takes("csv, one row", HEADER + b"1,Ann\n", [ANN])
takes("csv, no final newline", HEADER + b"1,Ann", [ANN])
takes("csv, CRLF", BOTH.replace(b"\n", b"\r\n"), [ANN, BOB])
takes("csv, mixed line ends", b"external_id,name\r\n1,Ann\n\r\n2,Bob\r\n", [ANN, BOB])
takes("csv, CR before the end of the file", HEADER + b"1,Ann\r", [ANN])
takes("csv, CR is data", HEADER + b"1,A\rnn\n", [{**ANN, "name": "A\rnn"}])
takes("csv, blank lines between", b"\n\nexternal_id,name\n\n1,Ann\n\n\n2,Bob\n", [ANN, BOB])
takes("csv, a line of commas is a row", HEADER + b",\n1,Ann\n", [ANN],
      [(1, "external_id", "required"), (1, "name", "required")])  # fmt: skip
takes("csv, a line of white space is a row", HEADER + b"  \n1,Ann\n", [ANN],
      [(1, "external_id", "required"), (1, "name", "required")])  # fmt: skip
takes("csv, newline in quotes", HEADER + b'1,"A\nnn"\n2,Bob\n', [{**ANN, "name": "A\nnn"}, BOB])
takes("csv, newline in the header", b'external_id,name,"a\nb"\n1,Ann,x\n', [ANN])
takes("csv, short row", HEADER + b"1\n2,Bob\n", [BOB], [(1, "name", "required")])
takes("csv, long row", HEADER + b"1,Ann,x,y\n2,Bob\n", [ANN, BOB])
takes("csv, duplicated column", b"name,external_id,name\nX,1,Ann\n", [ANN])
takes("csv, unknown column", b"external_id,name,shoe_size\n1,Ann,39\n", [ANN])
takes("csv, our own columns", b"_wharf_row,_wharf_code,external_id,name\n7,required,1,Ann\n", [ANN])
takes("csv, column without a name", b"external_id,name,,\n1,Ann,x,y\n", [ANN])
takes("csv, BOM", b"\xef\xbb\xbf" + BOTH, [ANN, BOB])
takes("csv, BOM and quoted first name", b'\xef\xbb\xbf"external_id","name"\n"1","Ann"\n', [ANN])
takes("csv, NUL in a cell", HEADER + b"1,A\0nn\n2,Bob\n", [BOB], [(1, "name", "nul_byte")])
takes("csv, a stray byte 255", HEADER + b"1,A\xffnn\n2,Bob\n", [BOB], [(1, "name", "invalid_utf8")])
takes("csv, half of a character", HEADER + b"1,\xe2\x82\n2,Bob\xe2\x82\xac\n", [{**BOB, "name": "Bob€"}],
      [(1, "name", "invalid_utf8")])  # fmt: skip
takes("csv, a surrogate in UTF-8", HEADER + b"1,A\xed\xa0\x80\n2,Bob\n", [BOB], [(1, "name", "invalid_utf8")])
takes("csv, stray quote in a cell", HEADER + b'1,A"nn\n2,Bob\n', [{**ANN, "name": 'A"nn'}, BOB])
takes("csv, quote in a quoted cell", HEADER + b'1,"A"nn"\n2,Bob\n', [{**ANN, "name": 'A"nn'}, BOB])
takes("csv, semicolons", BOTH.replace(b",", b";"), [ANN, BOB])
takes("csv, tabs", BOTH.replace(b",", b"\t"), [ANN, BOB])
takes("csv, bars", BOTH.replace(b",", b"|"), [ANN, BOB])
takes("csv, single quotes", b"'external_id';'name'\n'1';'A;nn'\n", [{**ANN, "name": "A;nn"}])
takes("csv, a delimiter that is named", BOTH.replace(b",", b"^"), [ANN, BOB], delimiter="^")
takes("csv, mapping and constants", b"Symbol,Security,City\n1,Ann,Rome\n", [{**ANN, "metadata": {"x": "y"}}],
      mapping={"Symbol": "external_id", "Security": "name", "City": None}, constants={"metadata.x": "y"})  # fmt: skip
takes("csv, a mapped name wins over the column of that name", b"external_id,name,id\n0,Ann,1\n", [ANN],
      mapping={"id": "external_id"})  # fmt: skip
takes("csv, a constant for blank cells", HEADER + b"1,\n2,Bob\n", [ANN, BOB], constants={"name": "Ann"})
takes("csv, update needs the key only", b"external_id,email\n1,a@b.example\n",
      [{"external_id": "1", "email": "a@b.example"}], mode=Mode.UPDATE)  # fmt: skip
takes("csv, 1,000 columns", wide(1000), [ANN])
takes("csv, cell of 256 KiB", HEADER + b"1," + b"x" * (1 << 18) + b"\n2,Bob\n", [BOB], [(1, "name", "too_long")])
takes("csv, cell beyond the limit", HEADER + b"1," + b"x" * ((1 << 18) + 1) + b"\n2,Bob\n", [BOB],
      [(1, "name", "field_too_long")])  # fmt: skip
takes("csv, row beyond the limit", HEADER + b"1,Ann," + b"x" * (1 << 20) + b"\n2,Bob\n", [BOB],
      [(1, "", "row_too_long")])  # fmt: skip
takes("csv, UTF-16 LE with BOM", b"\xff\xfe" + BOTH.decode().encode("utf-16-le"), [ANN, BOB])
takes("csv, UTF-16 BE with BOM", b"\xfe\xff" + BOTH.decode().encode("utf-16-be"), [ANN, BOB])
takes("csv, UTF-16 LE without BOM", BOTH.decode().encode("utf-16-le"), [ANN, BOB])
takes("csv, UTF-16 BE without BOM", BOTH.decode().encode("utf-16-be"), [ANN, BOB])
takes("csv, UTF-16 with characters of two units", "external_id,name\n1,😀\n".encode("utf-16"), [{**ANN, "name": "😀"}])
takes("csv, Windows-1252 is found", "external_id,name\n1,Zoë Müller\n2,Łó\n".replace("Łó", "Réné").encode("cp1252"),
      [{**ANN, "name": "Zoë Müller"}, {**BOB, "name": "Réné"}])  # fmt: skip
takes("csv, Windows-1252 is named", HEADER + b"1,\x80\x99\n", [{**ANN, "name": "€™"}], encoding="windows-1252")
takes("csv, Latin-1 is named", HEADER + b"1,\xff\xe9\n", [{**ANN, "name": "ÿé"}], encoding="latin-1")
takes("csv, gzip", gzip_of(BOTH), [ANN, BOB])
takes("csv, gzip in two members", gzip_of(BOTH[:20]) + gzip_of(BOTH[20:]), [ANN, BOB])
takes("csv, gzip and padding", gzip_of(BOTH) + bytes(100), [ANN, BOB])
takes("csv, zstd", zstandard.compress(BOTH), [ANN, BOB])
takes("csv, zstd in two frames", zstandard.compress(BOTH[:20]) + zstandard.compress(BOTH[20:]), [ANN, BOB])
takes("csv, gzip of UTF-16", gzip_of(b"\xff\xfe" + BOTH.decode().encode("utf-16-le")), [ANN, BOB])
takes("json, empty array", b"[]", [], file_type=JSON)
takes("json, empty array with white space", b" \n[ \n ]\n", [], file_type=JSON)
takes("json, array", json.dumps([ANN, BOB]).encode(), [ANN, BOB], file_type=JSON)
takes("json, array over many lines", json.dumps([ANN, BOB], indent=4).encode(), [ANN, BOB], file_type=JSON)
takes("json, BOM", b"\xef\xbb\xbf" + json.dumps([ANN]).encode(), [ANN], file_type=JSON)
takes("json, lines", b'{"external_id":"1","name":"Ann"}\n{"external_id":"2","name":"Bob"}', [ANN, BOB], file_type=JSON)
takes("ndjson, blank lines", b'{"external_id":"1","name":"Ann"}\r\n\r\n{"external_id":"2","name":"Bob"}\r\n',
      [ANN, BOB], file_type=NDJSON)  # fmt: skip
takes("ndjson, empty", b"", [], file_type=NDJSON)
takes("ndjson, blank lines alone", b"\n\r\n", [], file_type=NDJSON)
takes("ndjson, an array is taken too", json.dumps([ANN, BOB]).encode(), [ANN, BOB], file_type=NDJSON)
takes("ndjson, a broken line", b'{"external_id":"1","name":"Ann"}\n{"external_id":\n', [ANN], [(2, "", "invalid_json")],
      file_type=NDJSON)  # fmt: skip
takes(
    "ndjson, a line of white space",
    b'{"external_id":"1","name":"Ann"}\n  \n',
    [ANN],
    [(2, "", "invalid_json")],
    file_type=NDJSON,
)
takes("ndjson, one line over several", b'{"external_id":\n"1"}', [],
      [(1, "", "invalid_json"), (2, "", "invalid_json")], file_type=NDJSON)  # fmt: skip
takes("json, UTF-16", json.dumps([ANN]).encode("utf-16"), [ANN], file_type=JSON)
takes("json, gzip", gzip_of(json.dumps([ANN]).encode()), [ANN], file_type=JSON)
takes("json, nothing between commas", b'[{"external_id":"1","name":"Ann"},,]', [ANN],
      [(2, "", "invalid_json"), (3, "", "invalid_json")], file_type=JSON)  # fmt: skip
takes("json, no objects", b'[1,"a",null,[],{"external_id":"1","name":"Ann"}]', [ANN],
      [(row, "", "invalid_json") for row in (1, 2, 3, 4)], file_type=JSON)  # fmt: skip
takes("json, brackets in text", array(b'"email":"","metadata.x":"]},{[\\"\\\\"'),
      [with_metadata({"x": ']},{["\\'})], file_type=JSON)  # fmt: skip
takes("json, repeated key", array(b'"name":"Bob"'), [{**ANN, "name": "Bob"}], file_type=JSON)
takes("json, numbers and booleans as text", b'[{"external_id":12,"name":1.50,"address_city":true}]',
      [{"external_id": "12", "name": "1.50", "address_city": "true"}], file_type=JSON)  # fmt: skip
takes("json, null is blank", array(b'"email":null,"metadata":null'), [ANN], file_type=JSON)
takes("json, object where text is expected", array(b'"email":{"a":1}'), [], [(1, "email", "invalid_type")],
      file_type=JSON)  # fmt: skip
takes("json, array where text is expected", array(b'"email":[1]'), [], [(1, "email", "invalid_type")], file_type=JSON)
takes("json, nested metadata keeps its types", array(b'"metadata":{"n":1.5,"b":true,"l":[1,null]},"metadata.k":7'),
      [with_metadata({"k": 7, "n": 1.5, "b": True, "l": [1, None]})], file_type=JSON)  # fmt: skip
takes("json, metadata as JSON text", array(b'"metadata":"{\\"n\\":1}"'), [with_metadata({"n": 1})], file_type=JSON)
takes("json, metadata that is no object", array(b'"metadata":[1]'), [], [(1, "metadata", "invalid_json")],
      file_type=JSON)  # fmt: skip
takes("json, 64 levels", deep(62), [with_metadata({"a": json.loads("[" * 62 + "]" * 62)})], file_type=JSON)
takes("json, 65 levels", deep(63), [], [(1, "", "invalid_json")], file_type=JSON)
takes("json, 100,000 levels", deep(100_000), [], [(1, "", "invalid_json")], file_type=JSON)
takes("json, NaN", array(b'"metadata":{"a":NaN}'), [], [(1, "", "invalid_json")], file_type=JSON)
takes("json, Infinity", array(b'"x":-Infinity'), [], [(1, "", "invalid_json")], file_type=JSON)
takes("json, 1e999 that is stored", array(b'"metadata":{"a":1e999}'), [], [(1, "metadata", "invalid_json")],
      file_type=JSON)  # fmt: skip
takes("json, 1e999 that is not", array(b'"shoe_size":1e999'), [ANN], file_type=JSON)
takes("json, an exponent of 30 digits", array(b'"metadata":{"a":1e' + b"9" * 30 + b"}"), [],
      [(1, "", "invalid_json")], file_type=JSON)  # fmt: skip
takes("json, whole number of 5,000 digits", array(b'"metadata":{"a":' + b"1" * 5000 + b"}"), [],
      [(1, "", "invalid_json")], file_type=JSON)  # fmt: skip
takes("json, NUL character", array(b'"email":"a\\u0000b"'), [], [(1, "email", "invalid_json")], file_type=JSON)
takes("json, half of a surrogate pair", array(b'"metadata":{"\\ud800":1}'), [], [(1, "metadata", "invalid_json")],
      file_type=JSON)  # fmt: skip
takes("json, NUL byte", array(b'"email":"a\0b"'), [], [(1, "", "invalid_json")], file_type=JSON)
takes("json, invalid UTF-8", array(b'"email":"a\xff"'), [], [(1, "", "invalid_utf8")], file_type=JSON)
takes("json, a string over two lines", array(b'"email":"a\nb"'), [], [(1, "", "invalid_json")], file_type=JSON)
takes("json, text beyond the limit", array(b'"address_line1":"' + b"x" * ((1 << 18) + 1) + b'"'), [],
      [(1, "address_line1", "field_too_long")], file_type=JSON)  # fmt: skip
takes("json, row beyond the limit", array(b'"a":"' + b"x" * (1 << 20) + b'"'), [], [(1, "", "row_too_long")],
      file_type=JSON)  # fmt: skip
takes("json, mapping and constants", b'[{"Symbol":1,"Security":"Ann","name":"no"}]',
      [{**ANN, "metadata": {"x": "y"}}], file_type=JSON,
      mapping={"Symbol": "external_id", "Security": "name"}, constants={"metadata.x": "y"})  # fmt: skip
