"""What a fetch stores of sources that are not plain UTF-8, and what it says of them."""

import gzip
import io
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from schemas.vocabulary import EntityType, FileType, TaskType
from service.db.models import Scope, Task
from service.errors import SourceRefusedError
from service.imports.fetch import fetch_source
from service.tracking.lifecycle import NewTask
from service.tracking.workbench import Workbench
from tests.factories.tasks import reload, submit

CSV = b"external_id,name\nc-1,One\nc-2,Two\n"
LINES = b'{"external_id":"c-1","name":"One"}\n{"external_id":"c-2","name":"Two"}\n'
PLAIN = {"layout": "csv", "delimiter": ",", "quote": '"', "encoding": "utf-8", "compression": "none"}


def parquet() -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table({"external_id": ["c-1", "c-2"], "name": ["One", "Two"]}), target)
    return target.getvalue()


def fetch(bench: Workbench, scope: Scope, content: bytes, file_type: FileType) -> Task:
    key = f"uploads/{uuid4().hex}"
    bench.store.put(key, content, "text/plain", {})
    new = NewTask(TaskType.IMPORT, EntityType.CUSTOMERS, file_type, upload_id="upload_test", source_key=key)
    task = submit(bench, scope, new)
    claimed = bench.callbacks.claim(TaskType.IMPORT, bench.worker, task.id)
    assert claimed is not None
    with bench.keep_lease(claimed) as keeper:
        fetch_source(bench, claimed, keeper)
    return reload(bench, task)


def stored(bench: Workbench, task: Task) -> bytes:
    return b"".join(bench.store.stream(str(task.source_key), 1 << 20))


@pytest.mark.parametrize("content", [CSV, b"\xef\xbb\xbf" + CSV])
def test_an_upload_of_plain_text_stays_where_it_is(bench: Workbench, scope: Scope, content: bytes) -> None:
    task = fetch(bench, scope, content, FileType.CSV)
    assert str(task.source_key).startswith("uploads/")
    assert (task.source_format, stored(bench, task)) == ({**PLAIN, "file_type": "CSV"}, content)


@pytest.mark.parametrize(
    ("content", "file_type", "text", "found"),
    [
        (gzip.compress(CSV), FileType.CSV, CSV, {"compression": "gzip"}),
        (zstandard.compress(CSV), FileType.CSV, CSV, {"compression": "zstd"}),
        (CSV.decode().encode("utf-16"), FileType.CSV, CSV, {"encoding": "utf-16-le"}),
        (gzip.compress(LINES), FileType.NDJSON, LINES, {"compression": "gzip", "layout": "ndjson"}),
        (parquet(), FileType.PARQUET, LINES, {"layout": "ndjson"}),
    ],
    ids=["gzip", "zstd", "utf-16", "gzip of JSON lines", "parquet"],
)
def test_what_is_not_plain_is_stored_once_more_as_plain_text(
    bench: Workbench, scope: Scope, content: bytes, file_type: FileType, text: bytes, found: dict[str, str]
) -> None:
    task = fetch(bench, scope, content, file_type)
    assert task.source_key == f"sources/{task.id}/1"
    assert task.source_format == {**PLAIN, "file_type": str(file_type), **found}
    assert (stored(bench, task), task.total_records) == (text, 2)


def test_a_source_that_is_refused_leaves_no_copy(bench: Workbench, scope: Scope) -> None:
    with pytest.raises(SourceRefusedError):
        fetch(bench, scope, gzip.compress(CSV)[:-5], FileType.CSV)
    assert list(bench.store.list_multiparts("sources/")) == []


def test_a_file_that_is_called_parquet_and_is_none_is_refused(bench: Workbench, scope: Scope) -> None:
    with pytest.raises(SourceRefusedError, match="the file is no such"):
        fetch(bench, scope, CSV, FileType.PARQUET)
