"""The rules of CUSTOMERS."""

import pytest

from schemas.vocabulary import EntityType
from tests.unit.entities.rows import load_row, refuse_row

GOOD = {"external_id": "c-1", "name": "Ann"}
COUNTRY = "address_country must be a country as two upper-case letters (ISO 3166-1) such as US"


def test_a_full_row() -> None:
    cells = {
        **GOOD,
        "email": "ann@example.com",
        "address_line1": "1 High St",
        "address_line2": "Flat 2",
        "address_city": "Bath",
        "address_state": "Somerset",
        "address_postal_code": "BA1",
        "address_country": "GB",
    }
    assert load_row(EntityType.CUSTOMERS, cells) == cells


def test_blank_unknown_and_exported_columns_count_as_absent() -> None:
    cells = {**GOOD, "email": "", "metadata.a": "", "id": "cust_1", "created_at": "x", "_wharf_code": "y", "Name": "z"}
    assert load_row(EntityType.CUSTOMERS, cells) == GOOD


def test_metadata_comes_from_its_json_over_its_own_columns() -> None:
    cells = {**GOOD, "metadata.a": "1", "metadata.b.c": "2", "metadata": '{"a": {"x": [1]}, "d": null}'}
    assert load_row(EntityType.CUSTOMERS, cells) == {**GOOD, "metadata": {"a": {"x": [1]}, "b.c": "2", "d": None}}
    assert load_row(EntityType.CUSTOMERS, {**GOOD, "metadata": "{}"}) == {**GOOD, "metadata": {}}


@pytest.mark.parametrize(
    ("column", "cell", "code", "message"),
    [
        ("external_id", "", "required", "external_id is required and must not be blank"),
        ("name", "", "required", "name is required and must not be blank"),
        ("email", "x", "invalid_email", 'email must be an address such as ann@example.com, not "x"'),
        ("address_country", "us", "invalid_choice", f'{COUNTRY}, not "us"'),
        ("address_country", "USA", "invalid_choice", f'{COUNTRY}, not "USA"'),
        ("address_country", "ZZ", "invalid_choice", f'{COUNTRY}, not "ZZ"'),
        ("metadata", "[]", "invalid_json", 'metadata must be a JSON object such as {"key": 1}, not "[]"'),
        ("metadata", '{"a": NaN}', "invalid_json", "metadata holds NaN, which is not JSON"),
    ],
)
def test_a_broken_rule_is_told_of_its_column(column: str, cell: str, code: str, message: str) -> None:
    assert refuse_row(EntityType.CUSTOMERS, {**GOOD, column: cell}) == {column: (code, message)}


@pytest.mark.parametrize(
    ("column", "limit"),
    [
        ("external_id", 255),
        ("name", 255),
        ("address_line1", 255),
        ("address_line2", 255),
        ("address_city", 100),
        ("address_state", 100),
        ("address_postal_code", 20),
    ],
)
def test_texts_have_their_limits(column: str, limit: int) -> None:
    too_long = f"{column} is {limit + 1} characters long, the limit is {limit}"
    assert refuse_row(EntityType.CUSTOMERS, {**GOOD, column: "ä" * limit}) == {}
    assert refuse_row(EntityType.CUSTOMERS, {**GOOD, column: "ä" * (limit + 1)}) == {column: ("too_long", too_long)}
