"""The options of imports: when they stop, what is kept then, and what the columns of a source stand for."""

from typing import Any

import pytest
from sqlalchemy import select

from schemas.vocabulary import ChunkState, EntityType, FileType, TaskState
from service.db.models import Chunk, Customer, Event, RowSetAside, Scope, Task
from service.tracking.workbench import Workbench
from tests.integration.imports.lives import (
    column,
    counts,
    errors,
    names,
    refused_file,
    run,
    scope_of,
    with_chunks,
)

CUSTOMERS, EVENTS = EntityType.CUSTOMERS, EntityType.EVENTS
HEADER = "external_id,name\n"
MEND = "Mend the mapping and create a new task"


def file_of(rows: int, *refused: int) -> str:
    """A file of customers c1, c2, …, of which these have no name."""
    return HEADER + "".join(f"c{row},{'' if row in refused else f'n{row}'}\n" for row in range(1, rows + 1))


def message_of(rows: str, allowed: str, kept: str = "the rows that were loaded before stay") -> str:
    return (
        f"{rows} refused so far, and the options allow {allowed}; {kept}. "
        "Mend the refused rows, or allow more by max_errors or max_error_percent"
    )


def end_of(task: Task) -> tuple[str, str | None, str | None]:
    return task.state, task.error_code, task.error_summary


def test_an_import_that_aborts_stops_at_the_next_chunk_and_tells_which_rows_it_never_reached(
    bench: Workbench, scope: Scope
) -> None:
    task = run(with_chunks(bench, 1), scope, CUSTOMERS, file_of(5, 2), on_error="abort")
    assert end_of(task) == (TaskState.FAILED, "too_many_errors", message_of("1 row was", "0 of 5"))
    assert (counts(task), task.total_records, names(bench)) == ((1, 0, 0, 1), 5, {"c1": "n1"})
    assert column(bench, Chunk.state, Chunk.number) == [ChunkState.LOADED] * 2 + [ChunkState.OPEN] * 3
    never = '"never_reached","the import was stopped before this row"'
    assert refused_file(bench, task) == (
        '"_wharf_row","_wharf_line","_wharf_code","_wharf_message",external_id,name\n'
        '"2","3","required","name is required and must not be blank",c2,\n'
        f'"3","4",{never},c3,n3\n"4","5",{never},c4,n4\n"5","6",{never},c5,n5\n'
    )


def test_the_rows_that_an_aborted_import_never_reached_are_loaded_by_its_file_of_refused_rows(
    bench: Workbench, scope: Scope
) -> None:
    stopped = run(with_chunks(bench, 1), scope, CUSTOMERS, file_of(5, 2), on_error="abort")
    mended = refused_file(bench, stopped).replace("c2,\n", "c2,n2\n")
    task = run(bench, scope, CUSTOMERS, mended, mode="insert")
    assert (task.state, counts(task)) == (TaskState.COMPLETED, (4, 0, 0, 0))
    assert names(bench) == {f"c{row}": f"n{row}" for row in range(1, 6)}


def test_rows_of_the_chunk_that_goes_too_far_stay(bench: Workbench, scope: Scope) -> None:
    task = run(bench, scope, CUSTOMERS, file_of(5, 2), on_error="abort")
    assert end_of(task) == (TaskState.FAILED, "too_many_errors", message_of("1 row was", "0 of 5"))
    assert (counts(task), sorted(names(bench))) == ((4, 0, 0, 1), ["c1", "c3", "c4", "c5"])


def test_an_import_that_aborts_and_refuses_nothing_is_completed(bench: Workbench, scope: Scope) -> None:
    task = run(bench, scope, CUSTOMERS, file_of(3), on_error="abort", atomic=True)
    assert (task.state, counts(task), task.refused_key) == (TaskState.COMPLETED, (3, 0, 0, 0), None)


LIMITS: list[tuple[dict[str, Any], int, str | None]] = [
    ({"max_errors": 2}, 4, None),
    ({"max_errors": 1}, 3, message_of("2 rows were", "1 of 6")),
    ({"max_errors": 0}, 1, message_of("1 row was", "0 of 6")),
    ({"max_error_percent": 34}, 4, None),
    ({"max_error_percent": 33}, 3, message_of("2 rows were", "1 of 6")),
    ({"max_error_percent": 100}, 4, None),
    ({"max_error_percent": 0.5}, 1, message_of("1 row was", "0 of 6")),
    ({"max_errors": 2, "max_error_percent": 17}, 3, message_of("2 rows were", "1 of 6")),
    ({"max_errors": 1, "max_error_percent": 50}, 3, message_of("2 rows were", "1 of 6")),
    ({"on_error": "abort"}, 1, message_of("1 row was", "0 of 6")),
]


def test_so_many_refused_rows_are_allowed_and_no_more(bench: Workbench) -> None:
    """The second and the fifth of six rows are refused, in chunks of a row."""
    found = []
    for place, (options, _, _) in enumerate(LIMITS):
        scope = scope_of(bench, f"tenant_{place}")
        task = run(with_chunks(bench, 1), scope, CUSTOMERS, file_of(6, 2, 5), **options)
        found.append((options, task.created_records, task.error_summary if task.error_code else None))
    assert found == LIMITS


def test_of_an_atomic_import_nothing_is_written_when_one_row_is_refused(bench: Workbench, scope: Scope) -> None:
    run(bench, scope, CUSTOMERS, HEADER + "c1,Old\n")
    task = run(with_chunks(bench, 1), scope, CUSTOMERS, file_of(4, 4), atomic=True)
    told = message_of("1 row was", "0 of 4", "nothing was written")
    assert (end_of(task), counts(task)) == ((TaskState.FAILED, "too_many_errors", told), (0, 0, 0, 1))
    assert (names(bench), errors(bench, task)) == ({"c1": "Old"}, [(4, "name", "required")])
    assert refused_file(bench, task).splitlines()[1:] == [
        '"4","5","required","name is required and must not be blank",c4,'
    ]


def test_of_an_atomic_import_nothing_is_written_when_the_table_refuses_a_row(bench: Workbench, scope: Scope) -> None:
    run(bench, scope, CUSTOMERS, HEADER + "c2,Old\n")
    task = run(with_chunks(bench, 1), scope, CUSTOMERS, HEADER + "c1,A\nc2,B\nc3,C\nc1,D\n", atomic=True, mode="insert")
    told = message_of("2 rows were", "0 of 4", "nothing was written")
    assert (end_of(task), counts(task)) == ((TaskState.FAILED, "too_many_errors", told), (0, 0, 0, 2))
    assert names(bench) == {"c2": "Old"}
    assert errors(bench, task) == [(2, "external_id", "already_exists"), (4, "external_id", "already_exists")]
    assert [line.split(",")[0] for line in refused_file(bench, task).splitlines()[1:]] == ['"2"', '"4"']


@pytest.mark.parametrize(
    ("options", "refused"), [({}, ()), ({"max_errors": 1}, (2,)), ({"max_error_percent": 25}, (2,))]
)
def test_of_an_atomic_import_all_is_written_when_no_more_is_refused_than_allowed(
    bench: Workbench, scope: Scope, options: dict[str, Any], refused: tuple[int, ...]
) -> None:
    task = run(with_chunks(bench, 1), scope, CUSTOMERS, file_of(4, *refused), atomic=True, **options)
    assert (task.state, counts(task)) == (TaskState.COMPLETED, (4 - len(refused), 0, 0, len(refused)))
    assert sorted(names(bench)) == [f"c{row}" for row in range(1, 5) if row not in refused]


@pytest.mark.parametrize("limit", [{"atomic": True}, {"on_error": "abort"}, {"max_errors": 0}])
def test_a_dry_run_counts_all_rows_and_foretells_that_the_load_would_fail(
    bench: Workbench, scope: Scope, limit: dict[str, Any]
) -> None:
    task = run(with_chunks(bench, 1), scope, CUSTOMERS, file_of(4, 2), dry_run=True, **limit)
    assert (task.state, counts(task), names(bench)) == (TaskState.COMPLETED, (3, 0, 0, 1), {})
    assert task.error_summary == (
        "To load this would fail: 1 row was refused, and the options allow 0 of 4. 1 row refused (required 1). "
        "Row 2 (line 3): name is required and must not be blank"
    )


def test_an_atomic_import_applies_rows_in_the_order_of_the_file(bench: Workbench, scope: Scope) -> None:
    run(bench, scope, CUSTOMERS, HEADER + "c1,Old\n")
    content = "external_id,name,address_city\nc1,A,Rome\nc2,B,\nc1,C,\nc2,D,Oslo\n"
    task = run(with_chunks(bench, 1), scope, CUSTOMERS, content, atomic=True)
    assert (counts(task), names(bench)) == ((1, 3, 0, 0), {"c1": "C", "c2": "D"})
    assert column(bench, Customer.address_city, Customer.external_id) == ["Rome", "Oslo"]
    assert column(bench, RowSetAside.row) == []


SP500 = (
    "Symbol,Security,GICS Sector,GICS Sub-Industry,Headquarters Location,Date added,CIK,Founded\n"
    'MMM,3M,Industrials,Industrial Conglomerates,"Saint Paul, Minnesota",1957-03-04,66740,1902\n'
    'AOS,A. O. Smith,Industrials,Building Products,"Milwaukee, Wisconsin",2017-07-26,91142,1916\n'
)
MAPPING = {
    "Symbol": "external_id", "Security": "name", "GICS Sector": "metadata.sector",
    "Headquarters Location": "address_line1", "Date added": None,
}  # fmt: skip


def test_columns_of_a_file_that_knows_nothing_of_us_are_mapped(bench: Workbench, scope: Scope) -> None:
    constants = {"address_country": "US", "metadata.source": "sp500", "name": "Nobody"}
    task = run(bench, scope, CUSTOMERS, SP500 + "X,,,,,,,\n", mapping=MAPPING, constants=constants)
    assert counts(task) == (3, 0, 0, 0)
    with bench.sessions() as session:
        rows = session.scalars(select(Customer).order_by(Customer.external_id)).all()
    assert [(row.external_id, row.name, row.address_line1, row.address_country, row.metadata_) for row in rows] == [
        ("AOS", "A. O. Smith", "Milwaukee, Wisconsin", "US", {"sector": "Industrials", "source": "sp500"}),
        ("MMM", "3M", "Saint Paul, Minnesota", "US", {"sector": "Industrials", "source": "sp500"}),
        ("X", "Nobody", None, "US", {"source": "sp500"}),
    ]


def test_keys_of_objects_are_mapped_to_properties(bench: Workbench, scope: Scope) -> None:
    content = '{"what":"call","who":"c1","tokens":5,"nested":{"a":[1,true,null]}}\n{"what":"call","who":"c2"}\n'
    mapping = {"what": "event_name", "who": "external_customer_id", "tokens": "properties.tokens",
               "nested": "properties.nested"}  # fmt: skip
    constants = {"source": "log", "properties.tokens": "0"}
    task = run(bench, scope, EVENTS, content, FileType.NDJSON, mapping=mapping, constants=constants)
    assert counts(task) == (2, 0, 0, 0)
    with bench.sessions() as session:
        rows = session.scalars(select(Event).order_by(Event.import_row)).all()
    assert [(row.event_name, row.external_customer_id, row.source, row.properties) for row in rows] == [
        ("call", "c1", "log", {"tokens": 5, "nested": {"a": [1, True, None]}}),
        ("call", "c2", "log", {"tokens": "0"}),
    ]


def test_a_mapped_column_that_the_header_lacks_is_refused_with_what_it_has(bench: Workbench, scope: Scope) -> None:
    task = run(bench, scope, CUSTOMERS, file_of(1), mapping={"Symbol": "external_id"})
    assert end_of(task) == (
        TaskState.FAILED,
        "source_refused",
        "The header lacks Symbol, which the mapping names; it has external_id, name. " + MEND,
    )


@pytest.mark.parametrize(("event_ids", "again"), [("derive", (0, 0, 3, 0)), ("new", (3, 0, 0, 0))])
def test_events_without_an_id_get_one_from_the_bytes_or_a_new_one(
    bench: Workbench, scope: Scope, event_ids: str, again: tuple[int, ...]
) -> None:
    content = "event_name,external_customer_id\n" + "call,c1\n" * 3
    first = run(with_chunks(bench, 1), scope, EVENTS, content, event_ids=event_ids)
    same = run(bench, scope, EVENTS, content, event_ids=event_ids)
    other = run(bench, scope, EVENTS, content + "\n", event_ids=event_ids)
    assert [counts(task) for task in (first, same, other)] == [(3, 0, 0, 0), again, (3, 0, 0, 0)]
