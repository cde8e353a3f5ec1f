"""Whatever goes wrong with a row, its contents reach neither a log nor what is kept about the task."""

import logging
from collections.abc import Callable

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from schemas.vocabulary import EntityType, TaskState
from service.db.models import Scope, Task
from service.imports.run import run_imports
from service.logs import _LOGS_URLS
from service.stack.servers import RunningServers
from service.tracking.workbench import Workbench
from tests.factories.tasks import reload, submit_import

MARKER = "marker-4f1d-of-ann"
CUSTOMERS = f"external_id,name,address_city,metadata.note\n{MARKER},{MARKER},{MARKER},{MARKER}\n"

CHECK = f"ALTER TABLE customers ADD CONSTRAINT refused CHECK (name <> '{MARKER}')"
DROPPED = "ALTER TABLE customers DROP COLUMN address_city"
UNIQUE = "ALTER TABLE customers ADD CONSTRAINT refused UNIQUE (name)"
NARROW = "ALTER TABLE customers ALTER COLUMN name TYPE varchar(3)"
NUMERIC = "ALTER TABLE customers ALTER COLUMN address_city TYPE bigint USING 0"
TRIGGER = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN RAISE EXCEPTION 'no %', NEW.name USING DETAIL = NEW.name; END$$;
    CREATE TRIGGER refuse BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION refuse()
"""
CAST = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM NEW.name::bigint; RETURN NEW; END$$;
    CREATE TRIGGER refuse BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION refuse()
"""

Recorded = Callable[[], str]


@pytest.fixture
def recorded(servers: RunningServers, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Recorded:
    """Gives all that was written since the test began: by the libraries, by prints, by PostgreSQL."""
    log = servers.postgres.folder.log("postgres")
    begins_at = log.stat().st_size

    def read() -> str:
        written = capfd.readouterr()
        by_libraries = "\n".join(record.getMessage() + str(record.exc_text or "") for record in caplog.records)
        return "\n".join([by_libraries, written.out, written.err, log.read_bytes()[begins_at:].decode()])

    return read


def break_table(bench: Workbench, statement: str) -> None:
    """Make the merge fail with an error whose own text quotes the row, as a mistake of ours would."""
    with bench.sessions.begin() as session:
        session.execute(text(statement))


def kept_of(bench: Workbench, task: Task) -> str:
    """All that the tables keep about a task, as text."""
    tables = {"tasks": "id", "attempts": "task_id", "chunks": "task_id", "row_errors": "task_id"}
    with bench.sessions() as session:
        rows = [
            session.scalars(text(f"SELECT shown::text FROM {table} AS shown WHERE {key} = :id"), {"id": task.id}).all()
            for table, key in tables.items()
        ]
    return str(rows)


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        (CHECK, "CheckViolation"),
        (DROPPED, "UndefinedColumn"),
        (NARROW, "StringDataRightTruncation"),
        (NUMERIC, "InvalidTextRepresentation"),
        (TRIGGER, "RaiseException"),
        (CAST, "InvalidTextRepresentation"),
    ],
    ids=["check", "dropped column", "narrow column", "other type", "raised by a trigger", "cast"],
)
def test_an_import_that_our_own_mistake_fails_tells_nothing_of_its_rows(
    bench: Workbench, scope: Scope, recorded: Recorded, statement: str, name: str
) -> None:
    break_table(bench, statement)
    with capture_logs() as logs:
        task = submit_import(bench, scope, EntityType.CUSTOMERS, CUSTOMERS)
        run_imports(bench, task.id)
    now = reload(bench, task)
    assert (now.state, now.error_code) == (TaskState.FAILED, "internal_error")
    assert now.error_summary == (f"An unexpected error occurred while the task ran ({name}); the worker's log has more")
    assert [entry["event"] for entry in logs] == ["chunk_failed"]
    assert MARKER not in str(logs)
    assert MARKER not in kept_of(bench, task)
    assert MARKER not in recorded()


def test_a_doubled_value_is_not_quoted_either(bench: Workbench, scope: Scope, recorded: Recorded) -> None:
    break_table(bench, UNIQUE)
    content = f"external_id,name\nc-1,{MARKER}\nc-2,{MARKER}\n"
    with capture_logs() as logs:
        task = submit_import(bench, scope, EntityType.CUSTOMERS, content)
        run_imports(bench, task.id)
    assert reload(bench, task).state == TaskState.FAILED
    assert MARKER not in str(logs) + kept_of(bench, task) + recorded()


def test_rows_that_are_refused_are_not_logged_even_at_the_lowest_level(
    caplog: pytest.LogCaptureFixture, bench: Workbench, scope: Scope, recorded: Recorded
) -> None:
    # The levels that WHARF_LOG_LEVEL=DEBUG gives the libraries; the last call is what caplog itself hears.
    for name in _LOGS_URLS:
        caplog.set_level(logging.ERROR, logger=name)
    caplog.set_level(logging.DEBUG)
    content = f"external_id,name,email,address_city\nc-1,{MARKER},,{MARKER}\nc-2,{MARKER},{MARKER},\nc-1,{MARKER},,\n"
    task = submit_import(bench, scope, EntityType.CUSTOMERS, content)
    run_imports(bench, task.id)
    now = reload(bench, task)
    assert (now.state, now.rejected_records) == (TaskState.COMPLETED, 1)
    assert [line for line in recorded().splitlines() if MARKER in line] == []
