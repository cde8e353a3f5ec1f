"""Rows of every entity as hypothesis makes them up, as odd as an import takes them."""

import json
import string
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from schemas.entities.words import (
    COUNTRIES,
    Aggregation,
    BillingModel,
    BillingPeriod,
    BucketSize,
    FeatureType,
    InvoiceCadence,
    PricedEntity,
    PriceType,
    ResetUsage,
    Rounding,
    TierMode,
)
from schemas.vocabulary import EntityType
from tests.integration.exports.nasty_rows import METERED, NASTY, Cells

_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
_KEY_LETTERS = string.ascii_letters + string.digits + "-_. /é東\"',\\\n"


def texts(max_size: int = 40, min_size: int = 0) -> st.SearchStrategy[str]:
    """Any text, blank ones among them, of at most so many characters."""
    nasty = st.sampled_from([word for word in NASTY if min_size <= len(word) <= max_size])
    return nasty | st.text(_CHARACTERS, min_size=min_size, max_size=max_size)


def _filled(max_size: int = 40) -> st.SearchStrategy[str]:
    """Texts that are not blank where white space at both ends does not count."""
    return texts(max_size, min_size=1).filter(lambda text: text.strip() != "")


#: Names of rows, none of which is another's.
KEYS = st.text(_KEY_LETTERS, min_size=1, max_size=60)

_JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts(), children, max_size=3),
    max_leaves=6,
)
_BIG_NUMBERS = (2**53 + 1, 10**25, -(10**40), 0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, 1e22)
JSON_OBJECTS = (
    st.dictionaries(texts(), _JSON_VALUES, max_size=3)
    | st.sampled_from(_BIG_NUMBERS).map(lambda number: {"number": number, "deep": [[{"": [number, ""]}]]})
).map(json.dumps)

_MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 3),  # noqa: DTZ001  # hypothesis wants bounds without a zone
    max_value=datetime(9999, 12, 29),  # noqa: DTZ001
    timezones=st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
).map(lambda moment: moment.isoformat())

#: Up to 20 digits before the point and 18 after it, zeros at the end among them.
AMOUNTS = st.builds(
    lambda whole, fraction: f"{whole}.{fraction}" if fraction else whole,
    st.integers(0, 10**20 - 1).map(str) | st.sampled_from(["0", "1", "99999999999999999999"]),
    st.text(string.digits, max_size=18) | st.sampled_from(["", "000000000000000001", "500000", "0"]),
)


def _maybe(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.just("") | strategy


def _words(words: Any) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(map(str, words)))


def _customer(**cells: st.SearchStrategy[str]) -> st.SearchStrategy[Cells]:
    emails = st.sampled_from(["ann@example.com", "o'brien+x@sub.example.org", "ü@bücher.example"])
    given = {
        "external_id": KEYS,
        "name": texts(min_size=1),
        "email": _maybe(emails),
        "address_line1": texts(),
        "address_line2": texts(),
        "address_city": texts(),
        "address_state": texts(),
        "address_postal_code": texts(20),
        "address_country": _maybe(_words(COUNTRIES)),
        "metadata": _maybe(JSON_OBJECTS),
    }
    return st.fixed_dictionaries(given | cells)


def _event(**cells: st.SearchStrategy[str]) -> st.SearchStrategy[Cells]:
    given = {
        "event_id": KEYS,
        "event_name": _filled(),
        "external_customer_id": texts(min_size=1),
        "customer_id": texts(),
        "timestamp": _maybe(_MOMENTS),
        "source": texts(),
        "properties": _maybe(JSON_OBJECTS),
    }
    return st.fixed_dictionaries(given | cells)


@st.composite
def _feature(draw: st.DrawFn) -> Cells:
    kind = draw(_words(FeatureType))
    cells = {
        "lookup_key": draw(KEYS),
        "name": draw(texts(min_size=1)),
        "type": kind,
        "metadata": draw(_maybe(JSON_OBJECTS)),
    }
    if draw(st.booleans()):
        cells |= {"unit_singular": draw(texts(min_size=1)), "unit_plural": draw(texts(min_size=1))}
    return cells | draw(_meter()) if kind == FeatureType.METERED else cells


@st.composite
def _meter(draw: st.DrawFn) -> Cells:
    aggregation = draw(_words(Aggregation))
    cells = {
        "meter_name": draw(texts(min_size=1)),
        "event_name": draw(_filled()),
        "reset_usage": draw(_maybe(_words(ResetUsage))),
        "aggregation_type": aggregation,
        "aggregation_field": draw(texts(min_size=1)),
    }
    if aggregation in {Aggregation.MAX, Aggregation.SUM}:
        cells["aggregation_bucket_size"] = draw(_maybe(_words(BucketSize)))
    if aggregation == Aggregation.SUM_WITH_MULTIPLIER:
        cells["aggregation_multiplier"] = draw(AMOUNTS.filter(lambda amount: float(amount) > 0))
    return cells


@st.composite
def _price(draw: st.DrawFn) -> Cells:
    """A price of any model that its rules allow."""
    starts_at, ends_at = sorted((draw(_days()), draw(_days())))
    cells = {
        "lookup_key": draw(KEYS),
        "display_name": draw(texts()),
        "currency": draw(st.sampled_from(["usd", "EUR", "€£¥", '","'])),
        "entity_type": draw(_words(PricedEntity)),
        "entity_id": draw(texts(min_size=1)),
        "billing_period": draw(_words(BillingPeriod)),
        "billing_period_count": str(draw(st.sampled_from([1, 12, 2**31 - 1]))),
        "start_date": draw(st.sampled_from(["", starts_at])),
        "end_date": draw(st.sampled_from(["", ends_at])) if ends_at > "2030" else "",
        "group_id": draw(texts()),
        "description": draw(texts(200)),
        "metadata": draw(_maybe(JSON_OBJECTS)),
    }
    return cells | draw(_use(cells["billing_period"])) | draw(_charge())


def _days() -> st.SearchStrategy[str]:
    return st.integers(2000, 2099).map(lambda year: f"{year}-02-28T23:59:59.000001Z")


@st.composite
def _use(draw: st.DrawFn, period: str) -> Cells:
    """Whether it is for usage or fixed, and when it is invoiced."""
    if period != BillingPeriod.ONETIME and draw(st.booleans()):
        return {
            "type": PriceType.USAGE.value,
            "invoice_cadence": InvoiceCadence.ARREAR.value,
            "meter_id": draw(st.sampled_from(METERED)),
        }
    once = period == BillingPeriod.ONETIME
    return {
        "type": PriceType.FIXED.value,
        "invoice_cadence": InvoiceCadence.ADVANCE.value if once else draw(_words(InvoiceCadence)),
        "min_quantity": draw(st.sampled_from(["", "0", str(2**31 - 1)])),
        "trial_period_days": "" if once else draw(st.sampled_from(["", "0", "14"])),
    }


@st.composite
def _charge(draw: st.DrawFn) -> Cells:
    """What is charged: in a currency, or in a unit of the seller's own."""
    model, is_custom = draw(_words(BillingModel)), draw(st.booleans())
    prefix = "price_unit_config_" if is_custom else ""
    cells = {"billing_model": model, "tier_mode": draw(_maybe(_words(TierMode)))}
    if is_custom:
        cells |= {"price_unit_type": "CUSTOM", "price_unit_config_price_unit": draw(st.sampled_from(["TOK", ' "x']))}
    if model == BillingModel.TIERED:
        return cells | {f"{prefix}tiers": draw(_tiers())}
    cells[f"{prefix}amount"] = draw(AMOUNTS)
    if model == BillingModel.PACKAGE:
        divide_by = str(draw(st.sampled_from([1, 1000, 2**31 - 1])))
        cells |= {"transform_quantity_divide_by": divide_by, "transform_quantity_round": draw(_maybe(_words(Rounding)))}
    return cells


@st.composite
def _tiers(draw: st.DrawFn) -> str:
    bounds: list[int | None] = [*sorted(draw(st.sets(st.integers(1, 2**63 - 1), max_size=3))), None]
    tiers = [{"up_to": bound, "unit_amount": draw(AMOUNTS)} for bound in bounds]
    return json.dumps([tier | ({"flat_amount": draw(AMOUNTS)} if draw(st.booleans()) else {}) for tier in tiers])


def _several(make: Callable[[], st.SearchStrategy[Cells]], key: str) -> st.SearchStrategy[list[Cells]]:
    return st.lists(make(), min_size=1, max_size=5, unique_by=lambda row: row[key])


ROWS: Mapping[EntityType, st.SearchStrategy[list[Cells]]] = {
    EntityType.CUSTOMERS: _several(_customer, "external_id"),
    EntityType.FEATURES: _several(_feature, "lookup_key"),
    EntityType.PRICES: _several(_price, "lookup_key"),
    EntityType.EVENTS: _several(_event, "event_id"),
}
