"""Rows whose texts are known to be hard: each in every column that takes free text."""

import json

from schemas.vocabulary import EntityType

#: A row as cells of CSV.
Cells = dict[str, str]

#: Texts that one format or another could read as something else.
NASTY = (
    'one "quoted" word',
    '"',
    '""',
    "'",
    'a,b;"c"|\td,',
    "two\nlines",
    "two\r\nlines",
    "a bare \r return",
    "\n",
    " ",
    "   leading",
    "\t\v\f leading",
    "trailing   ",
    "NULL",
    "null",
    "true",
    "0",
    "007",
    "1e5",
    "-1.50",
    "NaN",
    "2026-01-01",
    "\\N",
    "\\.",
    "\\",
    '\\"',
    "\\u0041\\n",
    "{}",
    "[1,",
    "'; --",
    "=1+1",
    "@SUM(A1)",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "Ålesund 東京 \U0001f600 e\u0301",
    "\ufeffmark",
    "\u00a0\u2028\u2029\u0085",
    "\x01\x02\x1c\x1d\x1e\x1f\x7f",
    "\ufffd\uffff\U0010ffff",
)

#: The features that prices of usage name.
METERED = ("calls", 'tokens "in", =1+1')


def nasty_rows(entity: EntityType) -> list[Cells]:
    """Each nasty text in each column that takes free text."""
    make = {
        EntityType.CUSTOMERS: _nasty_customer,
        EntityType.FEATURES: _nasty_feature,
        EntityType.PRICES: _nasty_price,
        EntityType.EVENTS: _nasty_event,
    }[entity]
    return [make(f"{number} {word}", word) for number, word in enumerate(NASTY)]


def _nasty_customer(key: str, word: str) -> Cells:
    texts_of = ("name", "address_line1", "address_line2", "address_city", "address_state")
    own = {"external_id": key, "address_postal_code": word[:20], "metadata": _nasty_json(word)}
    return dict.fromkeys(texts_of, word) | own


def _nasty_event(key: str, word: str) -> Cells:
    own = {"event_id": key, "event_name": f"x{word}x", "timestamp": "2026-01-01T00:00:00Z"}
    texts_of = ("external_customer_id", "customer_id", "source")
    return own | dict.fromkeys(texts_of, word) | {"properties": _nasty_json(word)}


def _nasty_feature(key: str, word: str) -> Cells:
    texts_of = ("name", "unit_singular", "unit_plural", "meter_name", "aggregation_field")
    own = {"lookup_key": key, "type": "metered", "event_name": f"x{word}x", "aggregation_type": "SUM_WITH_MULTIPLIER"}
    amount = "99999999999999999999.000000000000000001"
    return dict.fromkeys(texts_of, word) | own | {"aggregation_multiplier": amount, "metadata": _nasty_json(word)}


def _nasty_price(key: str, word: str) -> Cells:
    texts_of = ("display_name", "entity_id", "group_id", "description")
    terms = {
        "currency": "usd", "entity_type": "PLAN", "type": "USAGE", "meter_id": METERED[1], "billing_period": "MONTHLY",
        "billing_period_count": "1", "invoice_cadence": "ARREAR", "billing_model": "FLAT_FEE", "amount": "1.500000",
        "start_date": "2026-01-01T00:00:00.000001Z",
    }  # fmt: skip
    return terms | dict.fromkeys(texts_of, word) | {"lookup_key": key, "metadata": _nasty_json(word)}


def _nasty_json(word: str) -> str:
    return json.dumps({word: [word, {word: word, "": [None, True, 10**25, 1e-300]}]})
