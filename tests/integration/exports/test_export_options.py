"""The options of an export: which columns, which rows, how they are written, into how many files."""

import csv
import gzip
import hashlib
import io
import json
from dataclasses import replace
from typing import Any

import pyarrow.parquet as pq
import pytest
import zstandard
from sqlalchemy import text

from schemas.vocabulary import EntityType, FileType, TaskState, TaskType
from service.db.models import Scope, Task
from service.exports.run import run_export
from service.imports.run import run_imports
from service.tracking.lifecycle import NewTask
from service.tracking.workbench import Workbench
from tests.factories.tasks import reload, submit, submit_import
from tests.fakes.storage import MemoryObjectStore

pytestmark = pytest.mark.parametrize("store_variables", ["rclone"], indirect=True, scope="session")

CUSTOMERS = (
    "external_id,name,email,address_city\n"
    'c-1,One,,"=SUM(A1)"\nc-2,"+Two ""x""",two@example.com,-5\nc-3,Three,+x@x.co,@home\n'
    "c-4,Four,=1+1@x.co,plain=text\n"
)
EVENTS = "event_id,event_name,external_customer_id,timestamp,source,properties\n" + "".join(
    f"e-{day},{'call' if day % 2 else 'token'},cust-{day % 3},2026-03-0{day}T00:00:00Z,{'web' if day < 3 else ''},"
    f'"{{""n"": {day}}}"\n'
    for day in range(1, 6)
)


def load(bench: Workbench, scope: Scope, entity: EntityType, content: str) -> None:
    task = submit_import(bench, scope, entity, content)
    run_imports(bench, task.id)
    assert reload(bench, task).state == TaskState.COMPLETED


def export(
    bench: Workbench, scope: Scope, entity: EntityType, file_type: FileType = FileType.CSV, **options: Any
) -> Task:
    task = submit(bench, scope, NewTask(TaskType.EXPORT, entity, file_type, options=options))
    assert run_export(bench, task.id)
    done = reload(bench, task)
    assert (done.state, done.error_summary) == (TaskState.COMPLETED, None)
    return done


def read(bench: Workbench, task: Task) -> bytes:
    return read_key(bench, task.file_url.removeprefix(f"s3://{bench.settings.s3_bucket}/"))


def read_key(bench: Workbench, key: str) -> bytes:
    return b"".join(bench.store.stream(key, 2**20))


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


@pytest.fixture
def events(bench: Workbench, scope: Scope) -> Scope:
    """Five events on the first five days of a month."""
    load(bench, scope, EntityType.EVENTS, EVENTS)
    return scope


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"filters": {"event_id": ["e-2", "e-4", "e-9"]}}, {"e-2", "e-4"}),
        ({"filters": {"event_name": ["call"]}}, {"e-1", "e-3", "e-5"}),
        ({"filters": {"event_name": ["call"], "external_customer_id": ["cust-0", "cust-1"]}}, {"e-1", "e-3"}),
        ({"filters": {"source": ["web"]}}, {"e-1", "e-2"}),
        ({"start_time": "2026-03-02T00:00:00Z", "end_time": "2026-03-04T00:00:00Z"}, {"e-2", "e-3"}),
        ({"start_time": "2026-03-04T00:00:00Z"}, {"e-4", "e-5"}),
        ({"end_time": "2026-03-01T00:00:00.000001Z"}, {"e-1"}),
        ({"filters": {"source": ["'; DROP TABLE events; --"]}}, set()),
    ],
)
def test_only_the_events_that_were_asked_for_are_exported(
    bench: Workbench, events: Scope, options: dict[str, Any], found: set[str]
) -> None:
    task = export(bench, events, EntityType.EVENTS, **options)
    assert {row["event_id"] for row in rows(read(bench, task))} == found
    assert (task.object_manifest or {})["filters"] == options.get("filters", {})


def test_a_window_stands_in_the_key_and_in_the_manifest(bench: Workbench, events: Scope) -> None:
    task = export(
        bench, events, EntityType.EVENTS, start_time="2026-03-02T00:00:00Z", end_time="2026-03-04T01:02:03.5Z"
    )
    assert task.file_url.endswith(f"/events/events-260302000000-260304010203-{task.id}-1.csv")
    manifest = task.object_manifest or {}
    assert (manifest["start_time"], manifest["end_time"]) == ("2026-03-02T00:00:00Z", "2026-03-04T01:02:03.5Z")


def test_the_created_window_of_customers_ends_before_its_end(bench: Workbench, scope: Scope) -> None:
    load(bench, scope, EntityType.CUSTOMERS, CUSTOMERS)
    with bench.sessions.begin() as session:
        session.execute(text("UPDATE customers SET created_at = ('2026-03-0' || right(external_id, 1))::timestamptz"))
    start_time, end_time = "2026-03-02T00:00:00Z", "2026-03-04T00:00:00Z"
    task = export(bench, scope, EntityType.CUSTOMERS, start_time=start_time, end_time=end_time)
    assert {row["external_id"] for row in rows(read(bench, task))} == {"c-2", "c-3"}


@pytest.mark.parametrize("file_type", list(FileType))
def test_columns_come_in_the_order_that_was_asked_for(bench: Workbench, events: Scope, file_type: FileType) -> None:
    columns = ["properties", "event_id", "timestamp"]
    task = export(bench, events, EntityType.EVENTS, file_type, columns=columns, filters={"event_id": ["e-1"]})
    content = read(bench, task)
    match file_type:
        case FileType.CSV:
            assert content == b'properties,event_id,timestamp\n"{""n"": 1}","e-1",2026-03-01T00:00:00Z\n'
        case FileType.JSON:
            assert content == b'[{"properties":{"n": 1},"event_id":"e-1","timestamp":"2026-03-01T00:00:00+00:00"}\n]\n'
        case FileType.NDJSON:
            assert content == b'{"properties":{"n": 1},"event_id":"e-1","timestamp":"2026-03-01T00:00:00+00:00"}\n'
        case FileType.PARQUET:
            assert pq.read_table(io.BytesIO(content)).column_names == columns
    assert (task.object_manifest or {})["columns"] == columns


def test_spreadsheets_take_no_text_for_a_formula_where_that_was_asked_for(bench: Workbench, scope: Scope) -> None:
    load(bench, scope, EntityType.CUSTOMERS, CUSTOMERS)
    columns = ["external_id", "name", "email", "address_city"]
    safe = rows(read(bench, export(bench, scope, EntityType.CUSTOMERS, columns=columns, spreadsheet_safe=True)))
    as_stored = rows(read(bench, export(bench, scope, EntityType.CUSTOMERS, columns=columns)))
    assert sorted((row["name"], row["address_city"]) for row in safe) == [
        ('\'+Two "x"', "'-5"),
        ("Four", "plain=text"),
        ("One", "'=SUM(A1)"),
        ("Three", "'@home"),
    ]
    assert sorted(row["email"] for row in safe) == ["", "'+x@x.co", "'=1+1@x.co", "two@example.com"]
    assert {row["address_city"] for row in as_stored} == {"=SUM(A1)", "-5", "@home", "plain=text"}


@pytest.mark.parametrize(
    ("file_type", "compression", "ending", "content_type"),
    [
        (FileType.CSV, "none", ".csv", "text/csv; charset=utf-8"),
        (FileType.CSV, "gzip", ".csv.gz", "application/gzip"),
        (FileType.JSON, "none", ".json", "application/json"),
        (FileType.JSON, "zstd", ".json.zst", "application/zstd"),
        (FileType.NDJSON, "none", ".ndjson", "application/x-ndjson"),
        (FileType.NDJSON, "gzip", ".ndjson.gz", "application/gzip"),
        (FileType.PARQUET, "zstd", ".parquet", "application/vnd.apache.parquet"),
    ],
)
def test_names_and_types_tell_the_format(
    bench: Workbench, events: Scope, file_type: FileType, compression: str, ending: str, content_type: str
) -> None:
    task = export(bench, events, EntityType.EVENTS, file_type, compression=compression)
    key = task.file_url.removeprefix(f"s3://{bench.settings.s3_bucket}/")
    head = bench.store.head(key)
    assert head is not None
    assert (key.rpartition("-1.")[2], head.content_type) == (ending[1:], content_type)
    content = read(bench, task)
    assert (task.object_manifest or {})["sha256"] == hashlib.sha256(content).hexdigest()
    assert unpack(content, file_type, compression) == [f"e-{day}" for day in range(1, 6)]


def unpack(content: bytes, file_type: FileType, compression: str) -> list[str]:
    if file_type is FileType.PARQUET:
        parquet = pq.ParquetFile(io.BytesIO(content))
        codec = "UNCOMPRESSED" if compression == "none" else compression.upper()
        assert parquet.metadata.row_group(0).column(0).compression == codec
        return sorted(parquet.read()["event_id"].to_pylist())
    if compression == "gzip":
        content = gzip.decompress(content)
    elif compression == "zstd":
        content = zstandard.ZstdDecompressor().stream_reader(content).read()
    match file_type:
        case FileType.CSV:
            return sorted(row["event_id"] for row in rows(content))
        case FileType.JSON:
            return sorted(row["event_id"] for row in json.loads(content))
        case _:
            return sorted(json.loads(line)["event_id"] for line in content.splitlines())


@pytest.mark.parametrize("file_type", list(FileType))
def test_an_export_is_cut_into_files_of_so_many_rows(bench: Workbench, events: Scope, file_type: FileType) -> None:
    task = export(bench, events, EntityType.EVENTS, file_type, max_part_rows=2)
    base = f"tenant_a/env_a/events/events-{task.id}-1"
    assert task.file_url == f"s3://{bench.settings.s3_bucket}/{base}.manifest.json"
    manifest = json.loads(read(bench, task))
    assert manifest == task.object_manifest
    names = [f"{base}-000{number}.{file_type.lower()}" for number in (1, 2, 3)]
    assert [(part["key"], part["rows"]) for part in manifest["parts"]] == [(names[0], 2), (names[1], 2), (names[2], 1)]
    assert (manifest["rows"], manifest["sha256"]) == (5, None)
    found = []
    for part in manifest["parts"]:
        content = read_key(bench, part["key"])
        assert (len(content), hashlib.sha256(content).hexdigest()) == (part["bytes"], part["sha256"])
        found += unpack(content, file_type, "none")
    assert sorted(found) == [f"e-{day}" for day in range(1, 6)]


@pytest.mark.parametrize(("rows_max", "files"), [(5, 1), (4, 2), (1, 5), (100, 1)])
def test_no_file_is_empty_unless_all_are(bench: Workbench, events: Scope, rows_max: int, files: int) -> None:
    task = export(bench, events, EntityType.EVENTS, max_part_rows=rows_max)
    assert len((task.object_manifest or {})["parts"]) == files
    nothing = export(bench, events, EntityType.EVENTS, max_part_rows=rows_max, filters={"source": ["none"]})
    assert [part["rows"] for part in (nothing.object_manifest or {})["parts"]] == [0]


def test_more_files_than_a_task_can_list_are_refused_with_the_remedy(bench: Workbench, scope: Scope) -> None:
    content = "external_id,name\n" + "".join(f"c-{number},One\n" for number in range(1001))
    load(bench, scope, EntityType.CUSTOMERS, content)
    in_memory = replace(bench, store=MemoryObjectStore())
    options = {"max_part_rows": 1}
    task = submit(in_memory, scope, NewTask(TaskType.EXPORT, EntityType.CUSTOMERS, FileType.CSV, options=options))
    assert run_export(in_memory, task.id)
    failed = reload(in_memory, task)
    assert (failed.state, failed.error_summary) == (
        TaskState.FAILED, "The rows fill more than 1000 files of 1 rows; give a larger max_part_rows",
    )  # fmt: skip


def test_one_column_alone_has_a_line_for_every_row(bench: Workbench, scope: Scope) -> None:
    load(bench, scope, EntityType.CUSTOMERS, CUSTOMERS)
    for file_type in (FileType.CSV, FileType.PARQUET):
        task = export(bench, scope, EntityType.CUSTOMERS, file_type, columns=["address_country"])
        content = read(bench, task)
        found = (
            content.splitlines()[1:] if file_type is FileType.CSV else pq.read_table(io.BytesIO(content)).to_pylist()
        )
        assert found == ([b'""'] * 4 if file_type is FileType.CSV else [{"address_country": None}] * 4)


def test_parquet_has_times_and_numbers_of_their_own_kind(bench: Workbench, events: Scope) -> None:
    content = read(bench, export(bench, events, EntityType.EVENTS, FileType.PARQUET))
    schema = {field.name: str(field.type) for field in pq.read_schema(io.BytesIO(content))}
    assert (schema["timestamp"], schema["ingested_at"], schema["properties"]) == (
        "timestamp[us, tz=UTC]",
        "timestamp[us, tz=UTC]",
        "string",
    )
