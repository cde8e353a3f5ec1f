"""Values that a database might refuse: each is stored, or refuses its own row alone; the rows around it go in."""

import pytest

from schemas.vocabulary import EntityType, FileType, TaskState
from service.db.models import Scope
from service.tracking.workbench import Workbench
from tests.integration.imports.lives import counts, errors, run

_NUMBERS = ["1e999", "-1e999", "1e-999", "9" * 400, "0." + "9" * 400, "1e131071", "NaN", "Infinity", "-0", "1_000", "٣"]
_TIMES = [
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
    "294277-01-01T00:00:00Z",
    "infinity",
    "-infinity",
    "now",
    "2026-02-30T00:00:00Z",
    "2026-06-30T23:59:60Z",
    "2026-01-01T24:00:00Z",
]
_WHOLE = ["2147483647", "2147483648", "-1", "9223372036854775808", "1e3", "1.0", "0x10", "9" * 5000]
_TEXTS = [
    "x" * 255,
    "x" * 256,
    "x" * 3000,
    "é" * 255,
    "\U0001f600" * 255,
    "a\0b",
    "\ufeff",
    "\u202e",
    "\\N",
    "\\.",
    "a\\tb",
    "\x01",
    "\x7f",
]
_JSON = [
    '{"a": "\\u0000"}',
    '{"a": "\\ud800"}',
    '{"a": 1e400}',
    '{"a": 1e-400}',
    '{"a": ' + "9" * 5000 + "}",
    "[" * 70 + "]" * 70,
    '{"a":' * 70 + "1" + "}" * 70,
    '{"a": NaN}',
    '{"\\u0000": 1}',
    '{"a": 1, "a": 2}',
    '{"' + "k" * 3000 + '": 1}',
]

#: What stands in a column of a row that is good otherwise.
_CASES = {
    EntityType.CUSTOMERS: {
        "external_id": _TEXTS,
        "name": _TEXTS,
        "email": [*(f"{text}@example.com" for text in _TEXTS), "a@" + "b" * 300 + ".example"],
        "address_country": ["GB", "gb", "\0\0", "É", "GBR"],
        "metadata": _JSON,
    },
    EntityType.FEATURES: {
        "name": _TEXTS,
        "lookup_key": _TEXTS,
        "description": ["x" * 100_000, "a\0b"],
        "metadata": _JSON,
    },
    EntityType.PRICES: {
        "lookup_key": _TEXTS,
        "entity_id": _TEXTS,
        "amount": _NUMBERS,
        "billing_period_count": _WHOLE,
        "trial_period": _WHOLE,
        "start_date": _TIMES,
        "end_date": _TIMES,
        "metadata": _JSON,
    },
    EntityType.EVENTS: {
        "event_id": _TEXTS,
        "event_name": _TEXTS,
        "external_customer_id": _TEXTS,
        "timestamp": _TIMES,
        "source": _TEXTS,
        "properties": _JSON,
        "properties.model": _TEXTS,
    },
}
_GOOD = {
    EntityType.CUSTOMERS: {"external_id": "good-{}", "name": "Name"},
    EntityType.FEATURES: {"name": "Name {}", "lookup_key": "good-{}", "type": "boolean"},
    EntityType.PRICES: {
        "lookup_key": "good-{}",
        "currency": "usd",
        "entity_type": "PLAN",
        "entity_id": "plan",
        "type": "FIXED",
        "billing_period": "MONTHLY",
        "billing_period_count": "1",
        "invoice_cadence": "ARREAR",
        "billing_model": "FLAT_FEE",
        "amount": "1",
    },
    EntityType.EVENTS: {"event_id": "good-{}", "event_name": "call", "external_customer_id": "acme"},
}


def cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@pytest.mark.parametrize(
    ("entity", "column"), [(entity, column) for entity, columns in _CASES.items() for column in columns]
)
def test_a_value_is_stored_or_refuses_its_own_row_alone(
    bench: Workbench, scope: Scope, entity: EntityType, column: str
) -> None:
    values = _CASES[entity][column]
    good = _GOOD[entity]
    columns = [*good, *([] if column in good else [column])]
    lines = [",".join(map(cell, columns))]
    for number, value in enumerate(values):
        plain = {name: text.format(number) for name, text in good.items()}
        lines.append(",".join(cell(({**plain, column: value}).get(name, "")) for name in columns))
        lines.append(
            ",".join(cell(text.format(f"after-{number}")) for text in good.values()) + "," * (column not in good)
        )
    task = run(bench, scope, entity, "\n".join(lines) + "\n")
    created, updated, skipped, rejected = counts(task)
    assert (task.state, task.error_summary if task.state == TaskState.FAILED else None) == (TaskState.COMPLETED, None)
    assert created + updated + skipped + rejected == 2 * len(values)
    refused = {row for row, _, _ in errors(bench, task)}
    assert len(refused) == rejected
    # Behind each odd row stands a good one.
    assert {row for row in refused if row % 2 == 0} == set()
    assert rejected > 0


def test_json_values_are_stored_or_refuse_their_own_row_alone(bench: Workbench, scope: Scope) -> None:
    lines = [
        f'{{"event_id": "e-{number}", "event_name": "call", "external_customer_id": "acme", "properties": {value}}}'
        for number, value in enumerate(_JSON)
    ]
    good = '{"event_id": "last", "event_name": "call", "external_customer_id": "acme"}'
    task = run(bench, scope, EntityType.EVENTS, "\n".join([*lines, good]) + "\n", FileType.NDJSON)
    assert task.state == TaskState.COMPLETED
    assert sum(counts(task)) == len(_JSON) + 1
    assert len(_JSON) + 1 not in {row for row, _, _ in errors(bench, task)}
