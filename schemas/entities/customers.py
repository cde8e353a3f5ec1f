"""Rows of CUSTOMERS."""

from schemas.entities.columns import Choice, Email, Text
from schemas.entities.json_columns import JsonObject
from schemas.entities.row_schema import RowSchema
from schemas.entities.words import COUNTRIES


class CustomerRow(RowSchema):
    """Who is billed; `external_id` is the caller's name for it."""

    key = "external_id"

    external_id = Text(required=True)
    name = Text(required=True)
    email = Email()
    address_line1 = Text()
    address_line2 = Text()
    address_city = Text(100)
    address_state = Text(100)
    address_postal_code = Text(20)
    address_country = Choice(COUNTRIES, called="a country as two upper-case letters (ISO 3166-1) such as US")
    metadata = JsonObject()
