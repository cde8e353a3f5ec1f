"""Rows of EVENTS."""

from schemas.entities.columns import Text, Time
from schemas.entities.json_columns import JsonObject
from schemas.entities.row_schema import RowSchema

#: In files of refused rows: the id that an event without one has by its row.
OWN_EVENT_ID = "_wharf_event_id"


class EventRow(RowSchema):
    """One thing that a customer did, counted by meters; without event_id or timestamp the import gives them."""

    key = "event_id"
    aliases = {OWN_EVENT_ID: "event_id"}  # noqa: RUF012  # ClassVar in the base

    event_name = Text(trim=True, required=True)
    external_customer_id = Text(required=True)
    event_id = Text()
    customer_id = Text()
    timestamp = Time()
    source = Text()
    properties = JsonObject(keep_blank=True)
