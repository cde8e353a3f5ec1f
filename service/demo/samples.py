"""Sample files of all four entities, the same on every machine and every run."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from schemas.base import format_instant
from schemas.vocabulary import EntityType

CUSTOMERS = 10_000
EVENTS = 100_000

_SEED = 18
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_CITIES = (
    ("Lisbon", "PT"),
    ("Åarhus", "DK"),
    ("San José", "CR"),
    ("Kyoto", "JP"),
    ("Austin, Texas", "US"),
)
_TIERS = ("free", "team", 'the "big" one')
_MODELS = ("small", "medium", "large")

_Row = Sequence[object]


def write_samples(folder: Path) -> dict[EntityType, Path]:
    """Write the four files into the folder, in the order in which they have to be imported."""
    folder.mkdir(parents=True, exist_ok=True)
    makers = {
        EntityType.CUSTOMERS: _customers,
        EntityType.FEATURES: _features,
        EntityType.PRICES: _prices,
        EntityType.EVENTS: _events,
    }
    files = {entity: folder / f"{entity.lower()}.csv" for entity in makers}
    for entity, path in files.items():
        _write(path, makers[entity](Random(_SEED)))  # noqa: S311  # sample rows, nothing secret
    return files


def _write(path: Path, rows: Iterable[_Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _customers(random: Random) -> Iterator[_Row]:
    yield (
        "external_id",
        "name",
        "email",
        "address_line1",
        "address_city",
        "address_country",
        "metadata.tier",
    )
    for number in range(1, CUSTOMERS + 1):
        city, country = random.choice(_CITIES)
        name = f"Customer {number} & Sons"
        street = f"{random.randint(1, 999)} Harbour Road\nDock {random.randint(1, 40)}"
        yield (
            f"cust-{number:05}",
            name,
            f"billing{number}@example.com",
            street,
            city,
            country,
            random.choice(_TIERS),
        )


def _features(_random: Random) -> Iterator[_Row]:
    yield (
        "name", "lookup_key", "type", "unit_singular", "unit_plural", "meter_name", "event_name",
        "aggregation_type", "aggregation_field",
    )  # fmt: skip
    for model in _MODELS:
        name = f"Tokens of the {model} model"
        yield (
            name,
            f"tokens_{model}",
            "metered",
            "token",
            "tokens",
            name,
            f"tokens.{model}",
            "SUM",
            "tokens",
        )
    yield (
        "Requests",
        "requests",
        "metered",
        "request",
        "requests",
        "Requests",
        "request",
        "COUNT",
        "",
    )
    yield "Single sign-on", "sso", "boolean", "", "", "", "", "", ""


def _prices(_random: Random) -> Iterator[_Row]:
    yield (
        "display_name", "currency", "entity_type", "entity_id", "meter_id", "type", "billing_period",
        "billing_period_count", "invoice_cadence", "billing_model", "amount", "lookup_key", "tier_mode", "tiers",
    )  # fmt: skip
    tiers = '[{"up_to": 1000000, "unit_amount": "0.000004"}, {"up_to": null, "unit_amount": "0.000002"}]'
    for number, model in enumerate(_MODELS, start=1):
        amount = f"0.00000{number}"
        yield (
            f"{model} tokens", "usd", "PLAN", "plan_team", f"tokens_{model}", "USAGE", "MONTHLY",
            1, "ARREAR", "FLAT_FEE", amount, f"team/{model}", "", "",
        )  # fmt: skip
        yield (
            f"{model} tokens", "usd", "PLAN", "plan_big", f"tokens_{model}", "USAGE", "MONTHLY",
            1, "ARREAR", "TIERED", "", f"big/{model}", "VOLUME", tiers,
        )  # fmt: skip
    yield (
        "Seat",
        "usd",
        "PLAN",
        "plan_team",
        "",
        "FIXED",
        "MONTHLY",
        1,
        "ADVANCE",
        "FLAT_FEE",
        "19",
        "team/seat",
        "",
        "",
    )


def _events(random: Random) -> Iterator[_Row]:
    yield (
        "event_id",
        "event_name",
        "external_customer_id",
        "timestamp",
        "source",
        "properties.tokens",
    )
    moment = _BEGIN
    for number in range(1, EVENTS + 1):
        moment += timedelta(microseconds=random.randint(1, 50_000_000))
        name = f"tokens.{random.choice(_MODELS)}"
        customer = f"cust-{random.randint(1, CUSTOMERS):05}"
        yield (
            f"evt-{number:07}",
            name,
            customer,
            format_instant(moment),
            "demo",
            random.randint(1, 5000),
        )
