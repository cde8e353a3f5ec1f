"""Which headers are refused, and what columns stand for after mapping."""

import pytest

from schemas.entities import ENTITIES
from schemas.options import ImportOptions, Mode
from schemas.vocabulary import EntityType
from service.errors import SourceRefusedError
from service.imports.formats.header import check_header, effective_names

CUSTOMERS = ENTITIES[EntityType.CUSTOMERS]
FEATURES = ENTITIES[EntityType.FEATURES]


def refusal(header: tuple[str, ...], options: ImportOptions) -> str:
    with pytest.raises(SourceRefusedError) as refused:
        check_header(CUSTOMERS.schema_for(options.mode), header, options)
    return refused.value.message


def test_a_header_without_required_columns_is_refused_with_what_it_has() -> None:
    assert refusal(("Symbol", "name"), ImportOptions()) == (
        "The header lacks external_id, which every row needs; it has Symbol, name. "
        "Add what is missing, or say by the option mapping which columns they are, and create a new task"
    )


def test_only_the_first_columns_of_a_wide_header_are_told() -> None:
    assert "c18, c19 and 80 more" in refusal(tuple(f"c{number}" for number in range(100)), ImportOptions())


def test_a_mapped_column_that_is_not_there_is_refused() -> None:
    options = ImportOptions(mapping={"Symbol": "external_id", "CIK": None})
    assert refusal(("Symbol", "name"), options) == (
        "The header lacks CIK, which the mapping names; it has Symbol, name. Mend the mapping and create a new task"
    )


def test_a_column_that_is_mapped_away_is_missing() -> None:
    options = ImportOptions(mapping={"name": "metadata.name"})
    assert "lacks name" in refusal(("external_id", "name"), options)


@pytest.mark.parametrize(
    ("header", "options"),
    [
        (("name", "unknown", "external_id"), ImportOptions()),
        (("Symbol", "name"), ImportOptions(mapping={"Symbol": "external_id"})),
        (("external_id",), ImportOptions(constants={"name": "Ann"})),
        (("external_id",), ImportOptions(mode=Mode.UPDATE)),
    ],
)
def test_a_header_with_all_that_rows_need_passes(header: tuple[str, ...], options: ImportOptions) -> None:
    check_header(CUSTOMERS.schema_for(options.mode), header, options)


def test_a_key_that_is_made_from_another_column_is_not_needed() -> None:
    check_header(FEATURES.schema_for(Mode.UPDATE), ("name",), ImportOptions(mode=Mode.UPDATE))


@pytest.mark.parametrize(
    ("names", "mapping", "effective"),
    [
        (("a", "b"), {}, ("a", "b")),
        (("a", "b"), {"a": "name", "b": None}, ("name", "")),
        (("name", "b"), {"b": "name"}, ("", "name")),
        (("a", "b"), {"a": "b", "b": "a"}, ("b", "a")),
        (("_wharf_row", "a"), {}, ("", "a")),
        (("_wharf_row",), {"_wharf_row": "metadata.row"}, ("metadata.row",)),
        (("a", "a"), {"a": "name"}, ("name", "name")),
    ],
)
def test_columns_stand_for_what_they_are_mapped_to(
    names: tuple[str, ...], mapping: dict[str, str | None], effective: tuple[str, ...]
) -> None:
    assert effective_names(names, mapping) == effective
