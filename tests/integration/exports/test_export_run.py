"""Exports from claim to finish: what is stored becomes one object that an import reads back to the same rows."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as HypothesisPhase
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from schemas.vocabulary import AttemptOutcome, EntityType, Phase, TaskState, TaskType
from service.access import ensure_scope
from service.db.clock import seconds_from_now
from service.db.models import Attempt, Scope, Task
from service.exports.formats import copy_csv
from service.exports.query import export_query
from service.exports.run import _copy_rows, _snapshot, run_export
from service.imports.run import run_imports
from service.sweep import sweep
from service.tracking.status import change_status
from service.tracking.workbench import Workbench
from tests.factories.tasks import reload, submit_export, submit_import
from tests.fakes.storage import MemoryObjectStore
from tests.fakes.triggers import TriggeredStore

Row = Mapping[str, str]

OWN_COLUMNS = {"id", "created_at", "updated_at", "ingested_at"}
CUSTOMER_COLUMNS = [
    "external_id", "name", "email", "address_line1", "address_line2", "address_city", "address_state",
    "address_postal_code", "address_country", "metadata", "id", "created_at", "updated_at",
]  # fmt: skip

NASTY = [
    'one "quoted" word',
    '"',
    '""',
    'a,b,"c",',
    "two\nlines",
    "two\r\nlines",
    "a bare \r return",
    "\n",
    "   leading",
    "\t\v\f leading",
    "trailing   ",
    "NULL",
    "null",
    "\\N",
    "\\.",
    "\\",
    "'; --",
    "=1+1",
    "Ålesund 東京 \U0001f600 e\u0301",
    "\ufeffmark",
    "\u00a0\u2028\u0085",
    "\x01\x1f\x7f",
]


@dataclass(frozen=True)
class Exported:
    """A finished export: its task and the bytes of its object."""

    task: Task
    content: bytes

    @cached_property
    def rows(self) -> list[Row]:
        """The object as another program reads it."""
        return list(csv.DictReader(io.StringIO(self.content.decode(), newline="")))

    def shared(self) -> list[Row]:
        """The rows without what belongs to one import alone, in an order of their own."""
        kept = [{name: cell for name, cell in row.items() if name not in OWN_COLUMNS} for row in self.rows]
        return sorted(kept, key=lambda row: sorted(row.items()))


def read_object(bench: Workbench, task: Task) -> bytes:
    key = task.file_url.removeprefix(f"s3://{bench.settings.s3_bucket}/")
    return b"".join(bench.store.stream(key, 2**20))


def export(bench: Workbench, scope: Scope, entity: EntityType) -> Exported:
    task = submit_export(bench, scope, entity)
    assert run_export(bench, task.id)
    done = reload(bench, task)
    assert (done.state, done.error_summary) == (TaskState.COMPLETED, None)
    return Exported(done, read_object(bench, done))


def load(bench: Workbench, scope: Scope, entity: EntityType, content: str | bytes) -> Task:
    task = submit_import(bench, scope, entity, content)
    run_imports(bench, task.id)
    done = reload(bench, task)
    assert (done.state, done.error_summary) == (TaskState.COMPLETED, None)
    return done


def new_scope(bench: Workbench) -> Scope:
    with bench.sessions.begin() as session:
        return ensure_scope(session, f"tenant_{uuid4().hex}", "env")


def to_csv(rows: Sequence[Mapping[str, object]]) -> str:
    """The rows as another program writes them, every cell quoted."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(rows[0]), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def there_and_back(
    bench: Workbench, entity: EntityType, content: str, before: Iterable[tuple[EntityType, str]] = ()
) -> list[Row]:
    """Import, export, import the export elsewhere, export again: both exports agree; gives their rows."""
    first, second = new_scope(bench), new_scope(bench)
    for scope in (first, second):
        for earlier, earlier_content in before:
            load(bench, scope, earlier, earlier_content)
    load(bench, first, entity, content)
    exported = export(bench, first, entity)
    task = load(bench, second, entity, exported.content)
    again = export(bench, second, entity)
    assert task.created_records == len(exported.rows)
    assert again.shared() == exported.shared()
    return exported.shared()


characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")


def texts(max_size: int = 40, min_size: int = 0) -> st.SearchStrategy[str]:
    nasty = st.sampled_from([word for word in NASTY if len(word) <= max_size])
    return st.one_of(nasty, st.text(characters, min_size=min_size, max_size=max_size))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts(), children, max_size=3),
    max_leaves=6,
)
json_objects = st.dictionaries(texts(), json_values, max_size=3)

customers = st.lists(
    st.fixed_dictionaries(
        {
            "external_id": texts(min_size=1),
            "name": texts(min_size=1),
            "address_line1": texts(),
            "address_city": texts(),
            "address_postal_code": texts(max_size=20),
            "metadata": json_objects,
        }
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda row: str(row["external_id"]),
)

moments = st.datetimes(
    min_value=datetime(1, 1, 3),  # noqa: DTZ001  # hypothesis wants bounds without a zone
    max_value=datetime(9999, 12, 29),  # noqa: DTZ001
    timezones=st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
events = st.lists(
    st.fixed_dictionaries(
        {
            "event_id": texts(min_size=1),
            "event_name": texts(min_size=1).filter(lambda name: name.strip() != ""),
            "external_customer_id": texts(min_size=1),
            "customer_id": texts(),
            "source": texts(),
            "timestamp": moments,
            "properties": json_objects,
        }
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda row: str(row["event_id"]),
)

# Each example is four tasks, so looking for the smallest one that fails would take minutes.
few_examples = settings(
    max_examples=25,
    phases=[phase for phase in HypothesisPhase if phase is not HypothesisPhase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def numbers_as_written(content: str) -> Any:
    """The value of a JSON text with its numbers as they are written: PostgreSQL keeps 1e16 as 10000000000000000."""
    return json.loads(content, parse_int=Decimal, parse_float=Decimal)


@few_examples
@given(rows=customers)
def test_any_customers_come_back_out_as_they_went_in(bench: Workbench, rows: list[dict[str, Any]]) -> None:
    written = [row | {"metadata": json.dumps(row["metadata"])} for row in rows]
    exported = there_and_back(bench, EntityType.CUSTOMERS, to_csv(written))
    blank = {name: "" for name in CUSTOMER_COLUMNS if name not in OWN_COLUMNS}
    assert read_customers(exported) == read_customers([blank | row for row in written])


def read_customers(rows: Iterable[Row]) -> dict[str, dict[str, Any]]:
    return {row["external_id"]: {**row, "metadata": numbers_as_written(row["metadata"])} for row in rows}


@few_examples
@given(rows=events)
def test_any_events_come_back_out_as_they_went_in(bench: Workbench, rows: list[dict[str, Any]]) -> None:
    written = [
        row | {"timestamp": row["timestamp"].isoformat(), "properties": json.dumps(row["properties"])} for row in rows
    ]
    exported = there_and_back(bench, EntityType.EVENTS, to_csv(written))
    trimmed = [row | {"event_name": row["event_name"].strip()} for row in written]
    assert read_events(exported) == read_events(trimmed)


def read_events(rows: Iterable[Row]) -> dict[str, dict[str, Any]]:
    return {
        row["event_id"]: {
            **row,
            "timestamp": datetime.fromisoformat(row["timestamp"]),
            "properties": numbers_as_written(row["properties"]),
        }
        for row in rows
    }


def test_each_nasty_text_comes_back_out_of_every_text_column_of_a_customer(bench: Workbench) -> None:
    rows = [
        {
            "external_id": f"{number}{word}",
            "name": word,
            "address_line1": word,
            "address_line2": word,
            "address_city": word,
            "address_state": word,
            "address_postal_code": word[:20],
        }
        for number, word in enumerate(NASTY)
    ]
    exported = there_and_back(bench, EntityType.CUSTOMERS, to_csv(rows))
    found = {row["external_id"]: {name: row[name] for name in rows[0]} for row in exported}
    assert found == {row["external_id"]: row for row in rows}


def test_features_and_their_meters_come_back_out_as_they_went_in(bench: Workbench) -> None:
    rows = [
        {
            "name": word,
            "lookup_key": f"metered {number} {word}",
            "type": "metered",
            "unit_singular": word,
            "unit_plural": word,
            "meter_name": word,
            "event_name": f"x{word}x",
            "reset_usage": "NEVER",
            "aggregation_type": "SUM_WITH_MULTIPLIER",
            "aggregation_field": word,
            "aggregation_multiplier": "12345678901234567890.000000000000000001",
            "metadata": json.dumps({word: {word: [word, 1.5, None]}}),
        }
        for number, word in enumerate(NASTY)
    ]
    plain = dict.fromkeys(rows[0], "") | {"name": "Sign-on", "lookup_key": "sso", "type": "boolean"}
    bucket = rows[0] | {"lookup_key": "max", "aggregation_type": "MAX", "aggregation_multiplier": ""}
    exported = there_and_back(bench, EntityType.FEATURES, to_csv([*rows, plain, bucket]))
    found = {row["lookup_key"]: {name: row[name] for name in rows[0]} for row in exported}
    expected = {row["lookup_key"]: row for row in [*rows, plain | {"metadata": "{}"}, bucket]}
    assert spread(found) == spread(expected)


def spread(rows: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """Rows with their metadata as an object, however it is written."""
    return {key: {**row, "metadata": json.loads(row["metadata"])} for key, row in rows.items()}


FEATURES = "name,lookup_key,type,meter_name,event_name,aggregation_type\nCalls,calls,metered,All calls,call,COUNT\n"
TIERS = [
    {"up_to": 9223372036854775806, "unit_amount": "12345678901234567890.000000000000000001", "flat_amount": "0.10"},
    {"up_to": None, "unit_amount": "0.000000000000000001"},
]
PRICE = {
    "display_name": "Calls", "currency": "usd", "entity_type": "PLAN", "entity_id": "plan", "meter_id": "calls",
    "type": "USAGE", "price_unit_type": "FIAT", "billing_period": "MONTHLY", "billing_period_count": "1",
    "invoice_cadence": "ARREAR", "billing_model": "FLAT_FEE", "amount": "12345678901234567890.000000000000000001",
    "tier_mode": "", "lookup_key": "flat", "tiers": "", "transform_quantity_divide_by": "",
    "transform_quantity_round": "", "price_unit_config_price_unit": "", "price_unit_config_amount": "",
    "price_unit_config_tiers": "", "start_date": "2026-01-01T00:00:00.000001Z", "end_date": "", "min_quantity": "",
    "trial_period_days": "", "group_id": "", "description": "", "metadata": "{}",
}  # fmt: skip


def test_prices_of_every_model_come_back_out_as_they_went_in(bench: Workbench) -> None:
    nasty = {"display_name": NASTY[3], "description": "\n".join(NASTY), "group_id": " NULL", "entity_id": "\\."}
    rows = [
        PRICE,
        PRICE | nasty | {"lookup_key": "nasty", "metadata": json.dumps({word: {word: 1} for word in NASTY})},
        PRICE | {"lookup_key": "zero", "amount": "0"},
        PRICE | {"lookup_key": "scale", "amount": "1.500000"},
        PRICE | {"lookup_key": "ended", "end_date": "2026-02-01T00:00:00.000000Z"},
        PRICE
        | {"lookup_key": "package", "billing_model": "PACKAGE", "transform_quantity_divide_by": "1000"}
        | {"transform_quantity_round": "up"},
        PRICE
        | {"lookup_key": "tiers", "billing_model": "TIERED", "amount": "", "tier_mode": "SLAB"}
        | {"tiers": json.dumps(TIERS)},
        PRICE
        | {"lookup_key": "custom", "billing_model": "TIERED", "amount": "", "price_unit_type": "CUSTOM"}
        | {"price_unit_config_price_unit": "TOK", "price_unit_config_tiers": json.dumps(TIERS)},
        PRICE
        | {"lookup_key": "fixed", "type": "FIXED", "meter_id": "", "min_quantity": "3", "trial_period_days": "14"},
    ]
    exported = there_and_back(bench, EntityType.PRICES, to_csv(rows), [(EntityType.FEATURES, FEATURES)])
    assert decoded(exported) == decoded(rows)


def decoded(rows: Iterable[Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """Prices by key, with their JSON columns as values."""
    as_json = ("metadata", "tiers", "price_unit_config_tiers")
    return {
        row["lookup_key"]: {name: json.loads(cell) if name in as_json and cell else cell for name, cell in row.items()}
        for row in rows
    }


def test_prices_without_a_key_come_back_out_each_on_its_own(bench: Workbench) -> None:
    rows = [PRICE | {"lookup_key": "", "amount": amount} for amount in ("1", "1", "2")]
    exported = there_and_back(bench, EntityType.PRICES, to_csv(rows), [(EntityType.FEATURES, FEATURES)])
    assert [(row["lookup_key"], row["amount"]) for row in exported] == [("", "1"), ("", "1"), ("", "2")]


@pytest.mark.parametrize("entity", EntityType)
def test_a_scope_without_rows_gives_a_header_alone(bench: Workbench, scope: Scope, entity: EntityType) -> None:
    load(bench, new_scope(bench), EntityType.CUSTOMERS, "external_id,name\nc-1,Theirs\n")
    exported = export(bench, scope, entity)
    assert exported.content.decode() == ",".join(export_query(entity).columns) + "\n"
    assert (exported.task.total_records, exported.task.object_manifest or {}) == (
        0,
        (exported.task.object_manifest or {}) | {"rows": 0, "bytes": len(exported.content)},
    )


def test_the_manifest_proves_what_is_in_the_object(bench: Workbench, scope: Scope) -> None:
    load(bench, scope, EntityType.CUSTOMERS, 'external_id,name\nc-1,"One\nand more"\nc-2,Two\n')
    exported = export(bench, scope, EntityType.CUSTOMERS)
    task = exported.task
    manifest = dict(task.object_manifest or {})
    taken_at = datetime.fromisoformat(manifest.pop("snapshot_at"))
    assert manifest == {
        "rows": 2,
        "bytes": len(exported.content),
        "sha256": hashlib.sha256(exported.content).hexdigest(),
        "columns": CUSTOMER_COLUMNS,
    }
    assert exported.content.partition(b"\n")[0].decode().split(",") == CUSTOMER_COLUMNS
    assert task.started_at is not None
    assert task.completed_at is not None
    assert task.started_at <= taken_at <= task.completed_at
    assert task.file_url == (f"s3://{bench.settings.s3_bucket}/tenant_a/env_a/customers/customers-{task.id}-1.csv")
    assert (task.phase, task.lease_expires_at, task.total_records, task.created_records) == (None, None, 2, 2)


def test_the_object_says_which_attempt_at_which_task_made_it(bench: Workbench, scope: Scope) -> None:
    task = export(bench, scope, EntityType.EVENTS).task
    head = bench.store.head(task.file_url.removeprefix(f"s3://{bench.settings.s3_bucket}/"))
    assert head is not None
    assert (head.content_type, dict(head.metadata)) == (
        "text/csv; charset=utf-8",
        {"task": task.id, "attempt": "1"},
    )


def test_rows_that_are_written_while_an_export_runs_are_not_in_its_file(bench: Workbench, scope: Scope) -> None:
    load(bench, scope, EntityType.CUSTOMERS, "external_id,name\nc-1,One\n")
    task = submit_export(bench, scope, EntityType.CUSTOMERS)
    statement = copy_csv(export_query(EntityType.CUSTOMERS)).as_string()
    with _snapshot(bench) as (session, taken_at):
        load(bench, scope, EntityType.CUSTOMERS, "external_id,name\nc-1,Uno\nc-2,Two\n")
        with bench.write_object(task, "by-hand.csv", "text/csv") as writer, bench.keep_lease(task) as keeper:
            rows = _copy_rows(session, statement, {"scope_id": scope.id}, writer, keeper)
            writer.complete()
    found = Exported(task, b"".join(bench.store.stream("by-hand.csv", 2**20)))
    assert (rows, [(row["external_id"], row["name"]) for row in found.rows]) == (1, [("c-1", "One")])
    assert taken_at <= datetime.now(UTC)


def test_a_snapshot_is_read_only(bench: Workbench) -> None:
    with _snapshot(bench) as (session, _), pytest.raises(Exception, match="read-only transaction"):
        session.execute(text("DELETE FROM customers"))


def expire(bench: Workbench, task: Task) -> None:
    with bench.sessions.begin() as session:
        session.execute(update(Task).where(Task.id == task.id).values(lease_expires_at=seconds_from_now(-1)))


def make_due(bench: Workbench, task: Task) -> None:
    with bench.sessions.begin() as session:
        session.execute(update(Task).where(Task.id == task.id).values(due_at=seconds_from_now(-1)))


def outcomes(bench: Workbench, task: Task) -> list[str | None]:
    with bench.sessions() as session:
        wanted = select(Attempt.outcome).where(Attempt.task_id == task.id).order_by(Attempt.number)
        return list(session.scalars(wanted))


def test_a_fenced_export_changes_nothing(bench: Workbench, scope: Scope) -> None:
    task = submit_export(bench, scope, EntityType.CUSTOMERS)

    def lose_the_lease() -> None:
        expire(bench, task)
        sweep(bench)
        assert bench.callbacks.claim(TaskType.EXPORT, "other:1", task.id) is not None

    assert run_export(replace(bench, store=TriggeredStore(lose_the_lease)), task.id)
    now = reload(bench, task)
    assert (now.state, now.phase, now.attempt, now.worker) == (TaskState.PROCESSING, Phase.READING, 2, "other:1")
    assert (now.file_url, now.object_manifest, now.total_records, now.completed_at) == ("", None, None, None)
    assert outcomes(bench, task) == [AttemptOutcome.LOST, None]


def test_an_export_that_a_caller_stopped_stays_failed_though_its_object_was_written(
    bench: Workbench, scope: Scope
) -> None:
    task = submit_export(bench, scope, EntityType.CUSTOMERS)
    assert run_export(replace(bench, store=TriggeredStore(lambda: stop(bench, scope, task))), task.id)
    now = reload(bench, task)
    assert (now.state, now.error_code, now.file_url, now.object_manifest) == (TaskState.FAILED, "stopped", "", None)
    assert outcomes(bench, task) == [AttemptOutcome.FAILED]


def stop(bench: Workbench, scope: Scope, task: Task) -> None:
    with bench.sessions.begin() as session:
        change_status(session, scope.id, task.id, TaskState.FAILED, "user_test", max_attempts=5)


def test_an_export_that_a_caller_stopped_ends_quietly_when_the_store_fails_too(bench: Workbench, scope: Scope) -> None:
    task = submit_export(bench, scope, EntityType.CUSTOMERS)
    store = TriggeredStore(lambda: stop(bench, scope, task))
    store.failing = {"put"}
    assert run_export(replace(bench, store=store), task.id)
    now = reload(bench, task)
    assert (now.state, now.error_code) == (TaskState.FAILED, "stopped")


def test_an_export_waits_for_a_store_that_is_away_and_then_completes(bench: Workbench, scope: Scope) -> None:
    load(bench, scope, EntityType.CUSTOMERS, "external_id,name\nc-1,One\n")
    store = MemoryObjectStore()
    there = replace(bench, store=store)
    task = submit_export(there, scope, EntityType.CUSTOMERS)
    store.failing = {"put"}
    assert run_export(there, task.id)
    waiting = reload(there, task)
    assert (waiting.state, waiting.lease_expires_at, waiting.worker) == (TaskState.PROCESSING, None, None)
    assert (waiting.file_url, waiting.error_summary, waiting.dispatched_at) == ("", None, None)
    assert run_export(there, task.id) is False
    store.failing = set()
    make_due(there, task)
    assert run_export(there, task.id)
    done = reload(there, task)
    assert (done.state, done.attempt) == (TaskState.COMPLETED, 2)
    assert done.file_url.endswith(f"/customers-{task.id}-2.csv")
    assert [row["external_id"] for row in Exported(done, read_object(there, done)).rows] == ["c-1"]
    assert outcomes(bench, task) == [AttemptOutcome.RETRYING, AttemptOutcome.SUCCEEDED]


def test_an_export_gives_up_a_store_that_stays_away(bench: Workbench, scope: Scope) -> None:
    store = MemoryObjectStore()
    store.failing = {"put"}
    task = submit_export(bench, scope, EntityType.CUSTOMERS)
    for _ in range(bench.settings.max_attempts):
        make_due(bench, task)
        assert run_export(replace(bench, store=store), task.id)
    now = reload(bench, task)
    assert (now.state, now.error_code, now.file_url) == (TaskState.FAILED, "store_unavailable", "")
    assert (now.error_summary or "").endswith("(given up after 5 attempts)")
    assert outcomes(bench, task) == [*[AttemptOutcome.RETRYING] * 4, AttemptOutcome.FAILED]


@pytest.mark.parametrize("failing", ["put_part", "complete_multipart"])
def test_no_upload_stays_open_after_a_failure(bench: Workbench, scope: Scope, failing: str) -> None:
    fill(bench, scope, rows=50, width=100)
    store = MemoryObjectStore()
    store.failing = {failing}
    small = replace(bench, store=store, settings=replace(bench.settings, part_bytes=1000))
    task = submit_export(small, scope, EntityType.CUSTOMERS)
    assert run_export(small, task.id)
    assert "begin_multipart" in store.calls
    assert list(store.list_multiparts("")) == []
    assert (reload(small, task).state, reload(small, task).file_url) == (TaskState.PROCESSING, "")
    store.failing = set()
    make_due(small, task)
    assert run_export(small, task.id)
    done = reload(small, task)
    content = read_object(small, done)
    assert (done.object_manifest or {})["sha256"] == hashlib.sha256(content).hexdigest()
    assert len(Exported(done, content).rows) == 50
    assert list(store.list_multiparts("")) == []


def fill(bench: Workbench, scope: Scope, rows: int, width: int) -> None:
    """Customers of a test's own making, with names as long as it needs."""
    with bench.sessions.begin() as session:
        session.execute(
            text(
                "INSERT INTO customers (scope_id, external_id, id, name, import_id, import_row) "
                "SELECT :scope_id, number, 'cust_' || number, repeat('x', :width), 0, number "
                "FROM generate_series(1, :rows) AS number"
            ),
            {"scope_id": scope.id, "rows": rows, "width": width},
        )


@pytest.mark.parametrize("ended_by", ["pg_terminate_backend", "pg_cancel_backend"])
def test_an_export_whose_reading_the_database_ends_is_tried_again(
    bench: Workbench, scope: Scope, database_url: str, ended_by: str
) -> None:
    fill(bench, scope, rows=30_000, width=1000)
    store = TriggeredStore(lambda: end_others(database_url, ended_by))
    cut = replace(bench, store=store, settings=replace(bench.settings, part_bytes=100_000))
    task = submit_export(cut, scope, EntityType.CUSTOMERS)
    assert run_export(cut, task.id)
    now = reload(bench, task)
    assert (now.state, now.error_code, outcomes(bench, task)) == (
        TaskState.PROCESSING,
        None,
        [AttemptOutcome.RETRYING],
    )
    assert list(store.list_multiparts("")) == []


def end_others(database_url: str, ended_by: str) -> None:
    """End what all others do in the database: their connections, as a restart does, or only their statements."""
    ended = f"SELECT {ended_by}(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"
    with psycopg.connect(database_url) as connection:
        connection.execute(ended.encode(), [connection.info.backend_pid])


def test_a_message_for_an_export_that_is_done_is_nothing_to_do(bench: Workbench, scope: Scope) -> None:
    task = export(bench, scope, EntityType.CUSTOMERS).task
    assert run_export(bench, task.id) is False
    assert reload(bench, task).updated_at == task.updated_at
