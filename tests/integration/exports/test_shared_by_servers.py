"""What the parts of several workers ask of a store, asked of the S3 servers that tests have."""

from collections import Counter
from dataclasses import replace

from sqlalchemy import text

from schemas.vocabulary import EntityType, FileType, TaskState, TaskType
from service.db.models import Scope
from service.exports.helper import help_export
from service.exports.run import run_export
from service.storage.s3 import S3ObjectStore
from service.tracking.lifecycle import NewTask
from service.tracking.workbench import Workbench
from tests.factories.tasks import reload, submit
from tests.fakes.dispatch import RecordingDispatcher

MIB = 1024 * 1024
ROWS = 40_000


class HelpingDispatcher(RecordingDispatcher):
    """Has another worker help at once when several are asked to."""

    def __init__(self, helper: Workbench) -> None:
        super().__init__()
        self._helper = helper

    def dispatch(self, task_id: str, task_type: TaskType, copies: int = 1) -> bool:
        """See Dispatcher."""
        return help_export(self._helper) and super().dispatch(task_id, task_type, copies)


def test_two_workers_write_one_object(bench: Workbench, store: S3ObjectStore, scope: Scope) -> None:
    with bench.sessions.begin() as session:
        session.execute(
            text(
                "INSERT INTO customers (scope_id, external_id, id, name, import_id, import_row) "
                "SELECT :scope_id, 'c-' || number, 'cust_' || number, repeat(md5(number::text), 25), 0, number "
                "FROM generate_series(1, :rows) AS number"
            ),
            {"scope_id": scope.id, "rows": ROWS},
        )
        session.execute(text("ANALYZE customers"))
    settings = replace(bench.settings, range_bytes=MIB, part_bytes=5 * MIB)
    helper = replace(bench, settings=settings, worker="helper:1")
    lead = replace(helper, worker="lead:1", dispatcher=HelpingDispatcher(helper))
    options = {"columns": ["external_id", "name"]}
    task = submit(lead, scope, NewTask(TaskType.EXPORT, EntityType.CUSTOMERS, FileType.CSV, options=options))
    assert run_export(lead, task.id)
    done = reload(lead, task)
    assert (done.state, done.error_summary, done.total_records) == (TaskState.COMPLETED, None, ROWS)
    content = b"".join(store.stream(done.file_url.split("/", 3)[3], MIB)).decode()
    header, *lines = content.splitlines()
    assert header == "external_id,name"
    assert Counter(line.partition(",")[0] for line in lines) == Counter(f'"c-{n}"' for n in range(1, ROWS + 1))
    assert len((done.object_manifest or {})["parts"]) > 1
    assert list(store.list_multiparts(done.file_url.split("/", 3)[3])) == []
