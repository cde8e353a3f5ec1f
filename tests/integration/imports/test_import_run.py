"""Imports from claim to finish: bytes in the bucket become rows, or row errors, or a failure that says why."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text, update

from schemas.vocabulary import AttemptOutcome, ChunkState, EntityType, FileType, Phase, TaskState, TaskType
from service.db.clock import seconds_from_now
from service.db.models import (
    Attempt,
    Chunk,
    Customer,
    Event,
    Feature,
    Meter,
    Price,
    RowSetAside,
    Scope,
    StoredRowError,
    Task,
)
from service.errors import FencedError
from service.imports.chunks import claim_chunk
from service.imports.load import load_chunk
from service.imports.run import run_imports
from service.sweep import sweep
from service.tracking.lifecycle import NewTask
from service.tracking.status import change_status
from service.tracking.workbench import Workbench
from tests.factories.tasks import reload, submit, submit_import
from tests.fakes.dispatch import RecordingDispatcher

EVENTS_HEADER = "event_id,event_name,external_customer_id,timestamp,properties.tokens\n"


def run(bench: Workbench, scope: Scope, entity: EntityType, content: str | bytes) -> Task:
    task = submit_import(bench, scope, entity, content)
    run_imports(bench, task.id)
    return reload(bench, task)


def counts(task: Task) -> tuple[int, int, int, int]:
    return task.created_records, task.updated_records, task.skipped_records, task.rejected_records


def column(bench: Workbench, wanted: Any, *order: Any) -> list[Any]:
    with bench.sessions() as session:
        return list(session.scalars(select(wanted).order_by(*order)))


def test_customers_are_created_then_updated_and_a_blank_cell_keeps_what_is_stored(
    bench: Workbench, scope: Scope
) -> None:
    first = run(
        bench, scope, EntityType.CUSTOMERS,
        "external_id,name,email,address_city,metadata.tier,metadata.note\n"
        "c-1,One,one@example.com,Lisbon,gold,x\nc-2,Two,,Kyoto,,\n",
    )  # fmt: skip
    assert (first.state, counts(first), first.total_records) == (TaskState.COMPLETED, (2, 0, 0, 0), 2)
    second = run(
        bench, scope, EntityType.CUSTOMERS,
        "external_id,name,email,metadata.tier\nc-1,Uno,,silver\nc-3,Three,,\n",
    )  # fmt: skip
    assert counts(second) == (1, 1, 0, 0)
    with bench.sessions() as session:
        rows = session.scalars(select(Customer).order_by(Customer.external_id)).all()
    assert [(row.external_id, row.name, row.email, row.address_city, row.metadata_) for row in rows] == [
        ("c-1", "Uno", "one@example.com", "Lisbon", {"tier": "silver", "note": "x"}),
        ("c-2", "Two", None, "Kyoto", {}),
        ("c-3", "Three", None, None, {}),
    ]
    assert rows[0].id.startswith("cust_")
    assert (rows[0].import_id, rows[0].import_row) == (second.serial, 1)


def test_wrong_rows_are_refused_one_by_one_and_the_others_go_in(bench: Workbench, scope: Scope) -> None:
    task = run(
        bench, scope, EntityType.CUSTOMERS,
        'external_id,name,email,address_country\nc-1,One,,\n,Nameless,,\n\nc-3,"Th\nree",not-an-address,pt\nc-4,Four,,\n',
    )  # fmt: skip
    assert (task.state, counts(task)) == (TaskState.COMPLETED, (2, 0, 0, 2))
    assert column(bench, Customer.external_id, Customer.external_id) == ["c-1", "c-4"]
    with bench.sessions() as session:
        errors = session.scalars(select(StoredRowError).order_by(StoredRowError.row, StoredRowError.column)).all()
    assert [(error.row, error.line, error.column, error.code, error.value) for error in errors] == [
        (2, 3, "external_id", "required", ""),
        (3, 5, "address_country", "invalid_choice", "pt"),
        (3, 5, "email", "invalid_email", "not-an-address"),
    ]
    assert (task.error_summary or "").startswith("2 rows refused (")
    assert "Row 2 (line 3): " in (task.error_summary or "")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\n\n", "empty"),
        (b"name,email\nx,y\n", "external_id"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00", "zip"),
        (bytes(range(256)) * 10, "CSV"),
        (b'external_id,name\nc-1,"One\nc-2,Two\n', "line 2"),
    ],
)
def test_a_file_that_cannot_be_imported_fails_and_says_why(
    bench: Workbench, scope: Scope, content: bytes, words: str
) -> None:
    task = run(bench, scope, EntityType.CUSTOMERS, content)
    assert task.state == TaskState.FAILED
    assert words.lower() in (task.error_summary or "").lower()
    assert column(bench, Customer.external_id) == []
    assert column(bench, Attempt.outcome) == [AttemptOutcome.FAILED]


def test_header_alone_completes_with_zeros(bench: Workbench, scope: Scope) -> None:
    task = run(bench, scope, EntityType.CUSTOMERS, "external_id,name\n")
    assert (task.state, counts(task), task.total_records) == (TaskState.COMPLETED, (0, 0, 0, 0), 0)


def test_a_bad_cell_under_a_very_long_name_refuses_its_row_alone(bench: Workbench, scope: Scope) -> None:
    name = "metadata." + "".join(chr(ord("a") + number * 7 % 26) for number in range(20_000))
    content = f"external_id,name,{name}\nc-1,One,x\nc-2,Two,".encode() + b"\0\nc-3,Three,\n"
    task = run(bench, scope, EntityType.CUSTOMERS, content)
    assert task.state == TaskState.COMPLETED
    assert column(bench, StoredRowError.row) == [2]
    assert column(bench, StoredRowError.column) == [name[:100]]


def test_an_upload_that_never_came_fails_and_says_so(bench: Workbench, scope: Scope) -> None:
    new = NewTask(
        TaskType.IMPORT, EntityType.CUSTOMERS, FileType.CSV, upload_id="upload_x", source_key="uploads/nothing"
    )
    task = submit(bench, scope, new)
    run_imports(bench, task.id)
    now = reload(bench, task)
    assert (now.state, now.error_code) == (TaskState.FAILED, "source_refused")
    assert "Nothing was uploaded for upload_x" in (now.error_summary or "")


def test_events_are_skipped_when_they_are_known(bench: Workbench, scope: Scope) -> None:
    content = (
        EVENTS_HEADER + "e-1,call,c-1,2026-01-01T00:00:00Z,5\n" + "e-2,call,c-1,2026-01-01T00:00:01.5+01:00,\n"
        "e-1,call,c-9,2026-01-01T00:00:02Z,6\n"
    )
    first = run(bench, scope, EntityType.EVENTS, content)
    second = run(bench, scope, EntityType.EVENTS, content)
    assert (counts(first), counts(second)) == ((2, 0, 1, 0), (0, 0, 3, 0))
    with bench.sessions() as session:
        rows = session.scalars(select(Event).order_by(Event.event_id)).all()
    assert [(row.event_id, row.external_customer_id, row.properties) for row in rows] == [
        ("e-1", "c-1", {"tokens": "5"}),
        ("e-2", "c-1", {"tokens": ""}),
    ]
    assert rows[1].timestamp.isoformat() == "2025-12-31T23:00:01.500000+00:00"


def test_events_without_an_id_are_not_doubled_by_importing_the_same_bytes_again(bench: Workbench, scope: Scope) -> None:
    content = "event_name,external_customer_id\ncall,c-1\ncall,c-1\n"
    first = run(bench, scope, EntityType.EVENTS, content)
    second = run(bench, scope, EntityType.EVENTS, content)
    assert (counts(first), counts(second)) == ((2, 0, 0, 0), (0, 0, 2, 0))
    assert column(bench, Event.timestamp) == [first.created_at, first.created_at]


def test_of_events_with_one_id_the_first_in_the_file_wins_whichever_chunk_is_first(
    bench: Workbench, scope: Scope
) -> None:
    small = replace(bench, settings=replace(bench.settings, chunk_bytes=1))
    content = EVENTS_HEADER + "e-1,first,c,2026-01-01T00:00:00Z,1\n" + "e-1,second,c,2026-01-01T00:00:00Z,2\n"
    task = load_backwards(small, scope, EntityType.EVENTS, content)
    assert counts(task) == (1, 0, 1, 0)
    assert column(bench, Event.event_name) == ["first"]


def test_features_make_their_meters(bench: Workbench, scope: Scope) -> None:
    header = "name,lookup_key,type,unit_singular,unit_plural,meter_name,event_name,aggregation_type,aggregation_field\n"
    content = header + "Tokens,tokens,metered,token,tokens,Tokens,call,SUM,tokens\nSSO,sso,boolean,,,,,,\n"
    first = run(bench, scope, EntityType.FEATURES, content)
    again = run(bench, scope, EntityType.FEATURES, content.replace("Tokens,tokens", "All tokens,tokens"))
    assert (counts(first), counts(again)) == ((2, 0, 0, 0), (0, 2, 0, 0))
    with bench.sessions() as session:
        meter = session.scalars(select(Meter)).one()
        features = session.scalars(select(Feature).order_by(Feature.lookup_key)).all()
    assert (meter.event_name, meter.aggregation_type, meter.aggregation_field) == ("call", "SUM", "tokens")
    assert [(row.lookup_key, row.name, row.meter_id) for row in features] == [
        ("sso", "SSO", None),
        ("tokens", "All tokens", meter.id),
    ]


def test_prices_find_their_meter_by_the_feature_and_refuse_a_taken_key(bench: Workbench, scope: Scope) -> None:
    run(
        bench, scope, EntityType.FEATURES,
        "name,lookup_key,type,meter_name,event_name,aggregation_type\nCalls,calls,metered,Calls,call,COUNT\n",
    )  # fmt: skip
    header = (
        "lookup_key,meter_id,amount,type,currency,entity_type,entity_id,billing_model,billing_period,"
        "billing_period_count,invoice_cadence\n"
    )
    rest = "USAGE,usd,PLAN,p,FLAT_FEE,MONTHLY,1,ARREAR\n"
    content = header + f"k1,calls,0.5,{rest}k1,calls,0.6,{rest}k2,nothing,1,{rest},calls,2,{rest},calls,abc,{rest}"
    task = run(bench, scope, EntityType.PRICES, content)
    assert counts(task) == (2, 0, 0, 3)
    meter_id = column(bench, Meter.id)[0]
    with bench.sessions() as session:
        rows = session.scalars(select(Price).order_by(Price.import_row)).all()
        errors = session.execute(
            select(StoredRowError.row, StoredRowError.column, StoredRowError.code).order_by(StoredRowError.row)
        ).all()
    assert [(row.lookup_key, str(row.amount), row.meter_id, row.display_name) for row in rows] == [
        ("k1", "0.5", meter_id, "Calls"),
        (None, "2", meter_id, "Calls"),
    ]
    assert rows[0].start_date == task.created_at
    assert [tuple(error) for error in errors] == [
        (2, "lookup_key", "already_exists"),
        (3, "meter_id", "not_found"),
        (5, "amount", "invalid_number"),
    ]


def test_two_scopes_keep_the_same_keys_apart(bench: Workbench, scope: Scope) -> None:
    with bench.sessions.begin() as session:
        other = Scope(tenant_id="tenant_b", environment_id="env_a")
        session.add(other)
    run(bench, scope, EntityType.CUSTOMERS, "external_id,name\nc-1,Ours\n")
    task = run(bench, other, EntityType.CUSTOMERS, "external_id,name\nc-1,Theirs\n")
    assert counts(task) == (1, 0, 0, 0)
    assert column(bench, Customer.name, Customer.name) == ["Ours", "Theirs"]


cells = st.sampled_from(["", "a", "b", "c"])
customer_rows = st.lists(st.tuples(st.sampled_from(["k1", "k2", "k3"]), cells, cells, cells), min_size=1, max_size=12)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=customer_rows, order=st.randoms(use_true_random=False))
def test_the_result_is_the_rows_applied_in_file_order_whatever_the_order_of_chunks(
    bench: Workbench, scope: Scope, rows: list[tuple[str, str, str, str]], order: Any
) -> None:
    with bench.sessions.begin() as session:
        session.execute(delete(Customer))
    small = replace(bench, settings=replace(bench.settings, chunk_bytes=40))
    header = "external_id,name,address_city,address_state,metadata.x\n"
    content = header + "".join(f"{key},n{number},{a},{b},{c}\n" for number, (key, a, b, c) in enumerate(rows))
    task = load_in_order(small, scope, EntityType.CUSTOMERS, content, order.shuffle)
    keys = {row[0] for row in rows}
    assert counts(task) == (len(keys), len(rows) - len(keys), 0, 0)
    with bench.sessions() as session:
        stored = session.scalars(select(Customer)).all()
        assert session.scalars(select(RowSetAside)).all() == []
    found = {
        row.external_id: (row.name, row.address_city or "", row.address_state or "", row.metadata_.get("x", ""))
        for row in stored
    }
    assert found == applied_in_file_order(rows)


def applied_in_file_order(rows: Sequence[tuple[str, str, str, str]]) -> dict[str, tuple[str, ...]]:
    """One row after the other; a blank cell keeps what was there."""
    result: dict[str, tuple[str, ...]] = {}
    for number, (key, *values) in enumerate(rows):
        before = result.get(key, ("", "", "", ""))
        result[key] = tuple(new or old for new, old in zip((f"n{number}", *values), before, strict=True))
    return result


def load_backwards(bench: Workbench, scope: Scope, entity: EntityType, content: str) -> Task:
    return load_in_order(bench, scope, entity, content, lambda chunks: chunks.reverse())


def load_in_order(bench: Workbench, scope: Scope, entity: EntityType, content: str, arrange: Any) -> Task:
    """Fetch, then load the chunks in an order of the test's own, then finish."""
    task = submit_import(bench, scope, entity, content)
    run_fetch_only(bench, task)
    claimed = []
    with bench.sessions.begin() as session:
        while chunk := claim_chunk(session, bench.worker, lease_seconds=60):
            claimed.append(chunk)
    arrange(claimed)
    for chunk in claimed:
        load_chunk(bench, chunk)
    run_imports(bench, task.id)
    return reload(bench, task)


def run_fetch_only(bench: Workbench, task: Task) -> None:
    """Hide the chunks from the run that fetches, by making them due later."""
    hidden = text(
        "CREATE OR REPLACE FUNCTION hide() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN NEW.due_at := now() + interval '1 hour'; RETURN NEW; END$$"
    )
    with bench.sessions.begin() as session:
        session.execute(hidden)
        session.execute(
            text("CREATE OR REPLACE TRIGGER hide BEFORE INSERT ON chunks FOR EACH ROW EXECUTE FUNCTION hide()")
        )
    run_imports(bench, task.id)
    with bench.sessions.begin() as session:
        session.execute(text("DROP TRIGGER hide ON chunks"))
        session.execute(update(Chunk).values(due_at=seconds_from_now(-1)))


def test_a_worker_lets_other_messages_have_their_turn_and_leaves_the_rest_to_a_new_one(
    bench: Workbench, scope: Scope, dispatcher: RecordingDispatcher
) -> None:
    small = replace(bench, settings=replace(bench.settings, chunk_bytes=1))
    task = submit_import(small, scope, EntityType.CUSTOMERS, "external_id,name\nc-1,One\nc-2,Two\nc-3,Three\n")
    run_imports(small, task.id, turn_seconds=0)
    assert column(bench, Customer.external_id) == ["c-1"]
    assert dispatcher.sent[-1] == (task.id, TaskType.IMPORT)
    dispatcher.away = True
    run_imports(small, turn_seconds=0)
    assert column(bench, Customer.external_id, Customer.external_id) == ["c-1", "c-2", "c-3"]


def test_a_chunk_that_was_taken_away_meanwhile_writes_nothing(bench: Workbench, scope: Scope) -> None:
    task = submit_import(bench, scope, EntityType.CUSTOMERS, "external_id,name\nc-1,One\n,bad\n")
    run_fetch_only(bench, task)
    with bench.sessions.begin() as session:
        claimed = claim_chunk(session, "frozen:1", lease_seconds=60)
        session.execute(update(Chunk).values(lease_expires_at=seconds_from_now(-1)))
    assert claimed is not None
    sweep(bench)
    with pytest.raises(FencedError):
        load_chunk(bench, claimed)
    assert column(bench, Customer.external_id) == []
    assert column(bench, StoredRowError.row) == []
    run_imports(bench, task.id)
    assert (reload(bench, task).state, column(bench, Customer.external_id)) == (TaskState.COMPLETED, ["c-1"])


def test_a_task_that_was_stopped_fences_the_chunk_that_is_being_loaded(bench: Workbench, scope: Scope) -> None:
    task = submit_import(bench, scope, EntityType.CUSTOMERS, "external_id,name\nc-1,One\n")
    run_fetch_only(bench, task)
    with bench.sessions.begin() as session:
        claimed = claim_chunk(session, "slow:1", lease_seconds=60)
    assert claimed is not None
    bench.callbacks.fail(claimed.task, "stopped", "by the test")
    with pytest.raises(FencedError):
        load_chunk(bench, claimed)
    assert column(bench, Customer.external_id) == []


def test_a_worker_that_is_lost_in_the_fetch_is_followed_by_a_second_attempt(bench: Workbench, scope: Scope) -> None:
    task = submit_import(bench, scope, EntityType.CUSTOMERS, "external_id,name\nc-1,One\n")
    assert bench.callbacks.claim(TaskType.IMPORT, "lost:1", task.id) is not None
    with bench.sessions.begin() as session:
        session.execute(update(Task).values(lease_expires_at=seconds_from_now(-1)))
    sweep(bench)
    run_imports(bench, task.id)
    assert (reload(bench, task).state, reload(bench, task).attempt) == (TaskState.COMPLETED, 2)
    assert column(bench, Attempt.outcome, Attempt.number) == [AttemptOutcome.LOST, AttemptOutcome.SUCCEEDED]


def test_an_upload_that_was_overwritten_after_the_fetch_fails_as_changed(bench: Workbench, scope: Scope) -> None:
    task = submit_import(bench, scope, EntityType.CUSTOMERS, "external_id,name\nc-1,One\n")
    run_fetch_only(bench, task)
    bench.store.put(str(task.source_key), b"external_id,name\nc-2,Two\n", "text/csv", {})
    run_imports(bench, task.id)
    now = reload(bench, task)
    assert (now.state, now.error_code, column(bench, Customer.external_id)) == (TaskState.FAILED, "source_changed", [])


def test_a_transient_error_hands_the_task_back_and_a_later_attempt_completes_it(bench: Workbench, scope: Scope) -> None:
    task = submit_import(bench, scope, EntityType.CUSTOMERS, "external_id,name\nc-1,One\n")
    claimed = bench.callbacks.claim(TaskType.IMPORT, bench.worker, task.id)
    assert claimed is not None
    bench.callbacks.retry(claimed, "the store was away", delay_seconds=60)
    waiting = reload(bench, task)
    assert (waiting.state, waiting.phase, waiting.lease_expires_at) == (TaskState.PROCESSING, Phase.FETCHING, None)
    assert run_imports(bench, task.id) is False
    with bench.sessions.begin() as session:
        session.execute(update(Task).values(due_at=seconds_from_now(-1)))
    run_imports(bench, task.id)
    assert reload(bench, task).state == TaskState.COMPLETED
    assert column(bench, Attempt.outcome, Attempt.number) == [AttemptOutcome.RETRYING, AttemptOutcome.SUCCEEDED]


def test_a_restarted_import_goes_on_with_its_open_chunks(bench: Workbench, scope: Scope) -> None:
    small = replace(bench, settings=replace(bench.settings, chunk_bytes=1))
    task = submit_import(small, scope, EntityType.CUSTOMERS, "external_id,name\nc-1,One\nc-2,Two\n")
    run_fetch_only(small, task)
    with bench.sessions.begin() as session:
        first = claim_chunk(session, bench.worker, lease_seconds=60)
    assert first is not None
    load_chunk(small, first)
    bench.callbacks.fail(first.task, "stopped", "by the test")
    assert counts(reload(bench, task)) == (1, 0, 0, 0)
    assert column(bench, Chunk.state, Chunk.number) == [ChunkState.LOADED, ChunkState.OPEN]
    with bench.sessions.begin() as session:
        change_status(session, scope.id, task.id, TaskState.PROCESSING, "user_test", max_attempts=5)
    run_imports(small, task.id)
    now = reload(bench, task)
    assert (now.state, counts(now), now.attempt) == (TaskState.COMPLETED, (2, 0, 0, 0), 2)
    assert column(bench, Customer.external_id, Customer.external_id) == ["c-1", "c-2"]
    assert column(bench, Attempt.outcome, Attempt.number) == [AttemptOutcome.FAILED, AttemptOutcome.SUCCEEDED]
