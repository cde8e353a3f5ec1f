"""Chunks of made-up customers and events, clean or with one row in twenty that is refused."""

import json
import random

CUSTOMERS = (
    "external_id",
    "name",
    "email",
    "address_line1",
    "address_city",
    "address_state",
    "address_postal_code",
    "address_country",
    "metadata.tier",
)
EVENTS = (
    "event_id",
    "event_name",
    "external_customer_id",
    "timestamp",
    "source",
    "properties.model",
    "properties",
)
ENTITIES = ("customers", "events")
HEADERS: dict[str, tuple[str, ...]] = {"customers": CUSTOMERS, "events": EVENTS}

_PLACES = (("Berlin", "BE", "DE"), ("Lyon", "ARA", "FR"), ("New York", "NY", "US"), ("São Paulo", "SP", "BR"))
_TIERS = ("gold", "silver", "free", "")
_BAD_EVERY = 20


def make_chunk(entity: str, size_bytes: int, *, bad: bool) -> tuple[bytes, int]:
    """Rows without a header, about so many bytes of them, and how many they are."""
    chance = random.Random(18)  # noqa: S311  # the same rows each time
    make = _customer if entity == "customers" else _event
    rows: list[str] = []
    length = 0
    while length < size_bytes:
        number = len(rows)
        rows.append(make(number, chance, bad=bad and number % _BAD_EVERY == 7))  # noqa: PLR2004  # any of the twenty
        length += len(rows[-1])
    return "".join(rows).encode(), len(rows)


def _customer(number: int, chance: random.Random, *, bad: bool) -> str:
    city, state, country = chance.choice(_PLACES)
    name = f'"Name, {number}"' if number % 10 == 0 else f"Name {number}"
    email = f"not an address {number}" if bad else f"user.{number}@mail{number % 7}.example.com"
    street = f"{chance.randrange(1000)} Main Street"
    tier = chance.choice(_TIERS)
    return f"customer-{number:09d},{name},{email},{street},{city},{state},{10000 + number % 90000},{country},{tier}\r\n"


def _event(number: int, chance: random.Random, *, bad: bool) -> str:
    second = number % 86400
    time = f"2026-10-01T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{number % 1000:03d}Z"
    properties = json.dumps({"tokens": chance.randrange(5000), "region": "eu-west-1", "cached": number % 2 == 0})
    quoted = properties.replace('"', '""')
    return (
        f"evt_{number:012d},api_call,customer-{number % 100000},{f'yesterday {number}' if bad else time},gateway,"
        f'model-{number % 7},"{quoted}"\r\n'
    )
