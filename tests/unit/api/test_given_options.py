"""Options as callers give them: what is stored of them, and what each wrong one is told."""

from typing import Any

import pytest
from marshmallow import ValidationError

from schemas.given_options import check_options
from schemas.options import Blank, EventIds, ImportOptions, Mode, OnError, read_options
from schemas.vocabulary import EntityType, FileType

ALL: dict[str, Any] = {
    "mode": "update",
    "on_error": "skip",
    "max_errors": 7,
    "max_error_percent": 2.5,
    "atomic": True,
    "dry_run": False,
    "mapping": {"Symbol": "external_id", "CIK": "metadata.cik", "Founded": None},
    "constants": {"address_country": "US", "metadata.source": "sp500"},
    "delimiter": ";",
    "quote": "'",
    "encoding": "windows-1252",
    "blank": "clear",
}
COLUMNS = (
    "external_id, name, email, address_line1, address_line2, address_city, address_state, address_postal_code, "
    "address_country, metadata, metadata.<key>"
)

NAMES = (
    "mode, on_error, max_errors, max_error_percent, atomic, dry_run, mapping, constants, delimiter, quote, encoding, "
    "blank, event_ids"
)


def check(given: Any, entity: EntityType = EntityType.CUSTOMERS, file_type: FileType = FileType.CSV) -> dict[str, Any]:
    return check_options(given, entity, file_type)


def problems(
    given: Any, entity: EntityType = EntityType.CUSTOMERS, file_type: FileType = FileType.CSV
) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refused:
        check(given, entity, file_type)
    return refused.value.messages_dict


def test_options_are_stored_as_they_were_given() -> None:
    assert check(ALL) == ALL
    assert check({}) == {}


def test_options_that_are_null_are_absent() -> None:
    assert check(dict.fromkeys(ALL)) == {}


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"max_errors": 7.0}, {"max_errors": 7}),
        ({"max_error_percent": 100}, {"max_error_percent": 100}),
        ({"encoding": "iso-8859-1"}, {"encoding": "latin-1"}),
        ({"encoding": "utf8"}, {"encoding": "utf-8"}),
        ({"encoding": "cp1252"}, {"encoding": "windows-1252"}),
        ({"delimiter": "\t"}, {"delimiter": "\t"}),
        ({"mapping": {}}, {"mapping": {}}),
    ],
)
def test_options_with_several_spellings_are_stored_in_one(given: dict[str, Any], stored: dict[str, Any]) -> None:
    assert check(given) == stored


def test_stored_options_are_what_an_import_reads() -> None:
    assert read_options(EntityType.CUSTOMERS, check(ALL)) == ImportOptions(
        mode=Mode.UPDATE,
        on_error=OnError.SKIP,
        max_errors=7,
        max_error_percent=2.5,
        atomic=True,
        mapping=ALL["mapping"],
        constants=ALL["constants"],
        delimiter=";",
        quote="'",
        encoding="windows-1252",
        blank=Blank.CLEAR,
    )
    events = check({"event_ids": "new", "mode": "insert"}, EntityType.EVENTS)
    assert read_options(EntityType.EVENTS, events) == ImportOptions(mode=Mode.INSERT, event_ids=EventIds.NEW)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mode": "replace"}, "'replace' is not one of insert, update, upsert."),
        ({"mode": 1}, "1 is not one of insert, update, upsert."),
        ({"on_error": "stop"}, "'stop' is not one of skip, abort."),
        (
            {"on_error": "abort", "max_errors": 5},
            "abort allows no refused row; leave it out where max_errors or max_error_percent allow some.",
        ),
        ({"max_errors": -1}, "-1 is not a whole number from 0 to 9223372036854775807."),
        ({"max_errors": "7"}, "'7' is not a whole number from 0 to 9223372036854775807."),
        ({"max_errors": True}, "true is not a whole number from 0 to 9223372036854775807."),
        ({"max_errors": 1.5}, "1.5 is not a whole number from 0 to 9223372036854775807."),
        ({"max_error_percent": 101}, "101 is not a number from 0 to 100."),
        ({"max_error_percent": "5%"}, "'5%' is not a number from 0 to 100."),
        ({"max_error_percent": False}, "false is not a number from 0 to 100."),
        ({"atomic": 1}, "1 is not true or false."),
        ({"dry_run": "true"}, "'true' is not true or false."),
        (
            {"mapping": ["a"]},
            '["a"] is not an object of source columns, each with the column where it goes, or null to ignore it.',
        ),
        (
            {"mapping": {"a": 1}},
            '{"a": 1} is not an object of source columns, each with the column where it goes, or null to ignore it.',
        ),
        ({"mapping": {"": "name"}}, "'' is no column of a file; name one."),
        ({"mapping": {"a": "nom"}}, f"'nom' is no column of CUSTOMERS; use one of {COLUMNS}."),
        ({"mapping": {"a": "metadata."}}, f"'metadata.' is no column of CUSTOMERS; use one of {COLUMNS}."),
        ({"mapping": {"a": "properties.x"}}, f"'properties.x' is no column of CUSTOMERS; use one of {COLUMNS}."),
        ({"mapping": {"a": "name", "b": "name"}}, "'a' and 'b' both go to 'name'; ignore one of them with null."),
        ({"constants": {"name": 1}}, '{"name": 1} is not an object of columns, each with a text.'),
        ({"constants": {"nom": "x"}}, f"'nom' is no column of CUSTOMERS; use one of {COLUMNS}."),
        ({"constants": {"name": ""}}, "The text of 'name' is blank; leave it out, or say what stands there."),
        (
            {"constants": {"address_country": "Germany"}},
            'address_country must be a country as two upper-case letters (ISO 3166-1) such as US, not "Germany".',
        ),
        ({"constants": {"metadata": "{"}}, "metadata is not valid JSON at character 2."),
        (
            {"delimiter": ",,"},
            "',,' is not one ASCII character such as , ; | or a tab; no letter, digit, quote, space or point.",
        ),
        ({"quote": "`"}, "'`' is not one of \", '."),
        (
            {"encoding": "UTF-7"},
            (
                "'UTF-7' is not one of utf-8, utf-16, utf-16-le, utf-16-be, latin-1, windows-1252, utf8, iso-8859-1, "
                "cp1252."
            ),
        ),
        ({"blank": "wipe"}, "'wipe' is not one of keep, clear."),
        ({"event_ids": "old"}, "'old' is not one of derive, new."),
        ({"dryrun": True}, f"There is no such option; there are {NAMES}."),
        ({"event_ids": "new"}, "It is for EVENTS only; leave it out for CUSTOMERS."),
    ],
)
def test_a_wrong_option_is_named_with_its_value_and_the_remedy(given: dict[str, Any], message: str) -> None:
    assert problems(given) == {next(iter(given)): [message]}


@pytest.mark.parametrize("sign", [*"aZ5\"' .\r\n\v\f\0", "", "é", "ab"])
def test_a_delimiter_is_no_part_of_a_word(sign: str) -> None:
    assert list(problems({"delimiter": sign})) == ["delimiter"]


@pytest.mark.parametrize("sign", [*",;|\t:~^#\x1f\x01_-/\\"])
def test_a_delimiter_may_be_any_other_sign(sign: str) -> None:
    assert check({"delimiter": sign}) == {"delimiter": sign}


@pytest.mark.parametrize("mode", ["update", "upsert"])
def test_events_are_only_ever_added(mode: str) -> None:
    assert problems({"mode": mode}, EntityType.EVENTS) == {
        "mode": [f"'{mode}' does not go with EVENTS, which are only ever added; use insert."]
    }


@pytest.mark.parametrize(
    ("file_type", "option", "only"),
    [
        (FileType.JSON, {"delimiter": ","}, "CSV"),
        (FileType.NDJSON, {"quote": '"'}, "CSV"),
        (FileType.PARQUET, {"delimiter": ","}, "CSV"),
        (FileType.PARQUET, {"encoding": "utf-8"}, "CSV and JSON and NDJSON"),
    ],
)
def test_what_a_format_does_not_have_is_refused(file_type: FileType, option: dict[str, str], only: str) -> None:
    told = f"It is for {only} only; leave it out for {file_type}."
    assert problems(option, file_type=file_type) == {next(iter(option)): [told]}


@pytest.mark.parametrize("file_type", [FileType.JSON, FileType.NDJSON])
def test_json_may_be_written_in_another_encoding(file_type: FileType) -> None:
    assert check({"encoding": "utf-16"}, file_type=file_type) == {"encoding": "utf-16"}


def test_every_wrong_option_is_told_at_once() -> None:
    assert list(problems({"mode": "x", "atomic": 2, "other": None})) == ["mode", "atomic", "other"]


@pytest.mark.parametrize("entity", EntityType)
def test_every_column_of_an_entity_can_be_mapped_to(entity: EntityType) -> None:
    columns = {
        EntityType.CUSTOMERS: ["external_id", "metadata", "metadata.a.b"],
        EntityType.FEATURES: ["lookup_key", "meter_name", "metadata.a"],
        EntityType.PRICES: ["tiers", "price_unit_config_amount", "metadata.a"],
        EntityType.EVENTS: ["event_id", "properties", "properties.a"],
    }[entity]
    mapping = {f"Source {number}": column for number, column in enumerate(columns)}
    assert check({"mapping": mapping}, entity) == {"mapping": mapping}
