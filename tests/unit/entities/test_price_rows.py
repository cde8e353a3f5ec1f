"""The rules of PRICES."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from schemas.vocabulary import EntityType
from tests.unit.entities.rows import Cells, load_row, refuse_row

USAGE = {
    "entity_type": "PLAN",
    "entity_id": "plan_1",
    "type": "USAGE",
    "currency": "usd",
    "billing_model": "FLAT_FEE",
    "billing_period": "MONTHLY",
    "billing_period_count": "1",
    "invoice_cadence": "ARREAR",
    "meter_id": "tokens",
    "amount": "0.0000125",
}
FIXED = {**USAGE, "type": "FIXED", "meter_id": "", "amount": "20"}
TIERS = '[{"up_to": 100, "unit_amount": "0.10", "flat_amount": 5}, {"up_to": null, "unit_amount": 0.080, "x": 1}]'
TIERED = {**USAGE, "billing_model": "TIERED", "amount": "", "tiers": TIERS}
CUSTOM = {
    **USAGE,
    "amount": "",
    "price_unit_type": "CUSTOM",
    "price_unit_config_price_unit": "btc",
    "price_unit_config_amount": "0.5",
}
PER_UNIT = "billing_model is FLAT_FEE or PACKAGE"
READ_TIERS = [{"up_to": 100, "unit_amount": "0.10", "flat_amount": "5"}, {"up_to": None, "unit_amount": "0.080"}]
READ_USAGE = {**USAGE, "price_unit_type": "FIAT", "billing_period_count": 1, "amount": Decimal("0.0000125")}


def test_a_usage_price() -> None:
    assert load_row(EntityType.PRICES, {**USAGE, "billing_cadence": "whatever"}) == READ_USAGE


def test_a_fixed_price_has_no_meter() -> None:
    cells = {
        **FIXED,
        "meter_id": "tokens",
        "min_quantity": "2",
        "trial_period": "14",
        "start_date": "2026-01-01T00:00:00Z",
        "end_date": "2026-01-01T00:00:00Z",
        "lookup_key": "seat",
        "display_name": "Seat",
        "description": "x" * 10_000,
        "group_id": "g",
        "metadata.a": "b",
    }
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert load_row(EntityType.PRICES, cells) == {
        **{column: value for column, value in READ_USAGE.items() if column != "meter_id"},
        "type": "FIXED",
        "amount": Decimal(20),
        "min_quantity": 2,
        "trial_period_days": 14,
        "start_date": start,
        "end_date": start,
        "lookup_key": "seat",
        "display_name": "Seat",
        "description": "x" * 10_000,
        "group_id": "g",
        "metadata": {"a": "b"},
    }


def test_a_tiered_price() -> None:
    loaded = load_row(EntityType.PRICES, {**TIERED, "tier_mode": "SLAB"})
    assert (loaded["tiers"], loaded["tier_mode"]) == (READ_TIERS, "SLAB")


def test_a_package_price() -> None:
    cells = {
        **USAGE,
        "billing_model": "PACKAGE",
        "transform_quantity_divide_by": "1000",
        "transform_quantity_round": "up",
    }
    assert load_row(EntityType.PRICES, cells) == {
        **READ_USAGE,
        "billing_model": "PACKAGE",
        "transform_quantity_divide_by": 1000,
        "transform_quantity_round": "up",
    }


def test_a_price_in_a_unit_of_its_own() -> None:
    assert load_row(EntityType.PRICES, CUSTOM) == {
        **{column: value for column, value in READ_USAGE.items() if column != "amount"},
        "price_unit_type": "CUSTOM",
        "price_unit_config_price_unit": "btc",
        "price_unit_config_amount": Decimal("0.5"),
    }


def test_the_column_trial_period_days_counts_before_its_other_name() -> None:
    cells = {**FIXED, "trial_period": "1", "trial_period_days": "2"}
    assert load_row(EntityType.PRICES, cells)["trial_period_days"] == 2


@pytest.mark.parametrize("cells", [USAGE, {**FIXED, "billing_period": "ONETIME", "invoice_cadence": "ADVANCE"}])
def test_a_trial_of_no_days_is_no_trial(cells: Cells) -> None:
    assert refuse_row(EntityType.PRICES, {**cells, "trial_period_days": "0"}) == {}


@pytest.mark.parametrize(
    ("cells", "column", "code", "message"),
    [
        *(
            ({**USAGE, column: ""}, column, "required", f"{column} is required and must not be blank")
            for column in (
                "entity_type", "entity_id", "type", "currency", "billing_model", "billing_period",
                "billing_period_count", "invoice_cadence",
            )
        ),
        (
            {**USAGE, "entity_type": "PRICE"}, "entity_type", "invalid_choice",
            'entity_type must be one of PLAN, SUBSCRIPTION, ADDON, COSTSHEET, not "PRICE"',
        ),
        ({**USAGE, "currency": "us"}, "currency", "wrong_length", 'currency must be exactly 3 characters, not "us"'),
        (
            {**USAGE, "billing_period_count": "0"}, "billing_period_count", "out_of_range",
            'billing_period_count must be from 1 to 2147483647, not "0"',
        ),
        (
            {**USAGE, "amount": "abc"}, "amount", "invalid_number",
            'amount must be a decimal number such as 0.0125, not "abc"',
        ),
        ({**USAGE, "amount": "-1"}, "amount", "out_of_range", 'amount must be 0 or more, not "-1"'),
        (
            {**USAGE, "start_date": "2026-01-01"}, "start_date", "invalid_time",
            'start_date must be a time with offset such as 2026-03-01T10:00:00Z, not "2026-01-01"',
        ),
        (
            {**USAGE, "invoice_cadence": "ADVANCE"}, "invoice_cadence", "inconsistent",
            'invoice_cadence must be ARREAR when type is USAGE, not "ADVANCE"',
        ),
        (
            {**FIXED, "billing_period": "ONETIME"}, "invoice_cadence", "inconsistent",
            'invoice_cadence must be ADVANCE when billing_period is ONETIME, not "ARREAR"',
        ),
        ({**USAGE, "meter_id": ""}, "meter_id", "required", "meter_id is required when type is USAGE"),
        (
            {**USAGE, "amount": ""}, "amount", "required",
            f"amount is required when {PER_UNIT} and price_unit_type is FIAT",
        ),
        (
            {**TIERED, "tiers": ""}, "tiers", "required",
            "tiers is required when billing_model is TIERED and price_unit_type is FIAT",
        ),
        (
            {**USAGE, "billing_model": "PACKAGE"}, "transform_quantity_divide_by", "required",
            "transform_quantity_divide_by is required when billing_model is PACKAGE",
        ),
        (
            {**USAGE, "price_unit_config_price_unit": "btc"}, "price_unit_config_price_unit", "not_allowed",
            "price_unit_config_price_unit must be blank when price_unit_type is FIAT",
        ),
        (
            {**USAGE, "price_unit_config_amount": "1"}, "price_unit_config_amount", "not_allowed",
            "price_unit_config_amount must be blank when price_unit_type is FIAT",
        ),
        (
            {**USAGE, "price_unit_config_tiers": TIERS}, "price_unit_config_tiers", "not_allowed",
            "price_unit_config_tiers must be blank when price_unit_type is FIAT",
        ),
        (
            {**CUSTOM, "price_unit_config_price_unit": ""}, "price_unit_config_price_unit", "required",
            "price_unit_config_price_unit is required when price_unit_type is CUSTOM",
        ),
        (
            {**CUSTOM, "price_unit_config_amount": ""}, "price_unit_config_amount", "required",
            f"price_unit_config_amount is required when {PER_UNIT} and price_unit_type is CUSTOM",
        ),
        (
            {**CUSTOM, "billing_model": "TIERED"}, "price_unit_config_tiers", "required",
            "price_unit_config_tiers is required when billing_model is TIERED and price_unit_type is CUSTOM",
        ),
        (
            {**CUSTOM, "billing_model": "TIERED", "price_unit_config_tiers": TIERS, "tiers": TIERS},
            "tiers", "not_allowed", "tiers must be blank when price_unit_config_tiers is filled",
        ),
        (
            {**USAGE, "min_quantity": "1"}, "min_quantity", "not_allowed",
            "min_quantity must be blank when type is USAGE",
        ),
        (
            {**USAGE, "trial_period_days": "7"}, "trial_period_days", "not_allowed",
            "trial_period_days must be blank when type is USAGE",
        ),
        (
            {**FIXED, "billing_period": "ONETIME", "invoice_cadence": "ADVANCE", "trial_period_days": "7"},
            "trial_period_days", "not_allowed", "trial_period_days must be blank when billing_period is ONETIME",
        ),
        (
            {**USAGE, "start_date": "2026-01-02T00:00:00Z", "end_date": "2026-01-02T00:00:00+01:00"},
            "end_date", "inconsistent", "end_date must not be before start_date",
        ),
    ],
)  # fmt: skip
def test_a_broken_rule_is_told_of_its_column(cells: Cells, column: str, code: str, message: str) -> None:
    assert refuse_row(EntityType.PRICES, cells) == {column: (code, message)}


def test_a_usage_price_for_once_cannot_have_any_cadence() -> None:
    refused = [
        set(refuse_row(EntityType.PRICES, {**USAGE, "billing_period": "ONETIME", "invoice_cadence": cadence}))
        for cadence in ("ARREAR", "ADVANCE")
    ]
    assert refused == [{"invoice_cadence"}, {"invoice_cadence"}]


EXAMPLE = (
    'tiers must be a JSON array of tiers such as [{"up_to": 100, "unit_amount": "0.10"}, '
    '{"up_to": null, "unit_amount": "0.08"}]'
)
NEEDS_AMOUNT = 'needs unit_amount in tier 1, a decimal of 0 or more such as "0.10"'


@pytest.mark.parametrize(
    ("tiers", "code", "message"),
    [
        ("x", "invalid_json", "tiers is not valid JSON at character 1"),
        ("{}", "invalid_tiers", f'{EXAMPLE}, not "{{}}"'),
        ("[]", "invalid_tiers", f'{EXAMPLE}, not "[]"'),
        ("[1]", "invalid_tiers", f'{EXAMPLE}, not "[1]"'),
        ('[{"up_to": null}]', "invalid_tiers", f'tiers {NEEDS_AMOUNT}, not "null"'),
        ('[{"up_to": null, "unit_amount": "-1"}]', "invalid_tiers", f'tiers {NEEDS_AMOUNT}, not "-1"'),
        ('[{"up_to": null, "unit_amount": true}]', "invalid_tiers", f'tiers {NEEDS_AMOUNT}, not "True"'),
        ('[{"up_to": null, "unit_amount": 1e99}]', "invalid_tiers", f'tiers {NEEDS_AMOUNT}, not "1E+99"'),
        (
            '[{"up_to": null, "unit_amount": 1, "flat_amount": "x"}]',
            "invalid_tiers",
            'tiers needs flat_amount in tier 1, a decimal of 0 or more such as "0.10", not "x"',
        ),
        (
            '[{"up_to": 5, "unit_amount": 1}]',
            "invalid_tiers",
            'tiers must end with a tier whose up_to is null, not "5"',
        ),
        (
            '[{"up_to": 5, "unit_amount": 1}, {"up_to": 5, "unit_amount": 1}, {"unit_amount": 1}]',
            "invalid_tiers",
            'tiers needs up_to in tier 2, a whole number of more than 5, not "5"',
        ),
        (
            '[{"up_to": null, "unit_amount": 1}, {"up_to": null, "unit_amount": 1}]',
            "invalid_tiers",
            'tiers needs up_to in tier 1, a whole number of more than 0, not "null"',
        ),
        (
            '[{"up_to": 1.5, "unit_amount": 1}, {"up_to": null, "unit_amount": 1}]',
            "invalid_tiers",
            'tiers needs up_to in tier 1, a whole number of more than 0, not "1.5"',
        ),
    ],
)
def test_tiers_that_are_none(tiers: str, code: str, message: str) -> None:
    assert refuse_row(EntityType.PRICES, {**TIERED, "tiers": tiers}) == {"tiers": (code, message)}
