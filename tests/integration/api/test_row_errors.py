"""What an import refused: its row errors in pages, and the link to the refused rows."""

from typing import Any

import pytest
import requests
from sqlalchemy import update
from werkzeug.test import TestResponse

from schemas.row_errors import RowError, RowErrorCode
from schemas.vocabulary import ChunkState, Phase, Role, TaskState
from service.db.models import Chunk, Task
from service.tracking.row_errors import store_row_errors
from service.tracking.workbench import Workbench
from tests.integration.api.conftest import Caller, NewCaller

IMPORT = {"task_type": "IMPORT", "entity_type": "CUSTOMERS", "file_type": "CSV", "file_name": "march.csv.gz"}
EXPORT = {"task_type": "EXPORT", "entity_type": "CUSTOMERS", "file_type": "CSV"}
REFUSED = b"_wharf_row,_wharf_line,_wharf_code,_wharf_message,external_id\n2,3,required,x,c-2\n"


@pytest.fixture
def task_id(caller: Caller, bench: Workbench) -> str:
    """An import that is being loaded and has refused rows 2, 3 and 5."""
    upload = caller.call("POST", "/v1/uploads", {"file_name": "march.csv"}).get_json()
    created = caller.call("POST", "/v1/tasks", {**IMPORT, "upload_id": upload["upload_id"]}).get_json()
    task_id = str(created["task_id"])
    errors = [
        RowError(2, 3, "name", RowErrorCode.REQUIRED, None, "name is required and must not be blank"),
        RowError(2, 3, "email", RowErrorCode.INVALID_EMAIL, "a@", "email must be an address"),
        RowError(3, 4, "email", RowErrorCode.INVALID_EMAIL, "b@", "email must be an address"),
        RowError(5, 6, "", RowErrorCode.INVALID_UTF8, None, "the row is not UTF-8"),
    ]
    with bench.sessions.begin() as session:
        codes = store_row_errors(session, task_id, errors)
        session.execute(update(Task).where(Task.id == task_id).values(state=TaskState.PROCESSING, phase=Phase.LOADING))
        session.add(
            Chunk(
                task_id=task_id, number=0, state=ChunkState.LOADED, byte_start=0, byte_end=9, first_row=1, row_count=5,
                first_line=2, checksum=b"", created_records=2, rejected_records=3, refused_codes=codes,
            )
        )  # fmt: skip
    return task_id


def finish(bench: Workbench, task_id: str, **values: Any) -> None:
    with bench.sessions.begin() as session:
        session.execute(update(Task).where(Task.id == task_id).values(state=TaskState.COMPLETED, **values))


def errors_of(caller: Caller, task_id: str, query: str = "") -> TestResponse:
    return caller.call("GET", f"/v1/tasks/{task_id}/errors{query}")


def download_of(caller: Caller, task_id: str) -> tuple[int, str]:
    answer = caller.call("GET", f"/v1/tasks/{task_id}/errors/download")
    return answer.status_code, answer.get_json().get("message", "")


def test_errors_come_in_the_order_of_the_file_while_the_task_runs(caller: Caller, task_id: str) -> None:
    answer = errors_of(caller, task_id)
    assert answer.status_code == 200
    assert answer.get_json() == {
        "items": [
            {
                "row": 2, "line": 3, "column": "name", "code": "required", "value": None,
                "message": "name is required and must not be blank",
            },
            {
                "row": 2, "line": 3, "column": "email", "code": "invalid_email", "value": "a@",
                "message": "email must be an address",
            },
            {
                "row": 3, "line": 4, "column": "email", "code": "invalid_email", "value": "b@",
                "message": "email must be an address",
            },
            {
                "row": 5, "line": 6, "column": "", "code": "invalid_utf8", "value": None,
                "message": "the row is not UTF-8",
            },
        ],
        "pagination": {"total": 4, "limit": 50, "offset": 0},
        "counts": {"invalid_email": 1, "invalid_utf8": 1, "required": 1},
        "kept": 3,
        "rejected": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "rows", "pagination"),
    [
        ("?limit=2&offset=1", [2, 3], {"total": 4, "limit": 2, "offset": 1}),
        ("?offset=4", [], {"total": 4, "limit": 50, "offset": 4}),
        ("?offset=-1&limit=1", [2], {"total": 4, "limit": 1, "offset": -1}),
        ("?limit=5000", [2, 2, 3, 5], {"total": 4, "limit": 1000, "offset": 0}),
        ("?limit=0", [2, 2, 3, 5], {"total": 4, "limit": 50, "offset": 0}),
        ("?code=invalid_email&offset=1", [3], {"total": 2, "limit": 50, "offset": 1}),
        ("?code=", [2, 2, 3, 5], {"total": 4, "limit": 50, "offset": 0}),
        ("?code=unheard_of", [], {"total": 0, "limit": 50, "offset": 0}),
    ],
)
def test_pages_and_filters_of_errors(
    caller: Caller, task_id: str, query: str, rows: list[int], pagination: dict[str, int]
) -> None:
    page = errors_of(caller, task_id, query).get_json()
    assert ([error["row"] for error in page["items"]], page["pagination"]) == (rows, pagination)
    assert page["rejected"] == 3


@pytest.mark.parametrize("query", ["?limit=many", "?offset=9223372036854775808"])
def test_wrong_filters_of_errors_are_refused(caller: Caller, task_id: str, query: str) -> None:
    answer = errors_of(caller, task_id, query)
    assert (answer.status_code, answer.get_json()["message"]) == (400, "Invalid filter parameters")


def test_an_export_and_a_task_that_waits_have_no_errors(caller: Caller) -> None:
    task_id = caller.call("POST", "/v1/tasks", EXPORT).get_json()["id"]
    assert errors_of(caller, task_id).get_json() == {
        "items": [], "pagination": {"total": 0, "limit": 50, "offset": 0}, "counts": {}, "kept": 0, "rejected": 0,
    }  # fmt: skip
    assert download_of(caller, task_id)[0] == 404


def test_the_refused_rows_are_downloaded_by_their_link(caller: Caller, bench: Workbench, task_id: str) -> None:
    key = f"refused/{task_id}.csv"
    bench.store.put(key, REFUSED, "text/csv", {})
    finish(bench, task_id, refused_key=key)
    link = caller.call("GET", f"/v1/tasks/{task_id}/errors/download").get_json()
    assert list(link) == ["download_url", "file_name"]
    assert link["file_name"] == "march-refused.csv"
    got = requests.get(link["download_url"], timeout=5)
    assert got.content == REFUSED
    assert 'filename="march-refused.csv"' in got.headers["Content-Disposition"]


def test_a_download_says_why_there_is_none(caller: Caller, bench: Workbench, task_id: str) -> None:
    early = "The refused rows can be downloaded when the task is finished; until then read its errors"
    assert download_of(caller, task_id) == (404, early)
    finish(bench, task_id)
    assert download_of(caller, task_id) == (404, "The task has refused no rows")
    finish(bench, task_id, refused_key="refused/gone.csv")
    gone = "The refused rows are no longer in the bucket; import the source again"
    assert download_of(caller, task_id) == (404, gone)


@pytest.mark.parametrize("path", ["errors", "errors/download"])
def test_refused_rows_are_shown_to_their_readers_only(
    caller: Caller, new_caller: NewCaller, bench: Workbench, task_id: str, path: str
) -> None:
    finish(bench, task_id, refused_key="refused/x.csv")
    bench.store.put("refused/x.csv", REFUSED, "text/csv", {})
    whole = f"/v1/tasks/{task_id}/{path}"
    assert new_caller(role=Role.READER).call("GET", whole).status_code == 200
    assert Caller(caller.app, "").call("GET", whole).status_code == 401
    for place in (("tenant_b", "env_a"), ("tenant_a", "env_b")):
        assert new_caller(*place).call("GET", whole).get_json()["message"] == "Task not found"
    assert caller.call("GET", f"/v1/tasks/task_none/{path}").status_code == 404
