"""The rules of EVENTS."""

from datetime import UTC, datetime

import pytest

from schemas.vocabulary import EntityType
from tests.unit.entities.rows import Cells, load_row, refuse_row

GOOD = {"event_name": "llm.request", "external_customer_id": "c-1"}


def test_a_full_row() -> None:
    cells = {
        **GOOD,
        "event_id": "e-1",
        "customer_id": "cust_1",
        "timestamp": "2026-03-01T10:00:00.25+01:00",
        "source": "batch",
        "properties.model": "small",
        "properties.blank": "",
        "properties.tokens": "7",
        "properties": '{"tokens": 512, "nested": {"a": [true, null]}}',
    }
    assert load_row(EntityType.EVENTS, cells) == {
        **GOOD,
        "event_id": "e-1",
        "customer_id": "cust_1",
        "timestamp": datetime(2026, 3, 1, 9, 0, 0, 250000, tzinfo=UTC),
        "source": "batch",
        "properties": {"model": "small", "blank": "", "tokens": 512, "nested": {"a": [True, None]}},
    }


def test_a_row_needs_no_more_than_its_name_and_its_customer() -> None:
    assert load_row(EntityType.EVENTS, {**GOOD, "event_id": "", "timestamp": "", "properties": ""}) == GOOD


def test_the_event_name_is_trimmed() -> None:
    assert load_row(EntityType.EVENTS, {**GOOD, "event_name": "llm.request \n"}) == GOOD


@pytest.mark.parametrize(
    ("cells", "problems"),
    [
        ({"event_name": ""}, {"event_name": ("required", "event_name is required and must not be blank")}),
        ({"event_name": "\u00a0"}, {"event_name": ("required", "event_name is required and must not be blank")}),
        (
            {"external_customer_id": ""},
            {"external_customer_id": ("required", "external_customer_id is required and must not be blank")},
        ),
        ({"event_id": "x" * 256}, {"event_id": ("too_long", "event_id is 256 characters long, the limit is 255")}),
        (
            {"timestamp": "2026-03-01 10:00:00"},
            {
                "timestamp": (
                    "invalid_time",
                    'timestamp must be a time with offset such as 2026-03-01T10:00:00Z, not "2026-03-01 10:00:00"',
                )
            },
        ),
        (
            {"properties": "7"},
            {"properties": ("invalid_json", 'properties must be a JSON object such as {"key": 1}, not "7"')},
        ),
        (
            {"properties": '{"a": "\\u0000"}'},
            {"properties": ("invalid_json", "properties holds the character \\u0000, which cannot be stored")},
        ),
    ],
)
def test_a_broken_rule_is_told_of_its_column(cells: Cells, problems: dict[str, tuple[str, str]]) -> None:
    assert refuse_row(EntityType.EVENTS, {**GOOD, **cells}) == problems
