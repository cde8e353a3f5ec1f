"""The registry agrees with the templates that importers use, and with what exports write."""

import pytest

from schemas.entities import ENTITIES
from schemas.vocabulary import EntityType

TEMPLATES = {
    EntityType.EVENTS: "event_name,external_customer_id,event_id,timestamp,source",
    EntityType.CUSTOMERS: (
        "external_id,name,email,address_line1,address_line2,address_city,address_state,address_postal_code,"
        "address_country"
    ),
    EntityType.FEATURES: (
        "name,lookup_key,type,unit_singular,unit_plural,meter_name,event_name,reset_usage,aggregation_type,"
        "aggregation_field,aggregation_bucket_size,aggregation_multiplier"
    ),
    EntityType.PRICES: (
        "display_name,currency,entity_type,entity_id,meter_id,type,price_unit_type,billing_period,"
        "billing_period_count,invoice_cadence,billing_model,amount,tier_mode,lookup_key,tiers,"
        "transform_quantity_divide_by,transform_quantity_round,price_unit_config_price_unit,"
        "price_unit_config_amount,price_unit_config_tiers,start_date,end_date,min_quantity,trial_period_days,"
        "group_id,description"
    ),
}

ADDED = {EntityType.EVENTS: {"customer_id", "properties"}}


def test_every_entity_is_registered_once() -> None:
    assert {name: entity.type for name, entity in ENTITIES.items()} == {name: name for name in EntityType}


@pytest.mark.parametrize("entity", EntityType)
def test_columns_stand_in_the_order_of_the_template(entity: EntityType) -> None:
    added = ADDED.get(entity, {"metadata"})
    assert [column for column in ENTITIES[entity].columns if column not in added] == TEMPLATES[entity].split(",")
    assert added < set(ENTITIES[entity].columns)


def test_required_columns_keys_and_prefixes() -> None:
    assert {
        name.value: (entity.required_columns, entity.natural_key, entity.id_prefix, entity.prefixes)
        for name, entity in ENTITIES.items()
    } == {
        "CUSTOMERS": (("external_id", "name"), "external_id", "cust", ("metadata.",)),
        "FEATURES": (("name", "type"), "lookup_key", "feat", ("metadata.",)),
        "PRICES": (
            (
                "currency",
                "entity_type",
                "entity_id",
                "type",
                "billing_period",
                "billing_period_count",
                "invoice_cadence",
                "billing_model",
            ),
            "lookup_key",
            "price",
            ("metadata.",),
        ),
        "EVENTS": (("event_name", "external_customer_id"), "event_id", "event", ("properties.",)),
    }
