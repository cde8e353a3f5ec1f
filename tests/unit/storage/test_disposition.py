"""The header that names a download."""

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.storage.disposition import attachment


@pytest.mark.parametrize(
    ("file_name", "header"),
    [
        ("rows.csv", "attachment; filename=\"rows.csv\"; filename*=UTF-8''rows.csv"),
        ("my rows.csv", "attachment; filename=\"my rows.csv\"; filename*=UTF-8''my%20rows.csv"),
        ("Zähler.csv", "attachment; filename=\"Z_hler.csv\"; filename*=UTF-8''Z%C3%A4hler.csv"),
        ('a"b%.csv', "attachment; filename=\"a_b_.csv\"; filename*=UTF-8''a%22b%25.csv"),
        ("../../x\r\ny", "attachment; filename=\".._.._x__y\"; filename*=UTF-8''.._.._x__y"),
    ],
)
def test_a_file_name_is_carried_in_both_forms(file_name: str, header: str) -> None:
    assert attachment(file_name) == header


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_header_is_ascii_on_one_line_and_the_name_cannot_leave_its_quotes(file_name: str) -> None:
    found = re.fullmatch(
        r"attachment; filename=\"([ !#$&-\[\]-~]*)\"; filename\*=UTF-8''([\w.~%-]*)", attachment(file_name)
    )
    assert found is not None
    assert len(unquote(found.group(2))) == len(file_name)
