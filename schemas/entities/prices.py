"""Rows of PRICES."""

from schemas.entities.columns import Amount, Choice, Code, Text, Time, Whole
from schemas.entities.json_columns import JsonObject, Tiers
from schemas.entities.row_schema import RowSchema
from schemas.entities.rules import Ignored, Is, IsFilled, Needed, NotAllowed, NotBefore, OnlyOneOf
from schemas.entities.words import (
    BillingModel,
    BillingPeriod,
    InvoiceCadence,
    PricedEntity,
    PriceType,
    PriceUnitType,
    Rounding,
    TierMode,
)

DESCRIPTION_CHARACTERS = 10_000

_FIAT = Is("price_unit_type", (PriceUnitType.FIAT,))
_CUSTOM = Is("price_unit_type", (PriceUnitType.CUSTOM,))
_PER_UNIT = Is("billing_model", (BillingModel.FLAT_FEE, BillingModel.PACKAGE))
_PACKAGE = Is("billing_model", (BillingModel.PACKAGE,))
_TIERED = Is("billing_model", (BillingModel.TIERED,))
_USAGE = Is("type", (PriceType.USAGE,))
_ONETIME = Is("billing_period", (BillingPeriod.ONETIME,))


class PriceRow(RowSchema):
    """What a plan, addon or subscription charges. The template's billing_cadence is ignored: all prices recur.

    Whether `meter_id` exists is known only where the row is merged.
    """

    key = "lookup_key"

    display_name = Text()
    currency = Code(3, required=True)
    entity_type = Choice(PricedEntity, required=True)
    entity_id = Text(required=True)
    meter_id = Text()
    type = Choice(PriceType, required=True)
    price_unit_type = Choice(PriceUnitType, default=PriceUnitType.FIAT.value)
    billing_period = Choice(BillingPeriod, required=True)
    billing_period_count = Whole(1, required=True)
    invoice_cadence = Choice(InvoiceCadence, required=True)
    billing_model = Choice(BillingModel, required=True)
    amount = Amount()
    tier_mode = Choice(TierMode)
    lookup_key = Text()
    tiers = Tiers()
    transform_quantity_divide_by = Whole(1)
    transform_quantity_round = Choice(Rounding)
    price_unit_config_price_unit = Code(3)
    price_unit_config_amount = Amount()
    price_unit_config_tiers = Tiers()
    start_date = Time()
    end_date = Time()
    min_quantity = Whole()
    trial_period_days = Whole()
    group_id = Text()
    description = Text(DESCRIPTION_CHARACTERS)
    metadata = JsonObject()

    aliases = {"trial_period": "trial_period_days"}  # noqa: RUF012  # ClassVar in the base
    ignored = (Ignored(("meter_id",), when=Is("type", (PriceType.FIXED,))),)
    rules = (
        OnlyOneOf("invoice_cadence", (InvoiceCadence.ARREAR,), when=(_USAGE,)),
        OnlyOneOf("invoice_cadence", (InvoiceCadence.ADVANCE,), when=(_ONETIME,)),
        Needed("meter_id", when=(_USAGE,)),
        Needed("amount", when=(_PER_UNIT, _FIAT)),
        Needed("tiers", when=(_TIERED, _FIAT)),
        Needed("transform_quantity_divide_by", when=(_PACKAGE,)),
        NotAllowed("price_unit_config_price_unit", when=(_FIAT,)),
        NotAllowed("price_unit_config_amount", when=(_FIAT,)),
        NotAllowed("price_unit_config_tiers", when=(_FIAT,)),
        Needed("price_unit_config_price_unit", when=(_CUSTOM,)),
        Needed("price_unit_config_amount", when=(_PER_UNIT, _CUSTOM)),
        Needed("price_unit_config_tiers", when=(_TIERED, _CUSTOM)),
        NotAllowed("tiers", when=(IsFilled("price_unit_config_tiers"),)),
        NotAllowed("min_quantity", when=(_USAGE,)),
        NotAllowed("trial_period_days", when=(_USAGE,), harmless=(0,)),
        NotAllowed("trial_period_days", when=(_ONETIME,), harmless=(0,)),
        NotBefore("end_date", "start_date"),
    )
