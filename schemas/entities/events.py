"""Rows of EVENTS."""

from schemas.entities.columns import Text, Time
from schemas.entities.json_columns import JsonObject
from schemas.entities.row_schema import RowSchema


class EventRow(RowSchema):
    """One thing that a customer did, counted by meters; without event_id or timestamp the import gives them."""

    key = "event_id"

    event_name = Text(trim=True, required=True)
    external_customer_id = Text(required=True)
    event_id = Text()
    customer_id = Text()
    timestamp = Time()
    source = Text()
    properties = JsonObject(keep_blank=True)
