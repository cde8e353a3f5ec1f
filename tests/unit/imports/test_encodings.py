"""Which encoding a file is found to be in, and laws of transcoding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import SourceRefusedError
from service.imports.formats.encodings import find_encoding, transcode
from tests.unit.imports.csv_parts import split_at

ENCODINGS = ["utf-16-le", "utf-16-be", "latin-1", "windows-1252"]
PLACES = st.lists(st.integers(0, 200), max_size=8)


@given(data=st.binary(max_size=40), places=PLACES)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_transcoding_equals_decoding(encoding: str, data: bytes, places: list[int]) -> None:
    blocks = transcode(split_at(data, places), encoding)
    message = ""
    try:
        expected = data.decode(encoding).removeprefix("\ufeff").encode()
    except UnicodeDecodeError as error:
        place = error.start + 1
        message = f"The file is no {encoding} text: byte {place} cannot be read; name its encoding, or save it as UTF-8"
    if not message:
        assert b"".join(blocks) == expected
        return
    with pytest.raises(SourceRefusedError) as refused:
        list(blocks)
    assert refused.value.message == message


@given(text=st.text("abc,;\n", min_size=2), is_marked=st.booleans())
@pytest.mark.parametrize(("encoding", "mark"), [("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")])
def test_utf_16_is_found_with_and_without_a_mark(encoding: str, mark: bytes, text: str, *, is_marked: bool) -> None:
    assert find_encoding((mark if is_marked else b"") + text.encode(encoding), None) == encoding


@given(text=st.text(max_size=30))
def test_utf_8_is_never_taken_for_windows_1252(text: str) -> None:
    assert find_encoding(f"id,name\n1,{text}\n".encode(), None) == "utf-8"


@pytest.mark.parametrize(
    ("data", "given_encoding", "found"),
    [
        (b"", None, "utf-8"),
        (b"id,name\n", None, "utf-8"),
        (b"\xef\xbb\xbfid\n", None, "utf-8"),
        ("id\nZürich, €5 \u2013 gut\n".encode("cp1252"), None, "windows-1252"),
        (b"id\nA\xffB\n", None, "utf-8"),
        (b"id\n\x80\x81\x82\n", None, "utf-8"),
        (b"id\nol\xe9 \x81\n", None, "utf-8"),
        ("id\nZürich".encode() + b" ol\xe9\n", None, "utf-8"),
        (b"id\nA\0B\0\n", None, "utf-8"),
        (b"id\n", "utf-16", "utf-16-le"),
        (b"\xfe\xff\0i\0d", "utf-16", "utf-16-be"),
        (b"\0i\0d", "utf-16", "utf-16-be"),
        ("id\nolé".encode("cp1252"), "utf-8", "utf-8"),
        ("id\nolé".encode("cp1252"), "latin-1", "latin-1"),
    ],
)
def test_an_encoding_is_found_by_content_unless_it_is_given(
    data: bytes, given_encoding: str | None, found: str
) -> None:
    assert find_encoding(data, given_encoding) == found
