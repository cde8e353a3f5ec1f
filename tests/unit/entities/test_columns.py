"""The kinds of columns: what each accepts, and what it gives."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from schemas.entities.columns import Amount, Choice, Code, Column, Email, Text, Time, Whole
from schemas.entities.json_columns import JsonObject
from schemas.row_errors import Problem

TOO_MANY_DIGITS = "cell must have at most 20 digits before the point and 18 after it"
NO_TIME = "cell must be a time with offset such as 2026-03-01T10:00:00Z"


def read_cell(column: Column[Any], text: str) -> Any:  # columns give all kinds of values
    """The value of a filled cell; raises ValidationError."""
    return Schema.from_dict({"cell": column})().load({"cell": text})["cell"]


def refuse_cell(column: Column[Any], text: str) -> tuple[str, str]:
    """The code and message with which the cell is refused."""
    with pytest.raises(ValidationError) as refused:
        read_cell(column, text)
    ((problem,),) = refused.value.messages_dict.values()
    assert isinstance(problem, Problem)
    return problem.code.value, str(problem)


def test_text_is_kept_as_it_is_unless_trimmed() -> None:
    assert read_cell(Text(), " a \u00a0") == " a \u00a0"
    assert read_cell(Text(trim=True), " a \u00a0") == "a"


def test_text_is_counted_in_characters() -> None:
    assert read_cell(Text(3), "äöü") == "äöü"
    assert refuse_cell(Text(3), "äöüß") == ("too_long", "cell is 4 characters long, the limit is 3")


def test_trimmed_text_of_which_nothing_is_left_is_missing() -> None:
    assert refuse_cell(Text(trim=True), " \u00a0") == ("required", "cell is required and must not be blank")


def test_a_code_has_exactly_its_length() -> None:
    assert read_cell(Code(3), "usd") == "usd"
    assert refuse_cell(Code(3), "us") == ("wrong_length", 'cell must be exactly 3 characters, not "us"')


def test_a_choice_is_spelled_exactly() -> None:
    assert read_cell(Choice(["A", "B"]), "B") == "B"
    assert refuse_cell(Choice(["A", "B"]), "b") == ("invalid_choice", 'cell must be one of A, B, not "b"')


def test_an_object_can_be_read_from_its_json_alone() -> None:
    assert read_cell(JsonObject(), '{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    "text", ["a@b.co", "first.last+tag@sub.example.com", "jürgen@münchen.example", "o'hara@x-y.io"]
)
def test_addresses_that_people_have(text: str) -> None:
    assert read_cell(Email(), text) == text


@pytest.mark.parametrize(
    "text",
    [
        "ann",
        "ann@",
        "@b.co",
        "ann@localhost",
        "a@b..co",
        ".a@b.co",
        "a.@b.co",
        "a..b@c.co",
        "a@b.co ",
        "a b@c.co",
        "a@b@c.co",
        "Ann <ann@b.co>",
        "a@-b.co",
        "a@b.co\n",
        "x" * 65 + "@b.co",
        "a@" + "b." * 130 + "co",
    ],
)
def test_texts_that_are_no_address(text: str) -> None:
    code, message = refuse_cell(Email(), text)
    assert (code, message.partition(", not ")[0]) == (
        "invalid_email",
        "cell must be an address such as ann@example.com",
    )


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("+5", 5), ("007", 7), ("2147483647", 2147483647)])
def test_whole_numbers(text: str, number: int) -> None:
    assert read_cell(Whole(), text) == number


@pytest.mark.parametrize("text", ["1.0", "1e3", "1 ", "0x10", "1_000", "٣", "9" * 5000, "-", ""])
def test_texts_that_are_no_whole_number(text: str) -> None:
    assert refuse_cell(Whole(), text)[0] == "invalid_number"


def test_whole_numbers_have_bounds() -> None:
    assert refuse_cell(Whole(1), "0") == ("out_of_range", 'cell must be from 1 to 2147483647, not "0"')
    assert refuse_cell(Whole(), "2147483648")[0] == "out_of_range"
    assert refuse_cell(Whole(), "-1")[0] == "out_of_range"


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0.0000125", "0.0000125"),
        ("10.50", "10.50"),
        ("5.", "5"),
        (".5", "0.5"),
        ("+1", "1"),
        ("1.25E-5", "0.0000125"),
        ("1e3", "1E+3"),
        ("-0.0", "0.0"),
        ("9" * 20 + "." + "9" * 18, "9" * 20 + "." + "9" * 18),
    ],
)
def test_amounts_are_kept_exactly(text: str, amount: str) -> None:
    assert str(read_cell(Amount(), text)) == amount


@pytest.mark.parametrize("text", ["abc", "1,5", "1 000", "NaN", "Infinity", "1e", "1e999", "٣", "1_0", ".", "9" * 65])
def test_texts_that_are_no_amount(text: str) -> None:
    code, message = refuse_cell(Amount(), text)
    assert (code, message.partition(", not ")[0]) == (
        "invalid_number",
        "cell must be a decimal number such as 0.0125",
    )


def test_amounts_have_bounds() -> None:
    assert refuse_cell(Amount(), "-1") == ("out_of_range", 'cell must be 0 or more, not "-1"')
    assert refuse_cell(Amount(above_zero=True), "0") == ("out_of_range", 'cell must be more than 0, not "0"')
    assert refuse_cell(Amount(), "1e20") == ("out_of_range", f'{TOO_MANY_DIGITS}, not "1e20"')
    assert refuse_cell(Amount(), "1e-19") == ("out_of_range", f'{TOO_MANY_DIGITS}, not "1e-19"')


@given(st.decimals(min_value=0, max_value=10**20 - 1, places=18))
def test_every_amount_within_the_bounds_comes_back(amount: Decimal) -> None:
    assert read_cell(Amount(), str(amount)) == amount


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-03-01T10:00:00Z", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01T10:00:00+05:30", datetime(2026, 3, 1, 4, 30, tzinfo=UTC)),
        ("2026-03-01T10:00:00-00:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01T10:00:00.5Z", datetime(2026, 3, 1, 10, 0, 0, 500000, tzinfo=UTC)),
        ("2026-03-01T10:00:00.123456999Z", datetime(2026, 3, 1, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2024-02-29T23:59:59Z", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_times_are_given_in_utc_and_cut_to_microseconds(text: str, time: datetime) -> None:
    assert read_cell(Time(), text) == time
    assert read_cell(Time(), text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01",
        "2026-03-01 10:00:00Z",
        "2026-03-01T10:00:00",
        "2026-03-01T10:00Z",
        "2026-03-01T10:00:00.Z",
        "2026-03-01T10:00:00,5Z",
        "2026-03-01t10:00:00z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T23:59:60Z",
        "2026-02-29T10:00:00Z",
        "2026-13-01T10:00:00Z",
        "2026-03-01T10:00:00+24:00",
        "2026-03-01T10:00:00+0100",
        "2026-W10-1T10:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "1767225600",
        "٢٠٢٦-03-01T10:00:00Z",
        "2026-03-01T10:00:00Z\n",
    ],
)
def test_texts_that_are_no_time(text: str) -> None:
    assert refuse_cell(Time(), text) == ("invalid_time", f'{NO_TIME}, not "{text}"')


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_time_comes_back(time: datetime) -> None:
    assert read_cell(Time(), time.isoformat()) == time
