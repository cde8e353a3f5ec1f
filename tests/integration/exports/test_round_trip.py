"""What is exported imports back to the same rows, whatever they hold: every entity, format and compression."""

import csv
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as HypothesisPhase
from hypothesis import strategies as st
from sqlalchemy import text

from schemas.vocabulary import EntityType, FileType, TaskState, TaskType
from service.access import ensure_scope
from service.db.models import Scope, Task
from service.exports.helper import help_export
from service.exports.run import run_export
from service.imports.run import run_imports
from service.tracking.lifecycle import NewTask
from service.tracking.workbench import Workbench
from tests.factories.tasks import reload, submit
from tests.integration.exports.any_rows import ROWS
from tests.integration.exports.nasty_rows import METERED, Cells, nasty_rows

#: What a file begins with by how it is packed; Parquet is packed inside.
MAGIC = {"none": b"", "gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
COMPRESSIONS = list(MAGIC)

# What belongs to one import alone; everything else in the tables must come back, to the last digit of a number.
_OWN = "'{id,created_at,updated_at,ingested_at,import_id,import_row,scope_id,meter_id}'::text[]"
_STORED = {
    EntityType.CUSTOMERS: f"SELECT (to_jsonb(shown) - {_OWN})::text FROM customers AS shown",
    EntityType.EVENTS: f"SELECT (to_jsonb(shown) - {_OWN})::text FROM events AS shown",
    EntityType.FEATURES: f"""
        SELECT (to_jsonb(shown) - {_OWN} || jsonb_build_object('meter', to_jsonb(meters) - {_OWN}))::text
        FROM features AS shown LEFT JOIN meters ON meters.id = shown.meter_id""",
    EntityType.PRICES: f"""
        SELECT (to_jsonb(shown) - {_OWN} || jsonb_build_object('feature', features.lookup_key))::text
        FROM prices AS shown LEFT JOIN features USING (scope_id, meter_id)""",
}

each_entity = pytest.mark.parametrize("entity", list(EntityType), ids=str)
each_format = pytest.mark.parametrize("file_type", list(FileType), ids=str)
# What a file holds is no matter of the server that stores it.
on_one_server = pytest.mark.parametrize("store_variables", ["rclone"], indirect=True, scope="session")
# Each example is three tasks, so looking for the smallest one that fails would take minutes.
few_examples = settings(
    max_examples=6,
    phases=[phase for phase in HypothesisPhase if phase is not HypothesisPhase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def new_scope(bench: Workbench, entity: EntityType) -> Scope:
    """A scope without rows of the entity; one for prices has the features that they name."""
    with bench.sessions.begin() as session:
        scope = ensure_scope(session, f"tenant_{uuid4().hex}", "env")
    if entity is EntityType.PRICES:
        features = [
            {"name": key, "lookup_key": key, "type": "metered", "meter_name": key, "event_name": "e"}
            | {"aggregation_type": "COUNT"}
            for key in METERED
        ]
        load(bench, scope, EntityType.FEATURES, FileType.CSV, to_csv(features))
    return scope


def load(bench: Workbench, scope: Scope, entity: EntityType, file_type: FileType, content: bytes) -> Task:
    """Import a file; every row of it must go in."""
    key = f"uploads/{uuid4().hex}"
    bench.store.put(key, content, "application/octet-stream", {})
    new = NewTask(TaskType.IMPORT, entity, file_type, upload_id="upload_test", source_key=key)
    task = submit(bench, scope, new)
    run_imports(bench, task.id)
    done = reload(bench, task)
    assert (done.state, done.error_summary) == (TaskState.COMPLETED, None)
    return done


def export(bench: Workbench, scope: Scope, entity: EntityType, file_type: FileType, **options: Any) -> bytes:
    """The bytes of a finished export's object."""
    task = submit(bench, scope, NewTask(TaskType.EXPORT, entity, file_type, options=options or None))
    assert run_export(bench, task.id)
    done = reload(bench, task)
    assert (done.state, done.error_summary) == (TaskState.COMPLETED, None)
    key = done.file_url.removeprefix(f"s3://{bench.settings.s3_bucket}/")
    return b"".join(bench.store.stream(key, 2**20))


def export_together(bench: Workbench, scope: Scope, entity: EntityType, file_type: FileType, compression: str) -> bytes:
    """The same by two workers in many small parts, most of which are as short as one row."""
    settings = replace(bench.settings, range_bytes=4096, part_bytes=1)
    lead, helper = (replace(bench, settings=settings, worker=f"test:{number}") for number in (1, 2))
    with ThreadPoolExecutor(max_workers=1) as beside:
        done = Event()
        helping = beside.submit(help_others, helper, done)
        try:
            return export(lead, scope, entity, file_type, compression=compression)
        finally:
            done.set()
            helping.result()


def help_others(bench: Workbench, done: Event) -> None:
    """Take part in whatever export runs, until there is none."""
    while not done.is_set():
        help_export(bench)


def to_csv(rows: Sequence[Cells]) -> bytes:
    """The rows as another program writes them, every cell quoted."""
    file = io.StringIO(newline="")
    names = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(file, list(names), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def stored(bench: Workbench, scope: Scope, entity: EntityType) -> list[str]:
    """The rows in the table, without what belongs to one import alone, in an order of their own."""
    statement = text(f"{_STORED[entity]} WHERE shown.scope_id = :scope_id")
    with bench.sessions() as session:
        return sorted(session.scalars(statement, {"scope_id": scope.id}))


def come_back(
    bench: Workbench, entity: EntityType, file_type: FileType, compressions: Sequence[str], rows: list[Cells]
) -> None:
    """Import rows, export them, import each export into an empty scope: all hold the same."""
    first = new_scope(bench, entity)
    load(bench, first, entity, FileType.CSV, to_csv(rows))
    wanted = stored(bench, first, entity)
    for compression in compressions:
        second = new_scope(bench, entity)
        exported = export(bench, first, entity, file_type, compression=compression)
        assert exported.startswith(b"PAR1" if file_type is FileType.PARQUET else MAGIC[compression])
        task = load(bench, second, entity, file_type, exported)
        assert stored(bench, second, entity) == wanted
        assert (task.created_records, task.total_records) == (len(rows), len(rows))


@each_entity
@each_format
@few_examples
@given(data=st.data())
def test_any_rows_come_back_from_every_format(
    bench: Workbench, entity: EntityType, file_type: FileType, data: st.DataObject
) -> None:
    rows = data.draw(ROWS[entity], "rows")
    come_back(bench, entity, file_type, [data.draw(st.sampled_from(COMPRESSIONS), "compression")], rows)


@on_one_server
@each_entity
@each_format
def test_each_nasty_text_comes_back_from_every_column(
    bench: Workbench, entity: EntityType, file_type: FileType
) -> None:
    come_back(bench, entity, file_type, COMPRESSIONS, nasty_rows(entity))


@on_one_server
@pytest.mark.parametrize("file_type", [FileType.CSV, FileType.JSON, FileType.NDJSON], ids=str)
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_rows_that_two_workers_export_together_come_back(
    bench: Workbench, file_type: FileType, compression: str
) -> None:
    entity = EntityType.CUSTOMERS
    first, second = new_scope(bench, entity), new_scope(bench, entity)
    load(bench, first, entity, FileType.CSV, to_csv(nasty_rows(entity)))
    exported = export_together(bench, first, entity, file_type, compression)
    load(bench, second, entity, file_type, exported)
    assert stored(bench, second, entity) == stored(bench, first, entity)


@on_one_server
@each_entity
@each_format
def test_an_export_without_rows_is_a_file_that_imports(
    bench: Workbench, entity: EntityType, file_type: FileType
) -> None:
    scope = new_scope(bench, entity)
    for compression in COMPRESSIONS:
        exported = export(bench, scope, entity, file_type, compression=compression)
        task = load(bench, scope, entity, file_type, exported)
        assert (task.total_records, stored(bench, scope, entity)) == (0, [])
