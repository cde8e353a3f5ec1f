"""How rows become values or row errors, and which headers are refused."""

import pytest

from schemas.entities import ENTITIES
from schemas.row_errors import RowError, RowErrorCode
from schemas.vocabulary import EntityType
from service.errors import SourceRefusedError
from service.imports.read import Row
from service.imports.validate import Validated, ValidRow, check_header, validate_rows

CUSTOMERS = ENTITIES[EntityType.CUSTOMERS]

NOTHING = dict.fromkeys(CUSTOMERS.columns)


def test_good_rows_and_the_errors_of_the_others_come_apart() -> None:
    unreadable = RowError(3, 4, "name", RowErrorCode.NUL_BYTE, "x", "name holds a NUL byte; take it out")
    rows: list[Row | RowError] = [
        Row(1, 2, {"external_id": "c1", "name": "Ann"}),
        Row(2, 3, {"external_id": "", "email": "nobody", "address_country": "us"}),
        unreadable,
    ]
    country = 'must be a country as two upper-case letters (ISO 3166-1) such as US, not "us"'
    assert validate_rows(CUSTOMERS, rows) == Validated(
        rows=[ValidRow(1, 2, {**NOTHING, "external_id": "c1", "name": "Ann"})],
        errors=[
            RowError(
                2, 3, "external_id", RowErrorCode.REQUIRED, "", "external_id is required and must not be blank"
            ),
            RowError(2, 3, "name", RowErrorCode.REQUIRED, None, "name is required and must not be blank"),
            RowError(
                2, 3, "email", RowErrorCode.INVALID_EMAIL, "nobody",
                'email must be an address such as ann@example.com, not "nobody"',
            ),
            RowError(2, 3, "address_country", RowErrorCode.INVALID_CHOICE, "us", f"address_country {country}"),
            unreadable,
        ],
    )  # fmt: skip


def test_the_value_of_a_row_error_is_cut_to_100_characters_and_less_in_its_message() -> None:
    (error,) = validate_rows(CUSTOMERS, [Row(1, 2, {"external_id": "1", "name": "a", "email": "x" * 300})]).errors
    assert (error.value, error.message) == (
        "x" * 100,
        f'email must be an address such as ann@example.com, not "{"x" * 40}…"',
    )


def test_a_header_without_required_columns_is_refused_with_what_it_has() -> None:
    with pytest.raises(SourceRefusedError) as refused:
        check_header(CUSTOMERS, ("Symbol", "name"))
    assert refused.value.message == (
        "The header lacks external_id, which every row of CUSTOMERS needs; it has Symbol, name. "
        "Add what is missing and create a new task"
    )


def test_only_the_first_columns_of_a_wide_header_are_told() -> None:
    with pytest.raises(SourceRefusedError, match="c18, c19 and 80 more"):
        check_header(CUSTOMERS, tuple(f"c{number}" for number in range(100)))


def test_a_header_with_the_required_columns_passes() -> None:
    check_header(CUSTOMERS, ("name", "unknown", "external_id"))
