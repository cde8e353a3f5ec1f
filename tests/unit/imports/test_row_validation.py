"""How the rows of a chunk become values or row errors."""

import pyarrow as pa

from schemas.entities import ENTITIES
from schemas.options import Blank
from schemas.row_errors import RowError, RowErrorCode
from schemas.vocabulary import EntityType
from service.imports.columns.read import ChunkText
from service.imports.formats.read import Reading
from service.imports.formats.source_format import SourceFormat
from service.imports.validate import Validated, validate_chunk
from tests.unit.imports.csv_parts import TestLimits

CUSTOMERS = ENTITIES[EntityType.CUSTOMERS]


def validate(data: bytes, *names: str) -> Validated:
    limits = TestLimits(row_max_bytes=1000, field_max_bytes=1000)
    chunk = ChunkText(data, Reading(SourceFormat(), limits, names), 1, 2)
    return validate_chunk(CUSTOMERS.schema, chunk, Blank.KEEP)


def test_good_rows_and_the_errors_of_the_others_come_apart() -> None:
    data = b"c1,Ann,,\n,,nobody,us\nc3,x\0,,\n"
    validated = validate(data, "external_id", "name", "email", "address_country")
    country = 'must be a country as two upper-case letters (ISO 3166-1) such as US, not "us"'
    assert isinstance(validated.table, pa.Table)
    assert validated.table.select(["row", "external_id", "name", "email"]).to_pylist() == [
        {"row": 1, "external_id": "c1", "name": "Ann", "email": None}
    ]
    assert validated.errors == [
        RowError(2, 3, "external_id", RowErrorCode.REQUIRED, "", "external_id is required and must not be blank"),
        RowError(2, 3, "name", RowErrorCode.REQUIRED, "", "name is required and must not be blank"),
        RowError(
            2, 3, "email", RowErrorCode.INVALID_EMAIL, "nobody",
            'email must be an address such as ann@example.com, not "nobody"',
        ),
        RowError(2, 3, "address_country", RowErrorCode.INVALID_CHOICE, "us", f"address_country {country}"),
        RowError(3, 4, "name", RowErrorCode.NUL_BYTE, "x\ufffd", "name holds a NUL byte; take it out"),
    ]  # fmt: skip


def test_the_value_of_a_row_error_is_cut_to_100_characters_and_less_in_its_message() -> None:
    (error,) = validate(b"1,a," + b"x" * 300 + b"\n", "external_id", "name", "email").errors
    assert (error.value, error.message) == (
        "x" * 100,
        f'email must be an address such as ann@example.com, not "{"x" * 40}…"',
    )
