"""Whole lives of imports through the API: refused rows that go in at last, and a dry run that is loaded."""

from typing import Any

import requests
from sqlalchemy import select

from service.db.models import Customer
from service.imports.run import run_imports
from service.tracking.workbench import Workbench
from tests.integration.api.conftest import Caller

IMPORT = {"task_type": "IMPORT", "entity_type": "CUSTOMERS", "file_type": "CSV", "file_name": "march.csv"}
#: The second row lacks a name, and the third has no address.
ROWS = "external_id;name;email\nc-1;One;one@example.com\nc-2;;two@example.com\nc-3;Three;three@\n"


def upload(caller: Caller, content: bytes) -> str:
    place = caller.call("POST", "/v1/uploads", {"file_name": "march.csv"}).get_json()
    assert requests.put(place["upload_url"], data=content, timeout=5).ok
    return str(place["upload_id"])


def run(caller: Caller, bench: Workbench, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Create a task, do its work, and read it."""
    answer = caller.call("POST", path, body)
    created = answer.get_json()
    assert answer.status_code in {200, 202}, created
    task_id = created.get("task_id") or created["id"]
    run_imports(bench, task_id)
    task: dict[str, Any] = caller.call("GET", f"/v1/tasks/{task_id}").get_json()
    return task


def refused_rows(caller: Caller, task: dict[str, Any]) -> bytes:
    link = caller.call("GET", f"/v1/tasks/{task['id']}/errors/download").get_json()
    return requests.get(link["download_url"], timeout=5).content


def customers(bench: Workbench) -> dict[str, str]:
    with bench.sessions() as session:
        rows = session.execute(select(Customer.external_id, Customer.name).order_by(Customer.external_id))
        return {row.external_id: row.name for row in rows}


def test_refused_rows_are_downloaded_mended_and_imported(caller: Caller, bench: Workbench) -> None:
    task = run(caller, bench, "/v1/tasks", {**IMPORT, "upload_id": upload(caller, ROWS.encode())})
    assert (task["outcome"], task["counts"]["rejected"]) == ("PARTIAL", 2)
    errors = caller.call("GET", f"/v1/tasks/{task['id']}/errors").get_json()
    assert [(error["row"], error["line"], error["column"], error["code"]) for error in errors["items"]] == [
        (2, 3, "name", "required"),
        (3, 4, "email", "invalid_email"),
    ]
    assert errors["counts"] == {"invalid_email": 1, "required": 1}
    refused = refused_rows(caller, task)
    mended = refused.replace(b"c-2;;", b"c-2;Two;").replace(b"three@", b"three@example.com")
    body = {"scope": "rejected", "upload_id": upload(caller, mended)}
    child = run(caller, bench, f"/v1/tasks/{task['id']}/retry", body)
    assert (child["outcome"], child["parent_task_id"], child["counts"]["created"]) == ("SUCCEEDED", task["id"], 2)
    assert customers(bench) == {"c-1": "One", "c-2": "Two", "c-3": "Three"}


def test_refused_rows_that_are_stored_are_imported_with_other_options(caller: Caller, bench: Workbench) -> None:
    latin = {"encoding": "latin-1", "delimiter": ";", "mapping": {"email": None}}
    rows = "external_id;name;email\nc-1;Onë;x\nc-2;;\n".encode("latin-1")
    task = run(caller, bench, "/v1/tasks", {**IMPORT, "upload_id": upload(caller, rows), "options": latin})
    assert (task["outcome"], task["source"]["encoding"]) == ("PARTIAL", "latin-1")
    body = {"scope": "rejected", "options": {"constants": {"name": "Unnamed"}}}
    child = run(caller, bench, f"/v1/tasks/{task['id']}/retry", body)
    assert (child["outcome"], child["error_summary"]) == ("SUCCEEDED", None)
    assert customers(bench) == {"c-1": "Onë", "c-2": "Unnamed"}
    # The rows are the parent's, and stay there for another go.
    assert refused_rows(caller, task)
    again = run(caller, bench, f"/v1/tasks/{child['id']}/retry", {"scope": "all"})
    assert (again["outcome"], again["counts"]["created"], again["total_records"]) == ("SUCCEEDED", 0, 1)


def test_refused_objects_of_a_json_array_are_imported_again(caller: Caller, bench: Workbench) -> None:
    rows = b'[{"external_id": "c-1", "name": "One"},\n {"external_id": "c-2"}, 7]'
    body = {**IMPORT, "file_type": "JSON", "upload_id": upload(caller, rows)}
    task = run(caller, bench, "/v1/tasks", body)
    assert (task["counts"]["rejected"], task["source"]["format"]) == (2, "JSON")
    again = {"scope": "rejected", "options": {"constants": {"name": "Unnamed"}}}
    child = run(caller, bench, f"/v1/tasks/{task['id']}/retry", again)
    assert (child["file_type"], child["counts"]["created"], child["counts"]["rejected"]) == ("NDJSON", 1, 1)
    assert customers(bench) == {"c-1": "One", "c-2": "Unnamed"}


def test_a_dry_run_writes_nothing_and_its_plan_loads_the_very_bytes(caller: Caller, bench: Workbench) -> None:
    options = {"dry_run": True, "constants": {"name": "Unnamed"}}
    upload_id = upload(caller, ROWS.encode())
    checked = run(caller, bench, "/v1/tasks", {**IMPORT, "upload_id": upload_id, "options": options})
    assert (checked["outcome"], checked["counts"]["created"], customers(bench)) == ("PARTIAL", 2, {})
    loaded = run(caller, bench, "/v1/tasks", {**IMPORT, "plan_id": checked["plan_id"]})
    assert (loaded["counts"], loaded["source"]["sha256"]) == (checked["counts"], checked["source"]["sha256"])
    assert (loaded["plan_id"], loaded["options"]) == (checked["id"], {"constants": {"name": "Unnamed"}})
    assert customers(bench) == {"c-1": "One", "c-2": "Unnamed"}
