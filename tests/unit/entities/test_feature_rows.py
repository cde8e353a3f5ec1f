"""The rules of FEATURES."""

from decimal import Decimal

import pytest

from schemas.vocabulary import EntityType
from tests.unit.entities.rows import Cells, load_row, refuse_row

PLAIN = {"name": "Dark mode", "lookup_key": "dark", "type": "boolean"}
METERED = {
    "name": "Tokens",
    "lookup_key": "tokens",
    "type": "metered",
    "meter_name": "Tokens",
    "event_name": "llm.request",
    "aggregation_type": "SUM",
    "aggregation_field": "tokens",
}
RESET = {"reset_usage": "BILLING_PERIOD"}


def test_a_full_metered_row() -> None:
    cells = {
        **METERED,
        "unit_singular": "token",
        "unit_plural": "tokens",
        "reset_usage": "NEVER",
        "aggregation_bucket_size": "15MIN",
        "aggregation_multiplier": "1.50",
        "metadata.side": "input",
    }
    assert load_row(EntityType.FEATURES, cells) == {
        **METERED,
        "unit_singular": "token",
        "unit_plural": "tokens",
        "reset_usage": "NEVER",
        "aggregation_bucket_size": "15MIN",
        "aggregation_multiplier": Decimal("1.50"),
        "metadata": {"side": "input"},
    }


def test_usage_is_reset_each_period_unless_said_otherwise() -> None:
    assert load_row(EntityType.FEATURES, METERED) == {**METERED, **RESET}


def test_meter_columns_of_other_types_are_ignored_whatever_they_hold() -> None:
    cells = {**PLAIN, "event_name": "x", "aggregation_type": "what", "aggregation_multiplier": "abc"}
    assert load_row(EntityType.FEATURES, cells) == {**PLAIN, **RESET}


def test_the_event_name_is_trimmed() -> None:
    cells = {**METERED, "event_name": " llm.request\t"}
    assert load_row(EntityType.FEATURES, cells) == {**METERED, **RESET}


@pytest.mark.parametrize(
    ("name", "key"),
    [("Dark mode", "dark_mode"), ("  API -- Calls (v2)!", "api_calls_v2"), ("Größe", "gr_e"), ("__x__", "x")],
)
def test_a_blank_lookup_key_is_made_from_the_name(name: str, key: str) -> None:
    assert load_row(EntityType.FEATURES, {**PLAIN, "name": name, "lookup_key": ""})["lookup_key"] == key


def test_counting_needs_no_field() -> None:
    cells = {**METERED, "aggregation_type": "COUNT", "aggregation_field": ""}
    assert refuse_row(EntityType.FEATURES, cells) == {}


@pytest.mark.parametrize("aggregation", ["AVG", "COUNT_UNIQUE", "LATEST", "MAX", "WEIGHTED_SUM"])
def test_every_other_aggregation_needs_its_field(aggregation: str) -> None:
    cells = {**METERED, "aggregation_type": aggregation}
    assert refuse_row(EntityType.FEATURES, cells) == {}
    assert refuse_row(EntityType.FEATURES, {**cells, "aggregation_field": ""}) == {
        "aggregation_field": (
            "required",
            "aggregation_field is required when type is metered and aggregation_type is not COUNT",
        )
    }


@pytest.mark.parametrize(
    ("cells", "problems"),
    [
        ({"name": ""}, {"name": ("required", "name is required and must not be blank")}),
        ({"type": ""}, {"type": ("required", "type is required and must not be blank")}),
        (
            {"type": "Metered"},
            {"type": ("invalid_choice", 'type must be one of metered, boolean, static, config, not "Metered"')},
        ),
        (
            {"name": "東京", "lookup_key": ""},
            {
                "lookup_key": (
                    "required",
                    "lookup_key is required when name has no letter a to z and no digit to make one from",
                )
            },
        ),
        (
            {"unit_singular": "token"},
            {"unit_plural": ("required", "unit_plural is required when unit_singular is filled")},
        ),
        (
            {"unit_plural": "tokens"},
            {"unit_singular": ("required", "unit_singular is required when unit_plural is filled")},
        ),
        ({"meter_name": ""}, {"meter_name": ("required", "meter_name is required when type is metered")}),
        ({"event_name": ""}, {"event_name": ("required", "event_name is required when type is metered")}),
        ({"event_name": " "}, {"event_name": ("required", "event_name is required and must not be blank")}),
        (
            {"aggregation_type": "", "aggregation_field": ""},
            {
                "aggregation_type": ("required", "aggregation_type is required when type is metered"),
                "aggregation_field": (
                    "required",
                    "aggregation_field is required when type is metered and aggregation_type is not COUNT",
                ),
            },
        ),
        (
            {"aggregation_type": "SUM_WITH_MULTIPLIER"},
            {
                "aggregation_multiplier": (
                    "required",
                    "aggregation_multiplier is required when aggregation_type is SUM_WITH_MULTIPLIER",
                )
            },
        ),
        (
            {"aggregation_multiplier": "ten"},
            {
                "aggregation_multiplier": (
                    "invalid_number",
                    'aggregation_multiplier must be a decimal number such as 0.0125, not "ten"',
                )
            },
        ),
        (
            {"aggregation_multiplier": "0"},
            {"aggregation_multiplier": ("out_of_range", 'aggregation_multiplier must be more than 0, not "0"')},
        ),
        (
            {"aggregation_type": "AVG", "aggregation_bucket_size": "HOUR"},
            {
                "aggregation_bucket_size": (
                    "not_allowed",
                    "aggregation_bucket_size must be blank when aggregation_type is not MAX or SUM",
                )
            },
        ),
        (
            {"reset_usage": "MONTHLY"},
            {"reset_usage": ("invalid_choice", 'reset_usage must be one of BILLING_PERIOD, NEVER, not "MONTHLY"')},
        ),
    ],
)
def test_a_broken_rule_is_told_of_its_column(cells: Cells, problems: dict[str, tuple[str, str]]) -> None:
    assert refuse_row(EntityType.FEATURES, {**METERED, **cells}) == problems
