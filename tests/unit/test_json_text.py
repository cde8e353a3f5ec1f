"""Which JSON may stand in a cell."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.json_text import InvalidJsonError, parse_json

STORABLE_TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | STORABLE_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(STORABLE_TEXT, inner),
)


@given(value=VALUES, is_ascii=st.booleans())
def test_every_value_that_can_be_stored_comes_back(value: Any, *, is_ascii: bool) -> None:  # JSON
    assert parse_json(json.dumps(value, ensure_ascii=is_ascii)) == value


def test_types_are_kept() -> None:
    assert repr(parse_json('{"a": 1, "b": 1.0, "c": true, "d": null, "e": "1", "f": [0.1, 1e300]}')) == repr(
        {"a": 1, "b": 1.0, "c": True, "d": None, "e": "1", "f": [0.1, 1e300]}
    )


def test_of_a_key_that_comes_twice_the_last_counts() -> None:
    assert parse_json('{"a": 1, "a": 2}') == {"a": 2}


def test_numbers_can_be_read_exactly() -> None:
    assert parse_json("[0.1000]", read_float=Decimal) == [Decimal("0.1000")]


def test_sixty_four_levels_are_allowed() -> None:
    assert parse_json("[" * 64 + "]" * 64) is not None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "is not valid JSON at character 2"),
        ("", "is not valid JSON at character 1"),
        ("{'a': 1}", "is not valid JSON at character 2"),
        ('{"a": NaN}', "holds NaN, which is not JSON"),
        ("[-Infinity]", "holds -Infinity, which is not JSON"),
        ("[1e400]", "holds a number that does not fit a double"),
        ("[-0.01e-400]", "holds a number that does not fit a double"),
        ("9" * 5000, "holds a whole number with too many digits"),
        ("[" * 65 + "]" * 65, "is nested more than 64 levels deep"),
        ('{"a":' * 65 + "1" + "}" * 65, "is nested more than 64 levels deep"),
        ("[" * 100_000, "is nested more than 64 levels deep"),
        ('{"a": ["\\u0000"]}', "holds the character \\u0000, which cannot be stored"),
        ('{"\\u0000": 1}', "holds the character \\u0000, which cannot be stored"),
        ('["\\ud800"]', "holds half of a surrogate pair, which is no character"),
        ('{"a": {"\\udc00x": 1}}', "holds half of a surrogate pair, which is no character"),
        ('["a\nb"]', "is not valid JSON at character 4"),
    ],
)
def test_json_that_cannot_be_stored_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidJsonError) as refused:
        parse_json(text)
    assert str(refused.value) == reason


def test_zero_is_no_number_that_was_lost() -> None:
    assert parse_json("[0.0, 0e9, -0.0E-400]") == [0.0, 0.0, 0.0]
