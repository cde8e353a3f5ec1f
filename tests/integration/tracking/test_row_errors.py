"""Row errors in SQL: what is kept of a chunk, pages of it, and the counts of all."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from schemas.row_errors import RowError, RowErrorCode
from schemas.vocabulary import EntityType
from service.db.models import Chunk, Scope, StoredRowError
from service.tracking.row_errors import (
    KEPT_ROWS_OF_A_CHUNK,
    count_refused_rows,
    list_row_errors,
    store_row_errors,
    summarise_row_errors,
)
from service.tracking.workbench import Workbench
from tests.factories.tasks import submit_import

REQUIRED, EMAIL = RowErrorCode.REQUIRED, RowErrorCode.INVALID_EMAIL


def refused(row: int, code: RowErrorCode = REQUIRED, column: str = "name") -> RowError:
    return RowError(row, row + 1, column, code, None, f"{column} is wrong")


def shown(error: RowError) -> dict[str, object]:
    return {
        "row": error.row, "line": error.line, "column": error.column, "code": error.code, "value": error.value,
        "message": error.message,
    }  # fmt: skip


def chunk(task_id: str, number: int, rejected: int, codes: dict[str, int] | None) -> Chunk:
    return Chunk(
        task_id=task_id, number=number, byte_start=0, byte_end=1, first_row=1, row_count=1, first_line=1, checksum=b"",
        rejected_records=rejected, refused_codes=codes,
    )  # fmt: skip


@pytest.fixture
def task_id(bench: Workbench, scope: Scope) -> str:
    """An import whose first chunk has refused 3 rows, whose second 5,000, and whose third is not loaded yet."""
    task_id = submit_import(bench, scope, EntityType.CUSTOMERS, "").id
    with bench.sessions.begin() as session:
        session.add(chunk(task_id, 0, 3, {"required": 2, "invalid_email": 1}))
        session.add(chunk(task_id, 1, 5000, {"required": 5000}))
        session.add(chunk(task_id, 2, 0, None))
    return task_id


def test_a_row_with_several_errors_counts_for_its_first(session: Session, task_id: str) -> None:
    errors = [refused(2), refused(2, EMAIL, "email"), refused(1, EMAIL, "email")]
    assert store_row_errors(session, task_id, errors) == {"required": 1, "invalid_email": 1}
    page = [shown(errors[2]), shown(errors[0]), shown(errors[1])]
    assert list_row_errors(session, task_id, None, 50, 0) == (page, 3)


def test_nothing_is_stored_where_nothing_was_refused(session: Session, task_id: str) -> None:
    assert store_row_errors(session, task_id, []) == {}
    assert list_row_errors(session, task_id, None, 50, 0) == ([], 0)


def test_the_errors_of_the_first_rows_of_a_chunk_are_kept_and_all_are_counted(session: Session, task_id: str) -> None:
    rows = KEPT_ROWS_OF_A_CHUNK + 500
    errors = [refused(row) for row in range(rows, 0, -1)] + [refused(rows + 1, EMAIL)]
    assert store_row_errors(session, task_id, errors) == {"required": rows, "invalid_email": 1}
    kept = session.scalars(select(StoredRowError.row).order_by(StoredRowError.row)).all()
    assert kept == list(range(1, KEPT_ROWS_OF_A_CHUNK + 1))


def test_pages_follow_the_file_and_do_not_overlap(session: Session, task_id: str) -> None:
    errors = [error for row in range(1, 8) for error in (refused(row), refused(row, EMAIL, "email"))]
    store_row_errors(session, task_id, errors)
    pages = [list_row_errors(session, task_id, None, 5, offset) for offset in range(0, 20, 5)]
    assert [error for page, _ in pages for error in page] == [shown(error) for error in errors]
    assert {total for _, total in pages} == {14}
    only = [shown(error) for error in errors if error.code == EMAIL]
    assert list_row_errors(session, task_id, "invalid_email", 3, 2) == (only[2:5], 7)
    assert list_row_errors(session, task_id, "unheard_of", 3, 0) == ([], 0)


def test_counts_are_of_all_chunks_the_most_frequent_code_first(session: Session, task_id: str) -> None:
    counts, kept = count_refused_rows(session, task_id)
    assert list(counts.items()) == [("required", 5002), ("invalid_email", 1)]
    assert kept == 3 + KEPT_ROWS_OF_A_CHUNK
    assert count_refused_rows(session, "task_none") == ({}, 0)


def test_the_summary_counts_all_and_tells_the_first_rows(session: Session, task_id: str) -> None:
    store_row_errors(session, task_id, [refused(row) for row in range(1, 10)] + [refused(1, EMAIL, "email")])
    assert summarise_row_errors(session, task_id, 5003) == (
        "5003 rows refused (required 5002, invalid_email 1). Row 1 (line 2): name is wrong, email is wrong; "
        "Row 2 (line 3): name is wrong; Row 3 (line 4): name is wrong; Row 4 (line 5): name is wrong; "
        "Row 5 (line 6): name is wrong; and 4998 rows more"
    )
    assert summarise_row_errors(session, task_id, 0) is None


def test_chunks_without_refused_rows_change_no_count(session: Session, task_id: str) -> None:
    before = count_refused_rows(session, task_id)
    session.execute(update(Chunk).where(Chunk.number == 2).values(refused_codes={}))
    assert count_refused_rows(session, task_id) == before
