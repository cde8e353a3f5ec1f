"""Rows of FEATURES: a feature, and for a metered one the meter that is made with it."""

import re
from typing import Any

from marshmallow import ValidationError, post_load

from schemas.entities.columns import Amount, Choice, Text
from schemas.entities.json_columns import JsonObject
from schemas.entities.row_schema import RowSchema
from schemas.entities.rules import Ignored, Is, IsFilled, IsNot, Needed, NotAllowed
from schemas.entities.words import Aggregation, BucketSize, FeatureType, ResetUsage
from schemas.row_errors import Problem, RowErrorCode

METER_COLUMNS = (
    "meter_name",
    "event_name",
    "reset_usage",
    "aggregation_type",
    "aggregation_field",
    "aggregation_bucket_size",
    "aggregation_multiplier",
)

_METERED = Is("type", (FeatureType.METERED,))


class FeatureRow(RowSchema):
    """What a customer may use; `lookup_key` is the caller's name for it, made from `name` when blank."""

    key = "lookup_key"
    derived = ("lookup_key",)

    name = Text(required=True)
    lookup_key = Text()
    type = Choice(FeatureType, required=True)
    unit_singular = Text()
    unit_plural = Text()
    meter_name = Text()
    event_name = Text(trim=True)
    reset_usage = Choice(ResetUsage, default=ResetUsage.BILLING_PERIOD.value)
    aggregation_type = Choice(Aggregation)
    aggregation_field = Text()
    aggregation_bucket_size = Choice(BucketSize)
    aggregation_multiplier = Amount(above_zero=True)
    metadata = JsonObject()

    ignored = (Ignored(METER_COLUMNS, when=IsNot("type", (FeatureType.METERED,))),)
    rules = (
        Needed("unit_singular", when=(IsFilled("unit_plural"),)),
        Needed("unit_plural", when=(IsFilled("unit_singular"),)),
        Needed("meter_name", when=(_METERED,)),
        Needed("event_name", when=(_METERED,)),
        Needed("aggregation_type", when=(_METERED,)),
        Needed("aggregation_field", when=(_METERED, IsNot("aggregation_type", (Aggregation.COUNT,)))),
        Needed("aggregation_multiplier", when=(Is("aggregation_type", (Aggregation.SUM_WITH_MULTIPLIER,)),)),
        NotAllowed("aggregation_bucket_size", when=(IsNot("aggregation_type", (Aggregation.MAX, Aggregation.SUM)),)),
    )

    @post_load
    def derive_lookup_key(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Give a row without a lookup_key the one that its name makes."""
        if values["lookup_key"] is None:
            values["lookup_key"] = derive_lookup_key(values.get("name", ""))
        if not values["lookup_key"]:
            message = "lookup_key is required when name has no letter a to z and no digit to make one from"
            raise ValidationError({"lookup_key": [Problem(RowErrorCode.REQUIRED, message)]})
        return values


def derive_lookup_key(name: str) -> str:
    """The name in lower case, every run of characters other than a-z and 0-9 as one `_`, none at the ends."""
    return re.sub("[^a-z0-9]+", "_", name.lower()).strip("_")
