"""Imports that stop, or fail as a whole, and are set to go on: no row is lost, doubled or put out of order."""

from datetime import timedelta
from threading import Thread

from sqlalchemy import select, update

from schemas.vocabulary import EntityType, FileType, Phase, TaskState
from service.db.clock import now
from service.db.models import Chunk, Customer, Price, RowSetAside, Scope, Task
from service.imports.chunks import claim_chunk, finish_chunk
from service.imports.run import run_import_step
from service.tracking.counters import Counters
from service.tracking.lifecycle import stop_loading
from service.tracking.status import change_status
from service.tracking.workbench import Workbench
from tests.factories.tasks import reload
from tests.integration.imports.lives import (
    column,
    counts,
    errors,
    refused_file,
    run,
    run_to_end,
    submit_file,
    with_chunks,
)

PRICES_HEADER = (
    "lookup_key,currency,entity_type,entity_id,type,billing_period,billing_period_count,invoice_cadence,"
    "billing_model,amount,meter_id,end_date\n"
)
FEATURES = "name,lookup_key,type,meter_name,event_name,aggregation_type\nCalls,calls,metered,Calls,call,COUNT\n"


def price(key: str, kind: str = "FIXED", meter: str = "", end: str = "") -> str:
    return f"{key},usd,PLAN,plan,{kind},MONTHLY,1,ARREAR,FLAT_FEE,1,{meter},{end}\n"


def go_on(bench: Workbench, scope: Scope, task: Task) -> None:
    with bench.sessions.begin() as session:
        change_status(session, scope.id, task.id, TaskState.PROCESSING, "user_test", 5)


def the_customer(bench: Workbench) -> tuple[str, str | None, str | None]:
    with bench.sessions() as session:
        row = session.scalars(select(Customer)).one()
    return row.name, row.email, row.address_city


def test_rows_that_wait_for_their_order_are_applied_when_the_import_stops(bench: Workbench, scope: Scope) -> None:
    content = "external_id,name,email\nc-1,One,\nc-1,Uno,one@example.com\n,Nameless,\nc-2,Two,\n"
    task = run(with_chunks(bench, 1), scope, EntityType.CUSTOMERS, content, max_errors=0)
    assert (task.state, task.error_code, counts(task)) == (TaskState.FAILED, "too_many_errors", (1, 1, 0, 1))
    assert the_customer(bench) == ("Uno", "one@example.com", None)
    assert [line.split(",", 4)[0] for line in refused_file(bench, task).splitlines()[1:]] == ['"3"', '"4"']


def test_rows_loaded_after_a_stop_still_count_in_the_order_of_the_file(bench: Workbench, scope: Scope) -> None:
    bench = with_chunks(bench, 1)
    content = (
        "external_id,name,email,address_city\n"
        "c-1,One,one@example.com,Lisbon\nc-1,Two,two@example.com,\nc-1,Three,,\n,Nameless,,\n"
    )
    task = submit_file(bench, scope, EntityType.CUSTOMERS, content, max_errors=0)
    run_import_step(bench)
    with bench.sessions.begin() as session:
        session.execute(update(Chunk).where(Chunk.number == 0).values(due_at=now() + timedelta(hours=1)))
    stopped = run_to_end(bench, task)
    assert (stopped.state, counts(stopped)) == (TaskState.FAILED, (1, 1, 0, 1))
    assert the_customer(bench) == ("Three", "two@example.com", None)
    go_on(bench, scope, task)
    assert counts(run_to_end(bench, task)) == (1, 2, 0, 1)
    assert the_customer(bench) == ("Three", "two@example.com", "Lisbon")


def test_a_chunk_that_commits_while_the_import_is_being_finished_is_counted(bench: Workbench, scope: Scope) -> None:
    bench = with_chunks(bench, 1)
    task = submit_file(bench, scope, EntityType.CUSTOMERS, "external_id,name\nc-1,One\nc-2,Two\n")
    run_import_step(bench)
    with bench.sessions.begin() as session:
        stop_loading(session, task.id, "too_many_errors", "enough")
    # A worker whose look at the tasks was older than the stop.
    with bench.sessions.begin() as session:
        session.execute(update(Task).values(stop_code=None))
        claimed = claim_chunk(session, "late", 60)
        session.execute(update(Task).values(stop_code="too_many_errors"))
    assert claimed is not None
    finisher = Thread(target=run_to_end, args=(bench, task))
    with bench.sessions.begin() as session:
        finish_chunk(session, claimed.chunk, Counters(created=1), None)
        finisher.start()
        finisher.join(timeout=1)
        assert reload(bench, task).state == TaskState.PROCESSING
    finisher.join()
    ended = reload(bench, task)
    assert (ended.state, ended.phase, counts(ended)) == (TaskState.FAILED, Phase.FINISHING, (1, 0, 0, 0))
    assert [line.split(",", 4)[0] for line in refused_file(bench, ended).splitlines()[1:]] == ['"2"']


def test_all_or_nothing_takes_rows_that_an_earlier_try_had_to_refuse(bench: Workbench, scope: Scope) -> None:
    content = PRICES_HEADER + price("p-1", "USAGE", "calls") + price("p-2")
    task = run(bench, scope, EntityType.PRICES, content, atomic=True)
    assert (task.state, errors(bench, task)) == (TaskState.FAILED, [(1, "meter_id", "not_found")])
    assert column(bench, Price.lookup_key) == []
    run(bench, scope, EntityType.FEATURES, FEATURES)
    go_on(bench, scope, task)
    again = run_to_end(bench, task)
    assert (again.state, counts(again), errors(bench, again)) == (TaskState.COMPLETED, (2, 0, 0, 0), [])
    assert (again.refused_key, again.error_summary) == (None, None)
    assert column(bench, Price.lookup_key, Price.lookup_key) == ["p-1", "p-2"]


def test_of_many_prices_of_one_key_the_first_that_can_be_is_made(bench: Workbench, scope: Scope) -> None:
    rows = [
        price("p-1", end="2026-01-01T00:00:00Z"),
        price("p-1", "USAGE", "nothing"),
        *([price("p-1")] * 300),
        price(""),
        price(""),
    ]
    task = run(bench, scope, EntityType.PRICES, PRICES_HEADER + "".join(rows))
    assert counts(task) == (4, 0, 0, 300)
    assert errors(bench, task)[:2] == [(2, "meter_id", "not_found"), (4, "lookup_key", "already_exists")]
    assert column(bench, Price.import_row, Price.import_row) == [1, 3, 303, 304]


def test_a_key_of_json_that_cannot_be_stored_refuses_its_row_alone(bench: Workbench, scope: Scope) -> None:
    names = [r"\u0000", r"metadata.\u0000x", r"\ud800", r"metadata.a\udfff"]
    lines = [f'{{"external_id": "c-{place}", "name": "x", "{name}": 1}}\n' for place, name in enumerate(names)]
    content = "".join(lines) + '{"external_id": "c-4", "name": "x"}\n'
    task = run(bench, scope, EntityType.CUSTOMERS, content, FileType.NDJSON)
    assert (task.state, counts(task)) == (TaskState.COMPLETED, (1, 0, 0, 4))
    assert [(row, code) for row, _, code in errors(bench, task)] == [(row, "invalid_json") for row in range(1, 5)]
    assert refused_file(bench, task).count("_wharf_row") == len(names)


def test_rows_of_a_finished_import_wait_for_nothing(bench: Workbench, scope: Scope) -> None:
    content = "external_id,name\nc-1,One\nc-1,Two\nc-1,Three\n"
    run(with_chunks(bench, 1), scope, EntityType.CUSTOMERS, content)
    assert (the_customer(bench)[0], column(bench, RowSetAside.row)) == ("Three", [])
