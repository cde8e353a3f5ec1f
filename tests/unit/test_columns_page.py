"""The page about columns says what the row schemas do."""

import re
from pathlib import Path

import pytest

from schemas.entities import ENTITIES
from schemas.entities.columns import Choice, Text
from schemas.vocabulary import EntityType

PAGE = (Path(__file__).parents[2] / "docs" / "columns.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<need>.*?) ?\| (?P<told>.*) \|$", re.MULTILINE)


def rows_of(entity: EntityType) -> dict[str, tuple[str, str]]:
    """What the page says of each column: whether it is needed, and what it holds."""
    _, _, section = PAGE.partition(f"\n## {entity}\n")
    section, _, _ = section.partition("\n## ")
    return {row["name"]: (row["need"], row["told"]) for row in _ROW.finditer(section)}


@pytest.mark.parametrize("entity", EntityType)
def test_each_column_is_told_with_whether_it_is_required_and_what_it_takes(entity: EntityType) -> None:
    told = rows_of(entity)
    fields = ENTITIES[entity].schema.fields
    assert list(told) == list(fields)
    assert {name for name, (need, _) in told.items() if need == "required"} == {
        name for name, field in fields.items() if field.required
    }
    for name, field in fields.items():
        _, text = told[name]
        if isinstance(field, Choice) and len(field.words) < 100:
            assert [word for word in field.words if f"`{word}`" not in text] == []
        if isinstance(field, Text) and name != "meter_id":
            assert f"at most {field.max_length:,} characters" in text
