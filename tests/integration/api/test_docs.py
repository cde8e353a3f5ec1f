"""The OpenAPI document is served and true, and so is the page that shows it, with nothing from elsewhere."""

import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from schemas.vocabulary import Role
from service.app import make_routes
from service.db.models import ApiKey
from service.db.session import Sessions
from service.exports.run import run_export
from service.imports.run import run_imports
from service.tracking.workbench import Workbench
from tests.contract.document import Document, read_document
from tests.fakes.dispatch import RecordingDispatcher
from tests.integration.api.conftest import Caller, NewCaller
from tests.integration.api.test_tasks import CUSTOMERS, EXPORT, create_import, upload

DRY = {"dry_run": True}
_URL = re.compile(r"(?:src|href)=\"([^\"]*)\"")


@pytest.fixture(scope="module")
def routes() -> Flask:
    """The app with nothing behind it, which is all that the page needs."""
    return make_routes()


@pytest.fixture
def document(app: Flask) -> Document:
    return read_document(app)


@pytest.fixture
def told(document: Document, caller: Caller) -> "Told":
    return Told(document, caller)


class Told:
    """Sends requests by their operationId, and holds each answer against the document."""

    def __init__(self, document: Document, caller: Caller) -> None:
        self.document = document
        self.caller = caller

    def __call__(self, operation_id: str, status: int, *, query: str = "", body: Any = None, **ids: str) -> Any:
        method, path = self.document.operation(operation_id).name.split()
        answer = self.caller.call(method, path.format_map(ids) + query, body)
        assert answer.status_code == status, answer.get_json()
        self.document.check_answer(operation_id, answer)
        return answer.get_json()


def test_document_is_served_to_anybody(routes: Flask) -> None:
    answer = routes.test_client().get("/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.get_json()["openapi"] == "3.1.0"


def test_answers_of_an_import_are_as_documented(told: Told, bench: Workbench) -> None:
    created = told("createUpload", 201, body={"file_name": "customers.csv", "size": 10.0})
    told("createTask", 400, body={**EXPORT, "task_type": "IMPORT", "upload_id": "upload_x"})
    told("createTask", 200, body={**EXPORT, "task_type": "IMPORT", "upload_id": created["upload_id"]})
    task_id = create_import(told.caller, upload(told.caller, CUSTOMERS))["task_id"]
    told("getTask", 200, task_id=task_id)
    run_imports(bench, task_id)
    task = told("getTask", 200, task_id=task_id)
    assert (task["task_status"], task["outcome"]) == ("COMPLETED", "PARTIAL")
    told("getTaskResult", 200, query=f"?workflow_id={task['workflow_id']}")
    told("downloadTaskExport", 400, task_id=task_id)
    told("updateTaskStatus", 400, task_id=task_id, body={"task_status": "PROCESSING"})
    assert told("getRowErrors", 200, task_id=task_id)["pagination"]["total"] == 1
    told("downloadRefusedRows", 200, task_id=task_id)
    retried = told("retryTask", 202, task_id=task_id, body={"scope": "rejected"})
    told("retryTask", 400, task_id=retried["id"], body={"scope": "rejected"})
    told("downloadRefusedRows", 404, task_id=retried["id"])
    assert told("listTasks", 200)["pagination"]["total"] == 3


def test_answers_of_a_plan_are_as_documented(told: Told, bench: Workbench) -> None:
    upload_id = upload(told.caller, CUSTOMERS)
    checked = told("createTask", 200, body={**EXPORT, "task_type": "IMPORT", "upload_id": upload_id, "options": DRY})
    run_imports(bench, checked["task_id"])
    plan = told("getTask", 200, task_id=checked["task_id"])
    assert (plan["plan_id"], plan["outcome"]) == (plan["id"], "PARTIAL")
    loaded = told("createTask", 202, body={**EXPORT, "task_type": "IMPORT", "plan_id": plan["plan_id"]})
    run_imports(bench, loaded["id"])
    assert told("getTask", 200, task_id=loaded["id"])["counts"] == plan["counts"]


def test_answers_of_an_export_are_as_documented(told: Told, bench: Workbench) -> None:
    task_id = told("createTask", 202, body=EXPORT)["id"]
    told("downloadTaskExport", 404, task_id=task_id)
    told("updateTaskStatus", 200, task_id=task_id, body={"task_status": "FAILED"})
    assert told("getTask", 200, task_id=task_id)["error_summary"]
    told("updateTaskStatus", 200, task_id=task_id, body={"task_status": "PROCESSING"})
    run_export(bench, task_id)
    assert told("getTask", 200, task_id=task_id)["manifest"]["rows"] == 0
    assert told("getTaskResult", 200, query=f"?workflow_id={task_id}")["download_url"]
    told("downloadTaskExport", 200, task_id=task_id)
    told("listTasks", 200, query="?task_status=COMPLETED")


def test_errors_are_as_documented(told: Told, new_caller: NewCaller, sessions: Sessions) -> None:
    told("listTasks", 400, query="?limit=many")
    told("getTaskResult", 400)
    told("getTaskResult", 404, query="?workflow_id=wf_x")
    told("getTask", 404, task_id="task_x")
    told("updateTaskStatus", 404, task_id="task_x", body={"task_status": "FAILED"})
    told("getRowErrors", 404, task_id="task_x")
    told("getRowErrors", 400, task_id="task_x", query="?offset=many")
    told("downloadRefusedRows", 404, task_id="task_x")
    told("retryTask", 404, task_id="task_x", body={"scope": "all"})
    told("retryTask", 400, task_id="task_x", body={"scope": "some"})
    told("createTask", 413, body={**EXPORT, "file_name": "x" * 2**20})
    told.caller.headers["Idempotency-Key"] = "once"
    told("createTask", 202, body=EXPORT)
    told("createTask", 202, body=EXPORT)
    told("createTask", 409, body={**EXPORT, "file_name": "other"})
    told.caller.headers.clear()
    Told(told.document, new_caller(role=Role.READER))("createTask", 403, body=EXPORT)
    Told(told.document, replace(told.caller, key="sk_unknown"))("listTasks", 401)
    with sessions.begin() as session:
        session.execute(update(ApiKey).values(requests_per_minute=1))
    told("listTasks", 429)


def test_routes_that_are_not_built_say_so(told: Told) -> None:
    planned = [operation for operation in told.document.operations if operation.told["tags"] == ["planned"]]
    assert len(planned) == 7
    for operation in planned:
        assert told(operation.told["operationId"], 501, schedule_id="schtask_x")["code"] == "not_implemented"


def test_health_is_as_documented(told: Told, dispatcher: RecordingDispatcher) -> None:
    told("healthz", 200)
    told("readyz", 200)
    dispatcher.away = True
    assert told("readyz", 503)["failed"] == ["broker"]


def fetch(app: Flask, path: str, **headers: str) -> TestResponse:
    """Get a page or a file, and close it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().get(path, headers=named, buffered=True)


def test_page_gets_all_it_needs_from_here(routes: Flask) -> None:
    page = fetch(routes, "/docs")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    urls = _URL.findall(page.text)
    assert {"/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/docs.js"} <= set(urls)
    assert [fetch(routes, url).status_code for url in urls] == [200] * len(urls)
    assert "://" not in page.text + fetch(routes, "/docs/docs.js").text


def test_page_may_load_and_send_nothing_elsewhere(routes: Flask) -> None:
    for path in ("/docs", "/docs/docs.js", "/docs/nothing"):
        headers = fetch(routes, path).headers
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert (policy["default-src"], policy["script-src"], policy["style-src"]) == ("'none'", "'self'", "'self'")
        assert "unsafe" not in str(policy)
        assert "http" not in str(policy)
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_page_has_no_script_or_style_within(routes: Flask) -> None:
    page = fetch(routes, "/docs").text
    assert re.findall(r"<script[^>]*>[^<]+</script>|<style|\bstyle=|\bon\w+=", page) == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("docs.js", "javascript"),
        ("swagger-ui-bundle.js", "javascript"),
        ("swagger-ui.css", "css"),
        ("favicon-32x32.png", "png"),
    ],
)
def test_assets_are_kept_by_browsers(routes: Flask, name: str, kind: str) -> None:
    asset = fetch(routes, f"/docs/{name}")
    assert (asset.status_code, str(asset.mimetype).rpartition("/")[2]) == (200, kind)
    assert "max-age=86400" in asset.headers["Cache-Control"]
    assert fetch(routes, f"/docs/{name}", if_none_match=asset.headers["ETag"]).status_code == 304


@pytest.mark.parametrize(
    "name",
    [
        "index.html",
        "docs.html",
        "oauth2-redirect.html",
        "swagger-ui.js",
        "../docs.py",
        "..%2fdocs.py",
        "%2e%2e/docs.py",
    ],
)
def test_nothing_else_is_given_away(routes: Flask, name: str) -> None:
    answer = fetch(routes, f"/docs/{name}")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")
