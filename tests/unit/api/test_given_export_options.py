"""Options of exports as callers give them: what is stored of them, and what each wrong one is told."""

from datetime import UTC, datetime
from typing import Any

import pytest
from marshmallow import ValidationError

from schemas.export_options import Compression, ExportOptions, export_columns, read_export_options
from schemas.given_export_options import check_export_options
from schemas.vocabulary import EntityType, FileType

ALL: dict[str, Any] = {
    "columns": ["name", "external_id"],
    "filters": {"external_id": ["c-1", "c-2"]},
    "start_time": "2026-03-01T00:00:00Z",
    "end_time": "2026-03-31T22:00:00.5Z",
    "compression": "gzip",
    "file_name": "customers of march.csv",
    "spreadsheet_safe": True,
    "max_part_rows": 1000,
}
CUSTOMER_COLUMNS = (
    "external_id, name, email, address_line1, address_line2, address_city, address_state, address_postal_code, "
    "address_country, metadata, id, created_at, updated_at"
)


def check(given: Any, entity: EntityType = EntityType.CUSTOMERS, file_type: FileType = FileType.CSV) -> dict[str, Any]:
    return check_export_options(given, entity, file_type)


def test_all_options_are_kept_as_they_are_meant() -> None:
    given = ALL | {"end_time": "2026-04-01T00:00:00.500+02:00", "filters": {"external_id": ["c-1", "c-2"]}}
    assert check(given) == ALL
    assert read_export_options(EntityType.CUSTOMERS, ALL) == ExportOptions(
        columns=("name", "external_id"),
        filters={"external_id": ("c-1", "c-2")},
        start_time=datetime(2026, 3, 1, tzinfo=UTC),
        end_time=datetime(2026, 3, 31, 22, 0, 0, 500_000, tzinfo=UTC),
        compression=Compression.GZIP,
        file_name="customers of march.csv",
        spreadsheet_safe=True,
        max_part_rows=1000,
    )


def test_null_and_absent_options_have_their_defaults() -> None:
    assert check(dict.fromkeys(ALL)) == {}
    assert read_export_options(EntityType.EVENTS, None) == ExportOptions(columns=export_columns(EntityType.EVENTS))


def test_a_filter_by_one_value_is_one_by_a_list_of_it() -> None:
    assert check({"filters": {"external_id": "c-1"}}) == {"filters": {"external_id": ["c-1"]}}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"columns": []}, "[] is not a list of columns, each once."),
        ({"columns": ["name", "name"]}, '["name", "name"] is not a list of columns, each once.'),
        ({"columns": ["surname"]}, f"'surname' is no column of CUSTOMERS; use some of {CUSTOMER_COLUMNS}."),
        ({"filters": {"name": "One"}}, "'name' is no filter of CUSTOMERS; use some of external_id."),
        (
            {"filters": {"external_id": []}},
            '{"external_id": []} is not an object of columns, each with a text or a list of 1 to 1000 texts.',
        ),
        (
            {"filters": {"external_id": "a\0"}},
            '{"external_id": "a\\u0000"} is not an object of columns, each with a text or a list of 1 to 1000 texts.',
        ),
        ({"start_time": "2026-03-01"}, "'2026-03-01' is not a time with offset such as 2026-03-01T00:00:00Z."),
        (
            {"end_time": "2026-02-30T00:00:00Z"},
            "'2026-02-30T00:00:00Z' is not a time with offset such as 2026-03-01T00:00:00Z.",
        ),
        ({"compression": "brotli"}, "'brotli' is not one of none, gzip, zstd."),
        ({"file_name": "../a"}, "'../a' is not a name of 1 to 200 characters without / and \\."),
        ({"spreadsheet_safe": "yes"}, "'yes' is not true or false."),
        ({"max_part_rows": 0}, "0 is not a whole number from 1 to 9223372036854775807."),
        (
            {"dry_run": True},
            (
                "There is no such option of an EXPORT; there are columns, filters, start_time, end_time, compression, "
                "file_name, spreadsheet_safe, max_part_rows."
            ),
        ),
    ],
)
def test_a_wrong_option_is_told_with_its_value_and_the_remedy(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check(given)
    assert refused.value.messages == {next(iter(given)): [told]}


def test_a_window_must_have_room_for_a_row() -> None:
    with pytest.raises(ValidationError) as refused:
        check({"start_time": "2026-03-01T00:00:00Z", "end_time": "2026-03-01T00:00:00+00:00"})
    told = "2026-03-01T00:00:00Z is not after start_time, 2026-03-01T00:00:00Z; no row could be between them."
    assert refused.value.messages == {"end_time": [told]}


def test_formulas_are_neutralised_in_csv_alone() -> None:
    with pytest.raises(ValidationError) as refused:
        check({"spreadsheet_safe": True}, file_type=FileType.JSON)
    assert refused.value.messages == {"spreadsheet_safe": ["It is for CSV only; leave it out for JSON."]}
